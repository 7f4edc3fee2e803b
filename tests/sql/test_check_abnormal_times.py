"""Accesses at abnormal times: outside the shift, or at hours that are rare among peers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sql.judged import judged
from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

ASKED: dict[str, Any] = {
    "abnormal_times_tolerance_minutes": 60, "abnormal_times_minimum": 5, "rare_hour_share": Decimal("0.01"),
    "roster_known_days": 4, "at_work_hours": 2, "alert_days": 2, "off_duty_days": 3,
}  # fmt: skip


def shift(lake: Lake, **row: Any) -> None:
    """Give E1 a shift from 06 to 14 UTC on 5 October, unless told otherwise."""
    lake.reference(
        "shifts",
        **{
            "employee_id": "E1", "unit_id": "U1", "kind": "shift", "starts_at": "2026-10-05 06:00:00",
            "ends_at": "2026-10-05 14:00:00", **row,
        },
    )  # fmt: skip


def counted(lake: Lake, explained: str = "false", **given: Any) -> dict[str, tuple[str, int]]:
    """Return each employee's reason code and abnormal accesses without a reason; those with none are left out."""
    make_period(lake, explained=explained)
    rows = lake.query("checks/abnormal_times", **{**ASKED, **given})
    codes = {row["employee_id"]: (row["reason_code"], row["n_events"]) for row in rows if row["n_events"]}
    without = [row for row in rows if row["reason_code"] != "undocumented_outside_shift" and row["n_events"]]
    assert set(codes) >= {row["employee_id"] for row in without}
    return {row["employee_id"]: (row["reason_code"], row["n_events"]) for row in without}


def events(lake: Lake, employee: str, **given: Any) -> int:
    """Return how many rows of the log stand behind an employee's finding."""
    return len(lake.query("checks/abnormal_times.events", **{**ASKED, **given, "employee_id": employee}))


def test_accesses_outside_the_shift_are_counted_at_the_edge_of_the_tolerance(lake: Lake) -> None:
    shift(lake)
    for at in ("04:59:59", "05:00:00", "14:59:59", "15:00:00"):
        lake.access(f"2026-10-05 {at}")
    assert counted(lake) == {"E1": ("outside_shift", 2)}
    assert events(lake, "E1") == 2
    assert counted(lake, abnormal_times_tolerance_minutes=59) == {"E1": ("outside_shift", 4)}


def test_time_on_call_is_work_and_a_cancelled_shift_is_not(lake: Lake) -> None:
    shift(lake, kind="on_call")
    shift(lake, starts_at="2026-10-06 06:00:00", ends_at="2026-10-06 14:00:00", status="cancelled")
    for day in (5, 6):
        lake.access(f"2026-10-0{day} 08:00:00")
        lake.access(f"2026-10-0{day} 09:00:00")
    assert counted(lake) == {"E1": ("outside_shift", 2)}


def test_five_hours_without_a_reason_are_a_finding_and_any_number_with_one_are_none(lake: Lake) -> None:
    for number in range(24):
        shift(lake, employee_id=f"E{number}")
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}")
    for number in (1, 2):
        for place in range(10):
            lake.access(f"2026-10-05 {place // 2:02}:{place:02}:00", employee_id=f"E{number}")
    lake.access("2026-10-05 01:30:00", employee_id="E2", outcome="denied")
    make_period(lake, explained="employee_id = 'E1'")
    (found,) = judged(lake, "abnormal_times", **ASKED)
    assert (found["employee_id"], found["reason_code"], found["n_events"], found["measure"]) == (
        "E2", "outside_shift", 10, Decimal(5),
    )  # fmt: skip
    assert events(lake, "E2") == 10
    assert judged(lake, "abnormal_times", **{**ASKED, "abnormal_times_minimum": 6}) == []


def test_who_writes_within_the_set_hours_was_at_work_then_whatever_the_roster_says(lake: Lake) -> None:
    for employee, noted in (("E1", "11:59:59"), ("E2", "12:00:00")):
        shift(lake, employee_id=employee)
        lake.access("2026-10-06 10:00:00", employee_id=employee)
        lake.access(f"2026-10-06 {noted}", employee_id=employee, patient_id="P2", log_type="Skriving")
    assert counted(lake) == {"E2": ("outside_shift", 1)}
    assert counted(lake, at_work_hours=3) == {}
    assert events(lake, "E1") == 0


def undocumented(lake: Lake, **given: Any) -> dict[str, tuple[str, int, int]]:
    """Return stream, rows and severity of each employee with undocumented accesses on free days; all are explained."""
    make_period(lake, explained="true")
    rows = lake.query("checks/abnormal_times", **{**ASKED, **given})
    assert {row["n_events"] for row in rows if row["reason_code"] == "outside_shift"} == {0}
    return {
        row["employee_id"]: (row["stream"], row["n_events"], row["severity"])
        for row in rows
        if row["reason_code"] == "undocumented_outside_shift"
    }


