"""Who is too close to review: of one's home or family, and who shares most shifts; and who is not."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.sql.conftest import SQL, Lake, utc_midnight

REVIEWERS = ["M1", "R1"]


def close(lake: Lake) -> set[tuple[str, str, str]]:
    rows = lake.rows(lake_sql("close_people"), reviewer_ids=REVIEWERS)
    return {(row["reviewer_id"], row["kind"], row["subject_id"]) for row in rows}


def nearest(lake: Lake) -> list[tuple[str, str, int]]:
    asked: dict[str, Any] = {"start_at": utc_midnight("2026-10-01"), "end_at": utc_midnight("2026-11-01")}
    rows = lake.rows(lake_sql("nearest_colleagues"), reviewer_ids=REVIEWERS, **asked)
    return [(row["reviewer_id"], row["employee_id"], row["n_shifts"]) for row in rows]


def lake_sql(name: str) -> str:
    return (SQL / "review" / f"{name}.sql").read_text(encoding="utf-8")


def test_who_lives_in_the_reviewers_home_is_too_close_as_employee_and_as_patient_and_others_are_not(lake: Lake) -> None:
    lake.reference("households", household_id="H1", employee_id="M1")
    lake.reference("households", household_id="H1", employee_id="E1")
    lake.reference("households", household_id="H1", patient_id="P1")
    lake.reference("households", household_id="H2", employee_id="E2")
    lake.reference("households", household_id="H2", patient_id="P2")
    lake.reference("patients", patient_id="P3", household_id="H1")
    lake.reference("patients", patient_id="P4", household_id="H2")
    assert close(lake) == {("M1", "employee", "E1"), ("M1", "patient", "P1"), ("M1", "patient", "P3")}


def test_two_who_stand_in_a_household_as_patients_only_are_known_by_their_personal_numbers(lake: Lake) -> None:
    for employee, patient, number in (("M1", "P1", "1"), ("E1", "P2", "2"), ("E3", "P3", "3")):
        lake.reference("employees", employee_id=employee, personal_number=number)
        lake.reference("patients", patient_id=patient, personal_number=number, household_id=f"H{patient == 'P3'}")
    assert close(lake) == {("M1", "employee", "E1"), ("M1", "patient", "P1"), ("M1", "patient", "P2")}


def test_a_spouse_by_relation_is_too_close_either_way_round_and_anothers_spouse_is_not(lake: Lake) -> None:
    lake.reference("relations", employee_id="E1", patient_id="P1", relation="self")
    lake.reference("relations", employee_id="R1", patient_id="P9", relation="self")
    lake.reference("relations", employee_id="M1", patient_id="P1", relation="spouse")
    lake.reference("relations", employee_id="E2", patient_id="P9", relation="spouse")
    lake.reference("relations", employee_id="E3", patient_id="P1", relation="spouse")
    assert close(lake) == {
        ("M1", "patient", "P1"), ("M1", "employee", "E1"), ("R1", "patient", "P9"), ("R1", "employee", "E2"),
    }  # fmt: skip


def test_a_tie_comes_with_the_day_after_its_last_and_of_two_the_later_one(lake: Lake) -> None:
    lake.reference("relations", employee_id="M1", patient_id="P1", relation="partner", valid_to="2026-03-01")
    lake.reference("relations", employee_id="M1", patient_id="P1", relation="former_partner", valid_to="2026-10-05")
    (row,) = lake.rows(lake_sql("close_people"), reviewer_ids=REVIEWERS)
    assert row["valid_to"] == date(2026, 10, 5)


def test_the_nearest_colleague_shares_most_shifts_at_a_unit_in_the_month(lake: Lake) -> None:
    def shift(employee: str, day: int, unit: str = "U1", status: str | None = None, month: int = 10) -> None:
        at = f"2026-{month:02}-{day:02} "
        times = {"starts_at": f"{at}06:00:00", "ends_at": f"{at}14:00:00"}
        lake.reference("shifts", employee_id=employee, unit_id=unit, kind="shift", status=status, **times)

    for day in (5, 6, 7):
        shift("M1", day)
    for day in (5, 6):
        shift("E1", day)
    shift("E2", 5)
    for day in (5, 6, 7):
        shift("E3", day, unit="U2")  # another unit
        shift("E4", day, status="absent")
        shift("E5", day, month=9)
        shift("M1", day, month=9)
    assert nearest(lake) == [("M1", "E1", 2)]
    shift("E2", 6)
    assert nearest(lake) == [("M1", "E1", 2), ("M1", "E2", 2)]
