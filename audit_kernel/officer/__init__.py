"""The data-protection officer's view: what was done, read from archive and journals, without running the control."""
