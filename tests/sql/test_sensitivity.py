"""What counts as newly found: only a finding that is not there without the incidents, and that points at one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sql.conftest import utc_midnight
from tests.sql.period import make_trial

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

ASKED = {"seed": "dice 4", "incidents_of_kind": 2}


def finding(
    lake: Lake, name: str, employee: str | None, patient: str | None, *, runs: str, within: bool = True
) -> None:
    """Add a finding of the check named by the id's first letter, in the runs `without`, `with` or both."""
    row: dict[str, Any] = {"check_id": name[0], "finding_id": name, "employee_id": employee, "patient_id": patient}
    is_without, is_with = "without" in runs.split(), "with" in runs.split()
    flags = {"is_without": is_without, "is_with": is_with, "is_new": not is_without, "is_gone": not is_with}
    lake.insert("trial_findings", {**row, **flags, "is_within_budget": is_with and within})


def made(lake: Lake) -> Lake:
    make_trial(lake)
    days = {"start_at": utc_midnight("2026-10-01"), "end_at": utc_midnight("2026-11-01")}
    lake.insert("trial", {**days, **ASKED})
    for place, (kind, number) in enumerate((("neighbour", 2), ("prints", 1), ("abroad", 0)), start=1):
        lake.insert("incident_kinds", {"place": place, "kind": kind, "n_incidents": number, "n_lost": 0})
    subjects = [(1, "neighbour", "E1", "P1"), (2, "neighbour", "E2", "P2"), (3, "prints", "E3", "P3")]
    subjects.append((3, "prints", "E3", "P4"))
    for incident, kind, employee, patient in subjects:
        row = {"incident": incident, "kind": kind, "employee_id": employee, "patient_id": patient}
        lake.insert("incident_subjects", row)
    for check, why in (("a", None), ("b", None), ("c", "no shifts")):
        lake.insert("trial_checks", {"check_id": check, "why": why})
    return lake


def by_kind(lake: Lake, **given: Any) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    rows = lake.query("reports/sensitivity", **{**ASKED, **given})
    names = ("n_incidents", "n_found", "n_within_budget", "n_before")
    return {(row["kind"], row["check_id"]): tuple(row[name] for name in names) for row in rows}  # type: ignore[misc]


def test_a_new_finding_counts_and_one_that_was_there_before_does_not(lake: Lake) -> None:
    made(lake)
    finding(lake, "a1", "E1", "P1", runs="with")
    finding(lake, "a2", "E2", "P2", runs="without with")
    finding(lake, "b3", "E3", None, runs="with", within=False)
    finding(lake, "a4", "E9", "P1", runs="with")  # another employee
    finding(lake, "a5", "E1", "P9", runs="with")  # another patient of the same employee
    assert by_kind(lake) == {
        ("*", "*"): (3, 2, 1, 1),
        ("neighbour", "*"): (2, 1, 1, 1),
        ("neighbour", "a"): (2, 1, 1, 1),
        ("prints", "*"): (1, 1, 0, 0),
        ("prints", "b"): (1, 1, 0, 0),
        ("abroad", "*"): (0, 0, 0, 0),
    }


def test_another_seed_or_period_answers_nothing(lake: Lake) -> None:
    made(lake)
    finding(lake, "a1", "E1", "P1", runs="with")
    assert {row[0] for row in by_kind(lake, seed="dice 5").values()} == {None}
    assert {row[0] for row in by_kind(lake, last="2026-10-30").values()} == {None}


def test_an_incident_found_by_two_checks_or_through_two_patients_counts_once(lake: Lake) -> None:
    made(lake)
    finding(lake, "a1", "E3", "P3", runs="with")
    finding(lake, "a2", "E3", "P4", runs="with")
    finding(lake, "b1", "E3", None, runs="with")
    rows = by_kind(lake)
    assert rows["prints", "*"] == (1, 1, 1, 0)
    assert rows["prints", "a"] == (1, 1, 1, 0)
    assert rows["prints", "b"] == (1, 1, 1, 0)


def test_the_checks_without_and_with_the_incidents(lake: Lake) -> None:
    made(lake)
    finding(lake, "a1", "E1", "P1", runs="with")
    finding(lake, "a2", "E2", "P2", runs="without with")
    finding(lake, "a3", "E9", "P9", runs="with")
    finding(lake, "a4", "E8", "P8", runs="without")
    rows = lake.query("reports/sensitivity_checks")
    assert [tuple(row.values()) for row in rows] == [
        ("a", 2, 1, 1, 1, None),
        ("b", 0, 0, 0, 0, None),
        ("c", None, None, None, None, "no shifts"),
    ]
