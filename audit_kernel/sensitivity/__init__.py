"""Known incidents: synthetic ones put into a copy of a month, to say how many of them the checks find.

The copy lives in the memory of one process and is gone with it. What an incident is stands in `incidents`, and knows no
check, no reason and no threshold.
"""
