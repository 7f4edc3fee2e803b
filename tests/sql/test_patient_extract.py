"""The extract of the log: a patient's own rows in the dictionary's words, and nothing about anybody else."""

from __future__ import annotations

from tests.sql.conftest import Lake

COLUMNS = {"record_ref", "message", "activity", "access_type", "log_type", "table_name", "message_type", "event_id"}


def test_another_patient_of_the_same_event_is_not_shown(lake: Lake) -> None:
    both = {"event_id": "77", "record_ref": "P1 P2", "message": "Compared P1 with P2", "activity": "P2 moved"}
    lake.access("2026-10-05 08:00:00", item=0, patient_id="P1", **both)
    lake.access("2026-10-05 08:00:00", item=1, patient_id="P2", **both)
    (row,) = lake.query("reports/patient_extract", patient_id="P1")
    assert row["patient_id"] == "P1"
    assert not COLUMNS & set(row)
    assert not any("P2" in str(value) for value in row.values())


def test_words_come_from_the_dictionary_alone_and_a_code_without_words_has_none(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", message_type="Post vist")
    lake.access(
        "2026-10-05 09:00:00", log_type="Z9", table_name=None, activity="Z9 of P2", access_type="Z9", action="read"
    )
    first, second = lake.query("reports/patient_extract", patient_id="P1")
    assert (first["activity_en"], first["access_type_en"]) == ("Read the person", "Record shown")
    assert not first["is_unknown_code"]
    assert second["activity_en"] is second["access_type_en"] is None
    assert (second["action"], second["is_unknown_code"]) == ("read", True)


def test_attempts_and_searches_are_apart_from_accesses(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 08:01:00", outcome="denied")
    lake.access("2026-10-05 08:02:00", log_type="Brukersøk")
    lake.access("2026-10-05 08:03:00", outcome="unknown")
    found = lake.query("reports/patient_extract", patient_id="P1")
    assert [row["part"] for row in found] == ["access", "attempt", "search", "access"]


def test_unit_and_role_are_those_of_the_day(lake: Lake) -> None:
    lake.reference("units", unit_id="U1", name="North")
    lake.reference("units", unit_id="U2", name="South")
    lake.reference("roles", role="SPL", name="Nurse")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", role="SPL", valid_to="2026-10-06")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U2", role="VIK", valid_from="2026-10-06")
    lake.access("2026-10-05 21:59:00")
    lake.access("2026-10-05 22:01:00")
    lake.access("2026-10-05 22:02:00", employee_id="E2", unit_id="U9")
    found = lake.query("reports/patient_extract", patient_id="P1")
    assert [(row["unit"], row["role"]) for row in found] == [("North", "Nurse"), ("South", "VIK"), ("U9", None)]


def test_it_is_narrowed_to_one_employee_under_every_identifier(lake: Lake) -> None:
    lake.reference("identifiers", system="gerica", kind="employee", identifier="KANO01", id="E1")
    for employee, patient in (("KANO01", "P1"), ("E1", "P1"), ("E2", "P1"), ("E1", "P2")):
        lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=patient)
    asked = lake.query("reports/patient_extract", patient_id="P1", employee_id="E1")
    assert [(row["employee_id"], row["patient_id"]) for row in asked] == [("E1", "P1")] * 2
    own = lake.query("reports/patient_extract", employee_id="E1")
    assert sorted(row["patient_id"] for row in own) == ["P1", "P1", "P2"]
