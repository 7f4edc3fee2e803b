"""A judged sample: what is undecided counts as unjustified in the upper bound, units apart, stages as planned."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from audit_kernel.sample_bounds import Judged, upper_bound
from audit_kernel.sample_design import Decisions, Design
from audit_kernel.sample_result import ACCEPTED, OPEN, REFUSED, SECOND_STAGE, SampleResult, judge
from audit_kernel.statistics import hypergeometric_upper_bound

UNITS = {"U1|M1": ("U1", 300, 12), "U1|M2": ("U1", 100, 4), "U2|M1": ("U2", 600, 24)}


def plan(name: str = "days", **changes: Any) -> Decisions:
    return Decisions(**{**vars(Decisions(name, "unit_id", "0.95", "0.05", "0.05", 1, 1)), **changes})


def drawn(first_stage: int = 0, strata: dict[str, tuple[str, int, int]] = UNITS, per_cluster: int = 1) -> pa.Table:
    rows = [
        {
            "stratum": stratum, "place": place, "stage": 2 if first_stage and place > first_stage else 1,
            "n_stratum": population, "unit_key": f"{stratum}|{place}|{each}", "unit_id": unit,
        }
        for stratum, (unit, population, taken) in strata.items()
        for place in range(1, taken + 1)
        for each in range(per_cluster)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


def decided(picked: pa.Table, **others: str) -> pa.Table:
    """All justified but for `others`; None leaves one undecided."""
    rows = [
        {"subject_kind": "sample", "subject_key": key, "decision": others.get(str(key), "justified")}
        for key in picked["unit_key"].to_pylist()
    ]
    rows.append({"subject_kind": "finding", "subject_key": "U1|M1|1|0", "decision": "unjustified"})
    return pa.Table.from_pylist([row for row in rows if row["decision"]])


def result(picked: pa.Table, decisions: pa.Table, decisions_of: Decisions, size: int, first: int = 0) -> SampleResult:
    strata = {row["stratum"]: row["n_stratum"] for row in picked.select(["stratum", "n_stratum"]).to_pylist()}
    design = Design(decisions_of, sum(strata.values()), picked.num_rows, size, first, ())
    return judge(picked, design, decisions)


def test_all_justified_gives_the_bound_that_was_promised_and_each_unit_its_own() -> None:
    picked = drawn()
    found = result(picked, decided(picked), plan(), 40)
    assert (found.total.unjustified, found.total.undecided, found.total.lower) == (0, 0, 0)
    assert found.total.upper == upper_bound([Judged(300, 12, 0), Judged(100, 4, 0), Judged(600, 24, 0)], "0.95")
    units = {unit.name: unit for unit in found.units}
    assert (units["U1"].population, units["U1"].drawn) == (400, 16)
    assert units["U2"].upper == hypergeometric_upper_bound(0, 24, 600)
    assert units["U2"].upper_percent == "11.8"
    assert units["U1"].upper_percent is None


def test_what_is_undecided_or_to_be_followed_up_counts_as_unjustified_above_and_not_below() -> None:
    picked = drawn()
    open_ones = decided(picked, **{"U2|M1|1|0": "", "U2|M1|2|0": "follow_up"})
    found = result(picked, open_ones, plan(), 40)
    unit = found.units[1]
    assert (unit.unjustified, unit.undecided, unit.lower) == (0, 2, 0)
    assert unit.upper == hypergeometric_upper_bound(2, 24, 600)
    assert found.total.upper > result(picked, decided(picked), plan(), 40).total.upper


def test_without_any_decision_the_upper_bound_is_everything_not_known_to_be_good() -> None:
    picked = drawn()
    found = result(picked, decided(picked).slice(0, 0), plan(), 40)
    assert found.total.undecided == 40
    assert found.total.upper == 1000


def test_what_a_minimum_added_to_a_small_unit_is_its_own_result_and_not_that_of_all() -> None:
    picked = drawn(strata={"A": ("A", 5, 5), "B": ("B", 995, 40)})
    bad = {f"A|{place}|0": "unjustified" for place in range(2, 6)}
    first_bad = result(picked, decided(picked, **bad), plan(), 40)
    assert first_bad.units[0].upper == 4
    assert first_bad.total.unjustified == 4
    none_bad = result(picked, decided(picked), plan(), 40)
    assert first_bad.total.upper == max(4, none_bad.total.upper)


def test_a_whole_day_of_a_unit_is_unjustified_where_one_of_its_days_is() -> None:
    strata = {f"U{number}": (f"U{number}", 31, 1) for number in range(30)}
    picked = drawn(strata=strata, per_cluster=3)
    found = result(picked, decided(picked, **{"U3|1|2": "unjustified"}), plan("unit_days"), 0)
    assert (found.total.drawn, found.total.unjustified, found.total.population) == (30, 1, 930)
    assert {unit.name: unit.unjustified for unit in found.units}["U3"] == 1


STAGED = {"-": ("-", 400, 100)}


@pytest.mark.parametrize(
    ("others", "expected", "n_drawn"),
    [
        ({}, ACCEPTED, 60),
        ({"-|1|0": "unjustified"}, ACCEPTED, 100),
        ({"-|1|0": "unjustified", "-|80|0": ""}, SECOND_STAGE, 100),
        ({"-|1|0": "unjustified", "-|80|0": "unjustified"}, REFUSED, 100),
        ({"-|1|0": "unjustified", "-|2|0": "unjustified"}, REFUSED, 60),
        ({"-|1|0": ""}, OPEN, 100),
        ({"-|80|0": ""}, ACCEPTED, 60),
    ],
)
def test_a_plan_of_two_stages_goes_on_only_as_planned(others: dict[str, str], expected: str, n_drawn: int) -> None:
    picked = drawn(first_stage=60, strata=STAGED)
    found = result(picked, decided(picked, **others), plan("two_stages"), 100, 60)
    assert found.stage == expected
    assert found.units == ()
    assert found.total.drawn == n_drawn


def test_the_second_stage_counts_only_after_exactly_one_in_the_first() -> None:
    picked = drawn(first_stage=60, strata=STAGED)
    late = result(picked, decided(picked, **{"-|80|0": "unjustified"}), plan("two_stages"), 100, 60)
    assert (late.stage, late.total.unjustified, late.total.drawn) == (ACCEPTED, 0, 60)
    assert late.total.upper == hypergeometric_upper_bound(0, 60, 400)
