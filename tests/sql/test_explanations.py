"""Each reason by itself: the row that has it, and the nearest rows that must not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.sql.conftest import SQL, Lake
from tests.sql.period import make_period

SETTINGS: dict[str, Any] = {
    "shift_tolerance_minutes": 30, "hand_over_minutes": 60, "stay_days": 3, "appointment_days": 7, "referral_days": 14,
    "documented_care_hours": 24, "substitute_hours": 24,
    "group_support": 2, "group_people": 3, "group_confidence": Decimal("0.2"), "documented_reason_length": 10,
    "mandate_patients": 3,
}  # fmt: skip


def found(lake: Lake, name: str, **settings: Any) -> dict[str, int]:
    """Return the strength of the reason by the event it was found for, the strongest where it is found twice."""
    make_period(lake)
    text = (SQL / "explanations" / f"{name}.sql").read_text(encoding="utf-8")
    bound = lake.bound(text, **{**SETTINGS, **settings})
    rows = lake.rows(
        f"select event_id, reason, max(strength) as strength from ({text}) join period_accesses using (access_id)"
        " group by all order by event_id",
        **bound,
    )
    assert {row["reason"] for row in rows} <= {name}
    return {row["event_id"]: row["strength"] for row in rows}


def shift(lake: Lake, **given: Any) -> None:
    plain = {"employee_id": "E1", "unit_id": "U1", "kind": "shift", "starts_at": "2026-10-05 06:00:00"}
    lake.reference("shifts", **{**plain, "ends_at": "2026-10-05 14:00:00", **given})


def test_assigned_to_the_patients_unit_on_that_day_and_not_the_day_after_it_ended(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", valid_to="2026-10-06")
    lake.reference("patients", patient_id="P1", unit_id="U1")
    lake.reference("patients", patient_id="P2", unit_id="U2")
    lake.access("2026-10-05 08:00:00", event_id="works here")
    lake.access("2026-10-06 08:00:00", event_id="no longer")
    lake.access("2026-10-05 08:00:00", event_id="other unit", patient_id="P2")
    lake.access("2026-10-05 08:00:00", event_id="other person", employee_id="E2")
    assert found(lake, "assigned_to_unit") == {"works here": 2}


def test_on_shift_counts_the_tolerance_and_the_hand_over_and_not_a_minute_more(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    shift(lake)
    lake.access("2026-10-05 05:30:00", event_id="first minute")
    lake.access("2026-10-05 05:29:59", event_id="too early")
    lake.access("2026-10-05 15:29:59", event_id="written up")
    lake.access("2026-10-05 15:30:00", event_id="too late")
    assert found(lake, "on_shift") == {"first minute": 3, "written up": 3}


def test_a_shift_that_was_not_worked_or_lies_elsewhere_explains_nothing(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    shift(lake, status="absent")
    shift(lake, employee_id="E2", unit_id="U2")
    shift(lake, employee_id="E3", kind="on_call")
    for employee in ("E1", "E2", "E3"):
        lake.access("2026-10-05 08:00:00", event_id=employee, employee_id=employee)
    assert found(lake, "on_shift") == {"E3": 3}


def test_a_stay_explains_some_days_before_and_after_it(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    lake.reference(
        "stays", patient_id="P1", unit_id="U1", starts_at="2026-10-10 10:00:00", ends_at="2026-10-12 10:00:00"
    )
    lake.access("2026-10-07 10:00:00", event_id="prepares")
    lake.access("2026-10-07 09:59:59", event_id="too early")
    lake.access("2026-10-15 09:59:59", event_id="follows up")
    lake.access("2026-10-15 10:00:00", event_id="too late")
    lake.access("2026-10-11 10:00:00", event_id="other patient", patient_id="P2")
    assert found(lake, "stay_or_move") == {"prepares": 2, "follows up": 2}


def test_an_appointment_with_the_person_is_stronger_than_one_with_the_unit_and_a_cancelled_one_is_none(
    lake: Lake,
) -> None:
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    lake.reference("appointments", patient_id="P1", employee_id="E1", starts_at="2026-10-10 10:00:00")
    lake.reference("appointments", patient_id="P2", unit_id="U1", starts_at="2026-10-10 10:00:00")
    lake.reference(
        "appointments", patient_id="P3", employee_id="E1", starts_at="2026-10-10 10:00:00", status="cancelled"
    )
    lake.access("2026-10-03 10:00:00", event_id="a week before")
    lake.access("2026-10-03 09:59:59", event_id="earlier")
    lake.access("2026-10-10 10:00:00", event_id="unit", employee_id="E2", patient_id="P2")
    lake.access("2026-10-10 10:00:00", event_id="cancelled", patient_id="P3")
    assert found(lake, "appointment") == {"a week before": 3, "unit": 2}


def test_a_referral_explains_until_some_days_after_its_end(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    lake.reference(
        "referrals", patient_id="P1", referral_ref="R", to_unit_id="U1", valid_from="2026-10-01", valid_to="2026-10-05"
    )
    lake.access("2026-10-18 08:00:00", event_id="answer read")
    lake.access("2026-10-19 08:00:00", event_id="too late")
    lake.access("2026-10-02 08:00:00", event_id="other unit", employee_id="E2")
    assert found(lake, "referral") == {"answer read": 2}


def test_documentation_explains_openings_near_it_by_the_same_person_of_the_same_patient(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", event_id="note", log_type="Skriving")
    lake.access("2026-10-04 08:00:01", event_id="before")
    lake.access("2026-10-04 08:00:00", event_id="a day before")
    lake.access("2026-10-06 07:59:59", event_id="after")
    lake.access("2026-10-05 08:00:00", event_id="other patient", patient_id="P2")
    lake.access("2026-10-05 08:00:00", event_id="other person", employee_id="E2")
    assert found(lake, "documented_care") == {"note": 3, "before": 3, "after": 3}


def test_a_denied_note_documents_nothing(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", event_id="note", log_type="Skriving", outcome="denied")
    lake.access("2026-10-05 08:01:00", event_id="reading")
    assert found(lake, "documented_care") == {}


def test_medicine_given_explains_and_a_withdrawal_alone_does_not(lake: Lake) -> None:
    for number, (employee, kind) in enumerate((("E1", "administration"), ("E2", "withdrawal"))):
        lake.insert(
            "lake.medication_events",
            {
                "source_id": "drugs", "event_id": str(number), "file_id": "f", "line_number": number, "kind": kind,
                "recorded_at": "2026-10-05 08:00:00", "local_date": "2026-10-05", "local_hour": 10, "local_weekday": 1,
                "is_holiday": False, "time_flag": "ok", "employee_id": employee, "patient_id": "P1",
            },
        )  # fmt: skip
        lake.access("2026-10-05 09:00:00", event_id=employee, employee_id=employee)
    assert found(lake, "gave_medicine") == {"E1": 3}


def test_a_named_member_is_stronger_than_a_whole_unit(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    lake.reference("care_teams", patient_id="P1", employee_id="E1")
    lake.reference("care_teams", patient_id="P1", unit_id="U1", team_role="unit")
    lake.reference("care_teams", patient_id="P2", employee_id="E1", valid_to="2026-10-05")
    lake.access("2026-10-05 08:00:00", event_id="member")
    lake.access("2026-10-05 08:00:00", event_id="unit", employee_id="E2")
    lake.access("2026-10-05 08:00:00", event_id="left", patient_id="P2")
    assert found(lake, "care_team") == {"member": 3, "unit": 2}


def test_a_mandate_is_not_enough_for_the_journal(lake: Lake) -> None:
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", role="billing clerk")
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1", role="nurse")
    lake.reference("roles", role="billing clerk", mandate="billing")
    lake.reference("roles", role="nurse", mandate="care")
    lake.access("2026-10-05 08:00:00", event_id="person")
    lake.access("2026-10-05 08:00:00", event_id="journal", table_name="Journal", patient_id="P1", record_ref="J1")
    lake.access("2026-10-05 08:00:00", event_id="nurse", employee_id="E2")
    lake.access("2026-10-05 08:00:00", event_id="unknown table", table_name="Nytabell")
    lake.access("2026-10-05 08:00:00", event_id="no table", table_name=None)
    assert found(lake, "administrative_mandate") == {"person": 2, "journal": 1, "unknown table": 1, "no table": 2}


def test_a_substitutes_day_at_another_unit_counts_though_the_hour_does_not_fit(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    lake.reference("unit_assignments", employee_id="E1", unit_id="pool")
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    for employee in ("E1", "E2"):
        shift(lake, employee_id=employee)
    lake.access("2026-10-06 13:59:59", event_id="within a day")
    lake.access("2026-10-06 14:00:00", event_id="later")
    lake.access("2026-10-05 08:00:00", event_id="own unit", employee_id="E2")
    assert found(lake, "substitute") == {"within a day": 2}


def test_a_listed_purpose_supports_and_another_does_not(lake: Lake) -> None:
    lake.insert("lawful_purposes", {"purpose": "kvalitetssikring", "strength": 1})
    lake.access("2026-10-05 08:00:00", event_id="listed", purpose=" Kvalitetssikring ")
    lake.access("2026-10-05 08:00:00", event_id="curiosity", purpose="nysgjerrighet")
    lake.access("2026-10-05 08:00:00", event_id="none")
    assert found(lake, "lawful_purpose") == {"listed": 1}


def test_units_that_share_patients_are_related_and_one_persons_reading_makes_no_relation(lake: Lake) -> None:
    for patient in ("P1", "P2", "P3"):
        lake.reference("patients", patient_id=patient, unit_id="ward")
    for number in range(3):
        lake.reference("unit_assignments", employee_id=f"T{number}", unit_id="therapy")
        lake.reference("unit_assignments", employee_id=f"K{number}", unit_id="kitchen")
        for patient in ("P1", "P2"):
            name = f"T{number} {patient}"
            lake.access("2026-10-05 08:00:00", event_id=name, employee_id=f"T{number}", patient_id=patient)
    for patient in ("P1", "P2", "P3"):
        lake.access("2026-10-05 08:00:00", event_id=f"K0 {patient}", employee_id="K0", patient_id=patient)
    related = found(lake, "collaborative_group")
    assert {name.split()[0] for name in related} == {"T0", "T1", "T2"}
    assert found(lake, "collaborative_group", group_support=3) == {}
    assert found(lake, "collaborative_group", group_people=4) == {}
    assert found(lake, "collaborative_group", group_confidence=Decimal("0.67")) == {}


def test_break_the_glass_supports_only_with_a_reason_of_some_length(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", event_id="written", is_break_glass=True, purpose="akutt fall")
    lake.access("2026-10-05 08:00:00", event_id="hollow", is_break_glass=True, purpose="xxxxxxxxx")
    lake.access("2026-10-05 08:00:00", event_id="spaces", is_break_glass=True, purpose=" " * 20)
    lake.access("2026-10-05 08:00:00", event_id="plain", purpose="a long purpose")
    assert found(lake, "break_glass") == {"written": 1}


def test_the_hours_around_a_substitutes_shift_are_the_sites_decision(lake: Lake) -> None:
    lake.reference("patients", patient_id="P1", unit_id="U1")
    lake.reference("unit_assignments", employee_id="E1", unit_id="pool")
    shift(lake)
    lake.access("2026-10-05 04:00:00", event_id="first")
    lake.access("2026-10-05 03:59:59", event_id="before")
    assert found(lake, "substitute", substitute_hours=2) == {"first": 2}
