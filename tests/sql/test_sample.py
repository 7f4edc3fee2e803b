"""The sample's frame, draw and context, and that threads do not change a byte."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from audit_kernel import sampling
from audit_kernel.sample_design import Decisions, design
from audit_kernel.store.views import work_out
from audit_kernel.subjects import rows_of_days
from tests.sql.conftest import SQL, Lake
from tests.sql.drugs import THRESHOLDS as DRUGS
from tests.sql.drugs import drug
from tests.sql.period import keep_use, make_period, rank
from tests.sql.test_catalogue import QUERIES, name_of
from tests.sql.test_sensitivity import made

if TYPE_CHECKING:
    from collections.abc import Iterator


def month(lake: Lake) -> None:
    """Thirty access days of U1, six of U2, one without a unit."""
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    lake.reference("unit_assignments", employee_id="E2", unit_id="U2")
    for day in range(1, 31):
        lake.access(f"2026-10-{day:02} 08:00:00", employee_id="E1")
        if day <= 6:
            lake.access(f"2026-10-{day:02} 08:00:00", employee_id="E2")
    lake.access("2026-10-05 08:00:00", employee_id=None)
    lake.access("2026-09-29 08:00:00", event_id="90")
    lake.access("2026-10-05 08:00:00", event_id="95", log_type="Ny kode")
    of_file = {"file_id": "f", "source_id": "gerica"}
    times = {"first_at": "2026-10-05 08:00:00", "last_at": "2026-10-05 09:00:00", "taken_in_at": "2026-10-06 09:00:00"}
    lake.insert("lake.intake_files", {**of_file, **times, "n_read": 50, "n_quarantined": 1, "n_conflicts": 0})
    lake.insert("lake.quarantine", {**of_file, "record_number": 1, "line_number": 2, "code": "not_a_time"})


PLAN: dict[str, Any] = {
    "sample_plan": "days", "sample_strata": "unit_id", "minimum_per_manager": 0, "minimum_per_stratum": 1,
    "first_stage_size": 0, "sample_size": 10, "seed": "2026-10",
}  # fmt: skip


def drawn(lake: Lake, **given: Any) -> list[dict[str, Any]]:
    make_period(lake)
    return lake.query("sample/draw", **{**PLAN, **given})


def framed(lake: Lake, **given: Any) -> list[dict[str, Any]]:
    make_period(lake)
    return lake.query("sample/frame", **{**PLAN, **given})


def test_the_frame_holds_access_days_of_the_period_with_their_unit(lake: Lake) -> None:
    month(lake)
    lake.access("2026-09-30 08:00:00")
    lake.access("2026-10-05 09:00:00", patient_id=None)
    lake.access("2026-10-05 10:00:00", patient_id="P2", log_type="Brukersøk")
    found = framed(lake)
    assert len(found) == 37
    assert [row["stratum"] for row in found].count("U2") == 6
    assert (found[0]["stratum"], found[0]["unit_key"]) == ("-", "-|P1|2026-10-05")


def test_the_frame_says_of_each_day_what_the_view_of_access_days_says(lake: Lake) -> None:
    month(lake)
    lake.access("2026-10-05 09:00:00", employee_id="E1", role="leader", unit_id="U9", is_blocked=True)
    lake.access("2026-10-05 10:00:00", employee_id="E1", outcome="denied")
    lake.access("2026-10-31 23:00:00", employee_id="E1")  # November in Oslo
    columns = "employee_id, patient_id, local_date, unit_id, role, unit_type, first_at, last_at, n_accesses, is_blocked"
    found = [{name: row[name] for name in columns.split(", ")} for row in framed(lake)]
    known = lake.rows(f"select {columns} from access_days where local_date between '2026-10-01' and '2026-10-31'")
    assert len(found) == len(known) == 37
    assert all(row in known for row in found)


def test_the_days_of_a_log_in_another_time_zone_are_whole_and_none_is_in_two_frames(lake: Lake) -> None:
    lake.access("2026-09-30 22:30:00", local_date=date(2026, 9, 30))  # October in Oslo, September in the log
    lake.access("2026-10-31 22:30:00", local_date=date(2026, 10, 31))
    lake.access("2026-10-31 23:30:00", local_date=date(2026, 10, 31))  # November in Oslo, October in the log
    lake.access("2026-11-01 23:30:00", local_date=date(2026, 11, 1))
    assert [(row["unit_key"], row["n_accesses"]) for row in framed(lake)] == [("E1|P1|2026-10-31", 2)]


def test_the_draw_is_in_the_order_of_sha256_and_in_proportion(lake: Lake) -> None:
    month(lake)
    frame = framed(lake)
    sizes = sampling.allocate({"U1": 30, "U2": 6, "-": 1}, size=10, minima=dict.fromkeys(("U1", "U2", "-"), 1))
    for stratum, size in sizes.items():
        keys = [row["unit_key"] for row in frame if row["stratum"] == stratum]
        expected = sorted(keys, key=lambda key: sampling.draw_hash("2026-10", key))[:size]
        found = [row for row in drawn(lake) if row["stratum"] == stratum]
        assert [row["unit_key"] for row in found] == expected
        assert {row["draw_hash"] for row in found} == {sampling.draw_hash("2026-10", key) for key in expected}


def test_a_larger_sample_contains_the_smaller(lake: Lake) -> None:
    month(lake)
    small = {row["unit_key"] for row in drawn(lake, sample_size=5)}
    large = {row["unit_key"] for row in drawn(lake, sample_size=20, minimum_per_stratum=3)}
    assert small < large


def test_another_seed_draws_other_days(lake: Lake) -> None:
    month(lake)
    assert [row["unit_key"] for row in drawn(lake)] != [row["unit_key"] for row in drawn(lake, seed="2026-11")]


def test_the_minima_of_strata_and_managers_are_kept_as_planned(lake: Lake) -> None:
    month(lake)
    for unit, manager in (("U1", "M1"), ("U2", "M2")):
        lake.reference("units", unit_id=unit, manager_id=manager)
    lake.reference("employees", employee_id="E3", manager_id="M2")
    lake.reference("unit_assignments", employee_id="E3", unit_id="U3")
    for day in range(1, 15):
        lake.access(f"2026-10-{day:02} 08:00:00", employee_id="E3")
    found = drawn(lake, minimum_per_manager=5, sample_size=2)
    by_stratum = {row["stratum"]: row["n_stratum"] for row in found}
    assert by_stratum == {"U1|M1": 30, "U2|M2": 6, "U3|M2": 14, "-|-": 1}
    drawn_of = {name: sum(row["stratum"] == name for row in found) for name in by_stratum}
    assert drawn_of == {"U1|M1": 5, "U2|M2": 2, "U3|M2": 4, "-|-": 1}
    decided = Decisions("days", "unit_id", "0.95", "0.9", "0.05", 1, 5)
    planned = design(table_of(framed(lake, minimum_per_manager=5)), decided)
    assert planned.drawn == sum(drawn_of.values())
    assert (planned.sample_size, planned.population) == (2, 51)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows)


def test_the_days_of_a_manager_are_in_the_stratum_of_the_unit_and_reviewed_by_another(lake: Lake) -> None:
    lake.reference("units", unit_id="U1", manager_id="E1")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    (found,) = framed(lake, minimum_per_manager=1)
    assert (found["stratum"], found["manager_id"], found["reviewer_id"]) == ("U1|E1", "E1", "-")


@pytest.mark.parametrize(
    ("strata", "expected"),
    [("unit_id, role", "U1|nurse"), ("unit_type", "home"), ("role", "nurse"), ("", "-")],
)
def test_the_strata_are_the_columns_that_a_site_names(lake: Lake, strata: str, expected: str) -> None:
    lake.reference("units", unit_id="U1", unit_type="home")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1", role="nurse")
    lake.access("2026-10-05 08:00:00", employee_id="E1")
    (found,) = framed(lake, sample_strata=strata)
    assert found["stratum"] == expected


def test_one_random_day_of_each_unit_is_drawn_whole(lake: Lake) -> None:
    month(lake)
    lake.access("2026-10-31 08:00:00", employee_id="E1", patient_id="P2")
    found = drawn(lake, sample_plan="unit_days", sample_size=0)
    expected = min((f"U1|2026-10-{day:02}" for day in range(1, 32)), key=lambda key: sampling.draw_hash("2026-10", key))
    of_unit = [row for row in found if row["stratum"] == "U1"]
    assert {row["cluster_key"] for row in of_unit} == {expected}
    assert len(of_unit) == 1
    assert {row["stratum"] for row in found} == {"-", "U1", "U2"}


def test_a_share_of_the_employees_is_drawn_with_all_their_days(lake: Lake) -> None:
    month(lake)
    found = drawn(lake, sample_plan="employees", sample_size=1)
    first = min(("E1", "E2", "-"), key=lambda key: sampling.draw_hash("2026-10", key))
    assert {row["cluster_key"] for row in found} == {first}
    assert len(found) == {"E1": 30, "E2": 6, "-": 1}[first]


def test_a_share_of_the_accesses_is_drawn_one_by_one(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", event_id="7")
    lake.access("2026-10-05 09:00:00", event_id="8")
    lake.access("2026-10-05 09:00:00", event_id="9", outcome="denied")
    assert [row["unit_key"] for row in framed(lake, sample_plan="accesses")] == [
        "E1|P1|2026-10-05|gerica|7|0",
        "E1|P1|2026-10-05|gerica|8|0",
    ]
    assert len(drawn(lake, sample_plan="accesses", sample_size=1)) == 1


def test_the_second_stage_is_marked(lake: Lake) -> None:
    month(lake)
    found = drawn(lake, sample_plan="two_stages", sample_size=8, first_stage_size=5, minimum_per_stratum=0)
    assert [row["stage"] for row in found] == [1] * 5 + [2] * 3
    assert {row["stratum"] for row in found} == {"-"}


def test_a_day_is_shown_with_its_reasons_its_shift_and_the_other_accesses(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 09:00:00")
    lake.access("2026-10-05 10:00:00", outcome="denied")
    lake.access("2026-10-07 10:00:00")
    lake.access("2026-10-09 10:00:00")
    lake.access("2026-10-09 10:00:00", patient_id="P2")
    for starts, ends, status in (
        ("2026-10-05 06:00:00", "2026-10-05 14:00:00", "worked"),
        ("2026-10-05 14:00:00", "2026-10-05 22:00:00", "absent"),
        ("2026-10-07 06:00:00", "2026-10-07 14:00:00", None),
    ):
        lake.reference("shifts", employee_id="E1", unit_id="U1", kind="shift", status=status, starts_at=starts,
                       ends_at=ends)  # fmt: skip
    make_period(lake, explained="recorded_at = timestamp '2026-10-05 08:00:00'")
    (found,) = lake.query("sample/sampled_days", unit_keys=["E1|P1|2026-10-05"])
    assert (found["n_accesses"], found["n_explained"], found["reasons"]) == (2, 1, "on_shift")
    assert (found["n_shifts"], found["shift_from"].hour, found["shift_to"].hour) == (1, 6, 14)
    assert (found["shift_unit_id"], found["is_within_shift"]) == ("U1", True)
    assert (found["n_other_accesses"], found["n_other_days"]) == (2, 2)
    assert (found["first_other_at"].day, found["last_other_at"].day) == (7, 9)


def test_a_day_without_shift_reason_or_other_access_is_shown_as_such(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00", employee_id=None)
    make_period(lake)
    (found,) = lake.query("sample/sampled_days", unit_keys=["-|P1|2026-10-05"])
    assert (found["n_explained"], found["reasons"], found["n_shifts"], found["n_other_accesses"]) == (0, None, 0, 0)
    assert found["is_within_shift"] is None


def test_risk_targeted_days_are_those_without_a_reason(lake: Lake) -> None:
    for day in range(5, 10):
        lake.access(f"2026-10-{day:02} 08:00:00", is_break_glass=day == 9)
    make_period(lake, explained="local_date = date '2026-10-05'")
    found = lake.query("sample/targeted", seed="a", targeted_days=3)
    keys = [f"E1|P1|2026-10-0{day}" for day in range(6, 10)]
    assert [row["unit_key"] for row in found] == sorted(keys, key=lambda key: sampling.draw_hash("a", key))[:3]
    assert {row["n_days"] for row in found} == {4}


def test_the_context_holds_all_rows_of_the_picked_days_only(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 09:00:00", outcome="denied")
    lake.access("2026-10-05 10:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 11:00:00", patient_id="P2")
    lake.access("2026-10-06 08:00:00")
    assert [row["recorded_at"].hour for row in context(lake, "E1|P1|2026-10-05")] == [8, 9, 10]


def test_the_context_finds_a_patient_under_each_name_of_the_logs(lake: Lake) -> None:
    lake.reference("identifiers", kind="patient", identifier="N|7", id="P|7", system="gerica")
    lake.reference("record_keys", source_id="gerica", table_name="Journal", record_ref="J1", patient_id="P|7")
    lake.access("2026-10-05 08:00:00", patient_id="N|7")
    lake.access("2026-10-05 09:00:00", patient_id="P|7")
    lake.access("2026-10-05 10:00:00", table_name="Journal", record_ref="J1")
    lake.access("2026-10-05 11:00:00", table_name="Journal", record_ref="J2")
    assert [row["recorded_at"].hour for row in context(lake, "E1|P|7|2026-10-05")] == [8, 9, 10]


def context(lake: Lake, *keys: str) -> list[dict[str, Any]]:
    with rows_of_days(lake.connection, keys):
        found = lake.query("sample/context", unit_keys=[*keys])
    assert found == lake.query("sample/context", unit_keys=[*keys])  # all rows are there again, and say the same
    return found


def result_bytes(table: pa.Table) -> bytes:
    """The table as a bag keeps it; Arrow's own buffers hold whatever lay behind a NULL."""
    sink = io.BytesIO()
    parquet.write_table(table.combine_chunks(), sink)
    return sink.getvalue()


