"""Measure how often the sample's 95 % bound covers the truth: `python -m benchmarks.sample_coverage [draws]`."""

from __future__ import annotations

import sys

from tests.sample_worlds import coverage, worlds

DRAWS = 2000


def main() -> None:
    """Print a line for each world: share of draws covered, and the mean bound over the truth."""
    n_draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    print(f"{'rate':>6}  {'spread of the bad ones':<22} {'covered':>8} {'bound / truth':>14}")
    for rate in (0.01, 0.05, 0.1):
        for world in worlds(rate=rate):
            covered, loose = coverage(world, n_draws)
            print(f"{rate:>6} {world.name:<22} {covered:>8.4f} {loose:>14.2f}")


if __name__ == "__main__":
    main()
