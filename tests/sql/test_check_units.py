"""Accesses at each unit, and those at units where the employee does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake


def test_patients_of_a_unit_without_assignment_are_found_at_the_threshold_only(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    for number in range(6):
        unit = "U1" if number < 3 else "U2"
        lake.access("2026-10-05 08:00:00", patient_id=f"P{number}", patient_unit_id=unit)
    make_period(lake)
    rows = lake.query("checks/units", foreign_unit_minimum_patients=3)
    assert [(row["employee_id"], row["unit_id"], row["n_events"], row["severity"]) for row in rows] == [
        ("E1", "U2", 3, 2)
    ]
    assert lake.query("checks/units", foreign_unit_minimum_patients=4) == []
    assert [tuple(row.values()) for row in lake.query("checks/units.counts")] == [("U1", 3, 1, 3), ("U2", 3, 1, 3)]
    assert {row["stratum"] for row in lake.query("checks/units.frame")} == {"U1", "U2"}
    make_period(lake, explained="patient_id = 'P5'")
    assert lake.query("checks/units", foreign_unit_minimum_patients=3) == []


def test_an_assignment_counts_until_the_day_after_its_last(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U2", valid_from="2026-01-01", valid_to="2026-10-05")
    for number in range(3):
        lake.access("2026-10-04 08:00:00", patient_id=f"P{number}", patient_unit_id="U2")
        lake.access("2026-10-05 08:00:00", patient_id=f"P{number + 1}", patient_unit_id="U2")
    make_period(lake)
    rows = lake.query("checks/units", foreign_unit_minimum_patients=3)
    assert [(row["n_events"], row["reason_values"]["n_days"]) for row in rows] == [(3, 1)]


def test_who_has_no_assignment_at_all_is_one_finding_over_all_units(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", valid_to="2026-10-01")
    lake.reference("unit_assignments", employee_id="E3", unit_id="U1", valid_to="2026-10-02")
    for employee in ("E1", "E2", "E3"):
        for number in range(3):
            lake.access(
                "2026-10-05 08:00:00", employee_id=employee, patient_id=f"P{number}", patient_unit_id=f"U{number}"
            )
    make_period(lake)
    rows = lake.query("checks/units", foreign_unit_minimum_patients=3)
    assert [
        (row["employee_id"], row["unit_id"], row["reason_code"], row["reason_values"]["n_units"]) for row in rows
    ] == [
        ("E1", None, "no_assignment", 3),
        ("E2", None, "no_assignment", 3),
    ]
    assert lake.query("checks/units", foreign_unit_minimum_patients=4) == []
    asked = {"employee_id": "E1", "unit_id": None}
    assert len(lake.query("checks/units.events", **asked)) == 3
    assert len(lake.query("checks/units.events", **{**asked, "unit_id": "U2"})) == 1


def test_a_unit_without_any_access_is_counted_with_zeros_while_it_exists(lake: Lake) -> None:
    lake.reference("units", unit_id="U1", valid_from="2026-01-01", valid_to="2026-10-02")
    lake.reference("units", unit_id="U2", valid_from="2026-01-01", valid_to="2026-10-01", delivered="2026-01-02")
    lake.reference("units", unit_id="U3", valid_from="2026-11-01", delivered="2026-01-03")
    lake.access("2026-10-05 08:00:00", patient_unit_id="U9")
    lake.access("2026-10-05 08:00:00")
    make_period(lake)
    counts = [tuple(row.values()) for row in lake.query("checks/units.counts")]
    assert counts == [("-", 1, 1, 1), ("U1", 0, 0, 0), ("U9", 1, 1, 1)]


def test_the_matrix_sets_home_unit_against_the_patients(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    lake.access("2026-10-05 08:00:00", patient_unit_id="U1")
    lake.access("2026-10-05 08:00:00", patient_unit_id="U2", patient_id="P2")
    lake.access("2026-10-05 08:00:00", patient_unit_id="U2", employee_id="E9", outcome="denied")
    lake.access("2026-10-05 08:00:00", employee_id="E9")
    make_period(lake, explained="care_unit_id = 'U1'")
    rows = [tuple(row.values()) for row in lake.query("checks/units.matrix")]
    assert rows == [("-", "-", 1, 1, 1, 1), ("U1", "U1", 1, 0, 1, 1), ("U1", "U2", 1, 1, 1, 1)]
