"""Backup and restore of a whole site: store, archive, cases, journals, keys and settings, while it is at work."""
