"""Whether the bound that a sample gives holds: thousands of draws from a frame in which the bad units are known."""

from __future__ import annotations

from functools import cache
from random import Random

from audit_kernel.sampling import allocate, draw_hash, plan
from audit_kernel.statistics import hypergeometric_upper_bound
from evaluation.shares import Share

N_UNITS, DAYS_OF_A_UNIT = 12, (20, 400)
BAD_SHARES = (0.0, 0.02, 0.05, 0.2)  # of a unit's access-days, which lie side by side: one person's days cluster
CONFIDENCE, TOLERABLE_RATE = "0.95", "0.01"

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


def coverage(n_draws: int, seed: int = 1, confidence: str = CONFIDENCE) -> dict[str, Share]:
    """Return for each unit in how many of the draws the number of its bad days lies at or below the bound.

    The draw is the product's: SHA-256 over seed, `|` and key, the first ones of each unit.
    """
    days, bad = made_frame(seed)
    sizes = {unit: len(of_unit) for unit, of_unit in days.items()}
    wanted = allocate(sizes, plan(sum(sizes.values()), CONFIDENCE, TOLERABLE_RATE), 1)
    held = dict.fromkeys(days, Share())
    for number in range(n_draws):
        for unit, of_unit in days.items():
            hashes = {key: draw_hash(f"{seed}-{number}", key) for key in of_unit}
            n_found = len(bad[unit].intersection(sorted(of_unit, key=hashes.__getitem__)[: wanted[unit]]))
            limit = bound(n_found, wanted[unit], sizes[unit], confidence)
            held[unit] += Share(int(len(bad[unit]) <= limit), 1)
    return held
