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
