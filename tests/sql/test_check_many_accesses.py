"""One patient opened a great number of times: the pairs without a reason, against those of colleagues."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.sql.judged import judged
from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

LIMITS = {"minimum_openings": 10, "minimum_unexplained_days": 8}


def small_town(lake: Lake, openings: int = 30) -> None:
    """Give 21 nurses two or three openings of a patient each, two doctors one, and nurse E0 many of patient P99."""
    lake.reference("units", unit_id="U1", unit_type="home")
    for number in range(23):
        role = "nurse" if number < 21 else "doctor"
        lake.reference("unit_assignments", employee_id=f"E{number}", unit_id="U1", role=role)
        for opening in range(2 + number % 2 if role == "nurse" else 1):
            lake.access(f"2026-10-05 {opening + 8:02}:00:00", employee_id=f"E{number}", patient_id=f"P{number}")
    for number in range(openings):
        day, hour = 1 + number % 5, 8 + number // 5
        for minute in ("00", "01"):
            lake.access(f"2026-10-{day:02} {hour:02}:{minute}:00", employee_id="E0", patient_id="P99")


def test_the_one_who_stands_out_is_found_with_the_figures_of_the_peers(lake: Lake) -> None:
    small_town(lake)
    make_period(lake)
    (found,) = judged(lake, "many_accesses", **LIMITS)
    assert (found["employee_id"], found["patient_id"], found["unit_id"], found["stream"]) == (
        "E0", "P99", "U1", "anomaly",
    )  # fmt: skip
    assert (found["measure"], found["n_events"], found["expected"]) == (Decimal(30), 60, Decimal("2.4761"))
    assert found["tail_probability"] < Decimal("0.001")
    assert (found["peer_group"], found["reason_code"]) == ("nurse | home", "many_openings")
    values = found["reason_values"]
    assert [values[name] for name in ("n_people", "n_compared", "percent_fewer", "n_days")] == [21, 22, 95, 5]


def test_a_pair_with_a_reason_for_each_access_is_never_tested(lake: Lake) -> None:
    small_town(lake)
    make_period(lake, explained="patient_id = 'P99'")
    assert judged(lake, "many_accesses", **LIMITS) == []
    assert len(lake.query("checks/many_accesses", **LIMITS)) == 2 * 23


def test_only_the_openings_without_a_reason_count(lake: Lake) -> None:
    small_town(lake)
    make_period(lake, explained="patient_id = 'P99' and local_date > '2026-10-01'")
    rows = lake.query("checks/many_accesses", **LIMITS)
    (openings,) = (row for row in rows if row["patient_id"] == "P99" and row["reason_code"] == "many_openings")
    assert (openings["measure"], openings["n_events"]) == (Decimal(6), 12)
    assert judged(lake, "many_accesses", **LIMITS) == []


def test_one_opening_fewer_than_the_threshold_is_none(lake: Lake) -> None:
    small_town(lake, openings=20)
    make_period(lake)
    (found,) = judged(lake, "many_accesses", **{**LIMITS, "minimum_openings": 20})
    assert (found["patient_id"], found["measure"]) == ("P99", Decimal(20))
    assert judged(lake, "many_accesses", **{**LIMITS, "minimum_openings": 21}) == []


def test_days_of_earlier_months_count_up_to_twelve_months_back(lake: Lake) -> None:
    small_town(lake, openings=1)
    for month, n_days in (("2025-10-01", 20), ("2025-11-01", 3), ("2026-09-01", 4)):
        lake.insert("lake.unexplained_days", {"month": month, "local_date": month, "n_accesses": 0})
        for day in range(n_days):
            row = {"month": month, "employee_id": "E0", "patient_id": "P99", "n_accesses": 1}
            lake.insert("lake.unexplained_days", {**row, "local_date": f"{month[:8]}{day + 1:02}"})
    make_period(lake)
    (found,) = judged(lake, "many_accesses", **LIMITS)
    assert (found["reason_code"], found["measure"]) == ("many_days", Decimal(8))
    assert (found["reason_values"]["n_months"], found["reason_values"]["n_days"]) == (3, 1)
    assert judged(lake, "many_accesses", **{**LIMITS, "minimum_unexplained_days": 9}) == []


def test_a_role_too_small_at_its_unit_type_is_compared_with_the_whole_role(lake: Lake) -> None:
    for number in range(21):
        kind = "home" if number < 18 else "ward"
        lake.reference("units", unit_id=kind, unit_type=kind, delivered=f"2026-01-{number + 1:02}")
        lake.reference("unit_assignments", employee_id=f"E{number}", unit_id=kind, role="nurse")
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}")
    for hour in range(12):
        lake.access(f"2026-10-06 {hour:02}:00:00", employee_id="E20", patient_id="P9")
    make_period(lake)
    (found,) = judged(lake, "many_accesses", **LIMITS)
    assert (found["employee_id"], found["peer_group"], found["reason_values"]["n_people"]) == ("E20", "nurse", 21)


def test_what_is_no_access_or_has_no_known_patient_is_left_out(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 09:00:00", outcome="denied")
    lake.access("2026-10-05 10:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 11:00:00", table_name="Journal", record_ref="J9")
    lake.access("2026-10-05 12:00:00", employee_id=None)
    lake.access("2026-11-05 12:00:00", employee_id="E2")
    make_period(lake)
    rows = lake.query("checks/many_accesses", **LIMITS)
    assert [(row["employee_id"], row["n_events"]) for row in rows] == [("E1", 1), ("E1", 1)]


def test_a_findings_id_is_the_same_when_more_was_taken_in(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    make_period(lake)
    before = {row["finding_id"] for row in lake.query("checks/many_accesses", **LIMITS)}
    lake.access("2026-10-05 09:00:00", patient_id="P2")
    make_period(lake)
    after = {row["patient_id"]: row["finding_id"] for row in lake.query("checks/many_accesses", **LIMITS)}
    assert {after["P1"]} == before != {after["P2"]}


def test_the_events_behind_a_finding_are_that_pairs_accesses(lake: Lake) -> None:
    lake.reference("identifiers", kind="patient", identifier="4711", id="P1")
    lake.access("2026-10-05 08:00:00", patient_id="4711")
    lake.access("2026-10-05 09:00:00", outcome="denied")
    lake.access("2026-10-05 10:00:00", patient_id="P2")
    lake.access("2026-10-05 11:00:00", employee_id="E2")
    subject = {"employee_id": "E1", "patient_id": "P1"}
    assert [row["recorded_at"].hour for row in lake.query("checks/many_accesses.events", **subject)] == [8]


def test_the_plain_counts_hold_every_pair_and_the_spot_check_those_with_many_accesses(lake: Lake) -> None:
    for number in range(10):
        lake.access(f"2026-10-05 {number + 8:02}:00:00")
    for number in range(9):
        lake.access(f"2026-10-05 {number + 8:02}:00:00", patient_id="P2")
    make_period(lake, explained="patient_id = 'P1'")
    counts = [tuple(row.values()) for row in lake.query("checks/many_accesses.counts")]
    assert [row for row in counts if row[2]] == [(5, 9, 1, 1, 1, 1), (10, 19, 1, 0, 1, 1)]
    assert len(counts) == 7
    frame = lake.query("checks/many_accesses.frame", **LIMITS)
    assert [(row["patient_id"], row["n_events"]) for row in frame] == [("P1", 10)]
