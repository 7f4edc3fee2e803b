"""Compares each row with its peers: the negative-binomial tail of a count among people of the same role and unit type.

Three things make false alarms where counts are few and people differ, and are allowed for:

- the spread is estimated from few people, so mean and variance are taken two standard errors higher;
- several rows of one person resemble each other, so the errors are those of so many people, not of so many rows;
- two who stand out would hide one another, so the highest twentieth of a group (at least one) is compared only with
  those below it (Rosner 1983, outward testing), and whoever has more is at least as rare as who has less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa
from pyarrow import compute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[Any]

STANDARD_ERRORS = 2
HIGHEST_SHARE = 20
LEAST_PEOPLE = 20
LEAST_PEOPLE_OF_SMALL_GROUP = 4
TIMES_OF_TWO_OR_THREE = 3
TAIL_TYPE = pa.decimal128(19, 18)
MEASURE_TYPE = pa.decimal128(18, 4)


@dataclass(frozen=True)
class Comparison:
    """One row's comparison with one group: arrays of the same length, one entry a row."""

    tail: Numbers
    mean: Numbers
    n_people: Numbers
    n_compared: Numbers
    n_fewer: Numbers


def negative_binomial_tail(count: Any, mean: Any, dispersion: Any) -> Numbers:  # noqa: ANN401 - numbers or arrays of them
    """Return P(X >= count) where the variance is mean + dispersion * mean ** 2; Poisson when dispersion is 0."""
    from scipy import stats

    count, mean, dispersion = numpy.broadcast_arrays(
        *(numpy.asarray(each, float) for each in (count, mean, dispersion))
    )
    spread, usual = numpy.maximum(dispersion, 1e-300), numpy.maximum(mean, 1e-300)
    tail = numpy.where(
        dispersion > 0,
        stats.nbinom.sf(count - 1, 1 / spread, 1 / (1 + spread * usual)),
        stats.poisson.sf(count - 1, usual),
    )
    return numpy.where(count <= 0, 1.0, numpy.where(mean <= 0, 0.0, tail))


def peer_tail(count: Numbers, others: Numbers, total: Numbers, squares: Numbers, n_people: Numbers) -> Numbers:
    """Return how likely `count` is among `others` peers with this sum and sum of squares; 1 for fewer than two.

    Mean and variance are found by moments, each taken two standard errors higher: that of the variance follows
    from the fourth moment of the negative binomial. At least one among all peers is allowed for in the mean, else a
    group without any would call the first impossible.
    """
    peers = numpy.maximum(others, 2).astype(float)
    mean = numpy.maximum(total, 1) / peers
    # Whole numbers of any size: the difference of two large squares would lose its digits in floating point.
    exact = others.astype(object) * squares.astype(object) - total.astype(object) ** 2
    variance = numpy.maximum(exact.astype(float) / (peers * (peers - 1)), mean)
    dispersion = (variance - mean) / mean**2
    people = numpy.clip(n_people - 1, 1, peers)
    higher = variance * (1 + STANDARD_ERRORS * numpy.sqrt((2 + 6 * dispersion + 1 / variance) / people))
    mean = mean + STANDARD_ERRORS * numpy.sqrt(variance / people)
    tail = negative_binomial_tail(count, mean, numpy.maximum((higher - mean) / mean**2, 0))
    return numpy.where(others < 2, 1.0, tail)  # noqa: PLR2004 - a variance needs two