def rota(lake: Lake, employee: str, *days: int) -> None:
    """Give an employee a shift from 06 to 14 UTC on these days of October."""
    for day in days:
        shift(lake, employee_id=employee, starts_at=f"2026-10-{day:02} 06:00:00", ends_at=f"2026-10-{day:02} 14:00:00")


def test_free_days_with_nothing_written_are_a_task_and_from_three_an_alert(lake: Lake) -> None:
    for employee, nights in (("E1", (6, 7, 8)), ("E2", (6, 7)), ("E3", (6,))):
        rota(lake, employee, 5, 9)
        for day in nights:
            lake.access(f"2026-10-{day:02} 01:00:00", employee_id=employee)
    # before and after midnight is one night
    rota(lake, "E4", 5, 9)
    for at in ("06 21:30:00", "07 02:00:00", "07 21:30:00"):
        lake.access(f"2026-10-{at}", employee_id="E4")
    assert undocumented(lake) == {"E1": ("breach", 3, 3), "E2": ("targeted", 2, 2), "E4": ("targeted", 3, 2)}
    assert undocumented(lake, off_duty_days=2, alert_days=1)["E3"] == ("targeted", 1, 2)
    assert events(lake, "E1") == 3


def test_a_free_day_is_one_between_known_shifts_on_which_nothing_was_written_near(lake: Lake) -> None:
    asked = {"alert_days": 1, "off_duty_days": 1}
    # on one side alone the roster may be missing: four days before the moment, or after it, are the edge
    for employee, first, last in (("E1", 6, 14), ("E2", 5, 14), ("E3", 6, 15), ("E4", 6, 9)):
        rota(lake, employee, first, last)
    for employee in ("E1", "E2", "E3", "E4"):
        lake.access("2026-10-10 10:00:00", employee_id=employee)
    rota(lake, "E5", 6, 14)
    lake.access("2026-10-10 10:00:00", employee_id="E5")
    lake.access("2026-10-10 11:59:59", employee_id="E5", patient_id="P2", log_type="Skriving")
    rota(lake, "E6", 6, 14)
    lake.access("2026-10-10 10:00:00", employee_id="E6")
    lake.access("2026-10-10 12:00:00", employee_id="E6", patient_id="P2", log_type="Skriving")
    assert undocumented(lake, **asked) == {"E1": ("breach", 1, 2), "E6": ("breach", 1, 2)}


def nurses(lake: Lake, n_people: int, n_each: int = 15) -> None:
    """Give nurses daytime accesses, none of them with a known shift; E0 opens twice at night."""
    lake.reference("units", unit_id="U1", unit_type="home")
    for number in range(n_people):
        lake.reference("unit_assignments", employee_id=f"E{number}", unit_id="U1", role="nurse")
        for minute in range(n_each):
            lake.access(f"2026-10-05 08:{minute:02}:00", employee_id=f"E{number}")
    for minute in (1, 2):
        lake.access(f"2026-10-06 01:{minute:02}:00", employee_id="E0")


def test_an_hour_is_rare_when_peers_other_than_the_person_hardly_use_it(lake: Lake) -> None:
    nurses(lake, 21)
    assert counted(lake) == {"E0": ("rare_hour", 2)}
    assert (events(lake, "E0"), events(lake, "E1")) == (2, 0)


def test_an_hour_is_judged_only_where_three_would_be_expected_at_the_limit(lake: Lake) -> None:
    nurses(lake, 21)
    # the others have 300 accesses
    assert counted(lake, rare_hour_share=Decimal("0.0099")) == {}
    assert events(lake, "E0", rare_hour_share=Decimal("0.0099")) == 0


def test_an_hour_is_not_rare_at_the_share_itself(lake: Lake) -> None:
    nurses(lake, 21, n_each=7)
    for minute in range(3):
        lake.access(f"2026-10-07 01:{minute:02}:00", employee_id="E1")
    for minute in range(7):
        lake.access(f"2026-10-07 08:{minute:02}:00", employee_id="E2")
    # three of the 150 accesses of the others are the share itself
    assert counted(lake, rare_hour_share=Decimal("0.02")) == {}
    assert events(lake, "E0", rare_hour_share=Decimal("0.02")) == 0
    assert counted(lake, rare_hour_share=Decimal("0.0201")) == {"E0": ("rare_hour", 2)}
    assert events(lake, "E0", rare_hour_share=Decimal("0.0201")) == 2


def test_fewer_than_twenty_people_say_nothing_about_what_is_rare(lake: Lake) -> None:
    nurses(lake, 19, n_each=20)
    assert counted(lake) == {}
    assert events(lake, "E0") == 0


def test_counts_and_frame_show_the_night_by_day_type(lake: Lake) -> None:
    lake.access("2026-10-04 21:30:00")
    lake.access("2026-10-05 09:00:00", employee_id="E2")
    make_period(lake, explained="employee_id = 'E2'")
    counts = [tuple(row.values()) for row in lake.query("checks/abnormal_times.counts")]
    assert counts == [("sunday", 22, 1, 1, 1, 1), ("weekday", 10, 1, 1, 1, 0)]
    assert [row["unit_key"] for row in lake.query("checks/abnormal_times.frame")] == ["E1|P1|2026-10-04"]
