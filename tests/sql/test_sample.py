"""The sample's frame, draw and context, and that threads do not change a byte."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from audit_kernel import sampling
from tests.sql.conftest import SQL, Lake
from tests.sql.period import make_period, rank
from tests.sql.test_catalogue import QUERIES, name_of


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


def drawn(lake: Lake, **given: Any) -> list[dict[str, Any]]:
    return lake.query("sample/draw", **{"seed": "2026-10", "sample_size": 10, "minimum_per_stratum": 1, **given})


def test_the_frame_holds_access_days_of_the_period_with_their_unit(lake: Lake) -> None:
    month(lake)
    lake.access("2026-09-30 08:00:00")
    lake.access("2026-10-05 09:00:00", patient_id=None)
    lake.access("2026-10-05 10:00:00", patient_id="P2", log_type="Brukersøk")
    found = lake.query("sample/frame")
    assert len(found) == 37
    assert [row["stratum"] for row in found].count("U2") == 6
    assert (found[0]["stratum"], found[0]["unit_key"]) == ("-", "-|P1|2026-10-05")


def test_the_draw_is_in_the_order_of_sha256_and_in_proportion(lake: Lake) -> None:
    month(lake)
    frame = lake.query("sample/frame")
    sizes = sampling.allocate({"U1": 30, "U2": 6, "-": 1}, size=10, minimum=1)
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


def test_the_context_holds_all_rows_of_the_picked_days_only(lake: Lake) -> None:
    lake.access("2026-10-05 08:00:00")
    lake.access("2026-10-05 09:00:00", outcome="denied")
    lake.access("2026-10-05 10:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 11:00:00", patient_id="P2")
    lake.access("2026-10-06 08:00:00")
    found = lake.query("sample/context", unit_keys=["E1|P1|2026-10-05"])
    assert [row["recorded_at"].hour for row in found] == [8, 9, 10]


def result_bytes(table: pa.Table) -> bytes:
    """The table as a bag keeps it; Arrow's own buffers hold whatever lay behind a NULL."""
    sink = io.BytesIO()
    parquet.write_table(table.combine_chunks(), sink)
    return sink.getvalue()


# every check finds something: its limits at their loosest
LOOSE: dict[str, Any] = {
    "minimum_denied_attempts": 1, "minimum_protected_patients": 1, "minimum_sensitive_patients": 1,
    "minimum_sensitive_openings": 1, "most_bearers_of_surname": 100, "documentation_days": 1,
    "minimum_unopened_patients": 1, "minimum_printed_patients": 1, "minimum_printed_rows": 1,
    "abnormal_times_minimum": 1, "abnormal_times_tolerance_minutes": 0, "rare_hour_share": Decimal("0.9"),
    "foreign_unit_minimum_patients": 1, "browsing_patients_minimum": 1, "minimum_unexplained_days": 1,
    "findings_per_manager": 1,
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
    make_period(lake)
    rank(lake, [{"finding_id": "a", "check_id": "units", "stream": "anomaly", "employee_id": "E1", "n_events": 1}])


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
def test_one_and_two_threads_give_the_same_bytes(path: Any) -> None:
    answers = []
    for threads in (1, 2):
        lake = Lake(threads)
        month(lake)
        for tie in ("b", "a", "d", "c"):
            lake.access("2026-10-07 08:00:00", event_id=tie, log_type="Brukersøk sperret")
            lake.access("2026-10-07 08:00:00", event_id=f"{tie}{tie}", table_name="Journal", record_ref="J1")
        grounds_for_findings(lake)
        text = (SQL / f"{name_of(path)}.sql").read_text(encoding="utf-8")
        lake.read_first(name_of(path))
        given = {"seed": "a", "sample_size": 9, "minimum_per_stratum": 1, "unit_keys": ["E1|P1|2026-10-07"], **LOOSE}
        table = lake.connection.execute(text, lake.bound(text, employee_id="E1", **given)).to_arrow_table()
        assert table.num_rows > 0
        answers.append(result_bytes(table))
        lake.connection.close()
    assert answers[0] == answers[1]
