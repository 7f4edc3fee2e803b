"""Slow browsing: different patients without a reason, over the months that runs have kept, against colleagues."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sql.judged import judged
from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

LIMIT = {"browsing_patients_minimum": 10}


def kept(lake: Lake, *months: str, employee: str = "E1", n_patients: int = 4, same: bool = False) -> None:
    """Keep a month's days without a reason, each month about other patients unless they are the same."""
    for place, month in enumerate(months):
        lake.insert("lake.unexplained_days", {"month": month, "local_date": month, "n_accesses": 0})
        for number in range(n_patients):
            patient = f"P{number}" if same else f"P{10 * place + number}"
            row = {"month": month, "employee_id": employee, "patient_id": patient, "n_accesses": 1}
            lake.insert("lake.unexplained_days", {**row, "local_date": month})


def this_month(lake: Lake, n_patients: int, employee: str = "E1", n_colleagues: int = 24) -> None:
    """Let an employee open patients without a reason, and colleagues one each of which every second has a reason."""
    for number in range(n_patients):
        lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=f"T{number}")
    for number in range(n_colleagues):
        lake.access("2026-10-05 09:00:00", employee_id=f"C{number}", patient_id=f"C{number % 2}")
    make_period(lake, explained="patient_id = 'C0'")


def test_patients_of_three_months_together_make_the_finding(lake: Lake) -> None:
    kept(lake, "2026-08-01", "2026-09-01")
    this_month(lake, 2)
    (found,) = judged(lake, "slow_browsing", **LIMIT)
    assert (found["employee_id"], found["measure"], found["peer_group"]) == ("E1", Decimal(10), "*")
    values = found["reason_values"]
    assert [values[name] for name in ("n_patients", "n_months", "n_months_absent", "n_people")] == [10, 3, 0, 25]
    assert judged(lake, "slow_browsing", browsing_patients_minimum=11) == []


def test_a_month_whose_run_is_absent_is_said_and_not_counted(lake: Lake) -> None:
    kept(lake, "2026-07-01", "2026-09-01")
    this_month(lake, 2)
    (found,) = judged(lake, "slow_browsing", **LIMIT)
    assert (found["reason_values"]["n_months"], found["reason_values"]["n_months_absent"]) == (3, 1)
    counts = {row["month"]: tuple(row.values())[1:] for row in lake.query("checks/slow_browsing.counts")}
    assert len(counts) == 12
    assert counts[date(2026, 7, 1)] == (True, 1, 4, 4)
    assert counts[date(2026, 8, 1)] == (False, 0, 0, 0)
    assert counts[date(2026, 10, 1)] == (True, 13, 3, 14)


def test_colleagues_without_any_such_patient_are_among_the_compared(lake: Lake) -> None:
    this_month(lake, 12)
    rows = lake.query("checks/slow_browsing", **LIMIT)
    assert [row["measure"] for row in rows] == [12] + [1] * 12 + [0] * 12
    assert [row["employee_id"] for row in judged(lake, "slow_browsing", **LIMIT)] == ["E1"]


def test_the_same_patient_again_counts_once_and_a_month_more_than_a_year_ago_not_at_all(lake: Lake) -> None:
    kept(lake, "2025-10-01", n_patients=50)
    kept(lake, "2026-08-01", "2026-09-01", same=True)
    this_month(lake, 2)
    rows = {row["employee_id"]: row for row in lake.query("checks/slow_browsing", **LIMIT)}
    assert (rows["E1"]["measure"], rows["E1"]["reason_values"]["n_days"]) == (Decimal(6), 10)
    assert judged(lake, "slow_browsing", **LIMIT) == []


def test_who_has_as_many_as_colleagues_is_none(lake: Lake) -> None:
    for number in range(24):
        kept(lake, "2026-09-01", employee=f"C{number}", n_patients=12)
    this_month(lake, 12)
    assert judged(lake, "slow_browsing", **LIMIT) == []


def test_two_browsers_do_not_hide_one_another(lake: Lake) -> None:
    kept(lake, "2026-09-01", employee="E2", n_patients=60)
    lake.access("2026-10-05 08:00:00", employee_id="E2", patient_id="T1")
    this_month(lake, 25, n_colleagues=48)
    assert {row["employee_id"] for row in judged(lake, "slow_browsing", **LIMIT)} == {"E1", "E2"}


def test_a_month_run_again_before_this_one_is_no_month_of_its_own(lake: Lake) -> None:
    kept(lake, "2026-09-01", "2026-10-01", "2026-11-01")
    this_month(lake, 2)
    rows = {row["employee_id"]: row for row in lake.query("checks/slow_browsing", **LIMIT)}
    assert (rows["E1"]["measure"], rows["E1"]["reason_values"]["n_months"]) == (Decimal(6), 2)
