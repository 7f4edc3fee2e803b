"""Statistics that SQL cannot do: exact bounds, tails, and the share of false alarms among many tests.

Bounds that an auditor may recompute are found in whole numbers; only tails use floating point (scipy, in `peers`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, comb
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa
from pyarrow import compute

from audit_kernel.errors import SettingsError
from audit_kernel.peers import codes, with_peer_tails
from audit_kernel.shrinkage import stand_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def exact(rate: Fraction | Decimal | float | str) -> Fraction:
    """Return a rate as a fraction of what was written: 0.05 is 1/20, not the nearest binary number."""
    return rate if isinstance(rate, Fraction) else Fraction(str(rate))


def clopper_pearson(found: int, size: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided limits of a proportion (Clopper and Pearson, 1934).

    Parameters
    ----------
    found: how many of the sample had it.
    size: the sample's size, at least 1.
    """
    from scipy import stats

    tail = (1 - confidence) / 2
    lower = 0.0 if found == 0 else float(stats.beta.ppf(tail, found, size - found + 1))
    upper = 1.0 if found == size else float(stats.beta.ppf(1 - tail, found + 1, size - found))
    return lower, upper


def upper_limit(found: int, size: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper limit of a proportion, for a population without end."""
    from scipy import stats

    return 1.0 if found == size else float(stats.beta.ppf(confidence, found + 1, size - found))


def chance_of_at_most(found: int, size: int, population: int, bad: int) -> Fraction:
    """Return the exact chance that a random sample of `size` holds at most `found` of the `bad` in `population`."""
    # The chance is the same with sample and bad exchanged; the smaller one makes the smaller numbers.
    few, many = sorted((size, bad))
    ways = sum(comb(many, i) * comb(population - many, few - i) for i in range(min(found, few) + 1))
    return Fraction(ways, comb(population, few))


def hypergeometric_upper_bound(
    found: int, size: int, population: int, confidence: Fraction | float | str = "0.95"
) -> int:
    """Return the largest number of bad ones in the population that the sample does not rule out.

    Parameters
    ----------
    found: bad ones found in the sample.
    size: the sample's size, drawn without replacement.
    population: how many there are.
    confidence: between 0 and 1; a text or fraction is taken exactly.
    """
    risk = 1 - exact(confidence)
    possible, ruled_out = found, population - size + found + 1
    while ruled_out - possible > 1:
        middle = (possible + ruled_out) // 2
        if chance_of_at_most(found, size, population, middle) > risk:
            possible = middle
        else:
            ruled_out = middle
    return possible


def benjamini_hochberg(chances: Sequence[float] | NDArray[Any]) -> NDArray[Any]:
    """Return adjusted chances: rejecting those up to q keeps the expected share of false alarms at q or below."""
    given = numpy.asarray(chances, dtype=float)
    order = numpy.argsort(given, kind="stable")
    scaled = given[order] * len(given) / numpy.arange(1, len(given) + 1)
    adjusted = numpy.empty(len(given))
    adjusted[order] = numpy.minimum(numpy.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def keep_discoveries(findings: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
    """Keep what Benjamini and Hochberg (1995) call discoveries, each finding once, by its rarest row.

    Every row is a test. One whose measure is below `least` of its `reason_values` counts as tested and is never kept,
    so the share of false findings is held among those that are shown.
    """
    if not findings.num_rows:
        return findings
    tails = compute.cast(findings.column("tail_probability"), pa.float64()).to_numpy()
    least = compute.struct_field(findings.column("reason_values"), "least").to_numpy()
    is_enough = compute.cast(findings.column("measure"), pa.float64()).to_numpy() >= least
    adjusted = benjamini_hochberg(numpy.where(is_enough, tails, 1.0))
    kept = numpy.flatnonzero(is_enough & (adjusted <= float(parameters["false_discovery_rate"])))
    kept = kept[numpy.argsort(tails[kept], kind="stable")]
    names: NDArray[numpy.int64] = codes(findings.column("finding_id"))[kept]
    _first, place = numpy.unique(names, return_index=True)
    return findings.take(numpy.sort(kept[place]))


# What a query's `.yml` may name under `statistics`. A check's last one must keep only what stands out: one that is
# added here and only fills in figures stays out of JUDGING, and a check that ends with it is refused.
STATISTICS: dict[str, Callable[[pa.Table, Mapping[str, Any]], pa.Table]] = {
    "negative_binomial": with_peer_tails,
    "benjamini_hochberg": keep_discoveries,
    "empirical_bayes": stand_out,
}
JUDGING = ("benjamini_hochberg", "empirical_bayes")
JUDGED_STREAM = "anomaly"


def assess(rows: pa.Table, names: Sequence[str], parameters: Mapping[str, Any]) -> pa.Table:
    """Apply the statistics that a query names, in that order; of a check, to its rows of the stream `anomaly` alone.

    Parameters
    ----------
    rows: what the query gave; those of a check have the column `stream`: other streams come first.
    names: what the query's `.yml` asks for.
    parameters: the values that it is run with, `false_discovery_rate` among them where it is asked for.

    Raises
    ------
    SettingsError: the `.yml` names a statistic that does not exist, or a check none that keeps only what stands out.
    """
    if not names:
        return rows
    if unknown := sorted(set(names) - set(STATISTICS)):
        raise SettingsError(
            "There is no statistic {given!r}.", "There are: {allowed}.", given=unknown[0], allowed=", ".join(STATISTICS)
        )
    if "stream" not in rows.column_names:
        return _applied(rows, names, parameters)
    if names[-1] not in JUDGING:
        raise SettingsError(
            "The statistic {given!r} keeps every row.",
            "Name one after it that keeps only what stands out: {allowed}.",
            given=names[-1],
            allowed=", ".join(JUDGING),
        )
    is_judged = compute.equal(rows.column("stream"), pa.scalar(JUDGED_STREAM))
    judged = _applied(rows.filter(is_judged), names, parameters)
    return pa.concat_tables([rows.filter(compute.invert(is_judged)), judged.cast(rows.schema)])


def _applied(rows: pa.Table, names: Sequence[str], parameters: Mapping[str, Any]) -> pa.Table:
    for name in names:
        rows = STATISTICS[name](rows, parameters)
    return rows


def percent_up(rate: float, digits: int = 1) -> Decimal:
    """Return a limit in per cent rounded up, as printed tables of limits are."""
    scale = 10 ** (digits + 2)
    return Decimal(ceil(exact(f"{rate:.12f}") * scale)).scaleb(-digits)
