"""Measure how often the sample's 95 % bound covers the truth: `python -m benchmarks.sample_coverage [draws]`.

The frames are made up, so that the bad ones are known; the draws are the product's own.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from functools import cache

from audit_kernel.sample_bounds import Judged, in_proportion, upper_bound
from audit_kernel.sample_plans import plan_strata
from audit_kernel.sampling import allocate, draw_hash

CONFIDENCE = "0.95"
DRAWS = 2000


@dataclass(frozen=True)
class World:
    """Sizes of the strata, and how many bad ones lie in each."""

    name: str
    sizes: tuple[int, ...]
    bad: tuple[int, ...]


def worlds(n_strata: int = 20, rate: float = 0.05, seed: int = 1) -> list[World]:
    """Return frames with the same share of bad ones, spread evenly, in few strata, in the small and in the large."""
    chosen = random.Random(seed)  # noqa: S311 - a made-up world
    sizes = tuple(sorted(chosen.randint(20, 400) for _ in range(n_strata)))
    total = round(sum(sizes) * rate)

    def filled(order: list[int], at_most: float) -> tuple[int, ...]:
        left, bad = total, [0] * n_strata
        for place in order:
            bad[place] = min(left, int(sizes[place] * at_most))
            left -= bad[place]
        return tuple(bad)

    places = list(range(n_strata))
    one_each = [round(size * rate) for size in sizes]
    return [
        World("evenly", sizes, tuple(one_each)),
        World("in small strata", sizes, filled(places, 1.0)),
        World("in large strata", sizes, filled(places[::-1], 0.5)),
        World("in one stratum", sizes, filled(places[::-1], 1.0)),
    ]


def coverage(world: World, n_draws: int, tolerable: str = "0.05", minimum: int = 1) -> tuple[float, float]:
    """Return how often the bound over all strata covered the truth, and its mean over the truth.

    Each draw is the product's own: the first of each stratum in the order of SHA-256 over seed and unit.
    """
    populations = {str(place): size for place, size in enumerate(world.sizes)}
    minima = dict.fromkeys(populations, minimum)
    size = plan_strata(populations, CONFIDENCE, tolerable, minima)
    taken = allocate(populations, size, minima)
    share = allocate(populations, size)

    @cache
    def bound(key: tuple[Judged, ...]) -> int:
        return upper_bound(key, CONFIDENCE)

    truth, covered, total = sum(world.bad), 0, 0
    for draw in range(n_draws):
        judged = []
        for name, population in populations.items():
            keys = sorted(range(population), key=lambda unit, name=name: draw_hash(str(draw), f"{name}|{unit}"))  # type: ignore[misc]
            is_bad = [unit < world.bad[int(name)] for unit in keys[: taken[name]]]
            judged.append(in_proportion(population, share[name], is_bad))
        limit = bound(tuple(judged))
        covered += limit >= truth
        total += limit
    return covered / n_draws, total / n_draws / max(truth, 1)


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
