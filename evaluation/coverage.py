"""Whether the bound that a sample gives holds: thousands of draws from a frame in which the bad units are known."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from random import Random

from audit_kernel.sampling import draw_hash, plan
from audit_kernel.statistics import hypergeometric_upper_bound
from evaluation.shares import Share

N_UNITS, DAYS_OF_A_UNIT = 12, (20, 400)
BAD_SHARES = (0.0, 0.02, 0.05, 0.2)  # of a unit's access-days, which lie side by side: one person's days cluster
CONFIDENCE, TOLERABLE_RATE = "0.95", "0.01"

ALL_UNITS = "all units together"

bound = cache(hypergeometric_upper_bound)


def made_frame(seed: int) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return access-days by unit, and those of each unit that are bad."""
    draws = Random(seed)  # noqa: S311 - a made-up frame
    days, bad = {}, {}
    for number in range(N_UNITS):
        unit = f"U{number:02d}"
        days[unit] = [f"{unit}|{place}" for place in range(draws.randint(*DAYS_OF_A_UNIT))]
        n_bad = round(BAD_SHARES[number % len(BAD_SHARES)] * len(days[unit]))
        start = draws.randrange(len(days[unit]))
        bad[unit] = {days[unit][(start + place) % len(days[unit])] for place in range(n_bad)}
    return days, bad


def sizes_of_draw(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return how many are drawn of each unit: its share of the plan's size, rounded up."""
    whole = sum(sizes.values())
    size = plan(whole, CONFIDENCE, TOLERABLE_RATE)
    return {unit: min(number, -(-size * number // whole)) for unit, number in sizes.items()}


def coverage(n_draws: int, seed: int = 1, confidence: str = CONFIDENCE) -> dict[str, Share]:
    """Return for each unit, and for all together, in how many draws the number of bad days lies at or below the bound.

    The draw is the product's: SHA-256 over seed, `|` and key, the first ones of each unit.
    """
    days, bad = made_frame(seed)
    sizes = {unit: len(of_unit) for unit, of_unit in days.items()}
    wanted = sizes_of_draw(sizes)
    held = dict.fromkeys(days, Share())
    whole = {ALL_UNITS: Share()} if bound_of_all(sizes, wanted, dict.fromkeys(days, 0), confidence) else {}
    for number in range(n_draws):
        found = {}
        for unit, of_unit in days.items():
            hashes = {key: draw_hash(f"{seed}-{number}", key) for key in of_unit}
            found[unit] = len(bad[unit].intersection(sorted(of_unit, key=hashes.__getitem__)[: wanted[unit]]))
            limit = bound(found[unit], wanted[unit], sizes[unit], confidence)
            held[unit] += Share(int(len(bad[unit]) <= limit), 1)
        for name in whole:
            limit = bound_of_all(sizes, wanted, found, confidence)
            whole[name] += Share(int(sum(map(len, bad.values())) <= limit), 1)
    return held | whole


def bound_of_all(sizes: Mapping[str, int], wanted: Mapping[str, int], found: Mapping[str, int], confidence: str) -> int:
    """Return the product's bound over all units; 0 where this version has none.

    No unit of the frame is drawn whole, so that only the number found in all of them counts: each is worked out once.
    """
    parts = tuple((sizes[unit], wanted[unit]) for unit in sizes)
    return _bound_of_all(parts, sum(found.values()), confidence)


@cache
def _bound_of_all(parts: tuple[tuple[int, int], ...], n_found: int, confidence: str) -> int:
    if not importlib.util.find_spec("audit_kernel.sample_bounds"):
        return 0
    product = importlib.import_module("audit_kernel.sample_bounds")
    judged = []
    for population, drawn in parts:
        here, n_found = min(n_found, drawn), n_found - min(n_found, drawn)
        judged.append(product.Judged(population, drawn, here))
    return int(product.upper_bound(judged, confidence))