def with_peer_tails(findings: pa.Table, _parameters: Mapping[str, Any]) -> pa.Table:
    """Fill expected, tail_probability, peer_group and the figures of the comparison.

    Parameters
    ----------
    findings: every row that was looked at, not only those that seem many. `measure` is what is tested, rows of one
        `reason_code` are compared with each other. `reason_values` holds role and unit_type, least_possible (0, or 1
        where a row without any is not in the log) and n_people, n_compared, percent_fewer to be filled.

    A row is compared with the narrowest group that has 20 people: role and unit type, role, all. Where fewer, but at
    least four, share role and unit type it must stand out among these too: the more likely of the two tails counts.
    Two or three say nothing by a tail: there it must be three times the mean of the others, else the work is like that.
    """
    if not findings.num_rows:
        return findings
    values = findings.column("reason_values").combine_chunks()
    measured = compute.cast(findings.column("measure"), pa.int64()).to_numpy()
    beyond = measured - compute.struct_field(values, "least_possible").to_numpy(zero_copy_only=False)
    family, people = codes(findings.column("reason_code")), codes(findings.column("employee_id"))
    role, unit_type = compute.struct_field(values, "role"), compute.struct_field(values, "unit_type")
    groups = (compute.binary_join_element_wise(role, unit_type, " | "), role, pa.repeat("*", findings.num_rows))
    of_group = [_compared(_pair(codes(group), family), people, beyond) for group in groups]
    known = [numpy.asarray(compute.is_valid(group)) for group in groups]
    enough = [is_known & (each.n_people >= LEAST_PEOPLE) for is_known, each in zip(known, of_group, strict=True)]
    chosen = numpy.where(enough[0], 0, numpy.where(enough[1], 1, 2))
    own = known[0] & ~enough[0] & (of_group[0].n_people >= LEAST_PEOPLE_OF_SMALL_GROUP)
    chosen = numpy.where(own & (of_group[0].tail > numpy.choose(chosen, [each.tail for each in of_group])), 0, chosen)
    few = known[0] & (of_group[0].n_people > 1) & (of_group[0].n_people < LEAST_PEOPLE_OF_SMALL_GROUP)
    is_their_work = few & (beyond < TIMES_OF_TWO_OR_THREE * of_group[0].mean)
    chosen = numpy.where(is_their_work, 0, chosen)

    def figure(name: str) -> Numbers:
        return numpy.choose(chosen, [getattr(each, name) for each in of_group])

    labels = compute.choose(pa.array(chosen), *groups)
    filled = {
        "n_people": figure("n_people"),
        "n_compared": figure("n_compared"),
        "percent_fewer": 100 * figure("n_fewer") // numpy.maximum(figure("n_compared"), 1),
    }
    expected = figure("mean") + measured - beyond
    columns = {
        "expected": compute.cast(pa.array(numpy.floor(expected * 10_000) / 10_000), MEASURE_TYPE, safe=False),
        "tail_probability": _decimals(numpy.where(is_their_work, 1.0, figure("tail"))),
        "peer_group": labels,
        "reason_values": _filled(values, filled),
    }
    for name, column in columns.items():
        findings = findings.set_column(findings.schema.get_field_index(name), name, column)
    return findings


def _compared(group: Numbers, people: Numbers, beyond: Numbers) -> Comparison:
    """Compare each row with the others of its group; what depends on group and count only is worked out once."""
    width = int(beyond.max()) + 1
    levels, level, n_here = numpy.unique(group * width + beyond, return_inverse=True, return_counts=True)
    of_group, count = levels // width, levels % width
    starts = numpy.flatnonzero(numpy.diff(of_group, prepend=-1))
    lengths = numpy.diff(starts, append=len(levels))

    def sums(each: Numbers) -> tuple[Numbers, Numbers]:
        """Return the sum over lower counts of the group, and over the whole group, one entry a level."""
        before = numpy.cumsum(each) - each
        return before - numpy.repeat(before[starts], lengths), numpy.repeat(numpy.add.reduceat(each, starts), lengths)

    (n_less, n_all), (sum_less, sum_all) = sums(n_here), sums(n_here * count)
    squares_less, squares_all = sums(n_here * count**2)
    pairs = numpy.unique(_pair(people, numpy.unique(group, return_inverse=True)[1]))
    n_people = numpy.repeat(numpy.bincount(pairs % len(starts)), lengths)
    is_high = n_all - n_less <= numpy.maximum(1, n_all // HIGHEST_SHARE)
    others = numpy.where(is_high, n_less, n_all - 1)
    total = numpy.where(is_high, sum_less, sum_all - count)
    tail = peer_tail(count, others, total, numpy.where(is_high, squares_less, squares_all - count**2), n_people)
    # Ranks are whole numbers, so a step down for each group keeps one group's least out of the next.
    order, rank = numpy.unique(tail, return_inverse=True)
    step = numpy.repeat(numpy.arange(len(starts)) * len(order), lengths)
    tail = order[numpy.minimum.accumulate(rank - step) + step]
    mean = (sum_all - count) / numpy.maximum(n_all - 1, 1)
    return Comparison(*(each[level] for each in (tail, mean, n_people, n_all, n_less)))


def codes(column: Any) -> Numbers:  # noqa: ANN401 - an array or chunked array of text
    """Number the different texts of a column, NULL among them."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded: Any = compute.dictionary_encode(array, null_encoding="encode")
    numbers: Numbers = encoded.indices.to_numpy().astype(numpy.int64)
    return numbers


def _pair(first: Numbers, second: Numbers) -> Numbers:
    """Number pairs of codes."""
    return first * (int(second.max()) + 1) + second


def _decimals(tails: Numbers) -> Any:  # noqa: ANN401 - an array of decimals
    """Write tails with 18 decimals; each different one is rounded once."""
    different, place = numpy.unique(tails, return_inverse=True)
    return pa.array([f"{each:.18f}" for each in different.tolist()]).cast(TAIL_TYPE).take(place)


def _filled(values: Any, figures: Mapping[str, Numbers]) -> pa.StructArray:  # noqa: ANN401 - an array of structures
    """Return the structures with these figures in place of what was left open."""
    names = [field.name for field in values.type]
    arrays = [
        pa.array(figures[name], pa.int64()) if name in figures else compute.struct_field(values, name) for name in names
    ]
    return pa.StructArray.from_arrays(arrays, names=names)
