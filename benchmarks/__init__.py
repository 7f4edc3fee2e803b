"""Measures the product against its peers; run by hand, never in CI."""
