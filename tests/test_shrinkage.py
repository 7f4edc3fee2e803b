"""Empirical Bayes against published values, limits by enumeration, and who stands out among colleagues."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from math import exp, factorial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from audit_kernel import shrinkage, statistics

VECTORS = Path(__file__).parents[2] / "shared" / "stats"
LIMITS = {"unaccounted_tail": Decimal("0.01"), "minimum_unaccounted_doses": 3}
RATE, TAIL = pa.decimal128(18, 4), pa.decimal128(19, 18)


def test_shrunken_rates_agree_with_the_published_ones() -> None:
    """Marshall (1991) on the St. Louis homicides, as esda computes it."""
    if not VECTORS.is_dir():
        pytest.skip(
            "This test reads published figures in ../shared/stats, which is not part of the project and is not here."
        )
    published = json.loads((VECTORS / "eb_marshall_stl_expected.json").read_text(encoding="utf-8"))
    with (VECTORS / "eb_marshall_stl.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == published["n"]
    events = [int(row["events_HC7984"]) for row in rows]
    exposures = [int(row["population_PO7984"]) for row in rows]
    rates = shrinkage.empirical_bayes(events, exposures)
    assert rates[:10] == pytest.approx(published["expected_first_10"], rel=1e-8)


def test_little_exposure_is_drawn_further_towards_the_mean() -> None:
    rates = shrinkage.empirical_bayes([10, 1, 0, 40], [10, 1, 20, 200])
    mean = 51 / 231
    assert mean < rates[1] < rates[0] < 1
    assert rates[2] < mean


def test_a_variance_that_chance_explains_leaves_the_mean() -> None:
    assert shrinkage.empirical_bayes([1, 2, 1], [10, 20, 10]) == pytest.approx([0.1, 0.1, 0.1])
    assert shrinkage.empirical_bayes([0, 0], [5, 0]) == [0, 0]
    assert shrinkage.empirical_bayes([], []) == []


def test_one_who_was_not_exposed_has_the_mean_and_no_weight() -> None:
    assert shrinkage.empirical_bayes([3, 1, 0], [10, 10, 0])[2] == pytest.approx(0.2)
    assert shrinkage.sums([3, 1, 7], [10, 10, 0]) == shrinkage.sums([3, 1], [10, 10])


def test_taking_one_out_is_the_same_as_never_having_had_them() -> None:
    with_all = shrinkage.sums([4, 1, 9], [10, 20, 30])
    left = with_all.without(9, 30).prior()
    alone = shrinkage.sums([4, 1], [10, 20]).prior()
    assert (left.mean, left.variance) == pytest.approx((alone.mean, alone.variance))


def at_most(count: int, expected: float) -> float:
    return sum(exp(-expected) * expected**each / factorial(each) for each in range(count + 1))


@pytest.mark.parametrize("tail", [0.001, 0.025])
@pytest.mark.parametrize("expected", [0.02, 0.3, 2.0, 7.5, 40.0])
def test_counts_outside_the_limits_have_at_most_the_chance(expected: float, tail: float) -> None:
    lowest, highest = shrinkage.funnel_limits(expected / 0.4, 0.4, tail)
    assert 1 - at_most(highest, expected) <= tail
    assert highest == 0 or 1 - at_most(highest - 1, expected) > tail
    assert lowest == 0 or at_most(lowest - 1, expected) <= tail
    assert at_most(lowest, expected) > tail


def test_without_a_rate_there_is_no_limit_but_nought() -> None:
    assert shrinkage.funnel_limits(10, 0, 0.001) == shrinkage.funnel_limits(0, 0.4, 0.001) == (0, 0)


def test_limits_of_many_at_once_are_those_of_each() -> None:
    exposures = [0.0, 0.05, 0.75, 5.0, 18.75, 100.0]
    for mean in (0.0, 0.4):
        each = [shrinkage.funnel_limits(exposure, mean, 0.001)[1] for exposure in exposures]
        assert shrinkage.most_by_chance(exposures, mean, 0.001) == each


def test_carelessness_is_times_the_usual_share_of_slips() -> None:
    weights = shrinkage.carelessness([60, 10, 10, 10], [100, 100, 100, 100])
    assert weights[0] > 2
    assert weights[1] == weights[2] == weights[3] < 0.6
    assert sum(weights) == pytest.approx(4)
    assert shrinkage.carelessness([0, 0], [5, 5]) == [1, 1]


def people(*figures: tuple[str, int, int, str], stream: str = "anomaly", kind: str = "unsigned") -> pa.Table:
    """Return findings: name, doses found, slips, shifts' worth of work; ten doses a shift."""
    rows: list[dict[str, Any]] = [
        {
            "stream": stream, "employee_id": name, "measure": Decimal(found), "expected": None,
            "tail_probability": None, "reason_code": kind,
            "reason_values": {
                "n_found": found, "n_slips": slips, "n_handled": int(10 * Decimal(exposure)),
                "exposure": Decimal(exposure),
            },
        }
        for name, found, slips, exposure in figures
    ]  # fmt: skip
    schema = pa.schema([
        ("stream", pa.string()), ("employee_id", pa.string()), ("measure", RATE), ("expected", RATE),
        ("tail_probability", TAIL), ("reason_code", pa.string()),
        ("reason_values", pa.struct([
            ("n_found", pa.int64()), ("n_slips", pa.int64()), ("n_handled", pa.int64()), ("exposure", RATE),
        ])),
    ])  # fmt: skip
    return pa.Table.from_pylist(rows, schema)


