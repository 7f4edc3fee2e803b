"""What a judged sample says of all: exact bounds of how many can be unjustified, by unit and over all strata.

An upper bound holds with the stated confidence whatever lies in the frame: over one stratum it is hypergeometric,
exact. Over several strata, none found: the largest number that every spread over the strata would miss too often
(`chance_of_missing`, exact). Some found: each stratum's number found is a sum of independent events (Vatutin and
Mikhailov, 1982), so the number found in all is at most as often small as a binomial one of the same mean (Hoeffding,
1956, theorem 4, for numbers one or more below the mean); the mean is taken for the worst spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from audit_kernel.sample_plans import Part, TwoStages, chance_of_exactly, chance_of_missing
from audit_kernel.sampling import Rate, binomial_at_most
from audit_kernel.statistics import chance_of_at_most, exact, hypergeometric_upper_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DIGITS = 10**12


@dataclass(frozen=True)
class Judged:
    """A stratum: how many there are, how many were drawn, how many of these are bad."""

    population: int
    drawn: int
    bad: int


@dataclass(frozen=True)
class Bounds:
    """The fewest and the most that can be bad among all, each at the stated confidence by itself, and the estimate."""

    population: int
    drawn: int
    bad: int
    lower: int
    upper: int
    estimate: Fraction

    @property
    def upper_rate(self) -> Fraction:
        """The upper bound as a share of all."""
        return Fraction(self.upper, self.population) if self.population else Fraction(0)


def bounds(strata: Sequence[Judged], unsure: Sequence[Judged], confidence: Rate) -> Bounds:
    """Return the bounds of a judged sample.

    Parameters
    ----------
    strata: with those that were judged bad: for the lower bound and the estimate.
    unsure: the same with those not judged yet counted as bad: for the upper bound.
    confidence: of each bound by itself, for example "0.95".
    """
    population = sum(each.population for each in strata)
    good = [Judged(each.population, each.drawn, each.drawn - each.bad) for each in strata]
    estimate = sum((Fraction(each.population * each.bad, each.drawn) for each in strata if each.drawn), Fraction(0))
    return Bounds(
        population,
        sum(each.drawn for each in strata),
        sum(each.bad for each in strata),
        population - upper_bound(good, confidence),
        upper_bound(unsure, confidence),
        estimate,
    )


def upper_bound(strata: Sequence[Judged], confidence: Rate) -> int:
    """Return the largest number of bad ones that a stratified sample does not rule out; see the module's text."""
    known = sum(each.bad for each in strata if each.drawn == each.population)
    rest = [each for each in strata if each.drawn < each.population]
    if not rest:
        return known
    if len(rest) == 1:
        each = rest[0]
        return known + hypergeometric_upper_bound(each.bad, each.drawn, each.population, exact(confidence))
    risk, found = 1 - exact(confidence), sum(each.bad for each in rest)
    drawn = sum(each.drawn for each in rest)
    parts = [Part(each.population, each.drawn) for each in rest]

    def is_ruled_out(bad: int) -> bool:
        if not found:
            return chance_of_missing(parts, bad) <= risk
        mean = _least_mean(parts, bad)
        return found <= mean - 1 and binomial_at_most(found, drawn, mean / drawn) <= risk

    return known + _largest(found, sum(each.population - each.drawn for each in rest) + found, is_ruled_out)


def _least_mean(parts: Sequence[Part], bad: int) -> Fraction:
    """Return the smallest mean number found, when the bad ones lie where the fewest are drawn; rounded down."""
    mean = Fraction(0)
    for part in sorted(parts, key=lambda part: (Fraction(part.drawn, part.population), part.population)):
        here = min(bad, part.population)
        mean += Fraction(part.drawn * here, part.population)
        bad -= here
    return Fraction(mean.numerator * DIGITS // mean.denominator, DIGITS)


def _largest(low: int, high: int, is_ruled_out: Callable[[int], bool]) -> int:
    """Return the largest number from low to high that is not ruled out; `low` never is."""
    while low < high:
        middle = (low + high + 1) // 2
        if is_ruled_out(middle):
            high = middle - 1
        else:
            low = middle
    return low


def in_proportion(population: int, drawn_in_proportion: int, judged_bad: Sequence[bool]) -> Judged:
    """Return a stratum by its share alone: what a minimum added beyond it, in the same random order, is left out.

    So that one small stratum of which many are drawn does not weigh on all: with equal shares, found is found.
    """
    kept = judged_bad[:drawn_in_proportion]
    return Judged(population, len(kept), sum(kept))


def two_stage_upper_bound(
    plan: TwoStages, population: int, found_first: int, found_total: int, confidence: Rate
) -> int:
    """Return the exact upper bound after a plan of two stages.

    Outcomes are ordered: none in the first stage; then one, by the number found in all; then more in the first stage.
    One more bad one in the sample never makes an outcome better, so the bound holds at its confidence, and it is below
    the tolerable rate exactly where the plan accepts.

    Parameters
    ----------
    found_first, found_total: bad ones among the first stage, and among both; the same where one stage was judged.
    """
    risk = 1 - exact(confidence)

    def is_ruled_out(bad: int) -> bool:
        if found_first != 1:
            return chance_of_at_most(found_first, plan.first, population, bad) <= risk
        one = chance_of_exactly(1, plan.first, population, bad)
        left = population - plan.first
        further = chance_of_at_most(found_total - 1, plan.total - plan.first, left, bad - 1) if one else 0
        return chance_of_at_most(0, plan.first, population, bad) + one * further <= risk

    judged = plan.first if found_first != 1 else plan.total
    return _largest(found_total, population - judged + found_total, is_ruled_out)
