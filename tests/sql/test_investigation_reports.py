"""The reports behind the investigator's page, each with the rows that must be there and the one that must not."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.sql.conftest import Lake
from tests.sql.period import make_period

FOLLOWED = {"search_followed_minutes": 10}
SEARCH = {"log_type": "Brukersøk"}


@pytest.fixture
def staffed(lake: Lake) -> Lake:
    lake.reference("units", unit_id="U1", name="Solbakken", unit_type="home")
    lake.reference("employees", employee_id="E1", name="Kari Nordmann", personal_number="01018012345")
    lake.reference("employees", employee_id="E2", name="Kåre Hansen")
    lake.reference("employees", employee_id="E3", name="Ola Hansen")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", role="nurse")
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1", role="nurse")
    lake.reference("patients", patient_id="P1", name="Per Hansen", unit_id="U1", household_id="H1")
    lake.reference("patients", patient_id="P2", name="Anna Hansen", household_id="H1")
    lake.reference("patients", patient_id="P3", name="Lise Berg")
    return lake


def people(lake: Lake, kind: str, typed: str, **given: Any) -> list[str]:
    return [
        row["person_id"]
        for row in lake.query("reports/people", kind=kind, typed=typed, **{"most_matches": 20, **given})
    ]


def test_a_name_fits_whoever_has_all_its_words_whatever_their_order_and_case(staffed: Lake) -> None:
    assert people(staffed, "employee", "hansen") == ["E2", "E3"]
    assert people(staffed, "employee", "HANSEN, kåre") == ["E2"]
    assert people(staffed, "patient", "Hansen") == ["P2", "P1"]
    assert people(staffed, "patient", "Nordmann") == []


def test_a_number_is_whom_it_names_and_no_name_is_looked_at(staffed: Lake) -> None:
    staffed.reference("identifiers", system="gerica", kind="employee", identifier="hansen", id="E1")
    assert people(staffed, "employee", "hansen") == ["E1"]
    assert people(staffed, "employee", "E3") == ["E3"]
    assert people(staffed, "employee", "010180 12345") == ["E1"]
    assert people(staffed, "employee", "12345") == []


def test_more_people_than_are_shown_are_counted(staffed: Lake) -> None:
    (row,) = staffed.query("reports/people", kind="employee", typed="hansen", most_matches=1)
    assert (row["person_id"], row["name"], row["n_matches"]) == ("E2", "Kåre Hansen", 2)
    assert (row["unit_id"], row["unit_name"]) == ("U1", "Solbakken")


def test_a_former_name_finds_the_person_under_the_newest(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", name="Anna Berg", valid_to="2026-03-01")
    lake.reference("patients", patient_id="P1", name="Anna Hansen", valid_from="2026-03-01")
    (row,) = lake.query("reports/people", kind="patient", typed="berg", most_matches=20)
    assert row["name"] == "Anna Hansen"


def test_each_access_has_its_best_reason_those_absent_and_those_not_searchable(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    lake.access("2026-10-05 09:00:00", employee_id="E2")
    make_period(lake, explained="employee_id = 'E1'")
    first, second = lake.query("reports/access_reasons", patient_id="P1")
    assert (first["explanation_found"], first["is_enough"]) == ("on_shift", True)
    assert (first["explanations_absent"], first["explanations_not_searchable"]) == (["appointment"], ["care_team"])
    assert (second["explanation_found"], second["is_enough"]) == (None, False)
    assert second["explanations_absent"] == ["on_shift", "appointment"]


def test_the_extent_ranks_patients_by_days_without_a_reason_and_marks_ties(staffed: Lake) -> None:
    staffed.reference("relations", employee_id="E1", patient_id="P3", relation="neighbour")
    for day, patient in (("05", "P2"), ("06", "P2"), ("05", "P3"), ("05", "P1"), ("07", "P4")):
        staffed.access(f"2026-10-{day} 08:00:00", patient_id=patient)
    staffed.access("2026-10-05 09:00:00", patient_id="P5", **SEARCH)
    make_period(staffed, explained="patient_id in ('P1', 'P4')")
    rows = staffed.query("reports/extent", employee_id="E1", patient_id="P1")
    found = [(row["patient_id"], row["n_unexplained_days"], row["n_unexplained"], row["tie"]) for row in rows]
    assert found == [
        ("P2", 2, 2, "household_of_patient"),
        ("P3", 1, 1, "neighbour"),
        ("P1", 0, 0, "asked"),
        ("P4", 0, 0, None),
    ]


def test_each_log_has_its_own_line_of_the_extent(staffed: Lake) -> None:
    staffed.sources("other")
    staffed.access("2026-10-05 08:00:00", patient_id="P2")
    staffed.access("2026-10-05 08:00:00", patient_id="P1")
    staffed.access("2026-10-05 08:00:00", patient_id="P2", source_id="other")
    staffed.access("2026-10-05 08:00:00", patient_id="P3", source_id="other", outcome="denied")
    make_period(staffed, explained="patient_id = 'P1'")
    rows = staffed.query("reports/extent_sources", employee_id="E1")
    assert [(row["source_id"], row["n_patients"], row["n_unexplained_patients"]) for row in rows] == [
        ("gerica", 2, 1),
        ("other", 1, 1),
    ]


def test_readers_who_gave_no_care_come_first_and_carers_who_did_not_read_are_there(staffed: Lake) -> None:
    staffed.reference("care_teams", patient_id="P1", employee_id="E3")
    staffed.reference("care_teams", patient_id="P2", employee_id="E4")
    staffed.access("2026-10-05 08:00:00", employee_id="E1")
    staffed.access("2026-10-05 09:00:00", employee_id="E2", log_type="Skriving")
    staffed.access("2026-10-05 09:00:00", employee_id="E5", outcome="denied")
    make_period(staffed)
    rows = staffed.query("reports/readers_and_carers", patient_id="P1")
    assert [(row["employee_id"], row["has_given_care"], row["n_accesses"]) for row in rows] == [
        ("E1", False, 1),
        ("E2", True, 1),
        ("E3", True, 0),
    ]


def test_a_use_of_break_the_glass_stands_with_what_followed_within_the_hours(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", is_break_glass=True, purpose="fall")
    lake.access("2026-10-05 08:01:00", is_break_glass=True)
    lake.access("2026-10-05 09:00:00", log_type="Skriving")
    lake.access("2026-10-05 09:00:00", log_type="Skriving", patient_id="P2")
    lake.access("2026-10-05 09:00:00", employee_id="E2")
    lake.access("2026-10-06 08:00:00")
    (row,) = lake.query("reports/break_glass", follow_hours=24)
    assert (row["n_break_glass"], row["n_followed"], row["n_written"]) == (2, 3, 1)
    assert row["purpose"] == "fall"
    assert lake.query("reports/break_glass", employee_id="E2", follow_hours=24) == []


def test_a_search_for_somebody_never_cared_for_comes_before_one_for_an_own_patient(staffed: Lake) -> None:
    staffed.access("2026-05-05 08:00:00", patient_id="P4", log_type="Skriving")
    staffed.access("2026-10-05 08:00:00", patient_id="P4", **SEARCH)
    staffed.access("2026-10-05 08:00:00", patient_id="P3", **SEARCH)
    staffed.access("2026-10-05 08:05:00", patient_id="P3")
    staffed.access("2026-10-05 08:00:00", patient_id="P2", **SEARCH)
    staffed.access("2026-10-05 08:00:00", patient_id="P1", **SEARCH)
    staffed.access("2026-09-05 08:00:00", patient_id="P6", **SEARCH)
    rows = staffed.query("reports/search_misuse", employee_id="E1", **FOLLOWED)
    assert [(row["patient_id"], row["was_cared_for"], row["n_unopened"]) for row in rows] == [
        ("P2", False, 1),
        ("P3", False, 0),
        ("P1", True, 1),
        ("P4", True, 1),
    ]


def test_colleagues_are_those_of_the_unit_or_shift_near_the_moment(staffed: Lake) -> None:
    staffed.reference(
        "shifts", employee_id="E3", unit_id="U1", kind="shift", starts_at="2026-10-05 06:00", ends_at="2026-10-05 14:00"
    )
    staffed.access("2026-10-05 08:00:00", employee_id="E1")
    staffed.access("2026-10-05 09:00:00", employee_id="E2", patient_id="P2")
    staffed.access("2026-10-05 08:30:00", employee_id="E2")
    staffed.access("2026-10-05 11:00:00", employee_id="E2")
    staffed.access("2026-10-05 08:30:00", employee_id="E9", unit_id="U9")
    moment = datetime.fromisoformat("2026-10-05 08:00:00")
    rows = staffed.query("reports/colleagues", employee_id="E1", patient_id="P1", at=moment, around_hours=2)
    found = [
        (row["employee_id"], row["n_accesses"], row["n_patients"], row["n_same_patient"], row["is_on_shift"])
        for row in rows
    ]
    assert found == [("E2", 2, 2, 1, False), ("E3", 0, 0, 0, True)]


def test_the_household_is_who_lives_there_or_is_related_with_what_was_opened(staffed: Lake) -> None:
    staffed.reference("households", household_id="H1", employee_id="E1")
    staffed.reference("relations", employee_id="E3", patient_id="P1", relation="sibling")
    staffed.access("2026-10-05 08:00:00", patient_id="P2")
    staffed.access("2026-10-05 08:00:00", patient_id="P2", employee_id="E2")
    staffed.access("2026-10-05 08:00:00", patient_id="P3")
    staffed.access("2026-10-05 08:00:00", patient_id="P1")
    rows = staffed.query("reports/household", patient_id="P1", employee_id="E1")
    found = [
        (row["patient_id"], row["employee_id"], row["tie"], row["n_accesses"], row["n_by_employee"]) for row in rows
    ]
    assert found == [
        ("P2", None, "household", 2, 1),
        (None, "E1", "household_employee", 1, 1),
        (None, "E3", "sibling", 0, 0),
    ]


def test_an_employees_month_stands_beside_the_middle_of_the_peers(lake: Lake) -> None:
    for number, n_accesses in enumerate((1, 2, 3, 9)):
        for minute in range(n_accesses):
            lake.access(f"2026-10-05 08:{minute:02}:00", employee_id=f"E{number}")
    lake.access("2026-10-05 22:30:00", employee_id="E3", outcome="denied")
    rows = {row["measure"]: row for row in lake.query("reports/employee_month", employee_id="E3")}
    accesses = rows["accesses"]
    assert (accesses["own_value"], accesses["usual_value"], accesses["n_above"]) == (9, Decimal("2.0"), 0)
    assert (accesses["n_peers"], accesses["peer_group"]) == (3, "*")
    assert (rows["refused"]["own_value"], rows["at_night"]["own_value"]) == (1, 0)
    assert lake.query("reports/employee_month", employee_id="E7") == []
