"""Cases: what was looked at because of a suspicion, what was said and decided, and the deviation that came of it."""
