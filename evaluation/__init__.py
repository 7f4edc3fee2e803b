"""Measures what the control finds and misses, over made-up worlds with known truth; run by hand, never in CI."""
