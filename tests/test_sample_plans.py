"""Promises of plans: against brute force, against published figures, and in sequence."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

from hypothesis import given, settings
from hypothesis import strategies as some

from audit_kernel.sample_plans import (
    Part,
    TwoStages,
    chance_of_exactly,
    chance_of_missing,
    chance_of_missing_clusters,
    plan_strata,
    risk_in_sequence,
    two_stages,
)
from audit_kernel.sampling import allocate, plan
from tests.test_sampling import vectors

PARTS = some.lists(
    some.integers(1, 7).flatmap(lambda n: some.integers(0, n).map(lambda k: Part(n, k))), min_size=1, max_size=3
)


@settings(max_examples=60, deadline=None)
@given(parts=PARTS, share=some.fractions(0, 1))
def test_the_worst_spread_over_the_strata_is_the_worst_of_all(parts: list[Part], share: Fraction) -> None:
    bad = max(1, int(share * sum(part.population for part in parts)))
    chances = []
    for spread in product(*(range(part.population + 1) for part in parts)):
        if sum(spread) == bad:
            missed = Fraction(1)
            for part, here in zip(parts, spread, strict=True):
                missed *= chance_of_exactly(0, part.drawn, part.population, here)
            chances.append(missed)
    assert chance_of_missing(parts, bad) == max(chances)


@settings(max_examples=60, deadline=None)
@given(
    strata=some.lists(
        some.lists(some.integers(1, 4), min_size=1, max_size=4).flatmap(
            lambda sizes: some.integers(0, len(sizes)).map(lambda drawn: (drawn, sizes))
        ),
        min_size=1,
        max_size=2,
    ),
    share=some.fractions(0, 1),
)
def test_no_way_to_hide_in_clusters_is_missed_more_often_than_said(
    strata: list[tuple[int, list[int]]], share: Fraction
) -> None:
    total = sum(sum(sizes) for _drawn, sizes in strata)
    bad = max(1, int(share * total))
    worst = Fraction(0)
    for hidden in product(*(product((0, 1), repeat=len(sizes)) for _drawn, sizes in strata)):
        held = sum(
            sum(size for size, is_bad in zip(sizes, here, strict=True) if is_bad)
            for (_drawn, sizes), here in zip(strata, hidden, strict=True)
        )
        if held >= bad:
            missed = Fraction(1)
            for (drawn, sizes), here in zip(strata, hidden, strict=True):
                missed *= chance_of_exactly(0, drawn, len(sizes), sum(here))
            worst = max(worst, missed)
    said = chance_of_missing_clusters(strata, bad)
    assert said >= worst
    if len(strata) == 1:
        assert said <= float(worst) * (1 + 1e-6)


def test_equal_shares_of_many_strata_are_weaker_than_one_sample_and_the_plan_makes_up_for_it() -> None:
    populations = {str(number): 100 for number in range(10)}
    size = plan(1000, "0.95", "0.01")
    parts = [Part(100, taken) for taken in allocate(populations, 250).values()]
    assert chance_of_missing([Part(1000, 250)], 10) < chance_of_missing(parts, 10)
    planned = plan_strata(populations, "0.95", "0.01")
    taken = allocate(populations, planned)
    assert planned >= size
    assert chance_of_missing([Part(100, taken[name]) for name in populations], 10) <= Fraction(1, 20)


def test_a_sample_of_297_of_the_issues_frame_keeps_its_promise() -> None:
    assert plan(48_210, "0.95", "0.01") == 297
    assert plan_strata({"all": 48_210}, "0.95", "0.01") == 297


def test_one_random_day_of_each_unit_promises_little() -> None:
    """Sixty units of 31 days: one bad unit-day in a hundred is missed as often as one toss of a coin in two."""
    parts = [Part(31, 1)] * 60
    missed = chance_of_missing(parts, 19)
    assert missed == Fraction(30, 31) ** 19
    assert 0.53 < float(missed) < 0.54


def test_one_day_in_a_unit_finds_what_lies_on_few_days_rarely() -> None:
    assert chance_of_missing_clusters([(1, [10] * 31)], 20) > float(Fraction(29, 31))
    assert chance_of_missing_clusters([(1, [10] * 31)], 311) < 1e-9


def test_three_hundred_rows_find_one_of_fifty_in_a_hundred_thousand_in_14_of_100_cases() -> None:
    found = 1 - chance_of_missing([Part(100_000, 300)], 50)
    assert Fraction("0.139") < found < Fraction("0.14")


def test_fixed_tables_used_in_sequence_double_the_risk() -> None:
    """59 allow none; where some are found 93 allow one, 124 two, 153 three: each 5 % alone (Touw and Hoogduin)."""
    sizes = vectors("discovery_sampling.json")["published_binomial_95_by_errors_found"]["0.05"]
    stages = [(size, allowed) for allowed, size in enumerate(sizes)]
    without_end = 10**7
    for size, allowed in stages:
        assert risk_in_sequence([(size, allowed)], without_end, without_end // 20) < Fraction("0.0501")
    risk = risk_in_sequence(stages, without_end, without_end // 20)
    assert Fraction("0.105") < risk < Fraction("0.115")


def test_a_plan_of_two_stages_holds_its_risk_over_both() -> None:
    for population, rate in ((300, "0.05"), (1000, "0.05"), (48_210, "0.01")):
        both = two_stages(population, "0.95", rate)
        bad = -(-population * Fraction(rate) // 1)
        assert plan(population, "0.95", rate) < both.first < both.total
        assert risk_in_sequence(both.stages, population, int(bad)) <= Fraction(1, 20)
        shorter = TwoStages(both.first, both.total - 1)
        assert risk_in_sequence(shorter.stages, population, int(bad)) > Fraction(1, 20)


def test_a_frame_too_small_for_two_stages_has_one() -> None:
    assert two_stages(10, "0.95", "0.05") == TwoStages(10, 10)


@settings(max_examples=30, deadline=None)
@given(population=some.integers(8, 14), bad=some.integers(1, 6), first=some.integers(2, 4), more=some.integers(1, 3))
def test_the_risk_in_sequence_is_that_of_all_orders(population: int, bad: int, first: int, more: int) -> None:
    stages = [(first, 0), (first + more, 1)]
    accepted = 0
    for places in product((0, 1), repeat=population):
        if sum(places) == bad and (not sum(places[:first]) or sum(places[: first + more]) <= 1):
            accepted += 1
    assert risk_in_sequence(stages, population, bad) == Fraction(accepted, comb(population, bad))