# whom a report is about, where it is not E1 alone
WHOM: dict[str, dict[str, Any]] = {
    "reports/people": {"kind": "employee", "typed": "Kari", "most_matches": 5},
    "reports/household": {"patient_id": "P1"},
    "reports/break_glass": {"follow_hours": 24},
    "reports/colleagues": {"at": datetime(2026, 10, 12, 8), "around_hours": 1},
}
# every check finds something: its limits at their loosest
LOOSE: dict[str, Any] = {
    "minimum_denied_attempts": 1, "minimum_protected_patients": 1, "minimum_sensitive_patients": 1,
    "minimum_sensitive_openings": 1, "most_bearers_of_surname": 100, "documentation_days": 1,
    "minimum_unopened_patients": 1, "minimum_printed_patients": 1, "minimum_printed_rows": 1,
    "abnormal_times_minimum": 1, "abnormal_times_tolerance_minutes": 0, "rare_hour_share": Decimal("0.9"),
    "foreign_unit_minimum_patients": 1, "browsing_patients_minimum": 1, "minimum_unexplained_days": 1,
    "findings_per_manager": 1, "failed_logins_in_burst": 2, "failed_login_minutes": 10, "lockouts_of_account": 1,
    "sprayed_accounts": 2, "spraying_minutes": 60, "employment_grace_days": 0, "impossible_travel_hours": 2,
    "two_places_minutes": 10, "roster_known_days": 4, "at_work_hours": 2, "minimum_blocked_searches": 1,
    "alert_days": 1, "off_duty_days": 1, "people_of_missing_permission": 1, "flagged_share": Decimal(0),
    "shift_tolerance_minutes": 0, "hand_over_minutes": 0, **DRUGS,
}  # fmt: skip


