"""What investigators ask the service to seal, where they cannot seal themselves: a letter box, and its answers."""
