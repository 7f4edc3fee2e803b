"""The checks of breaches: exact findings, the row that must not be one, and the edge of each threshold."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.sql.conftest import SQL
from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

THRESHOLDS = {
    "minimum_denied_attempts": 3, "minimum_protected_patients": 1, "minimum_sensitive_patients": 3,
    "minimum_sensitive_openings": 10, "most_bearers_of_surname": 2, "documentation_days": 30,
    "minimum_unopened_patients": 2, "minimum_printed_patients": 2, "minimum_printed_rows": 3,
    "alert_days": 2, "flagged_share": Decimal("0.5"), "people_of_missing_permission": 3,
    "shift_tolerance_minutes": 30, "hand_over_minutes": 60,
}  # fmt: skip


def found(lake: Lake, check: str, explained: str = "false") -> list[tuple[Any, ...]]:
    """Run a check over October: employee, patient, reason, rows, severity of each finding."""
    make_period(lake, explained=explained)
    rows = lake.query(f"checks/{check}", **THRESHOLDS)
    return [
        (row["employee_id"], row["patient_id"], row["reason_code"], row["n_events"], row["severity"]) for row in rows
    ]


def counted(lake: Lake, check: str) -> list[tuple[Any, ...]]:
    """Return the plain counts of the check that was run last."""
    return [tuple(row.values()) for row in lake.query(f"checks/{check}.counts", **THRESHOLDS)]


def drawn_from(lake: Lake, check: str) -> dict[str, int]:
    """Return what the spot check is drawn from: employee, patient and day, with the rows of each."""
    return {row["unit_key"]: row["n_events"] for row in lake.query(f"checks/{check}.frame", **THRESHOLDS)}


def test_denied_attempts_are_grave_from_the_threshold_and_an_access_is_none(lake: Lake) -> None:
    for minute in range(3):
        lake.access(f"2026-10-05 08:0{minute}:00", outcome="denied")
    for minute in range(2):
        lake.access(f"2026-10-05 08:0{minute}:00", outcome="failed", patient_id="P2")
    lake.access("2026-10-05 09:00:00", patient_id="P3")
    assert found(lake, "unauthorised_resources") == [
        ("E1", "P1", "denied_attempts", 3, 3),
    ]
    assert [row["n_rows"] for row in lake.query("checks/unauthorised_resources.counts")] == [5]
    assert [row["unit_key"] for row in lake.query("checks/unauthorised_resources.frame")] == [
        "E1|P1|2026-10-05",
        "E1|P2|2026-10-05",
    ]


def test_a_role_is_held_to_its_permissions_and_one_without_any_is_not_assessed(lake: Lake) -> None:
    lake.reference("role_permissions", role="cleaner", table_name="Bruker", action="read")
    lake.access("2026-10-05 08:00:00", role="cleaner")
    lake.access("2026-10-05 08:01:00", role="cleaner", log_type="Skriving")
    lake.access("2026-10-05 08:02:00", role="cleaner", log_type="Skriving", patient_id="P2")
    lake.access("2026-10-05 08:03:00", role="nurse", log_type="Skriving", employee_id="E2")
    lake.access("2026-10-05 08:04:00", log_type="Skriving", employee_id="E3")
    assert found(lake, "unauthorised_resources") == [("E1", None, "not_permitted", 2, 2)]


@pytest.mark.parametrize(
    ("block", "employees"),
    [
        ({"direction": "against_named", "named_kind": "employee", "named_id": "E1"}, ["E1"]),
        ({"direction": "only_named", "named_kind": "employee", "named_id": "E1"}, ["E2"]),
        ({"direction": "only_named", "named_kind": "role", "named_id": "nurse"}, ["E1"]),
        ({"direction": "on_consent"}, ["E1", "E2"]),
        ({"direction": "on_consent", "consent_from": "2026-10-05", "consent_to": "2026-10-06"}, []),
        ({"direction": "on_consent", "consent_from": "2026-10-06"}, ["E1", "E2"]),
        ({"direction": "on_consent", "consent_from": "2026-10-01", "consent_to": "2026-10-05"}, ["E1", "E2"]),
        (
            {
                "direction": "on_consent", "consent_from": "2026-10-01", "named_kind": "employee", "named_id": "E1",
            },
            ["E2"],
        ),
        ({"direction": "on_consent", "valid_from": "2026-10-06"}, []),
        ({"direction": "on_consent", "scope": "table", "scope_value": "Journal"}, []),
        ({"direction": "on_consent", "scope": "area", "scope_value": "patient"}, ["E1", "E2"]),
        ({"direction": "on_consent", "scope": "unit", "scope_value": "U9"}, []),
    ],
)  # fmt: skip
def test_a_block_covers_whom_its_direction_scope_and_consent_say(
    lake: Lake, block: dict[str, Any], employees: list[str]
) -> None:
    lake.reference("blocks", **{"patient_id": "P1", "scope": "record", **block})
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    lake.access("2026-10-05 08:00:00", employee_id="E2", role="nurse")
    lake.access("2026-10-05 08:00:00", employee_id="E3", patient_id="P2")
    assert found(lake, "blocked_records") == [
        (employee, "P1", f"blocked_{block['direction']}", 1, 3) for employee in employees
    ]


def test_consent_for_one_who_is_named_does_not_free_another_who_is(lake: Lake) -> None:
    named = {"patient_id": "P1", "scope": "record", "direction": "against_named", "named_kind": "employee"}
    lake.reference("blocks", **named, named_id="E1", consent_from="2026-10-01")
    lake.reference("blocks", **named, named_id="E2")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    lake.access("2026-10-05 08:00:00", employee_id="E2", is_break_glass=True)
    assert found(lake, "blocked_records") == [("E2", "P1", "blocked_against_named", 1, 2)]


def test_a_mark_of_the_log_counts_where_no_block_says_against_whom(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", is_blocked=True)
    lake.access("2026-10-05 08:00:00", is_blocked=True, outcome="denied", patient_id="P2")
    assert found(lake, "blocked_records") == [("E1", "P1", "blocked_record", 1, 2)]


def test_blocks_are_counted_by_scope_and_outcome_and_drawn_from_where_they_are_against_the_reader(lake: Lake) -> None:
    lake.reference(
        "blocks", patient_id="P1", scope="record", direction="only_named", named_kind="employee", named_id="E1"
    )
    lake.reference("blocks", patient_id="P1", scope="area", scope_value="patient", direction="on_consent")
    lake.reference("blocks", patient_id="P1", scope="unit", scope_value="U9", direction="on_consent")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    lake.access("2026-10-05 08:00:00", employee_id="E2", is_break_glass=True)
    lake.access("2026-10-05 08:01:00", employee_id="E2", outcome="denied", is_blocked=True)
    lake.access("2026-10-05 08:02:00", employee_id="E2", log_type="Brukersøk", outcome="denied")
    lake.access("2026-10-05 08:00:00", employee_id="E3", patient_id="P2", outcome="failed", is_blocked=True)
    lake.access("2026-10-05 08:00:00", employee_id="E4", patient_id="P3")
    assert [row[0] for row in found(lake, "blocked_records")] == ["E1", "E2", "E2"]
    assert counted(lake, "blocked_records") == [
        ("area", "success", 2, 2, 1, 2, 1),
        ("record", "success", 2, 1, 1, 2, 1),
        ("area", "denied", 1, 1, 0, 1, 1),
        ("mark", "failed", 1, 1, 0, 1, 1),
        ("record", "denied", 1, 1, 0, 1, 1),
    ]
    assert drawn_from(lake, "blocked_records") == {
        "E1|P1|2026-10-05": 1, "E2|P1|2026-10-05": 2, "E3|P2|2026-10-05": 1,
    }  # fmt: skip


def test_who_works_at_a_named_unit_that_hour_belongs_to_it(lake: Lake) -> None:
    lake.reference("blocks", patient_id="P1", scope="record", direction="only_named", named_kind="unit", named_id="U1")
    for employee, status in (("E1", "worked"), ("E2", "worked"), ("E3", "absent"), ("E4", "worked")):
        unit = "U2" if employee == "E4" else "U1"
        times = {"starts_at": "2026-10-05 06:00:00", "ends_at": "2026-10-05 14:00:00"}
        lake.reference("shifts", employee_id=employee, unit_id=unit, kind="shift", status=status, **times)
    lake.reference("unit_assignments", employee_id="E5", unit_id="U9", share_percent=90)
    lake.reference("unit_assignments", employee_id="E5", unit_id="U1", share_percent=10)
    for employee in ("E1", "E3", "E4", "E5"):
        lake.access("2026-10-05 15:29:59", employee_id=employee)
    lake.access("2026-10-05 15:30:00", employee_id="E2")
    assert [row[0] for row in found(lake, "blocked_records")] == ["E2", "E3", "E4"]


def test_media_interest_finds_what_is_unexplained_on_the_days_of_the_list(lake: Lake) -> None:
    lake.reference("media_interest", patient_id="P1", valid_from="2026-10-05", valid_to="2026-10-06")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    lake.access("2026-10-04 08:00:00", employee_id="E2")
    lake.access("2026-10-06 08:00:00", employee_id="E2")
    lake.access("2026-10-05 08:00:00", employee_id="E3", log_type="Brukersøk")
    lake.access("2026-10-05 08:00:00", employee_id="E4", log_type="Brukersøk")
    lake.access("2026-10-05 08:01:00", employee_id="E4")
    lake.access("2026-10-05 08:01:00", employee_id="E5", patient_id="P2")
    assert found(lake, "media_interest", "employee_id = 'E4'") == [
        ("E1", "P1", "opened", 1, 3),
        ("E3", "P1", "searched_only", 1, 2),
    ]
    assert [row["n_rows"] for row in lake.query("checks/media_interest.counts")] == [4]
    assert len(lake.query("checks/media_interest.frame")) == 3


def test_protected_persons_counts_patients_and_openings_from_each_threshold(lake: Lake) -> None:
    lake.reference("patient_flags", patient_id="P1", flag="confidential_address")
    lake.reference("patient_flags", patient_id="P1", flag="sensitive")
    for number in (2, 3, 4):
        lake.reference("patient_flags", patient_id=f"P{number}", flag="sensitive")
    lake.reference("patient_flags", patient_id="P5", flag="deceased")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    for number in (2, 3, 4):
        lake.access("2026-10-05 08:00:00", employee_id="E2", patient_id=f"P{number}")
    for number in (2, 3, 5):
        lake.access("2026-10-05 08:00:00", employee_id="E3", patient_id=f"P{number}")
    for hour in range(10):
        lake.access(f"2026-10-05 {hour + 8:02}:00:00", employee_id="E4", patient_id="P2")
        lake.access(f"2026-10-05 {hour + 8:02}:04:59", employee_id="E5", patient_id="P2")
    lake.access("2026-10-05 08:00:00", employee_id="E6")
    assert found(lake, "protected_persons", "employee_id = 'E6' or (employee_id = 'E5' and local_hour = 10)") == [
        ("E1", "P1", "protected", 1, 3),
        ("E2", None, "sensitive", 3, 2),
        ("E4", "P2", "sensitive", 10, 2),
    ]
    assert sum(row["n_rows"] for row in lake.query("checks/protected_persons.counts")) == 27


def test_ones_own_record_is_found_even_with_a_reason_and_a_namesake_is_not(lake: Lake) -> None:
    lake.reference("relations", employee_id="E1", patient_id="P1", relation="self")
    lake.reference("relations", employee_id="E3", patient_id="P1", relation="child")
    lake.reference("employees", employee_id="E2", personal_number="01010112345")
    lake.reference("patients", patient_id="P2", personal_number="01010112345")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    lake.access("2026-10-05 08:00:00", employee_id="E2", patient_id="P2", log_type="Skriving")
    lake.access("2026-10-05 08:00:00", employee_id="E3", patient_id="P1")
    lake.access("2026-10-05 08:00:00", employee_id="E2", patient_id="P1")
    assert found(lake, "own_record", "true") == [
        ("E2", "P2", "wrote_in_own", 1, 3),
        ("E1", "P1", "opened_own", 1, 2),
    ]
    assert counted(lake, "own_record") == [("-", 2, 1, 2, 2)]
    assert drawn_from(lake, "own_record") == {"E1|P1|2026-10-05": 1, "E2|P2|2026-10-05": 1}


def test_a_colleagues_record_is_graver_at_the_same_unit_and_ones_own_is_left_out(lake: Lake) -> None:
    for employee, unit in (("E1", "U1"), ("E2", "U1"), ("E3", "U2")):
        lake.reference("unit_assignments", employee_id=employee, unit_id=unit, role="nurse")
    lake.reference("relations", employee_id="E1", patient_id="P1", relation="self")
    for employee in ("E1", "E2", "E3", "E4"):
        lake.access("2026-10-05 08:00:00", employee_id=employee)
    lake.access("2026-10-05 08:00:00", employee_id="E2", patient_id="P2")
    assert found(lake, "colleague_record", "employee_id = 'E4'") == [
        ("E2", "P1", "colleague_of_unit", 1, 3),
        ("E3", "P1", "colleague", 1, 2),
    ]
    assert counted(lake, "colleague_record") == [("-", 1, 0, 1, 1, 1), ("U1", 1, 1, 1, 1, 0), ("U2", 1, 0, 1, 1, 0)]
    assert sorted(drawn_from(lake, "colleague_record")) == [f"E{number}|P1|2026-10-05" for number in (2, 3, 4)]


def test_ties_are_found_by_household_relation_and_a_surname_that_few_bear(lake: Lake) -> None:
    lake.reference("households", household_id="H1", employee_id="E1")
    lake.reference("households", household_id="H1", patient_id="P1")
    lake.reference("relations", employee_id="E2", patient_id="P2", relation="former_partner", valid_to="2026-10-06")
    for number, surname in ((3, "Rar"), (4, "RAR"), (5, "Hansen"), (6, "Hansen"), (7, "Hansen")):
        lake.reference("patients", patient_id=f"P{number}", surname=surname, municipality="0301")
    lake.reference("employees", employee_id="E3", surname="rar", municipality="0301")
    lake.reference("employees", employee_id="E4", surname="Hansen", municipality="0301")
    for employee, patient in (("E1", "P1"), ("E2", "P2"), ("E3", "P3"), ("E4", "P5"), ("E1", "P2")):
        lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=patient)
    lake.access("2026-10-06 08:00:00", employee_id="E2", patient_id="P2")
    lake.access("2026-10-06 08:00:00", employee_id="E3", patient_id="P4")
    assert found(lake, "household_or_surname", "patient_id = 'P4'") == [
        ("E1", "P1", "same_household", 1, 3),
        ("E2", "P2", "known_relation", 1, 3),
        ("E3", "P3", "same_surname", 1, 1),
    ]
    lake.reference("relations", employee_id="E3", patient_id="P4", relation="sibling")
    assert counted(lake, "household_or_surname") == [
        ("surname", 2, 1, 2, 1),
        ("former_partner", 1, 1, 1, 0),
        ("household", 1, 1, 1, 0),
        ("sibling", 1, 1, 1, 1),
    ]
    assert drawn_from(lake, "household_or_surname") == {
        "E1|P1|2026-10-05": 1, "E2|P2|2026-10-05": 1, "E3|P3|2026-10-05": 1, "E3|P4|2026-10-06": 1,
    }  # fmt: skip


def test_the_discharged_and_the_dead_are_left_alone_after_the_days_of_documentation(lake: Lake) -> None:
    lake.reference("stays", patient_id="P1", unit_id="U1", starts_at="2026-01-01", ends_at="2026-09-05 10:00:00")
    lake.reference("stays", patient_id="P2", unit_id="U1", starts_at="2026-01-01", ends_at="2026-09-05 10:00:00")
    lake.reference("stays", patient_id="P2", unit_id="U2", starts_at="2026-09-05 10:00:00")
    lake.reference("patient_flags", patient_id="P3", flag="deceased", valid_from="2026-09-05")
    for patient in ("P1", "P2", "P3", "P4"):
        lake.access("2026-10-05 12:00:00", patient_id=patient)
        lake.access("2026-10-06 12:00:00", patient_id=patient)
    lake.access("2026-10-07 12:00:00", employee_id="E2")
    assert found(lake, "discharged_or_dead", "employee_id = 'E2'") == [
        ("E1", "P1", "discharged", 1, 2),
        ("E1", "P3", "dead", 1, 2),
    ]
    assert [row for row in counted(lake, "discharged_or_dead") if row[3]] == [
        ("dead", 31, 90, 1, 1, 1, 0),
        ("discharged", 31, 90, 2, 2, 1, 1),
    ]
    assert set(drawn_from(lake, "discharged_or_dead")) == {"E1|P1|2026-10-06", "E1|P3|2026-10-06", "E2|P1|2026-10-07"}


def test_one_who_died_after_the_discharge_counts_as_dead_and_in_the_band_of_the_day(lake: Lake) -> None:
    lake.reference("stays", patient_id="P1", unit_id="U1", starts_at="2026-01-01", ends_at="2026-04-10 10:00:00")
    lake.reference("patient_flags", patient_id="P1", flag="deceased", valid_from="2026-09-05")
    lake.reference("stays", patient_id="P2", unit_id="U1", starts_at="2026-06-01", ends_at="2026-07-07 10:00:00")
    lake.reference("stays", patient_id="P2", unit_id="U1", starts_at="2026-10-07")
    for day in ("05", "06", "07"):
        for patient in ("P1", "P2"):
            lake.access(f"2026-10-{day} 12:00:00", patient_id=patient)
    assert found(lake, "discharged_or_dead") == [("E1", "P1", "dead", 3, 2), ("E1", "P2", "discharged", 2, 2)]
    assert [row[:4] for row in counted(lake, "discharged_or_dead")] == [
        ("dead", 31, 90, 2), ("dead", 91, 180, 0), ("dead", 181, 365, 0),
        ("dead", 366, 730, 0), ("dead", 731, 1825, 0), ("dead", 1826, None, 0),
        ("discharged", 31, 90, 1), ("discharged", 91, 180, 2), ("discharged", 181, 365, 0),
        ("discharged", 366, 730, 0), ("discharged", 731, 1825, 0), ("discharged", 1826, None, 0),
    ]  # fmt: skip
    later = {row["from_days"] for row in lake.query("checks/discharged_or_dead.counts", documentation_days=90)}
    assert later == {91, 181, 366, 731, 1826}


def test_searches_without_opening_count_patients_and_an_opening_at_the_last_minute_follows(lake: Lake) -> None:
    for employee, opened_at in (("E1", "2026-10-05 08:10:01"), ("E2", "2026-10-05 08:10:00")):
        for patient in ("P1", "P2"):
            lake.access("2026-10-05 08:00:00", employee_id=employee, patient_id=patient, log_type="Brukersøk")
        lake.access(opened_at, employee_id=employee, patient_id="P2")
    for patient in ("P1", "P2"):
        lake.access("2026-10-31 22:55:00", employee_id="E3", patient_id=patient, log_type="Brukersøk")
    lake.access("2026-10-31 23:05:00", employee_id="E3", patient_id="P2")
    assert found(lake, "searches_without_opening") == [("E1", None, "unopened_searches", 2, 1)]
    assert found(lake, "searches_without_opening", explained="patient_id = 'P1'") == []
    lake.access("2026-10-05 09:00:00", employee_id="E1", patient_id=None, log_type="Brukersøk")
    found(lake, "searches_without_opening", explained="patient_id = 'P1'")
    assert counted(lake, "searches_without_opening") == [("-", 7, 2, 4, 3, 1, 3, 2)]
    kept = ("E1|P1|2026-10-05", "E1|P2|2026-10-05", "E2|P1|2026-10-05", "E3|P1|2026-10-31")
    assert drawn_from(lake, "searches_without_opening") == dict.fromkeys(kept, 1)


def test_prints_in_bulk_are_found_by_patients_or_rows_of_one_local_day(lake: Lake) -> None:
    for minute, patient in ((0, "P1"), (1, "P2")):
        lake.access(f"2026-10-05 08:0{minute}:00", employee_id="E1", patient_id=patient, log_type="Utskrift")
    for minute in range(3):
        lake.access(f"2026-10-05 08:0{minute}:00", employee_id="E2", log_type="Utskrift")
        lake.access(f"2026-10-05 08:0{minute}:00", employee_id="E4", patient_id=f"P{minute}")
    for at in ("2026-10-05 08:00:00", "2026-10-05 08:01:00", "2026-10-05 22:00:00"):
        lake.access(at, employee_id="E3", log_type="Utskrift")
    assert found(lake, "prints_and_exports") == [("E1", None, "bulk", 2, 3), ("E2", "P1", "bulk", 3, 2)]
    assert [row["n_rows"] for row in lake.query("checks/prints_and_exports.counts")] == [8]
    assert len(lake.query("checks/prints_and_exports.frame")) == 5


def test_the_rows_behind_a_finding_are_those_of_its_employee_patient_and_kind(lake: Lake) -> None:
    lake.reference("patient_flags", patient_id="P1", flag="sensitive")
    lake.access("2026-10-05 08:00:00", log_type="Utskrift")
    lake.access("2026-10-05 08:01:00", outcome="denied")
    lake.access("2026-10-05 08:02:00", log_type="Brukersøk")
    lake.access("2026-10-05 08:03:00", patient_id="P2")
    lake.access("2026-10-05 08:04:00", employee_id="E2")
    make_period(lake)  # which the steps of some checks read

    def minutes(check: str, patient: str | None) -> list[int]:
        asked = {"employee_id": "E1", "patient_id": patient}
        events = yaml.safe_load((SQL / "checks" / f"{check}.yml").read_text(encoding="utf-8"))["events"]
        return [row["recorded_at"].minute for row in lake.query(f"checks/{events.removesuffix('.sql')}", **asked)]

    for check in ("own_record", "colleague_record", "household_or_surname", "discharged_or_dead"):
        assert minutes(check, "P1") == [0]
    assert minutes("blocked_records", "P1") == [0, 1]
    assert minutes("media_interest", "P1") == [0, 2]
    assert minutes("protected_persons", None) == [0]
    assert minutes("prints_and_exports", None) == [0]
    assert minutes("searches_without_opening", None) == [0, 2, 3]
    assert minutes("unauthorised_resources", None) == [0, 1, 3]