def grounds_for_findings(lake: Lake) -> None:
    """Give each check something to find in October."""
    for patient, employee, relation in (("P1", "E1", "self"), ("P1", "E2", "self"), ("P2", "E1", "friend")):
        lake.reference("relations", employee_id=employee, patient_id=patient, relation=relation)
    lake.reference("patient_flags", patient_id="P1", flag="confidential_address")
    lake.reference("patient_flags", patient_id="P1", flag="deceased", valid_from="2026-01-01")
    lake.reference("blocks", patient_id="P1", scope="record", direction="against_named", named_kind="employee",
                   named_id="E1")  # fmt: skip
    lake.reference("media_interest", patient_id="P1")
    lake.reference("unit_assignments", employee_id="E1", unit_id="U1")
    for patient in ("P1", "P2"):
        lake.reference("patients", patient_id=patient, unit_id="U9")
        lake.access("2026-10-09 08:00:00", employee_id="E1", patient_id=patient)
        lake.access("2026-10-09 09:00:00", employee_id="E1", patient_id=patient, log_type="Utskrift")
        lake.access("2026-10-09 09:00:00", employee_id="E1", patient_id=patient, outcome="denied")
        lake.access("2026-10-09 23:00:00", employee_id="E1", patient_id=f"{patient}0", log_type="Brukersøk")
    lake.reference("shifts", employee_id="E1", unit_id="U1", kind="shift", starts_at="2026-10-20 06:00:00",
                   ends_at="2026-10-20 14:00:00")  # fmt: skip
    lake.reference("employments", employee_id="E9", employment_ref="1", valid_to="2026-01-01")
    for minute, kind in ((0, "failure"), (1, "failure"), (2, "login")):
        for employee in ("E9", "E8"):
            at = f"2026-10-09 08:0{minute}:00"
            lake.sign_in(at, kind, employee_id=employee, account=employee, network_address="192.0.2.1", country="TH")
    for minute, session in ((0, "a"), (1, "b"), (2, "a"), (3, "b")):
        at = f"2026-10-10 08:0{minute}:00"
        lake.access(at, employee_id="E7", session_id=session, network_address=f"10.0.0.{ord(session)}")
    for employee, n_doses in (("E1", 1), ("E2", 1), ("E3", 9)):
        for dose in range(n_doses):
            drug(lake, f"09 {8 + dose:02}:00", "withdrawal", employee_id=employee)
    lake.access("2026-10-11 08:00:00", employee_id="E1", patient_id="P1", is_break_glass=True)
    lake.reference("employees", employee_id="E1", name="Kari Lie")
    lake.reference("unit_assignments", employee_id="E2", unit_id="U1")
    for employee in ("E3", "E2"):  # beside E1, in the same hour
        lake.access("2026-10-12 08:10:00", employee_id=employee, patient_id="P1", unit_id="U1")
    keep_use(
        lake,
        [{"about": {"employee_id": "E2"}, "n_rows": 1}, {"use_kind": "act", "use_activity": "export", "n_rows": 2}],
        {"kari": "E1"},
    )
    make_period(lake)
    made(lake)
    rank(lake, [{"finding_id": "a", "check_id": "units", "stream": "anomaly", "employee_id": "E1", "n_events": 1}])


