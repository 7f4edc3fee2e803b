"""Closing: a month's decisions, bound and measures, counted over its sealed run and signed off in a bag of its own."""
