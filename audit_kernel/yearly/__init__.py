"""A year's evaluation and overview, made of the sealed bags of its months and their closings alone."""