COLLEAGUES = tuple((f"C{number:02d}", number % 3, 4, "15") for number in range(30))


def found(table: pa.Table, **given: Any) -> list[str]:
    kept = statistics.assess(table, ["empirical_bayes"], {**LIMITS, **given})
    return [str(each) for each in kept.column("employee_id").to_pylist()]


def test_who_has_far_more_than_colleagues_with_the_same_work_stands_out() -> None:
    assert found(people(*COLLEAGUES, ("skims", 12, 4, "15"))) == ["skims"]
    assert found(people(*COLLEAGUES, ("works more", 12, 40, "150"))) == []


def test_who_is_careless_alike_does_not_stand_out() -> None:
    assert found(people(*COLLEAGUES, ("careless", 8, 4, "15"))) == ["careless"]
    assert found(people(*COLLEAGUES, ("careless", 8, 32, "15"))) == []


def test_the_fewest_doses_and_the_chance_are_edges() -> None:
    table = people(*((name, 0, 4, "15") for name, *_rest in COLLEAGUES), ("few", 2, 4, "15"), ("three", 3, 4, "15"))
    assert found(table) == ["three"]
    kept = statistics.assess(table, ["empirical_bayes"], LIMITS)
    tail = kept.column("tail_probability").to_pylist()[0]
    assert found(table, unaccounted_tail=tail) == ["three"]
    assert found(table, unaccounted_tail=tail * Decimal("0.999")) == []


def test_what_is_kept_is_a_task_above_the_chance_of_an_alert() -> None:
    table = people(*((name, 0, 4, "15") for name, *_rest in COLLEAGUES), ("three", 3, 4, "15"))
    tail = statistics.assess(table, ["empirical_bayes"], LIMITS).column("tail_probability").to_pylist()[0]
    for alert, stream in ((tail * Decimal("1.001"), "anomaly"), (tail * Decimal("0.999"), "targeted")):
        kept = statistics.assess(table, ["empirical_bayes"], {**LIMITS, "unaccounted_alert_tail": alert})
        assert kept.column("stream").to_pylist() == [stream]


def test_people_are_ranked_by_their_shrunken_rate_with_that_of_the_others_beside_it() -> None:
    table = people(*COLLEAGUES, ("short", 9, 1, "3"), ("long", 20, 4, "15"))
    kept = statistics.assess(table, ["empirical_bayes"], LIMITS).to_pylist()
    assert [row["employee_id"] for row in kept] == ["short", "long"]
    for row, raw in zip(kept, (9 / 3, 20 / 15), strict=True):
        assert row["expected"] < row["measure"] < raw
        assert row["tail_probability"] < Decimal("0.01")


def test_each_kind_is_judged_by_itself() -> None:
    rare = people(*((name, 0, slips, exposure) for name, _found, slips, exposure in COLLEAGUES), kind="gone")
    table = pa.concat_tables([people(*COLLEAGUES, ("E1", 3, 4, "15")), rare, people(("E1", 3, 4, "15"), kind="gone")])
    kept = statistics.assess(table, ["empirical_bayes"], LIMITS).to_pylist()
    assert [(row["employee_id"], row["reason_code"]) for row in kept] == [("E1", "gone")]


def test_somebody_alone_or_without_exposure_is_compared_with_nobody() -> None:
    assert found(people(("alone", 50, 0, "10"))) == []
    assert found(people(*COLLEAGUES, ("no withdrawals", 5, 0, "0"))) == []


def test_tasks_pass_through_untouched() -> None:
    tasks = people(("E9", 1, 0, "1"), stream="targeted", kind="late")
    kept = statistics.assess(pa.concat_tables([tasks, people(*COLLEAGUES)]), ["empirical_bayes"], LIMITS)
    assert kept.to_pylist() == tasks.to_pylist()


def test_the_order_of_people_changes_no_figure() -> None:
    figures = [*COLLEAGUES, ("skims", 12, 4, "15"), ("too", 11, 4, "14.5")]
    first, second = (
        statistics.assess(people(*each), ["empirical_bayes"], LIMITS).to_pylist() for each in (figures, figures[::-1])
    )
    assert first == second
