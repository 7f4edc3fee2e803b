"""The log store: taking files in, each in one transaction, and reading what is there, each time under a purpose."""
