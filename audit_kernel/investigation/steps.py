"""The routine's escalation as data: activity (-141), detailed activity (-140), system log (-119)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

FOLLOWING = {"activity": "detailed_activity", "detailed_activity": "system_log"}


@dataclass(frozen=True)
class Step:
    """One question put to the store: a report, whose data, and which whole local days (both included)."""

    report: str
    patient_id: str | None
    employee_id: str | None
    from_date: date
    to_date: date
    origin: str | None = None

    def parameters(self) -> dict[str, object]:
        """Return the report's parameters; those not given are left out."""
        given: dict[str, object] = {"from_date": self.from_date, "to_date": self.to_date}
        if self.patient_id:
            given["patient_id"] = self.patient_id
        if self.employee_id:
            given["employee_id"] = self.employee_id
        return given


def local_date(recorded_at: datetime, time_zone: str) -> date:
    """Return the local day of a naive UTC time."""
    return recorded_at.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()


def next_step(step: Step, row: Mapping[str, Any], time_zone: str) -> Step | None:
    """Return the step to which a row leads, or None where the escalation ends.

    The next report is asked about the row's own employee and patient only: no more data than the suspicion needs.
    A row of detailed activity leads to the system log of its day.
    """
    report = FOLLOWING.get(step.report)
    if report is None:
        return None
    following = replace(
        step,
        report=report,
        patient_id=row.get("patient_id") or step.patient_id,
        employee_id=row.get("employee_id") or step.employee_id,
        origin=str(row["access_id"]) if row.get("access_id") else None,
    )
    recorded_at = row.get("recorded_at")
    if report == "system_log" and isinstance(recorded_at, datetime):
        day = local_date(recorded_at, time_zone)
        return replace(following, from_date=day, to_date=day)
    return following
