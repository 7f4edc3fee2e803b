"""Access log control: from log files to sealed evidence."""
