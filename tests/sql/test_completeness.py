"""Completeness by a few rows each: expected rows, running numbers, clocks, codes, quarantine, and their sum."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.sql.conftest import Lake

MONDAY = date(2026, 10, 5)


def days_of(lake: Lake, day: date, n_weeks: int, n_rows: int, **row: Any) -> None:
    """Store rows on the same weekday of the weeks before a day."""
    for week in range(1, n_weeks + 1):
        rows_on(lake, day - timedelta(weeks=week), n_rows, **row)


def rows_on(lake: Lake, day: date, n_rows: int, **row: Any) -> None:
    for minute in range(n_rows):
        lake.access(f"{day} 08:{minute:02d}:00", **row)


def expected(lake: Lake, day: date, last: date | None = None, **given: Any) -> dict[tuple[str, date], dict[str, Any]]:
    rows = lake.query("reports/expected_rows", first=str(day), last=str(last or day), **given)
    return {(row["source_id"], row["local_date"]): row for row in rows}


@pytest.mark.parametrize(
    ("n_rows", "status"), [(0, "silent"), (6, "low"), (7, "ok"), (20, "ok"), (41, "high"), (40, "ok")]
)
def test_a_day_is_compared_with_the_same_weekdays_before(lake: Lake, n_rows: int, status: str) -> None:
    days_of(lake, MONDAY, 4, 20)
    rows_on(lake, date(2026, 10, 4), 1)  # a Sunday is no Monday
    rows_on(lake, MONDAY, n_rows)
    row = expected(lake, MONDAY)["gerica", MONDAY]
    assert (row["status"], row["n_rows"], row["n_expected"], row["n_compared"]) == (status, n_rows, 20, 4)
    assert (row["n_lowest"], row["n_highest"]) == (7, 40)


def test_a_bad_week_neither_moves_what_is_expected_nor_counts_where_rows_come_daily(lake: Lake) -> None:
    days_of(lake, MONDAY, 3, 20)
    rows_on(lake, date(2026, 8, 31), 20)  # the Monday of 7 September has none
    assert expected(lake, MONDAY)["gerica", MONDAY]["n_compared"] == 4
    rows_on(lake, date(2026, 9, 7), 2)
    row = expected(lake, MONDAY)["gerica", MONDAY]
    assert (row["n_compared"], row["n_expected"]) == (5, 20)


def test_too_little_history_is_said_and_never_taken_for_a_whole_day(lake: Lake) -> None:
    lake.sources("weekly", expects_rows_daily=False)
    days_of(lake, MONDAY, 2, 20)
    rows_on(lake, MONDAY, 1)
    days_of(lake, MONDAY, 9, 1, source_id="weekly")
    found = expected(lake, MONDAY)
    assert (found["gerica", MONDAY]["status"], found["gerica", MONDAY]["n_expected"]) == ("no_history", None)
    assert found["weekly", MONDAY]["n_compared"] == 8
    assert expected(lake, MONDAY, least_comparable_days=2)["gerica", MONDAY]["status"] == "low"


def test_a_share_of_nothing_switches_the_comparison_of_shares_off(lake: Lake) -> None:
    days_of(lake, MONDAY, 4, 20)
    rows_on(lake, MONDAY, 1)
    row = expected(lake, MONDAY, least_share_of_expected=0)["gerica", MONDAY]
    assert (row["status"], row["n_lowest"], row["n_highest"]) == ("ok", 0, 36)


def test_a_log_that_need_not_write_daily_is_silent_where_it_always_wrote_much(lake: Lake) -> None:
    lake.sources("weekdays", expects_rows_daily=False)
    days_of(lake, MONDAY, 4, 20, source_id="weekdays")
    found = expected(lake, MONDAY, MONDAY + timedelta(days=5))
    assert found["weekdays", MONDAY]["status"] == "silent"
    saturday = found["weekdays", MONDAY + timedelta(days=5)]
    assert (saturday["status"], saturday["n_expected"]) == ("ok", 0)


def test_a_public_holiday_without_rows_is_compared_with_sundays(lake: Lake) -> None:
    friday, sunday = date(2026, 12, 25), date(2026, 12, 27)
    days_of(lake, friday, 4, 40)
    days_of(lake, sunday, 4, 12)
    days_of(lake, friday - timedelta(days=1), 4, 40)
    rows_on(lake, friday, 12)
    rows_on(lake, friday - timedelta(days=1), 13)
    found = expected(lake, friday - timedelta(days=1), sunday)
    assert (found["gerica", friday]["n_expected"], found["gerica", friday]["status"]) == (12, "ok")
    assert found["gerica", friday - timedelta(days=1)]["status"] == "ok"  # Christmas Eve, as quiet as a Sunday
    assert (found["gerica", sunday]["status"], found["gerica", sunday]["n_compared"]) == ("silent", 5)
    assert expected(lake, friday, public_holidays=[])["gerica", friday]["status"] == "low"


def test_every_event_table_is_counted(lake: Lake) -> None:
    plain = {"event_id": "1", "record_hash": "1", "file_id": "f", "line_number": 1, "local_date": MONDAY,
             "recorded_at": f"{MONDAY} 08:00:00", "local_hour": 10, "local_weekday": 1, "is_holiday": False,
             "time_flag": "ambiguous"}  # fmt: skip
    lake.insert("lake.authentications", {"source_id": "logins", "kind": "login", "repeated": 1, **plain})
    lake.insert("lake.medication_events", {"source_id": "drugs", "kind": "count", **plain})
    found = expected(lake, MONDAY)
    assert {key[0]: (row["n_rows"], row["n_odd_hours"]) for key, row in found.items()} == {
        "logins": (1, 1),
        "drugs": (1, 1),
    }


def missing(lake: Lake, first: str = "2026-10-05", last: str = "2026-10-06") -> list[tuple[Any, ...]]:
    names = ("kind_of_gap", "first_missing", "last_missing", "n_missing")
    return [tuple(row[name] for name in names) for row in lake.query("reports/missing_numbers", first=first, last=last)]


def n_missing(lake: Lake, first: str = "2026-10-05", last: str = "2026-10-06") -> int:
    return sum(row["n_missing_numbers"] for row in lake.query("reports/coverage", first=first, last=last))


def test_missing_ranges_are_named_with_the_rows_around_them_across_the_periods_beginning(lake: Lake) -> None:
    for number, at in ((10, "2026-10-04 08:00"), (13, "2026-10-05 08:00"), (14, "2026-10-05 09:00"),
                       (20, "2026-10-06 07:00"), (30, "2026-10-07 07:00")):  # fmt: skip
        lake.access(f"{at}:00", event_id=number)
    lake.access("2026-10-05 09:00:00", event_id="14", item=1)
    rows = lake.query("reports/missing_numbers", first="2026-10-05", last="2026-10-06")
    assert missing(lake) == [("gap", "11", "12", 2), ("gap", "15", "19", 5)]
    assert rows[0]["before_at"] == datetime(2026, 10, 4, 8)
    assert (rows[0]["after_at"], rows[0]["local_date"]) == (datetime(2026, 10, 5, 8), MONDAY)
    assert n_missing(lake) == 7
    assert missing(lake, "2026-10-07", "2026-10-07") == [("gap", "21", "29", 9)]


def test_numbers_written_out_of_order_around_midnight_are_not_missing(lake: Lake) -> None:
    for number, at in ((99, "2026-10-04 21:59:58"), (101, "2026-10-04 21:59:59"), (100, "2026-10-04 22:00:01"),
                       (103, "2026-10-05 21:59:59"), (102, "2026-10-05 22:00:01")):  # fmt: skip
        lake.access(at, event_id=number)
    assert missing(lake, last="2026-10-05") == []
    assert n_missing(lake, last="2026-10-05") == 0


@pytest.mark.parametrize("odd", ["K7", "1e3", "7.5", "-3", "", "9" * 16, str(2**63), "\u0667"])
def test_an_id_that_is_no_plain_number_neither_fills_nor_opens_a_gap(lake: Lake, odd: str) -> None:
    for number in ("6", odd, "8"):
        lake.access("2026-10-05 08:00:00", event_id=number)
    assert missing(lake) == [("gap", "7", "7", 1)]
    assert n_missing(lake) == 1


def test_a_number_written_twice_with_and_without_zeros_opens_no_gap(lake: Lake) -> None:
    for number in ("006", "7", "007", "8"):
        lake.access("2026-10-05 08:00:00", event_id=number)
    assert missing(lake) == []
    assert n_missing(lake) == 0


def test_a_log_that_begins_a_new_numbering_is_told_apart_from_missing_numbers(lake: Lake) -> None:
    for number, at in ((900_000, "2026-10-05 08:00"), (900_001, "2026-10-05 09:00"), (1, "2026-10-07 08:00"),
                       (2, "2026-10-07 09:00"), (4, "2026-10-07 10:00")):  # fmt: skip
        lake.access(f"{at}:00", event_id=number)
    assert missing(lake, last="2026-10-07") == [("restart", "5", "899999", 0), ("gap", "3", "3", 1)]
    assert n_missing(lake, last="2026-10-07") == 1


def test_a_log_without_running_numbers_has_no_gaps(lake: Lake) -> None:
    lake.sources("other", running_number=False)
    for number in ("1", "7"):
        lake.access("2026-10-05 08:00:00", event_id=number, source_id="other")
    assert missing(lake) == []
    assert n_missing(lake) == 0


def test_gaps_within_and_between_blocks_of_numbers_add_up(lake: Lake) -> None:
    for number in (4090, 4095, 4096, 4100, 20_000):
        lake.access("2026-10-05 08:00:00", event_id=number)
    assert n_missing(lake) == sum(row[3] for row in missing(lake)) == 4 + 3 + 15_899


def faults(lake: Lake) -> list[tuple[Any, ...]]:
    names = ("source_id", "kind_of_fault", "n_rows", "n_minutes")
    rows = lake.query("reports/clock_faults", first="2026-10-05", last="2026-10-06")
    return [tuple(row[name] for name in names) for row in rows]


def test_a_clock_runs_backwards_beyond_the_tolerance_only(lake: Lake) -> None:
    for number, at, flag in ((1, "08:00", "ok"), (2, "07:56", "ok"), (3, "07:40", "ok"), (4, "07:41", "ok"),
                             (5, "06:30", "ambiguous")):  # fmt: skip
        lake.access(f"2026-10-05 {at}:00", event_id=number, time_flag=flag)
    assert faults(lake) == [("gerica", "backwards", 1, 16)]


def test_a_clock_leaps_where_neighbours_lie_far_apart_and_no_number_is_missing(lake: Lake) -> None:
    at = datetime(2026, 10, 5, 0)
    for number in range(300):
        at += timedelta(hours=20 if number in (150, 200) else 0, seconds=1)
        lake.access(str(at), event_id=number + (number >= 200))
    assert faults(lake) == [("gerica", "leap", 1, 1200)]


def test_a_row_later_than_its_file_was_taken_in_is_found_in_any_log(lake: Lake) -> None:
    lake.sources("other", running_number=False)
    lake.insert("lake.intake_files", {"file_id": "f", "source_id": "other", "taken_in_at": "2026-10-05 09:00:00"})
    for at in ("08:00", "09:05", "10:30"):
        lake.access(f"2026-10-05 {at}:00", file_id="f", source_id="other")
    assert faults(lake) == [("other", "ahead", 1, 90)]


def test_new_and_unknown_codes_are_listed_and_a_first_delivery_has_nothing_new(lake: Lake) -> None:
    lake.access("2026-08-03 08:00:00", log_type="Lesing", table_name="Bruker")
    lake.access("2026-10-05 08:00:00", log_type="Skriving", table_name="Bruker")
    lake.access("2026-10-05 09:00:00", log_type="Ukjent", table_name="Bruker")
    lake.access("2026-11-05 09:00:00", log_type="Utskrift", table_name="Bruker")
    lake.access("2026-10-05 09:00:00", log_type="Lesing", table_name=None, source_id="first")
    rows = lake.query("reports/new_codes", first="2026-10-05", last="2026-10-06")
    assert [(row["source_id"], row["field"], row["code"], row["is_new"], row["is_known"]) for row in rows] == [
        ("first", "log_type", "Lesing", False, False),
        ("gerica", "log_type", "Skriving", True, True),
        ("gerica", "log_type", "Ukjent", True, False),
    ]
    assert rows[2]["first_at"] == rows[2]["last_at"] == datetime(2026, 10, 5, 9)


def test_a_new_kind_of_log_in_is_new_and_known(lake: Lake) -> None:
    for number, (at, kind) in enumerate((("2026-09-01", "login"), ("2026-10-05", "login"), ("2026-10-05", "lockout"))):
        lake.insert("lake.authentications", {
            "source_id": "logins", "event_id": str(number), "record_hash": "", "file_id": "f", "line_number": 1,
            "recorded_at": f"{at} 08:00:00", "local_date": at, "local_hour": 10, "local_weekday": 1,
            "is_holiday": False, "time_flag": "ok", "kind": kind, "repeated": 1,
        })  # fmt: skip
    rows = lake.query("reports/new_codes", first="2026-10-05", last="2026-10-06")
    assert [(row["field"], row["code"], row["is_new"], row["is_known"]) for row in rows] == [
        ("kind", "lockout", True, True)
    ]


def test_the_share_in_quarantine_is_of_the_files_that_reach_into_the_period(lake: Lake) -> None:
    for file_id, first_at, n_read in (("a", "2026-10-05", 8), ("b", "2026-09-05", 100), ("c", None, 2)):
        lake.insert("lake.intake_files", {
            "file_id": file_id, "source_id": "gerica", "first_at": first_at, "last_at": first_at, "n_read": n_read,
            "taken_in_at": "2026-10-06",
        })  # fmt: skip
    whole = {"file_id": "d", "source_id": "whole", "first_at": "2026-10-05", "last_at": "2026-10-05", "n_read": 5}
    lake.insert("lake.intake_files", {**whole, "taken_in_at": "2026-10-06"})
    for file_id, code in (("a", "not_a_date"), ("a", "not_a_date"), ("c", "conflict"), ("b", "too_long")):
        row = {"file_id": file_id, "source_id": "gerica", "code": code, "column_name": "Dato", "raw_record": ""}
        lake.insert("lake.quarantine", {**row, "record_number": 1, "line_number": 1})
    rows = lake.query("reports/quarantine_reasons", first="2026-10-05", last="2026-10-06")
    assert [(row["source_id"], row["reason"], row["n_records"], row["n_read"], str(row["share"])) for row in rows] == [
        ("gerica", "not_a_date", 2, 10, "0.200000"),
        ("gerica", "conflict", 1, 10, "0.100000"),
        ("whole", None, 0, 5, "0.000000"),
    ]


def completeness(lake: Lake, first: str, last: str, *names: str) -> list[tuple[Any, ...]]:
    found = lake.query("reports/completeness", first=first, last=last)
    return [tuple(row[name] for name in ("source_id", "local_date", *names)) for row in found]


def test_completeness_shows_every_day_of_every_log_and_silent_ones(lake: Lake) -> None:
    lake.sources("never_taken_in")
    lake.sources("weekly", expects_rows_daily=False)
    for source_id in ("weekly", "reference:employees"):
        lake.insert("lake.intake_files", {"source_id": source_id, "taken_in_at": "2026-01-01"})
    lake.access("2026-10-05 21:00:00")
    assert completeness(lake, "2026-10-05", "2026-10-06", "n_rows", "status", "is_unusual") == [
        ("gerica", date(2026, 10, 5), 1, "no_history", False),
        ("gerica", date(2026, 10, 6), 0, "silent", True),
        ("weekly", date(2026, 10, 5), 0, "no_history", False),
        ("weekly", date(2026, 10, 6), 0, "no_history", False),
    ]


def test_completeness_puts_numbers_and_clocks_on_their_days(lake: Lake) -> None:
    for number, at in ((10, "2026-10-04 08:00"), (13, "2026-10-05 08:00"), (15, "2026-10-06 07:00"),
                       (16, "2026-10-06 06:00"), (1, "2026-10-06 09:00")):  # fmt: skip
        lake.access(f"{at}:00", event_id=number)
    names = ("n_missing_numbers", "n_restarts", "n_clock_faults")
    assert completeness(lake, "2026-10-05", "2026-10-06", *names) == [
        ("gerica", date(2026, 10, 5), 2, 0, 0),
        ("gerica", date(2026, 10, 6), 1, 0, 1),
    ]


def test_completeness_counts_what_could_not_be_read_or_understood(lake: Lake) -> None:
    lake.reference("employees", employee_id="E1")
    lake.access("2026-10-05 08:00:00", log_type="Ny kode")
    lake.access("2026-10-05 08:00:00", message_type="Post vist", time_flag="ambiguous")
    lake.access("2026-10-05 08:00:00", table_name="Journal", record_ref="J9", employee_id="E7")
    lake.insert("lake.intake_files", {
        "file_id": "a", "source_id": "gerica", "first_at": "2026-10-05 06:00:00", "last_at": "2026-10-05 08:00:00",
        "taken_in_at": "2026-11-01 08:00:00", "n_quarantined": 4, "n_conflicts": 1,
    })  # fmt: skip
    lake.insert("lake.intake_files", {
        "file_id": "b", "source_id": "gerica", "first_at": "2026-09-05 06:00:00", "last_at": "2026-09-06 08:00:00",
        "taken_in_at": "2026-10-05 08:00:00", "n_quarantined": 9, "n_conflicts": 9,
    })  # fmt: skip
    names = (
        "n_quarantined", "n_conflicts", "n_odd_hours", "n_unknown_codes", "n_unconfirmed_codes",
        "n_patients_unresolved", "n_employees_unresolved",
    )  # fmt: skip
    assert completeness(lake, "2026-10-05", "2026-10-05", *names) == [
        ("gerica", date(2026, 10, 5), 4, 1, 1, 1, 1, 1, 1)
    ]


def coverage(lake: Lake, first: str, last: str) -> dict[str, tuple[int, ...]]:
    names = ("n_rows", "n_silent_days", "n_missing_numbers", "n_odd_hours", "n_quarantined")
    rows = lake.query("reports/coverage", first=first, last=last)
    return {row["source_id"]: tuple(row[name] for name in names) for row in rows}


def test_coverage_sums_what_completeness_lists_by_day(lake: Lake) -> None:
    lake.sources("weekly", expects_rows_daily=False, running_number=False)
    lake.access("2026-10-04 08:00:00", event_id="10")
    lake.access("2026-10-05 08:00:00", event_id="13")
    lake.access("2026-10-05 09:00:00", event_id="13", item=1)
    lake.access("2026-10-06 07:00:00", event_id="16")
    lake.access("2026-10-06 06:00:00", event_id="17", time_flag="ambiguous")
    lake.access("2026-10-06 06:00:00", event_id="900", source_id="weekly")
    for source_id, n_quarantined in (("gerica", 4), ("reference:employees", 9)):
        lake.insert("lake.intake_files", {
            "file_id": source_id, "source_id": source_id, "first_at": "2026-10-05 06:00:00",
            "last_at": "2026-10-06 08:00:00", "taken_in_at": "2026-11-01", "n_quarantined": n_quarantined,
            "n_conflicts": 0,
        })  # fmt: skip
    assert coverage(lake, "2026-10-05", "2026-10-09") == {"gerica": (4, 3, 4, 1, 4), "weekly": (1, 0, 0, 0, 0)}
    rows = lake.query("reports/completeness", first="2026-10-05", last="2026-10-09")
    names = ("n_rows", "n_missing_numbers", "n_odd_hours", "n_quarantined")
    of_log = [row for row in rows if row["source_id"] == "gerica"]
    assert tuple(sum(row[name] for row in of_log) for name in names) == (4, 4, 1, 4)
    assert sum(row["status"] == "silent" for row in of_log) == 3
    assert coverage(lake, "2026-10-06", "2026-10-06")["gerica"] == (2, 0, 2, 1, 4)


def test_a_period_before_the_log_began_is_silent_throughout(lake: Lake) -> None:
    lake.insert("lake.intake_files", {"source_id": "gerica", "taken_in_at": "2026-11-01"})
    assert coverage(lake, "2026-01-01", "2026-01-31") == {"gerica": (0, 31, 0, 0, 0)}
