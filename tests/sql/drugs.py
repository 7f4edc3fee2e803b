"""Stores medication events in a test's lake, and runs the checks of controlled drugs over October 2026."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.sql.conftest import OSLO

if TYPE_CHECKING:
    from tests.sql.conftest import Lake

THRESHOLDS: dict[str, Any] = {
    "dose_signing_minutes": 120, "dose_search_hours": 24, "clock_tolerance_minutes": 5, "drug_after_stay_hours": 24,
    "licensed_drug_roles": "Sykepleier|Lege", "shift_tolerance_minutes": 30, "stock_fit_percent": 50,
}  # fmt: skip


def drug(lake: Lake, at: str, kind: str, quantity: float | str | None = 1, **row: Any) -> None:
    """Store one event at a UTC time of October 2026, written `05 08:00`: day and clock."""
    lake.n_accesses += 1
    moment = f"2026-10-{at}:00" if len(at) == 8 else at
    local = datetime.fromisoformat(f"{moment}+00:00").astimezone(OSLO)
    full = {
        "source_id": "drugs", "event_id": f"{lake.n_accesses:06d}", "file_id": "file", "line_number": lake.n_accesses,
        "recorded_at": moment, "local_date": local.date(), "local_hour": local.hour,
        "local_weekday": local.isoweekday(), "is_holiday": False, "time_flag": "ok", "kind": kind, "employee_id": "E1",
        "patient_id": None if kind == "count" else "P1", "unit_id": "U1", "drug_code": "N02AA01", "drug_name": "Morfin",
        "strength": "10 mg", "quantity": None if quantity is None else Decimal(str(quantity)),
        "quantity_unit": "tablett", "prescription_ref": "O1", **row,
    }  # fmt: skip
    lake.insert("lake.medication_events", full)


def surround(lake: Lake) -> None:
    """Store a fitting pair long before and long after, so that nothing lies at the edge of the known log."""
    for at in ("2026-09-20 08:00:00", "2026-09-30 06:00:00", "2026-11-02 06:00:00"):
        drug(lake, at, "withdrawal", patient_id="P0")
        drug(lake, at, "administration", patient_id="P0")


def corrections(lake: Lake, **given: Any) -> list[tuple[Any, ...]]:
    """Return the entries to correct: code, employee, patient, rows."""
    rows = lake.query("checks/drug_corrections", **{**THRESHOLDS, **given})
    return [(row["reason_code"], row["employee_id"], row["patient_id"], row["n_events"]) for row in rows]


def codes(lake: Lake, **given: Any) -> list[str]:
    """Return the codes of the entries to correct."""
    return [str(row[0]) for row in corrections(lake, **given)]
