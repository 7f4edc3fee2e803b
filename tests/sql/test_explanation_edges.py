"""Each edge of each reason: whose patient it is, when it begins and ends, and what was never worked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sql.conftest import Lake
from tests.sql.test_explanations import found, shift

NOON = "2026-10-10 10:00:00"
FAR = "2026-10-25 10:00:00"


def medicine(lake: Lake, kind: str, **given: Any) -> None:
    lake.n_accesses += 1
    lake.insert(
        "lake.medication_events",
        {
            "source_id": "drugs", "event_id": str(lake.n_accesses), "file_id": "f", "line_number": lake.n_accesses,
            "kind": kind, "recorded_at": NOON, "local_date": "2026-10-10", "local_hour": 12, "local_weekday": 6,
            "is_holiday": False, "time_flag": "ok", "employee_id": "E1", "patient_id": "P1", **given,
        },
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["on_shift", "substitute"])
@pytest.mark.parametrize("status", ["absent", "cancelled"])
def test_a_shift_that_was_called_off_explains_nothing(lake: Lake, reason: str, status: str) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    shift(lake, status=status)
    lake.access("2026-10-05 08:00:00")
    assert found(lake, reason) == {}


def test_a_shift_given_away_and_time_that_is_no_work_are_no_presence(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    shift(lake, status="swapped")
    shift(lake, employee_id="E2", kind="other")
    shift(lake, employee_id="E3", status="worked")
    for employee in ("E1", "E2", "E3"):
        lake.access("2026-10-05 08:00:00", event_id=employee, employee_id=employee)
    assert found(lake, "on_shift") == {"E3": 3}


def test_an_assignment_counts_from_its_first_day(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", valid_from="2026-10-05")
    lake.reference("patients", patient_id="P1", unit_id="U1")
    lake.access("2026-10-04 08:00:00", event_id="day before")
    lake.access("2026-10-05 08:00:00", event_id="first day")
    assert found(lake, "assigned_to_unit") == {"first day": 2}


def test_a_stay_explains_only_those_who_work_there_on_that_day(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", valid_from="2026-10-10", valid_to="2026-10-12")
    lake.reference("stays", patient_id="P1", unit_id="U1", starts_at="2026-10-01 10:00:00")
    lake.access("2026-10-09 10:00:00", event_id="not yet")
    lake.access("2026-10-10 10:00:00", event_id="works")
    lake.access("2026-10-12 10:00:00", event_id="no longer")
    lake.access("2026-10-10 10:00:00", event_id="other person", employee_id="E2")
    assert found(lake, "stay_or_move") == {"works": 2}


def test_an_appointment_explains_until_some_days_after_it_and_no_other_patient(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    lake.reference("appointments", patient_id="P1", employee_id="E1", unit_id="U1", starts_at=NOON)
    for employee in ("E1", "E2"):
        lake.access("2026-10-17 09:59:59", event_id=f"{employee} last", employee_id=employee)
        lake.access("2026-10-17 10:00:00", event_id=f"{employee} after", employee_id=employee)
        lake.access("2026-10-03 09:59:59", event_id=f"{employee} before", employee_id=employee)
        lake.access(NOON, event_id=f"{employee} other patient", employee_id=employee, patient_id="P2")
    assert found(lake, "appointment") == {"E1 last": 3, "E2 last": 2}


def test_a_referral_explains_its_own_patient_from_its_first_day(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    given = {"patient_id": "P1", "valid_from": "2026-10-10", "valid_to": "2026-10-11"}
    lake.reference("referrals", referral_ref="person", to_employee_id="E1", **given)
    lake.reference("referrals", referral_ref="unit", to_unit_id="U1", **given)
    for employee in ("E1", "E2"):
        lake.access("2026-10-09 08:00:00", event_id=f"{employee} before", employee_id=employee)
        lake.access("2026-10-10 08:00:00", event_id=f"{employee} first", employee_id=employee)
        lake.access(FAR, event_id=f"{employee} after", employee_id=employee)
        lake.access(NOON, event_id=f"{employee} other patient", employee_id=employee, patient_id="P2")
    assert found(lake, "referral") == {"E1 first": 3, "E2 first": 2}


def test_a_care_team_is_for_its_own_patient_and_a_members_unit_is_not_the_team(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    lake.reference("unit_assignments", employee_id="E3", unit_id="U2")
    given = {"patient_id": "P1", "valid_from": "2026-10-10", "valid_to": "2026-10-12"}
    lake.reference("care_teams", employee_id="E1", unit_id="U1", **given)
    lake.reference("care_teams", unit_id="U2", **given)
    for employee in ("E1", "E2", "E3"):
        lake.access("2026-10-09 08:00:00", event_id=f"{employee} before", employee_id=employee)
        lake.access("2026-10-10 08:00:00", event_id=f"{employee} first", employee_id=employee)
        lake.access("2026-10-12 08:00:00", event_id=f"{employee} after", employee_id=employee)
        lake.access(NOON, event_id=f"{employee} other patient", employee_id=employee, patient_id="P2")
    assert found(lake, "care_team") == {"E1 first": 3, "E3 first": 2}


def test_a_signature_documents_and_the_day_is_half_open_at_both_ends(lake: Lake) -> None:
    for action in ("sign", "countersign"):
        lake.insert(
            "codes",
            {"source_id": "gerica", "is_confirmed": True, "field": "log_type", "code": action, "action": action},
        )
        lake.access(NOON, event_id=action, employee_id=action, log_type=action)
    lake.access("2026-10-11 09:59:59", event_id="last", employee_id="sign")
    lake.access("2026-10-11 10:00:00", event_id="after", employee_id="sign")
    assert found(lake, "documented_care") == {"sign": 3, "countersign": 3, "last": 3}


def test_medicine_explains_its_own_patient_within_a_day(lake: Lake) -> None:
    medicine(lake, "administration")
    medicine(lake, "transfer", employee_id="E2")
    medicine(lake, "waste", employee_id="E3")
    medicine(lake, "return", employee_id="E4")
    lake.access("2026-10-09 10:00:00", event_id="before")
    lake.access("2026-10-09 10:00:01", event_id="first")
    lake.access("2026-10-11 09:59:59", event_id="last")
    lake.access("2026-10-11 10:00:00", event_id="after")
    lake.access(NOON, event_id="other patient", patient_id="P2")
    for employee in ("E2", "E3", "E4"):
        lake.access(NOON, event_id=employee, employee_id=employee)
    assert found(lake, "gave_medicine") == {"first": 3, "last": 3, "E3": 3, "E4": 3}


def test_every_mandate_that_is_not_care_counts_while_it_is_valid(lake: Lake) -> None:
    mandates = ("administration", "archive", "billing", "laboratory", "system_support")
    for mandate in (*mandates, "care", "education", "other", "quality"):
        for number in range(3):
            writes = {"patient_id": f"P{number}", "log_type": "Skriving"}
            lake.access("2026-10-01 10:00:00", event_id=f"{mandate} writes {number}", employee_id=mandate, **writes)
        lake.reference("unit_assignments", employee_id=mandate, unit_id="U1", role=mandate)
        lake.reference("roles", role=mandate, mandate=mandate, valid_from="2026-10-10", valid_to="2026-10-11")
        lake.access("2026-10-09 10:00:00", event_id=f"{mandate} before", employee_id=mandate)
        lake.access(NOON, event_id=mandate, employee_id=mandate)
        lake.access("2026-10-11 10:00:00", event_id=f"{mandate} after", employee_id=mandate)
    assert found(lake, "administrative_mandate") == dict.fromkeys(mandates, 2)
    assert found(lake, "lawful_purpose") == {"education": 1, "quality": 1}


def test_who_has_a_mandate_to_write_has_it_for_the_units_of_three_patients_written_about(lake: Lake) -> None:
    for patient, unit in (("P1", "U1"), ("P2", "U1"), ("P3", "U1"), ("P4", "U2"), ("P5", "U2"), ("P6", "U3")):
        lake.reference("patients", patient_id=patient, unit_id=unit)
    for employee, mandate in (("E1", "administration"), ("E2", "laboratory"), ("E3", "billing")):
        lake.reference("unit_assignments", employee_id=employee, unit_id="town hall", role=mandate)
        lake.reference("roles", role=mandate, mandate=mandate)
    for patient in ("P1", "P2", "P3", "P4", "P5"):
        for employee in ("E1", "E2"):
            written = {"patient_id": patient, "employee_id": employee, "log_type": "Skriving", "table_name": "Journal"}
            lake.access("2026-10-01 10:00:00", event_id=f"{employee} writes {patient}", **written)
    for employee in ("E1", "E2", "E3"):
        for patient in ("P1", "P4", "P6"):
            lake.access(NOON, event_id=f"{employee} {patient}", employee_id=employee, patient_id=patient)
    reasons = {event: strength for event, strength in found(lake, "administrative_mandate").items() if strength > 1}
    assert reasons == {"E1 P1": 2, "E2 P1": 2, "E3 P1": 2, "E3 P4": 2, "E3 P6": 2}


def test_a_substitute_counts_at_the_unit_of_the_booking_from_a_day_before(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    lake.reference("patients", patient_id="P2", unit_id="U2")
    lake.reference("unit_assignments", employee_id="E1", unit_id="pool")
    shift(lake)
    lake.access("2026-10-04 05:59:59", event_id="before")
    lake.access("2026-10-04 06:00:00", event_id="first")
    lake.access("2026-10-05 08:00:00", event_id="other unit", patient_id="P2")
    assert found(lake, "substitute") == {"first": 2}


def test_patients_that_only_one_person_of_the_unit_opens_make_no_relation(lake: Lake) -> None:
    for number in range(3):
        lake.reference("patients", patient_id=f"P{number}", unit_id="ward")
        lake.reference("unit_assignments", employee_id=f"K{number}", unit_id="kitchen")
        lake.access(NOON, event_id=str(number), employee_id=f"K{number}", patient_id=f"P{number}")
    assert found(lake, "collaborative_group") == {}


def test_denied_attempts_make_no_relation(lake: Lake) -> None:
    for employee in range(3):
        lake.reference("unit_assignments", employee_id=f"K{employee}", unit_id="kitchen")
        for patient in range(2):
            lake.reference("patients", patient_id=f"P{patient}", unit_id="ward")
            lake.access(NOON, employee_id=f"K{employee}", patient_id=f"P{patient}", outcome="denied")
    lake.access(NOON, event_id="own", employee_id="W", patient_id="P0")
    assert found(lake, "collaborative_group") == {}


def test_a_listed_purpose_written_at_the_break_of_the_glass_is_one_reason_and_not_two(lake: Lake) -> None:
    lake.insert("lawful_purposes", {"purpose": "kvalitetssikring", "strength": 1})
    lake.access(NOON, event_id="listed", is_break_glass=True, purpose=" Kvalitetssikring ")
    lake.access(NOON, event_id="own words", is_break_glass=True, purpose="kvalitetssikring av journalen")
    assert found(lake, "break_glass") == {"own words": 1}
    assert found(lake, "lawful_purpose") == {"listed": 1}


def kitchen_reads(lake: Lake, readers: dict[str, range]) -> None:
    for number in range(6):
        lake.reference("patients", patient_id=f"P{number}", unit_id="ward")
    for employee, patients in readers.items():
        lake.reference("unit_assignments", employee_id=employee, unit_id="kitchen")
        for patient in patients:
            lake.access(NOON, event_id=f"{employee} P{patient}", employee_id=employee, patient_id=f"P{patient}")


def test_one_who_reads_widely_is_not_excused_by_colleagues_who_opened_one_patient_each(lake: Lake) -> None:
    kitchen_reads(lake, {"K0": range(5), **{f"K{number + 1}": range(number, number + 1) for number in range(5)}})
    assert found(lake, "collaborative_group") == {}


def test_someone_who_shares_no_patient_does_not_make_two_readers_a_group(lake: Lake) -> None:
    kitchen_reads(lake, {"K0": range(5), "K1": range(5), "K2": range(5, 6)})
    assert found(lake, "collaborative_group") == {}


def test_a_group_that_holds_without_any_one_of_its_people_is_one(lake: Lake) -> None:
    kitchen_reads(lake, {"K0": range(3), "K1": range(3), "K2": range(2)})
    assert set(found(lake, "collaborative_group", group_support=2).values()) == {2}
    assert found(lake, "collaborative_group", group_support=3) == {}
