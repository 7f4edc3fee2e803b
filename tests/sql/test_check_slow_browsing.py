"""Slow browsing: patients without a reason, counted over the months that runs have kept."""

from __future__ import annotations

from tests.sql.conftest import Lake
from tests.sql.period import make_period

LIMITS = {"browsing_months_minimum": 3, "browsing_patients_a_month": 2, "browsing_times_peers": 3}


def months(lake: Lake, *kept: str, employee: str = "E1", first: int = 0, n_patients: int = 2) -> None:
    """Keep a month's days without a reason, each month about other patients."""
    for place, month in enumerate(kept):
        lake.insert("lake.unexplained_days", {"month": month, "local_date": month, "n_accesses": 0})
        for number in range(n_patients):
            lake.insert(
                "lake.unexplained_days",
                {
                    "month": month, "employee_id": employee, "patient_id": f"P{first + 10 * place + number}",
                    "local_date": month, "unit_id": "U1", "n_accesses": 1,
                },
            )  # fmt: skip


def this_month(lake: Lake, n_patients: int, employee: str = "E1") -> None:
    for number in range(n_patients):
        lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=f"T{number}")
    make_period(lake)


def test_as_many_patients_a_month_as_the_limit_over_three_months_are_a_finding(lake: Lake) -> None:
    months(lake, "2026-08-01", "2026-09-01")
    this_month(lake, 2)
    (found,) = lake.query("checks/slow_browsing", **LIMITS)
    assert (found["employee_id"], found["reason_values"]["n_patients"], found["reason_values"]["n_months"]) == (
        "E1",
        6,
        3,
    )


def test_one_patient_fewer_or_one_month_fewer_is_none(lake: Lake) -> None:
    months(lake, "2026-08-01", "2026-09-01")
    this_month(lake, 1)
    assert lake.query("checks/slow_browsing", **LIMITS) == []
    assert lake.query("checks/slow_browsing", **{**LIMITS, "browsing_months_minimum": 4}) == []


def test_the_same_patient_again_counts_once_and_a_month_more_than_a_year_ago_not_at_all(lake: Lake) -> None:
    months(lake, "2025-10-01", n_patients=50)
    months(lake, "2026-08-01")
    months(lake, "2026-09-01")
    this_month(lake, 2)
    assert lake.query("checks/slow_browsing", **LIMITS) == []


def test_who_has_as_many_as_colleagues_of_the_same_role_is_none(lake: Lake) -> None:
    lake.reference("units", unit_id="U1", unit_type="home")
    for employee in ("E1", "E2"):
        lake.reference("unit_assignments", employee_id=employee, unit_id="U1", role="nurse")
        months(lake, "2026-08-01", "2026-09-01", employee=employee)
        for number in range(2):
            lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=f"T{number}")
    make_period(lake)
    assert lake.query("checks/slow_browsing", **LIMITS) == []


def test_a_month_run_again_before_this_one_is_no_month_of_its_own(lake: Lake) -> None:
    months(lake, "2026-09-01", "2026-10-01", "2026-11-01")
    this_month(lake, 2)
    assert lake.query("checks/slow_browsing", **LIMITS) == []
