"""The reports, each with a few rows that must be there and some that must not."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from tests.sql.conftest import SQL, Lake, utc_midnight


def at(hour: int, minute: int = 0, day: int = 5) -> datetime:
    return datetime.fromisoformat(f"2026-10-{day:02} {hour:02}:{minute:02}:00")


def test_activity_counts_rows_and_openings_in_the_journal_and_on_the_patient(lake: Lake) -> None:
    lake.reference("record_keys", source_id="gerica", table_name="Journal", record_ref="J1", patient_id="P1")
    journal = {"table_name": "Journal", "record_ref": "J1"}
    lake.access("2026-10-05 08:00:00", **journal)
    lake.access("2026-10-05 08:04:59", **journal)
    lake.access("2026-10-05 08:09:59", log_type="Skriving", **journal)
    lake.access("2026-10-05 08:10:00")
    lake.access("2026-10-05 08:11:00", log_type="Skriving")
    lake.access("2026-10-05 08:12:00", outcome="denied")
    lake.access("2026-10-05 08:13:00", log_type="Brukersøk")
    (row,) = lake.query("reports/activity", patient_id="P1")
    assert (row["n_journal"], row["n_journal_openings"]) == (3, 2)
    assert (row["first_journal_at"], row["last_journal_at"]) == (at(8), datetime.fromisoformat("2026-10-05 08:09:59"))
    assert (row["n_patient"], row["n_patient_openings"]) == (3, 2)
    assert (row["first_patient_at"], row["last_patient_at"]) == (at(8), at(8, 10))
    assert row["n_accesses"] == 5


def test_rows_of_different_tables_are_different_openings(lake: Lake) -> None:
    lake.insert("codes", {"source_id": "gerica", "field": "table_name", "code": "Medisinkort", "area": "journal"})
    for minute, table in enumerate(("Journal", "Medisinkort", "Journal", "Medisinkort")):
        lake.access(f"2026-10-05 08:0{minute}:00", table_name=table, patient_id="P1")
    (row,) = lake.query("reports/activity", patient_id="P1")
    assert (row["n_journal"], row["n_journal_openings"], row["n_patient_openings"]) == (4, 2, 2)


def test_activity_shows_one_who_only_wrote_outside_the_journal_with_zeros(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", log_type="Skriving")
    (row,) = lake.query("reports/activity", employee_id="E1")
    assert (row["n_journal"], row["n_patient"], row["n_accesses"]) == (0, 0, 1)
    assert row["first_journal_at"] is row["last_patient_at"] is None


def test_activity_is_by_pair_and_keeps_to_who_is_asked_about(lake: Lake) -> None:
    for employee, patient in (("E1", "P1"), ("E1", "P2"), ("E2", "P1"), ("E2", "P3"), ("E1", None)):
        lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=patient)

    def pairs(**given: str) -> list[tuple[str, str]]:
        return [(row["employee_id"], row["patient_id"]) for row in lake.query("reports/activity", **given)]

    assert pairs(patient_id="P1") == [("E1", "P1"), ("E2", "P1")]
    assert pairs(employee_id="E1") == [("E1", "P1"), ("E1", "P2")]
    assert pairs(employee_id="E2", patient_id="P3") == [("E2", "P3")]
    assert pairs(employee_id="E2", patient_id="P2") == []


def test_a_period_is_whole_local_days_the_last_included(lake: Lake) -> None:
    for when in ("2026-09-30 21:59:59", "2026-09-30 22:00:00", "2026-10-31 22:59:59", "2026-10-31 23:00:00"):
        lake.access(when)
    (row,) = lake.query("reports/activity", patient_id="P1")
    assert row["n_accesses"] == 2
    assert (row["first_patient_at"], row["last_patient_at"]) == (
        utc_midnight("2026-10-01"),
        datetime.fromisoformat("2026-10-31 22:59:59"),
    )


def test_the_first_row_of_a_period_begins_an_opening_whatever_came_before(lake: Lake) -> None:
    lake.access("2026-09-30 21:59:00")
    lake.access("2026-09-30 22:01:00")
    (row,) = lake.query("reports/activity", patient_id="P1")
    assert (row["n_patient"], row["n_patient_openings"]) == (1, 1)


def test_the_gap_between_openings_is_a_setting(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 08:05:00")
    (five,) = lake.query("reports/activity", patient_id="P1", opening_gap_minutes=5)
    (six,) = lake.query("reports/activity", patient_id="P1", opening_gap_minutes=6)
    assert (five["n_patient_openings"], six["n_patient_openings"]) == (2, 1)


def test_reports_find_a_person_under_every_identifier_of_the_time(lake: Lake) -> None:
    lake.reference("identifiers", kind="patient", identifier="4711", id="P1", valid_to="2026-10-06")
    lake.reference("identifiers", kind="patient", identifier="4711", id="P2", valid_from="2026-10-06")
    lake.reference("identifiers", system="gerica", kind="employee", identifier="KANO01", id="E1")
    lake.reference("record_keys", table_name="Tiltaksplan", record_ref="T1", patient_id="P1")
    lake.access("2026-10-05 08:00:00", patient_id="4711", employee_id="KANO01")
    lake.access("2026-10-06 08:00:00", patient_id="4711")
    lake.access("2026-10-07 08:00:00", patient_id="P1")
    lake.access("2026-10-08 08:00:00", table_name="Tiltaksplan", record_ref="T1")
    lake.access("2026-10-09 08:00:00", table_name="Tiltaksplan", record_ref="T2")
    by_patient = lake.query("reports/detailed_activity", patient_id="P1")
    assert [row["recorded_at"].day for row in by_patient] == [5, 7, 8]
    by_employee = lake.query("reports/detailed_activity", employee_id="E1")
    assert [row["recorded_at"].day for row in by_employee] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("report", ["activity", "detailed_activity", "system_log"])
def test_a_report_marks_a_patient_blocked_at_that_time(lake: Lake, report: str) -> None:
    lake.reference("patients", patient_id="P1", blocked_from="2026-10-06")
    lake.access("2026-10-07 08:00:00", patient_id="P1")
    lake.access("2026-10-07 08:00:00", patient_id="P2")
    found = {row["patient_id"]: row["is_blocked"] for row in lake.query(f"reports/{report}", employee_id="E1")}
    assert found == {"P1": True, "P2": False}


def test_detailed_activity_lists_attempts_and_searches_with_their_outcome(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 08:01:00", outcome="denied")
    lake.access("2026-10-05 08:02:00", log_type="Brukersøk")
    lake.access("2026-10-05 08:03:00", patient_id="P2")
    found = lake.query("reports/detailed_activity", patient_id="P1")
    assert [(row["action"], row["outcome"]) for row in found] == [
        ("read", "success"),
        ("read", "denied"),
        ("search", "success"),
    ]
    assert [row["activity_en"] for row in found] == ["Read the person", "Read the person", "the person"]


def test_the_system_log_shows_its_eight_columns_as_they_stood(lake: Lake) -> None:
    lake.reference("identifiers", kind="employee", identifier="KANO01", id="E1")
    row: dict[str, Any] = {"table_name": "Journal", "record_ref": "J1", "message_type": "Post vist"}
    lake.access("2026-10-05 21:59:07", event_id="4711", employee_id="KANO01", **row)
    lake.access("2026-10-05 22:00:00", event_id="4712", employee_id="KANO01", **row)
    found = lake.query("reports/system_log", employee_id="E1")
    assert [tuple(row.values())[:8] for row in found] == [
        ("4711", date(2026, 10, 5), "23:59:07", "Lesing", "KANO01", "Journal", "J1", "Post vist"),
        ("4712", date(2026, 10, 6), "00:00:00", "Lesing", "KANO01", "Journal", "J1", "Post vist"),
    ]
    assert found[0]["meaning_en"] == "Was read."
    assert (found[0]["is_confirmed"], found[0]["is_patient_unresolved"]) == (False, True)


def test_the_system_logs_filters_are_optional_and_combined(lake: Lake) -> None:
    lake.reference("record_keys", source_id="gerica", table_name="Journal", record_ref="J1", patient_id="P1")
    lake.access("2026-10-05 08:00:00", event_id="1")
    lake.access("2026-10-05 08:00:00", event_id="2", table_name="Journal", record_ref="J1")
    lake.access("2026-10-05 08:00:00", event_id="3", table_name="Journal", record_ref="J1", employee_id="E2")
    lake.access("2026-10-05 08:00:00", event_id="4", log_type="Rapport", table_name="Rapport", patient_id=None)
    lake.access("2026-11-05 08:00:00", event_id="5")

    def numbers(**given: str) -> str:
        return "".join(row["event_id"] for row in lake.query("reports/system_log", **given))

    assert numbers() == "1234"
    assert numbers(patient_id="P1") == "123"
    assert numbers(table_name="Journal") == "23"
    assert numbers(table_name="Journal", employee_id="E1", patient_id="P1") == "2"
    assert numbers(log_type="Rapport") == "4"
    assert numbers(log_type="Rapport", patient_id="P1") == ""
    assert numbers(first="2026-11-05", last="2026-11-05") == "5"


def test_the_system_log_without_a_period_shows_everything(lake: Lake) -> None:
    lake.access("2020-01-01 08:00:00")
    lake.access("2026-11-05 08:00:00")
    text = (SQL / "reports" / "system_log.sql").read_text(encoding="utf-8")
    given = {**lake.bound(text), "start_at": None, "end_at": None}
    assert len(lake.rows(text, **given)) == 2


def test_blocked_searches_are_marked_by_the_log_or_by_the_patients_block(lake: Lake) -> None:
    lake.reference("patients", patient_id="P2", blocked_from="2026-10-01", blocked_to="2026-10-10")
    lake.access("2026-10-05 08:00:00", log_type="Brukersøk sperret")
    lake.access("2026-10-05 09:00:00", log_type="Brukersøk", patient_id="P2")
    lake.access("2026-10-05 10:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 11:00:00", patient_id="P2")
    lake.access("2026-10-10 09:00:00", log_type="Brukersøk", patient_id="P2")
    found = lake.query("reports/blocked_searches")
    assert [(row["recorded_at"].hour, row["is_blocked"]) for row in found] == [(8, False), (9, True)]
    assert [row["recorded_at"].hour for row in lake.query("reports/blocked_searches", patient_id="P1")] == [8]
    assert lake.query("reports/blocked_searches", employee_id="E2") == []


def test_a_search_is_followed_by_an_opening_of_the_same_patient_within_ten_minutes(lake: Lake) -> None:
    search = {"log_type": "Brukersøk"}
    lake.access("2026-10-05 08:00:00", patient_id="P1", **search)
    lake.access("2026-10-05 08:10:00", patient_id="P1")
    lake.access("2026-10-05 08:00:00", patient_id="P2", **search)
    lake.access("2026-10-05 08:10:01", patient_id="P2")
    lake.access("2026-10-05 08:00:00", patient_id="P3", **search)
    lake.access("2026-10-05 08:01:00", patient_id="P3", employee_id="E2")
    lake.access("2026-10-05 08:02:00", patient_id="P3", outcome="denied")
    lake.access("2026-10-05 07:59:59", patient_id="P4")
    lake.access("2026-10-05 08:00:00", patient_id="P4", **search)
    lake.access("2026-10-05 08:00:00", patient_id="P5")
    lake.access("2026-10-05 08:00:00", patient_id="P5", **search)
    lake.access("2026-10-05 08:00:00", patient_id=None, **search)
    found = {
        row["patient_id"]: (row["is_followed"], row["opened_at"]) for row in lake.query("reports/patient_searches")
    }
    assert found == {
        "P1": (True, at(8, 10)),
        "P2": (False, None),
        "P3": (False, None),
        "P4": (False, None),
        "P5": (True, at(8)),
        None: (None, None),
    }


def test_a_search_just_before_the_periods_end_may_be_followed_after_it(lake: Lake) -> None:
    lake.access("2026-10-31 22:59:00", log_type="Brukersøk")
    lake.access("2026-10-31 23:05:00")
    lake.access("2026-10-31 23:06:00", log_type="Brukersøk")
    (row,) = lake.query("reports/patient_searches", employee_id="E1")
    assert row["is_followed"] is True


def test_charts_count_accesses_per_local_day_and_hour(lake: Lake) -> None:
    lake.access("2026-10-05 21:00:00")
    lake.access("2026-10-05 22:00:00")
    lake.access("2026-10-05 22:30:00")
    lake.access("2026-10-05 22:30:00", log_type="Brukersøk")
    lake.access("2026-10-05 22:30:00", patient_id="P2")
    days = lake.query("reports/timeline", patient_id="P1")
    assert [tuple(row.values()) for row in days] == [(date(2026, 10, 5), 1), (date(2026, 10, 6), 2)]
    hours = lake.query("reports/hour_map", patient_id="P1")
    assert [tuple(row.values()) for row in hours] == [(1, 23, 1), (2, 0, 2)]
