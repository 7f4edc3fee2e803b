"""Rates of people who worked differently much: drawn towards all people's rate by how little is known of each.

Empirical Bayes as Marshall (1991) describes it, *Mapping disease and mortality rates using empirical Bayes
estimators*, Applied Statistics 40:283-294; control limits as in funnel plots (Spiegelhalter, 2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa

from audit_kernel.peers import TAIL_TYPE, negative_binomial_tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RATE = pa.decimal128(18, 4)
ALERT, TASK = "anomaly", "targeted"


@dataclass(frozen=True, slots=True)
class Prior:
    """How rates are spread among people: their mean and variance, events a unit of exposure."""

    mean: float
    variance: float

    def shrunken(self, events: float, exposure: float) -> float:
        """Return a rate drawn towards the mean; nothing is known of whom was not exposed."""
        if exposure <= 0 or self.variance <= 0:
            return self.mean
        weight = self.variance / (self.variance + self.mean / exposure)
        return weight * events / exposure + (1 - weight) * self.mean


@dataclass(frozen=True, slots=True)
class Sums:
    """What a prior is found from; one person is taken out by subtraction."""

    n: int
    events: float
    exposure: float
    squares: float

    def prior(self) -> Prior:
        """Return mean and variance by moments; a variance that chance alone explains is 0."""
        if self.n < 1 or self.exposure <= 0:
            return Prior(0.0, 0.0)
        mean = self.events / self.exposure
        variance = self.squares / self.exposure - mean**2 - mean / (self.exposure / self.n)
        return Prior(mean, max(variance, 0.0))

    def without(self, events: float, exposure: float) -> Sums:
        """Return the sums of all others."""
        if exposure <= 0:
            return self
        return Sums(
            self.n - 1, self.events - events, self.exposure - exposure, self.squares - events * events / exposure
        )


def sums(events: Sequence[float], exposures: Sequence[float]) -> Sums:
    """Return the sums over those who were exposed; in any order, the same."""
    seen = [(each, exposure) for each, exposure in zip(events, exposures, strict=True) if exposure > 0]
    return Sums(
        len(seen),
        fsum(each for each, _exposure in seen),
        fsum(exposure for _each, exposure in seen),
        fsum(each * each / exposure for each, exposure in seen),
    )


def empirical_bayes(events: Sequence[float], exposures: Sequence[float]) -> list[float]:
    """Return each one's rate drawn towards the rate of all, the more the less it was exposed."""
    prior = sums(events, exposures).prior()
    return [prior.shrunken(each, exposure) for each, exposure in zip(events, exposures, strict=True)]


def funnel_limits(exposure: float, mean: float, tail: float) -> tuple[int, int]:
    """Return the lowest and the highest count that chance explains at a rate, exact by the Poisson distribution.

    A count below the first has at most the chance `tail`, and so has a count above the second.
    """
    from scipy import stats

    expected = mean * exposure
    if expected <= 0:
        return 0, 0
    lowest = int(stats.poisson.ppf(tail, expected))
    if stats.poisson.cdf(lowest, expected) <= tail:
        lowest += 1
    return lowest, int(stats.poisson.isf(tail, expected))


def most_by_chance(exposures: Sequence[float], mean: float, tail: float) -> list[int]:
    """Return the highest count of `funnel_limits` for many people at once: one by one took half of their page."""
    from scipy import stats

    return [int(count) for count in stats.poisson.isf(tail, mean * numpy.array(exposures, float))]


def carelessness(slips: Sequence[float], exposures: Sequence[float]) -> list[float]:
    """Return how many times the usual share of slips each one makes, drawn towards 1 by how little is known."""
    prior = sums(slips, exposures).prior()
    if prior.mean <= 0:
        return [1.0 for _each in slips]
    return [prior.shrunken(each, exposure) / prior.mean for each, exposure in zip(slips, exposures, strict=True)]


def tail_among_others(events: float, exposure: float, total: Sums) -> float:
    """Return how likely one with this exposure reaches `events`, if like all the others of `total`.

    Rates spread by a gamma distribution make counts negative binomial. At least one event is allowed for among the
    others, else a group without any would call the first impossible.
    """
    others = total.without(events, exposure)
    if exposure <= 0 or others.exposure <= 0:
        return 1.0
    prior = others.prior()
    mean = max(prior.mean, 1 / others.exposure)
    return float(negative_binomial_tail(int(events), mean * exposure, prior.variance / mean**2))


def stand_out(findings: pa.Table, parameters: Mapping[str, Any]) -> pa.Table:
    """Return who has more than chance gives a colleague with the same work, the highest rate first.

    Rates are of each kind by itself (`reason_code`): the rows of a kind are all people who could have it. A person is
    compared with all others. Slips of another sort tell how carelessly somebody writes, and move what is usual alike.

    Parameters
    ----------
    findings: a check's rows of the stream `anomaly`; `reason_values` holds n_found, n_slips, n_handled and exposure.
    parameters: unaccounted_tail, the chance up to which a row is kept; minimum_unaccounted_doses;
        unaccounted_alert_tail, the chance above which a row that is kept is a task (`targeted`); none where left out.

    Returns
    -------
    The rows kept, with `measure` the shrunken rate, `expected` that of the others, and `tail_probability`.
    """
    rows = findings.select(["reason_code", "employee_id", "reason_values"]).to_pylist()
    limit, least = float(parameters["unaccounted_tail"]), int(parameters["minimum_unaccounted_doses"])
    alert = float(parameters.get("unaccounted_alert_tail", limit))
    kept = []
    for kind in sorted({row["reason_code"] for row in rows}):
        places = [place for place, row in enumerate(rows) if row["reason_code"] == kind]
        values = [rows[place]["reason_values"] for place in places]
        weights = carelessness([each["n_slips"] for each in values], [each["n_handled"] for each in values])
        exposures = [float(each["exposure"]) * weight for each, weight in zip(values, weights, strict=True)]
        total = sums([each["n_found"] for each in values], exposures)
        prior = total.prior()
        for place, each, weight, exposure in zip(places, values, weights, exposures, strict=True):
            if each["n_found"] < least:
                continue
            tail = tail_among_others(each["n_found"], exposure, total)
            if tail <= limit:
                usual = total.without(each["n_found"], exposure).prior().mean
                kept.append((weight * prior.shrunken(each["n_found"], exposure), weight * usual, tail, place))
    kept.sort(key=lambda each: (-each[0], rows[each[3]]["employee_id"], rows[each[3]]["reason_code"]))
    found = findings.take(pa.array([place for *_figures, place in kept], pa.int64()))
    columns = {"measure": (0, RATE), "expected": (1, RATE), "tail_probability": (2, TAIL_TYPE)}
    for name, (position, kind) in columns.items():
        step = Decimal(1).scaleb(-kind.scale)
        figures = pa.array([Decimal(each[position]).quantize(step) for each in kept], kind)
        found = found.set_column(found.schema.get_field_index(name), name, figures)
    streams = [TASK if each[2] > alert else ALERT for each in kept]
    return found.set_column(found.schema.get_field_index("stream"), "stream", pa.array(streams, pa.string()))
