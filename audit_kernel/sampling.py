"""Plans of random samples, in whole numbers, and what makes a draw repeatable.

The draw itself is `sql/sample/draw.sql`: within each stratum in the order of SHA-256 over seed, `|` and unit, so a
larger sample holds the smaller one and anyone can repeat it with `sha256sum`.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import ceil, comb, floor
from typing import TYPE_CHECKING

from audit_kernel.errors import ParameterError
from audit_kernel.statistics import chance_of_at_most, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

Rate = Fraction | Decimal | float | str
LINES_AT_A_TIME = 100_000


def plan(population: int, confidence: Rate, tolerable_rate: Rate, allowed: int = 0) -> int:
    """Return the smallest sample that rules out the tolerable rate, drawn without replacement.

    Parameters
    ----------
    population: units in the frame.
    confidence: for example "0.95".
    tolerable_rate: the share of bad units that must not go unseen, for example "0.01"; rounded up to whole units.
    allowed: bad units that may be found and the rate still be ruled out.

    Raises
    ------
    ParameterError: a rate is not between 0 and 1.
    """
    risk, rate = _checked(confidence, tolerable_rate)
    bad = ceil(population * rate)
    if bad <= allowed:
        return population

    def is_enough(size: int) -> bool:
        return chance_of_at_most(allowed, size, population, bad) <= risk

    return smallest_size(allowed + 1, population, is_enough)


def plan_without_end(
    confidence: Rate, tolerable_rate: Rate, expected_rate: Rate = 0, largest: int = 2000
) -> int | None:
    """Return the smallest sample for a population without end, expecting a rate of bad ones (AICPA, Appendix A).

    Returns None where more than `largest` would be needed.

    Raises
    ------
    ParameterError: a rate is not between 0 and 1.
    """
    risk, rate = _checked(confidence, tolerable_rate)
    expected = exact(expected_rate)
    smallest, allowed = 1, 0
    while smallest <= largest:
        # As long as the same number may be found, a larger sample is safer: search within that stretch.
        last = min(floor(allowed / expected), largest) if expected else largest
        if smallest <= last and binomial_at_most(allowed, last, rate) <= risk:
            return smallest_size(smallest, last, partial(_rules_out, allowed, rate, risk))
        smallest, allowed = max(smallest, last + 1), allowed + 1
    return None


def binomial_at_most(found: int, size: int, rate: Fraction) -> Fraction:
    """Return the exact chance of at most `found` in `size` independent draws."""
    good, bad, whole = rate.denominator - rate.numerator, rate.numerator, rate.denominator
    ways = sum(comb(size, i) * bad**i * good ** (size - i) for i in range(min(found, size) + 1))
    return Fraction(ways, whole**size)


def allocate(strata: Mapping[str, int], size: int, minima: Mapping[str, int] | None = None) -> dict[str, int]:
    """Return how many to draw in each stratum, as `draw.sql` does: its share rounded up, at least its minimum.

    Parameters
    ----------
    strata: units of the frame in each stratum.
    size: the plan's sample size over all strata.
    minima: fewest of each stratum; a smaller stratum is taken whole.
    """
    population, least = sum(strata.values()), minima or {}
    return {name: min(n, max(least.get(name, 0), -(-size * n // population))) for name, n in strata.items()}


def draw_hash(seed: str, unit_key: str) -> str:
    """Return the hash that orders a unit: `printf '%s' 'seed|unit' | sha256sum`."""
    return hashlib.sha256(f"{seed}|{unit_key}".encode()).hexdigest()


def frame_hash(frame: pa.Table) -> str:
    """Return SHA-256 over the frame's lines `stratum TAB unit_key LF` in the frame's order."""
    digest = hashlib.sha256()
    for line in frame_lines(frame):
        digest.update(line)
    return digest.hexdigest()


def frame_lines(frame: pa.Table) -> Iterator[bytes]:
    """Yield the frame's lines `stratum TAB unit_key LF`, many at a time."""
    for batch in frame.select(["stratum", "unit_key"]).to_batches(max_chunksize=LINES_AT_A_TIME):
        pairs = zip(batch["stratum"].to_pylist(), batch["unit_key"].to_pylist(), strict=True)
        yield "".join([f"{stratum}\t{unit_key}\n" for stratum, unit_key in pairs]).encode()


def _rules_out(found: int, rate: Fraction, risk: Fraction, size: int) -> bool:
    """Say whether `found` bad ones in a sample of this size rule the rate out."""
    return binomial_at_most(found, size, rate) <= risk


def smallest_size(low: int, high: int, is_enough: Callable[[int], bool]) -> int:
    """Return the smallest size from low to high that is enough; `high` is taken to be.

    Sizes grow in steps first, to keep the numbers small.
    """
    step = low
    while step < high and not is_enough(step):
        low, step = step + 1, step * 2
    high = min(step, high)
    while low < high:
        middle = (low + high) // 2
        if is_enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _checked(confidence: Rate, tolerable_rate: Rate) -> tuple[Fraction, Fraction]:
    """Return risk and rate as fractions."""
    for name, value in (("confidence", confidence), ("tolerable_rate", tolerable_rate)):
        if not 0 < exact(value) < 1:
            raise ParameterError(
                "The {name} must be between 0 and 1, not {value!r}.",
                "Give it as a share, for example 0.95.",
                name=name,
                value=value,
            )
    return 1 - exact(confidence), exact(tolerable_rate)
