"""What a plan of a sample can promise, worked out before anything is drawn: the worst way in which bad ones can lie.

The chance that a stratified sample meets none is largest for one way of spreading the bad ones over the strata. That
way is found exactly (the cost of each further bad one in a stratum rises, so the cheapest is always next), because
equal shares of all strata are a little weaker than one simple random sample of the same size.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb, exp, inf, log, nextafter
from typing import TYPE_CHECKING

from audit_kernel.sampling import Rate, allocate, plan, smallest_size
from audit_kernel.statistics import exact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FINENESS = 1 << 20


@dataclass(frozen=True)
class Part:
    """A stratum: how many there are, how many of them are drawn."""

    population: int
    drawn: int


@dataclass(frozen=True)
class TwoStages:
    """A plan of two stages: `first` are judged; where exactly one of them is bad, further ones until `total` are."""

    first: int
    total: int

    @property
    def stages(self) -> tuple[tuple[int, int], ...]:
        """Size and number allowed after each stage."""
        return (self.first, 0), (self.total, 1)


def chance_of_missing(parts: Sequence[Part], bad: int) -> Fraction:
    """Return the largest chance, over every way that `bad` can lie in the strata, that none of them is drawn."""
    spread = worst_spread(parts, bad)
    missed = Fraction(1)
    for part, n_bad in zip(parts, spread or (), strict=bool(spread)):
        for place in range(min(part.drawn, part.population) if n_bad else 0):
            missed *= Fraction(part.population - n_bad - place, part.population - place)
    return missed if spread is not None else Fraction(0)


def worst_spread(parts: Sequence[Part], bad: int) -> list[int] | None:
    """Return how many bad ones in each stratum are missed most easily; None where some must be drawn."""
    if bad > sum(part.population - part.drawn for part in parts):
        return None
    # A further bad one beside b others is missed with the chance 1 - drawn / (population - b).
    low, high = 0, FINENESS * (1 + max((part.population for part in parts), default=0))
    while low < high:
        middle = (low + high) // 2
        if sum(_easier_than(part, middle) for part in parts) <= bad:
            high = middle
        else:
            low = middle + 1
    spread = [_easier_than(part, low) for part in parts]
    heap = [
        (Fraction(part.drawn, part.population - n_bad), place)
        for place, (part, n_bad) in enumerate(zip(parts, spread, strict=True))
        if n_bad < part.population - part.drawn
    ]
    heapq.heapify(heap)
    for _rest in range(bad - sum(spread)):
        _chance, place = heapq.heappop(heap)
        part = parts[place]
        spread[place] += 1
        if spread[place] < part.population - part.drawn:
            heapq.heappush(heap, (Fraction(part.drawn, part.population - spread[place]), place))
    return spread


def _easier_than(part: Part, fineness: int) -> int:
    """Return how many bad ones of a stratum are each drawn with a chance of at most FINENESS / fineness."""
    if not part.drawn:
        return part.population
    return max(0, min(part.population - part.drawn, part.population + 1 + -part.drawn * fineness // FINENESS))


def chance_of_missing_clusters(strata: Sequence[tuple[int, Sequence[int]]], bad: int) -> float:
    """Return an upper bound of the chance that no cluster with a bad one is drawn, when whole clusters are drawn.

    The worst case hides them in few large clusters. Over one stratum that is exact; over several the last cluster is
    counted in part, which can only make the chance larger (a relaxed knapsack). The result is rounded up.

    Parameters
    ----------
    strata: how many clusters are drawn, and the size of each cluster, by stratum.
    bad: bad units in all.
    """
    if len(strata) == 1:
        return _above(float(chance_of_missing([Part(len(strata[0][1]), strata[0][0])], _fewest(strata[0][1], bad))))
    offers: list[tuple[float, float, int]] = []
    for drawn, sizes in strata:
        for place, size in enumerate(sorted(sizes, reverse=True)):
            left = len(sizes) - place
            cost = inf if drawn >= left else -log(1 - drawn / left)
            offers.append((cost / size, cost, size))
    spent, hidden = 0.0, 0
    for _dear, cost, size in sorted(offers):
        if hidden >= bad:
            break
        if cost == inf:
            return 0.0
        spent += cost * min(1.0, (bad - hidden) / size)
        hidden += size
    return _above(exp(-spent))


def _fewest(sizes: Sequence[int], bad: int) -> int:
    """Return the fewest clusters that can hold `bad` units."""
    hidden = 0
    for count, size in enumerate(sorted(sizes, reverse=True)):
        if hidden >= bad:
            return count
        hidden += size
    return len(sizes)


def _above(chance: float) -> float:
    """Return a chance rounded up by more than the error of its computing."""
    return min(1.0, nextafter(chance * (1 + 1e-9), inf)) if chance else 0.0


def plan_strata(
    populations: Mapping[str, int],
    confidence: Rate,
    tolerable_rate: Rate,
    minima: Mapping[str, int] | None = None,
) -> int:
    """Return the smallest size in proportion to the strata that keeps the promise however the bad ones lie.

    Parameters
    ----------
    populations: units of the frame by stratum.
    minima: the fewest of each stratum; they only add to the shares.

    Raises
    ------
    ParameterError: a rate is not between 0 and 1.
    """
    population = sum(populations.values())
    if not population:
        return 0
    size = plan(population, confidence, tolerable_rate)
    bad, risk = ceil(population * exact(tolerable_rate)), 1 - exact(confidence)

    def is_enough(size: int) -> bool:
        taken = allocate(populations, size, minima or {})
        return chance_of_missing([Part(n, taken[name]) for name, n in populations.items()], bad) <= risk

    return smallest_size(size, population, is_enough)


def two_stages(population: int, confidence: Rate, tolerable_rate: Rate) -> TwoStages:
    """Return a plan of two stages whose overall risk is held, exact, drawn without replacement.

    Of all first stages the one is taken with which the fewest are judged on average where a tenth of the tolerable
    rate is bad.

    Raises
    ------
    ParameterError: a rate is not between 0 and 1.
    """
    risk, bad = 1 - exact(confidence), ceil(population * exact(tolerable_rate))
    least, most = (plan(population, confidence, tolerable_rate, allowed) for allowed in (0, 1))
    if bad <= 1 or most >= population:
        return TwoStages(least, least)
    usual = ceil(Fraction(bad, 10))
    best: tuple[Fraction, TwoStages] | None = None
    for first in range(least, most + 1, max(1, (most - least) // 30)):

        def is_enough(total: int, first: int = first) -> bool:
            return risk_in_sequence(TwoStages(first, total).stages, population, bad) <= risk

        if not is_enough(population):
            continue
        both = TwoStages(first, smallest_size(first + 1, population, is_enough))
        one = chance_of_exactly(1, first, population, usual)
        judged = first + one * (both.total - first)
        if best is None or judged < best[0]:
            best = judged, both
    return best[1] if best else TwoStages(least, least)


def risk_in_sequence(stages: Sequence[tuple[int, int]], population: int, bad: int) -> Fraction:
    """Return the exact chance that a sequence of samples accepts a population with so many bad ones.

    Parameters
    ----------
    stages: size and number allowed after each stage, sizes growing: accepted as soon as no more than that are found,
        refused when more are found than the last stage allows, else continued.
    """
    going, accepted, before, last = {0: Fraction(1)}, Fraction(0), 0, stages[-1][1]
    for size, allowed in stages:
        reached: dict[int, Fraction] = {}
        for found, chance in going.items():
            for more in range(last - found + 1):
                here = chance_of_exactly(more, size - before, population - before, bad - found)
                reached[found + more] = reached.get(found + more, Fraction(0)) + chance * here
        accepted += sum((chance for found, chance in reached.items() if found <= allowed), Fraction(0))
        going = {found: chance for found, chance in reached.items() if found > allowed}
        before = size
    return accepted


def chance_of_exactly(found: int, size: int, population: int, bad: int) -> Fraction:
    """Return the exact chance that a sample without replacement holds exactly `found` of the bad ones."""
    if not 0 <= found <= min(size, bad) or size - found > population - bad:
        return Fraction(0)
    few, many = sorted((size, bad))
    return Fraction(comb(many, found) * comb(population - many, few - found), comb(population, few))
