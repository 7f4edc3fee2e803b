"""From any row to another question about its people: each a step of its own that knows where it came from."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.investigation.steps import Step, local_date
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Way:
    """A question that a row leads to.

    Attributes
    ----------
    report: the report that answers it.
    needs: columns of the row without whose value it cannot be asked.
    keeps: whose data it asks about: the row's `patient_id`, its `employee_id`, or both.
    """

    report: str
    needs: tuple[str, ...]
    keeps: tuple[str, ...]


WAYS = {
    "other_patients": Way("activity", ("employee_id",), ("employee_id",)),
    "other_readers": Way("activity", ("patient_id",), ("patient_id",)),
    "same_household": Way("household", ("patient_id",), ("patient_id", "employee_id")),
    "colleagues_then": Way("colleagues", ("employee_id", "recorded_at"), ("employee_id", "patient_id")),
    "twelve_months": Way("activity", (), ("patient_id", "employee_id")),
    "whole_month": Way("employee_month", ("employee_id",), ("employee_id",)),
    "gave_care": Way("readers_and_carers", ("patient_id",), ("patient_id",)),
    "extent": Way("extent", ("employee_id",), ("employee_id", "patient_id")),
}


def way_words(name: str, language: str) -> str:
    """Return what a way is called on the page."""
    _ = translator(language)
    return {
        "other_patients": _("The same employee's other patients"),
        "other_readers": _("This patient's other readers"),
        "same_household": _("Same household"),
        "colleagues_then": _("Colleagues at that time"),
        "twelve_months": _("Twelve months back"),
        "whole_month": _("The employee's month beside peers"),
        "gave_care": _("Readers, and who gave care"),
        "extent": _("Extent: how many are affected"),
        "narrowed": _("Narrowed period"),
    }[name]


def ways_of(names: list[str], language: str) -> list[tuple[str, str]]:
    """Return name and words of the ways that rows with these columns can lead to."""
    return [(name, way_words(name, language)) for name, way in WAYS.items() if set(way.needs) <= set(names)]


def step_of_way(
    name: str, step: Step, row: Mapping[str, Any], time_zone: str, longest: tuple[date, date]
) -> Step | None:
    """Return the step that a way leads to, None where the row lacks what it needs.

    Parameters
    ----------
    longest: first and last day that the store holds.
    """
    way = WAYS[name]
    known = {
        "patient_id": row.get("patient_id") or step.patient_id,
        "employee_id": row.get("employee_id") or step.employee_id,
    }
    if any(not (known.get(need) or row.get(need)) for need in way.needs) or not any(known[each] for each in way.keeps):
        return None
    people = {each: (str(known[each]),) if each in way.keeps and known[each] else () for each in known}
    recorded_at = row.get("recorded_at")
    day = local_date(recorded_at, time_zone) if isinstance(recorded_at, datetime) else step.to_date
    following = replace(
        step,
        report=way.report,
        patients=people["patient_id"],
        employees=people["employee_id"],
        origin=str(row["access_id"]) if row.get("access_id") else None,
        way=name,
        further=(),
    )
    if name == "twelve_months":
        return replace(following, from_date=year_before(step.to_date))
    if name == "whole_month":
        return replace(
            following, from_date=day.replace(day=1), to_date=day.replace(day=monthrange(day.year, day.month)[1])
        )
    if name == "extent":
        return replace(following, from_date=longest[0], to_date=longest[1])
    if name == "colleagues_then" and isinstance(recorded_at, datetime):
        return replace(following, from_date=day, to_date=day, further=(("at", recorded_at.replace(tzinfo=UTC)),))
    return following


def year_before(day: date) -> date:
    """Return the same day one year before; 28 February for 29 February."""
    return day.replace(year=day.year - 1, day=min(day.day, monthrange(day.year - 1, day.month)[1]))