@pytest.fixture(scope="module")
def months() -> Iterator[tuple[Lake, Lake]]:
    """The same month twice, read with one thread and with two."""
    lakes = Lake(1), Lake(2)
    for lake in lakes:
        month(lake)
        for tie in ("b", "a", "d", "c"):
            lake.access("2026-10-07 08:00:00", event_id=tie, log_type="Brukersøk sperret")
            lake.access("2026-10-07 08:00:00", event_id=f"{tie}{tie}", table_name="Journal", record_ref="J1")
        grounds_for_findings(lake)
        work_out(lake.connection)  # as the product does before the first question
    yield lakes
    for lake in lakes:
        lake.connection.close()


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_one_and_two_threads_give_the_same_bytes(months: tuple[Lake, Lake], path: Any) -> None:
    answers = []
    for lake in months:
        text = (SQL / f"{name_of(path)}.sql").read_text(encoding="utf-8")
        given = {**PLAN, "sample_size": 9, "unit_keys": ["E1|P1|2026-10-07"], "targeted_days": 3, **LOOSE}
        given |= WHOM.get(name_of(path), {})
        lake.read_first(name_of(path), **given)
        table = lake.connection.execute(text, lake.bound(text, employee_id="E1", **given)).to_arrow_table()
        assert table.num_rows > 0
        answers.append(result_bytes(table))
    assert answers[0] == answers[1]
