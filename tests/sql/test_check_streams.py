"""When a question of the breach checks is an alert, and when it is a task: each edge, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sql.period import make_period
from tests.sql.test_check_breaches import THRESHOLDS

if TYPE_CHECKING:
    from tests.sql.conftest import Lake


def streams(lake: Lake, check: str, explained: str = "false") -> dict[str, str]:
    """Run a check over October: the stream of each employee's finding."""
    make_period(lake, explained=explained)
    return {row["employee_id"]: row["stream"] for row in lake.query(f"checks/{check}", **THRESHOLDS)}


def test_denied_attempts_are_a_task_where_the_patient_or_the_role_gives_a_reason(lake: Lake) -> None:
    for employee, role in (("E1", "nurse"), ("E2", "nurse"), ("E3", "clerk"), ("E4", "nurse")):
        lake.reference("unit_assignments", employee_id=employee, unit_id="U1", role=role)
        for minute in range(3):
            lake.access(f"2026-10-05 08:0{minute}:00", employee_id=employee, outcome="denied")
    lake.reference("roles", role="clerk", mandate="billing", valid_from="2026-10-05", valid_to="2026-10-06")
    lake.reference("roles", role="nurse", mandate="care")
    lake.access("2026-10-07 08:00:00", employee_id="E2", event_id="cared for")
    lake.access("2026-10-07 08:00:00", employee_id="E4", event_id="another's", patient_id="P2")
    # of three patients without a reason one is less than the half
    for employee, n_patients in (("E5", 2), ("E6", 3)):
        for minute in range(3):
            lake.access(f"2026-10-05 08:0{minute}:00", employee_id=employee, role="nurse", outcome="denied")
        for number in range(n_patients):
            other = {"patient_id": f"P{number + 2}", "event_id": f"{employee} unexplained {number}"}
            lake.access("2026-10-05 09:00:00", employee_id=employee, role="nurse", **other)
    assert streams(lake, "unauthorised_resources", "outcome = 'success' and employee_id < 'E5'") == {
        "E1": "breach", "E2": "targeted", "E3": "targeted", "E4": "breach", "E5": "breach", "E6": "targeted",
    }  # fmt: skip


@pytest.mark.parametrize(("n_people", "stream"), [(2, "breach"), (3, "targeted")])
def test_what_three_of_a_role_do_is_a_gap_of_the_permissions(lake: Lake, n_people: int, stream: str) -> None:
    lake.reference("role_permissions", role="cleaner", table_name="Bruker", action="read")
    for number in range(n_people):
        lake.access("2026-10-05 08:00:00", employee_id=f"E{number}", role="cleaner", log_type="Skriving")
    assert set(streams(lake, "unauthorised_resources").values()) == {stream}


def test_a_block_met_in_documented_care_is_a_task_unless_it_names_whom_it_is_against(lake: Lake) -> None:
    lake.reference("blocks", patient_id="P1", scope="record", direction="only_named", named_kind="unit", named_id="U1")
    against = {"direction": "against_named", "named_kind": "employee", "named_id": "E1"}
    lake.reference("blocks", patient_id="P2", scope="record", **against)
    lake.access("2026-10-05 08:00:00", employee_id="E1", patient_id="P2")
    lake.access("2026-10-05 08:00:00", employee_id="E2")
    lake.access("2026-10-05 08:00:00", employee_id="E3")
    lake.access("2026-10-06 08:00:00", employee_id="E3")
    # the reason of make_period has strength 3; one access without it keeps the alert
    assert streams(lake, "blocked_records", "employee_id in ('E1', 'E2') or local_date = '2026-10-05'") == {
        "E1": "breach", "E2": "targeted", "E3": "breach",
    }  # fmt: skip


def test_one_days_searches_for_a_person_in_the_news_are_a_task(lake: Lake) -> None:
    lake.reference("media_interest", patient_id="P1")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    for employee, days in (("E2", (5, 5)), ("E3", (5, 6))):
        for place, day in enumerate(days):
            lake.access(f"2026-10-0{day} 08:0{place}:00", employee_id=employee, log_type="Brukersøk")
    assert streams(lake, "media_interest") == {"E1": "breach", "E2": "targeted", "E3": "breach"}


def test_protected_persons_are_an_alert_from_two_days_or_patients_and_from_the_share(lake: Lake) -> None:
    for patient in ("P1", "P2"):
        lake.reference("patient_flags", patient_id=patient, flag="confidential_address")
    for employee, openings in {
        "one day": ["5 P1", "5 P1"], "two days": ["5 P1", "6 P1"], "two patients": ["5 P1", "5 P2"],
        "half": ["5 P1", "6 P1", "6 P3"], "a third": ["5 P1", "6 P1", "6 P3", "6 P4"],
    }.items():  # fmt: skip
        for place, (day, patient) in enumerate(opening.split() for opening in openings):
            lake.access(f"2026-10-0{day} 08:0{place}:00", employee_id=employee, patient_id=patient)
    assert streams(lake, "protected_persons") == {
        "one day": "targeted", "two days": "breach", "two patients": "breach", "half": "breach", "a third": "targeted",
    }  # fmt: skip


def test_a_colleagues_record_is_an_alert_from_two_days_or_at_the_same_unit(lake: Lake) -> None:
    for employee, unit in (("E1", "U1"), ("E2", "U1"), ("E3", "U2"), ("E4", "U2")):
        lake.reference("unit_assignments", employee_id=employee, unit_id=unit, role="nurse")
    lake.reference("relations", employee_id="E1", patient_id="P1", relation="self")
    for employee in ("E2", "E3", "E4"):
        lake.access("2026-10-05 08:00:00", employee_id=employee)
    lake.access("2026-10-06 08:00:00", employee_id="E4")
    assert streams(lake, "colleague_record") == {"E2": "breach", "E3": "targeted", "E4": "breach"}
