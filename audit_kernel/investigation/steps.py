"""The routine's escalation as data: activity (-141), detailed activity (-140), system log (-119)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from audit_kernel.errors import UsageError

DETAILS = "detailed_activity"
# Where a row leads. Reports of pairs lead to what exactly was done, and that to the log as it was written.
FOLLOWING = {
    "activity": DETAILS,
    DETAILS: "system_log",
    "patient_searches": "system_log",
    "blocked_searches": "system_log",
    "break_glass": DETAILS,
    "search_misuse": DETAILS,
    "readers_and_carers": DETAILS,
    "colleagues": "activity",
    "household": "activity",
    "extent": DETAILS,
}
# These stay with whom a row is about alone: the asked person is another one.
ABOUT_OTHERS = {"colleagues": "employee", "household": "patient", "extent": "patient"}


@dataclass(frozen=True)
class Step:
    """One question put to the store: a report, whose data, and which whole local days (both included).

    Attributes
    ----------
    patients, employees: ids or identifiers; several of both mean each pair of them.
    origin: the access_id of the row it came from.
    way: how it came from that row, one of `ways.WAYS`; empty for the routine's own next report.
    further: other parameters of the report.
    """

    report: str
    patients: tuple[str, ...]
    employees: tuple[str, ...]
    from_date: date
    to_date: date
    origin: str | None = None
    way: str = ""
    further: tuple[tuple[str, object], ...] = ()

    @property
    def patient_id(self) -> str | None:
        """The patient, where one is asked about."""
        return self.patients[0] if len(self.patients) == 1 else None

    @property
    def employee_id(self) -> str | None:
        """The employee, where one is asked about."""
        return self.employees[0] if len(self.employees) == 1 else None

    def questions(self) -> list[dict[str, object]]:
        """Return the report's parameters for each pair of persons; those not given are left out."""
        given: dict[str, object] = {"from_date": self.from_date, "to_date": self.to_date, **dict(self.further)}
        return [
            {**given, **({"patient_id": patient} if patient else {}), **({"employee_id": employee} if employee else {})}
            for patient in self.patients or ("",)
            for employee in self.employees or ("",)
        ]

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the one question that it is.

        Raises
        ------
        UsageError: it asks about several persons at once, so about more than one report.
        """
        questions = self.questions()
        if len(questions) > 1:
            raise UsageError(
                "This step asks about several persons at once.", "Choose one of its rows, and go on from there."
            )
        return questions[0]


def local_date(recorded_at: datetime, time_zone: str) -> date:
    """Return the local day of a naive UTC time."""
    return recorded_at.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()


def next_step(step: Step, row: Mapping[str, Any], time_zone: str) -> Step | None:
    """Return the step to which a row leads, or None where the escalation ends.

    The next report is asked about the row's own employee and patient only: no more data than the suspicion needs.
    A row of one moment leads to the system log of its day.
    """
    report = FOLLOWING.get(step.report)
    if report is None:
        return None
    following = replace(
        step,
        report=report,
        patients=_person(row.get("patient_id")) or step.patients,
        employees=_person(row.get("employee_id")) or step.employees,
        origin=str(row["access_id"]) if row.get("access_id") else None,
        way="",
        further=(),
    )
    recorded_at = row.get("recorded_at")
    if report == "system_log" and isinstance(recorded_at, datetime):
        day = local_date(recorded_at, time_zone)
        return replace(following, from_date=day, to_date=day)
    return following


def _person(value: object) -> tuple[str, ...]:
    return (str(value),) if value else ()
