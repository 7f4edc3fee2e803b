"""The checks: findings with their figures, and the events behind them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sql.period import make_period

if TYPE_CHECKING:
    from tests.sql.conftest import Lake


def test_searches_for_a_blocked_patient_without_a_reason_are_a_breach_from_the_threshold(lake: Lake) -> None:
    search: dict[str, Any] = {"log_type": "Brukersøk sperret"}
    for number in range(3):
        lake.access(f"2026-10-0{5 + number // 2} 08:0{number}:00", **search)
    for number in range(2):
        lake.access(f"2026-10-05 08:0{number}:00", employee_id="E2", **search)
    lake.access("2026-10-05 09:00:00", employee_id="E3", event_id="explained", **search)
    lake.access("2026-10-05 09:00:00", employee_id="E4", log_type="Brukersøk")
    lake.access("2026-10-05 10:00:00")
    make_period(lake, explained="event_id = 'explained'")
    found = lake.query("checks/blocked_searches", minimum_blocked_searches=3, flagged_share=Decimal("0.5"))
    assert [(row["employee_id"], row["stream"], row["severity"], row["n_events"]) for row in found] == [
        ("E1", "breach", 2, 3),
        ("E2", "targeted", 1, 2),
    ]
    assert found[0]["reason_values"] == {"n_searches": 3, "n_days": 2}
    counts = lake.query("checks/blocked_searches.counts")
    assert [(row["n_searches"], row["n_employees"], row["n_with_reason"]) for row in counts] == [(6, 3, 1)]
    frame = lake.query("checks/blocked_searches.frame")
    assert [row["unit_key"] for row in frame] == [
        "E1|P1|2026-10-05", "E1|P1|2026-10-06", "E2|P1|2026-10-05", "E3|P1|2026-10-05"
    ]  # fmt: skip
    events = lake.query("checks/blocked_searches.events", employee_id="E1", patient_id="P1")
    assert len(events) == 4


def test_a_blocked_patient_among_many_without_a_reason_is_a_task(lake: Lake) -> None:
    for employee, n_patients in (("E1", 2), ("E2", 3)):
        for number in range(3):
            lake.access(f"2026-10-0{5 + number} 08:00:00", employee_id=employee, log_type="Brukersøk sperret")
        for number in range(n_patients):
            lake.access("2026-10-05 09:00:00", employee_id=employee, patient_id=f"P{number + 2}")
    make_period(lake)
    found = lake.query("checks/blocked_searches", minimum_blocked_searches=3, flagged_share=Decimal("0.5"))
    assert {row["employee_id"]: row["stream"] for row in found} == {"E1": "breach", "E2": "targeted"}


def test_blocked_searches_need_a_log_that_marks_them_or_block_dates(lake: Lake) -> None:
    assert lake.rows("select * from block_data") == []
    lake.reference("patients", patient_id="P1", blocked_from="2026-01-01")
    lake.insert("lake.intake_files", {"source_id": "gerica", "taken_in_at": "2026-10-01"})
    found = lake.rows("select source_id, code from block_data order by source_id")
    assert [tuple(row.values()) for row in found] == [
        ("gerica", "Brukersøk sperret"),
        ("reference:patients", "blocked_from"),
    ]
