"""Statistics that SQL cannot do: exact bounds, tails, and the share of false alarms among many tests.

Bounds that an auditor may recompute are found in whole numbers; only tails use floating point (scipy).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, comb
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa
from pyarrow import compute
from scipy import stats

from audit_kernel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KNOWN = ("negative_binomial", "benjamini_hochberg")
TAIL_TYPE = pa.decimal128(19, 18)
SMALLEST_TAIL_STEP = Decimal(1).scaleb(-18)


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
    tail = (1 - confidence) / 2
    lower = 0.0 if found == 0 else float(stats.beta.ppf(tail, found, size - found + 1))
    upper = 1.0 if found == size else float(stats.beta.ppf(1 - tail, found + 1, size - found))
    return lower, upper


def upper_limit(found: int, size: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper limit of a proportion, for a population without end."""
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


def negative_binomial_tail(count: int, mean: float, dispersion: float) -> float:
    """Return P(X >= count) where the variance is mean + dispersion * mean ** 2; Poisson when dispersion is 0."""
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    if dispersion <= 0:
        return float(stats.poisson.sf(count - 1, mean))
    return float(stats.nbinom.sf(count - 1, 1 / dispersion, 1 / (1 + dispersion * mean)))


def benjamini_hochberg(chances: Sequence[float]) -> list[float]:
    """Return adjusted chances: rejecting those up to q keeps the expected share of false alarms at q or below."""
    given = numpy.asarray(chances, dtype=float)
    order = numpy.argsort(given, kind="stable")
    scaled = given[order] * len(given) / numpy.arange(1, len(given) + 1)
    adjusted = numpy.empty(len(given))
    adjusted[order] = numpy.minimum(numpy.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return [float(each) for each in adjusted]


def assess(findings: pa.Table, names: Sequence[str], parameters: Mapping[str, Any]) -> pa.Table:
    """Fill `tail_probability` and keep the findings that stand out.

    Parameters
    ----------
    findings: a check's rows; `reason_values` holds n_openings, n_pairs, sum_openings and sum_squares of the peers.
    names: what the check's `.yml` asks for: negative_binomial, benjamini_hochberg.
    parameters: false_discovery_rate and minimum_openings, when they are asked for.

    Raises
    ------
    SettingsError: the `.yml` names a statistic that does not exist.
    """
    if unknown := sorted(set(names) - set(KNOWN)):
        raise SettingsError(
            "There is no statistic {given!r}.", "There are: {allowed}.", given=unknown[0], allowed=", ".join(KNOWN)
        )
    if "negative_binomial" not in names:
        return findings
    figures = _distinct_figures(findings)
    tails = {key: peer_tail(*key) for key in set(figures)}
    chances = [tails[key] for key in figures]
    steps = {key: Decimal(chance).quantize(SMALLEST_TAIL_STEP) for key, chance in tails.items()}
    rounded = pa.array([steps[key] for key in figures], TAIL_TYPE)
    position = findings.schema.get_field_index("tail_probability")
    findings = findings.set_column(position, "tail_probability", rounded)
    judged = benjamini_hochberg(chances) if "benjamini_hochberg" in names else chances
    limit, least = float(parameters["false_discovery_rate"]), int(parameters.get("minimum_openings") or 0)
    keep = [chance <= limit and key[0] >= least for chance, key in zip(judged, figures, strict=True)]
    return findings.filter(pa.array(keep, pa.bool_()))


def peer_tail(count: int, n_pairs: int, total: int, squares: int) -> float:
    """Return how likely a pair reaches `count` openings when it is like the other pairs of its peer group.

    The pair itself is left out, so that it cannot hide behind its own weight. A pair without openings is not in
    the log, so openings beyond the first are what is distributed. Mean and dispersion are found by moments.
    """
    others = n_pairs - 1
    if others < 2:  # noqa: PLR2004 - a variance needs two
        return 1.0
    # At least one opening beyond the first is allowed for, else a group of equals would call the second impossible.
    mean = max(Fraction(total - count, others) - 1, Fraction(1, others))
    variance = Fraction(squares - count * count - (total - count) ** 2 / Fraction(others)) / (others - 1)
    dispersion = (variance - mean) / mean**2
    return negative_binomial_tail(count - 1, float(mean), float(max(dispersion, Fraction(0))))


def _distinct_figures(findings: pa.Table) -> list[tuple[int, int, int, int]]:
    """Return count, pairs, sum and sum of squares of each row's peers."""
    values = findings.column("reason_values")
    names = ("n_openings", "n_pairs", "sum_openings", "sum_squares")
    columns = [compute.struct_field(values, name).to_pylist() for name in names]
    return list(zip(*columns, strict=True))


def percent_up(rate: float, digits: int = 1) -> Decimal:
    """Return a limit in per cent rounded up, as printed tables of limits are."""
    scale = 10 ** (digits + 2)
    return Decimal(ceil(exact(f"{rate:.12f}") * scale)).scaleb(-digits)
