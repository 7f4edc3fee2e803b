"""The checks: findings with their figures, and the events behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.sql.conftest import Lake


def test_every_search_for_a_blocked_patient_is_a_finding(lake: Lake) -> None:
    search: dict[str, Any] = {"log_type": "Brukersøk sperret"}
    lake.access("2026-10-05 08:00:00", **search)
    lake.access("2026-10-05 08:00:00", **search)
    lake.access("2026-10-05 09:00:00", log_type="Brukersøk")
    lake.access("2026-10-05 10:00:00")
    found = lake.query("checks/blocked_searches")
    assert [(row["stream"], row["n_events"], row["first_at"].hour) for row in found] == [("breach", 1, 8)] * 2
    assert len({row["finding_id"] for row in found}) == 2
    events = lake.query("checks/blocked_searches.events", employee_id="E1", patient_id="P1")
    assert [row["recorded_at"].hour for row in events] == [8, 8, 9, 10]


def test_blocked_searches_need_a_log_that_marks_them_or_block_dates(lake: Lake) -> None:
    assert lake.rows("select * from block_data") == []
    lake.reference("patients", patient_id="P1", blocked_from="2026-01-01")
    lake.insert("lake.intake_files", {"source_id": "gerica", "taken_in_at": "2026-10-01"})
    found = lake.rows("select source_id, code from block_data order by source_id")
    assert [tuple(row.values()) for row in found] == [
        ("gerica", "Brukersøk sperret"),
        ("reference:patients", "blocked_from"),
    ]
