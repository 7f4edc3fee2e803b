"""Bounds after the decisions: they cover the truth as often as they say."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from audit_kernel.sample_bounds import Judged, bounds, in_proportion, two_stage_upper_bound, upper_bound
from audit_kernel.sample_plans import Part, chance_of_exactly, chance_of_missing, two_stages
from audit_kernel.statistics import clopper_pearson, hypergeometric_upper_bound, upper_limit
from benchmarks.sample_coverage import World, coverage, worlds
from tests.test_sampling import vectors

NEGLIGIBLE = Fraction(1, 10**12)


def exact_coverage(parts: list[Part], spread: tuple[int, ...]) -> Fraction:
    """Return how often the bound covers the truth, over every outcome."""
    covered = Fraction(0)
    for found in product(*(range(min(part.drawn, bad) + 1) for part, bad in zip(parts, spread, strict=True))):
        chance = Fraction(1)
        for part, bad, here in zip(parts, spread, found, strict=True):
            chance *= chance_of_exactly(here, part.drawn, part.population, bad)
        judged = [Judged(part.population, part.drawn, here) for part, here in zip(parts, found, strict=True)]
        if chance and upper_bound(judged, "0.95") >= sum(spread):
            covered += chance
    return covered


@pytest.mark.parametrize("parts", [[Part(30, 6), Part(20, 5)], [Part(12, 3), Part(30, 8), Part(9, 9)]])
def test_the_bound_over_strata_covers_the_truth_at_least_95_times_in_100_wherever_it_lies(parts: list[Part]) -> None:
    spreads = product(*(range(0, part.population + 1, max(1, part.population // 5)) for part in parts))
    assert min(exact_coverage(parts, spread) for spread in spreads) >= Fraction(95, 100)


@pytest.mark.parametrize("world", worlds(n_strata=8), ids=lambda world: world.name)
def test_drawn_as_the_product_draws_the_bound_covers_the_truth(world: World) -> None:
    """`python -m benchmarks.sample_coverage` does the same with 2,000 draws and larger worlds."""
    covered, _loose = coverage(world, 150)
    assert covered >= 0.95


def test_the_bound_of_one_stratum_is_the_exact_one() -> None:
    assert upper_bound([Judged(1000, 59, 0)], "0.95") == hypergeometric_upper_bound(0, 59, 1000)
    assert upper_bound([Judged(1000, 93, 1)], "0.95") == hypergeometric_upper_bound(1, 93, 1000)


def test_none_found_in_equal_shares_says_what_the_plan_promised() -> None:
    judged = [Judged(100, 10, 0)] * 10
    most = upper_bound(judged, "0.95")
    parts = [Part(100, 10)] * 10
    assert chance_of_missing(parts, most) > Fraction(1, 20) >= chance_of_missing(parts, most + 1)


def test_a_stratum_looked_at_whole_counts_what_was_found_and_no_more() -> None:
    assert upper_bound([Judged(10, 10, 3), Judged(1000, 59, 0)], "0.95") == 3 + upper_bound(
        [Judged(1000, 59, 0)], "0.95"
    )
    assert upper_bound([Judged(10, 10, 3)], "0.95") == 3


def test_one_more_found_never_lowers_the_bound() -> None:
    limits = [upper_bound([Judged(500, 30, found), Judged(700, 40, 0)], "0.95") for found in range(8)]
    assert limits == sorted(limits)


def test_lower_bound_estimate_and_upper_bound_stand_in_order() -> None:
    judged = [Judged(500, 30, 3), Judged(700, 40, 1)]
    found = bounds(judged, [Judged(500, 30, 4), Judged(700, 40, 1)], "0.95")
    assert found.bad <= found.lower <= found.estimate <= found.upper
    assert found.estimate == Fraction(500 * 3, 30) + Fraction(700, 40)
    assert found.upper > upper_bound(judged, "0.95")


def test_what_a_minimum_added_does_not_weigh_on_all() -> None:
    assert in_proportion(10, 1, [False, True, True]) == Judged(10, 1, 0)


def test_the_bound_after_two_stages_covers_the_truth_and_agrees_with_the_plan() -> None:
    population = 400
    both = two_stages(population, "0.95", "0.05")
    tolerable = 20
    outcomes = [(0, 0), *((1, 1 + more) for more in range(12)), *((first, first) for first in range(2, 14))]
    limits = {outcome: two_stage_upper_bound(both, population, *outcome, "0.95") for outcome in outcomes}
    assert limits[0, 0] < tolerable
    assert limits[1, 1] < tolerable <= limits[1, 2]
    for bad in range(1, 90, 8):
        covered = Fraction(0)
        for first, total in outcomes:
            chance = chance_of_exactly(first, both.first, population, bad)
            if first == 1:
                left = (both.total - both.first, population - both.first, bad - 1)
                chance *= chance_of_exactly(total - 1, *left)
            covered += chance if limits[first, total] >= bad else 0
        beyond = 1 - sum(
            chance_of_exactly(first, both.first, population, bad) for first in range(14)
        )  # more found than listed: the bound is larger still
        assert covered + max(beyond, Fraction(0)) >= Fraction(95, 100) - NEGLIGIBLE


def test_the_limits_for_a_population_without_end_are_the_published_ones() -> None:
    """Newcombe (1998), and AICPA, Appendix A, table A-3, by the largest limit that a bound over strata may reach."""
    for case in vectors("newcombe1998.json")["cases"]:
        assert [round(each, 4) for each in clopper_pearson(case["x"], case["n"])] == case["cp"]
    for size, limits in vectors("aicpa_attribute_tables.json")["A3_upper_limit_pct_risk5"].items():
        for found in range(len(limits)):
            most = upper_bound([Judged(100_000, int(size), found)], "0.95")
            assert most / 100_000 <= upper_limit(found, int(size)) + 1e-5
