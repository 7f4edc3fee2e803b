"""The texts and fields of the investigator's forms, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.investigation.questions import purpose_field
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


def form_texts(language: str, from_date: date, to_date: date, given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the form's texts and fields.

    Parameters
    ----------
    from_date, to_date: what the two dates begin with.
    given: what stands in fields already, by their names.
    """
    _ = translator(language)
    periods = [
        ("last_3_months", _("Last 3 months")),
        ("last_30_days", _("Last 30 days")),
        ("since", _("Since a date")),
        ("between", _("Between two dates")),
    ]
    fields = [
        purpose_field(language),
        {
            "name": "patient_id",
            "type": "text",
            "label": _("Patient"),
            "hint": _("Number or name; several with ; between them"),
        },
        {
            "name": "employee_id",
            "type": "text",
            "label": _("Employee"),
            "hint": _("Number, user name or name; several with ; between them"),
        },
        {"name": "period", "type": "select", "label": _("Period"), "options": periods},
        {
            "name": "from_date",
            "type": "date",
            "label": _("From"),
            "value": from_date.isoformat(),
            "when": ["period", ["since", "between"]],
        },
        {
            "name": "to_date",
            "type": "date",
            "label": _("To and including"),
            "value": to_date.isoformat(),
            "when": ["period", ["between"]],
        },
        {
            "name": "finding",
            "type": "text",
            "label": _("Finding number"),
            "hint": _("From a month's page; instead of persons and period"),
        },
    ]
    given = given or {}
    return {
        "title": _("Investigate access"),
        "lead": _("Who opened whose record? Give a purpose, then a patient, an employee or both."),
        "link": {"text": _("To the page that takes logs in"), "href": "operate.ipynb"},
        "links": [{"text": _("Own questions in code"), "href": "explore.ipynb"}],
        "submit": _("Show activity"),
        "busy": _("Searching …"),
        "actions": standing_questions(language),
        "actions_title": _("Standing questions of the routine"),
        "fields": [{**each, **({"value": given[each["name"]]} if each["name"] in given else {})} for each in fields],
    }


def standing_questions(language: str) -> list[tuple[str, str]]:
    """Return the standing questions: the report's name and what its button says."""
    _ = translator(language)
    return [
        ("blocked_searches", _("Searches for blocked patients")),
        ("patient_searches", _("Searches, opened or not")),
        ("search_misuse", _("Searches without care")),
        ("employee_month", _("The employee's month beside peers")),
        ("readers_and_carers", _("Readers, and who gave care")),
        ("break_glass", _("Break-the-glass, and what followed")),
        ("extent", _("Extent: how many are affected")),
    ]


def narrow_texts(language: str, from_date: date, to_date: date) -> dict[str, Any]:
    """Return the texts of the two dates that narrow the period, as the timeline's brush does."""
    _ = translator(language)
    return {
        "level": "h3",
        "is_compact": True,
        "title": _("Narrow the period"),
        "lead": _("Drag over the days of the timeline, or give two dates."),
        "submit": _("Narrow to these days"),
        "busy": _("Searching …"),
        "fields": [
            {"name": "narrow_from", "type": "date", "label": _("From"), "value": from_date.isoformat()},
            {"name": "narrow_to", "type": "date", "label": _("To and including"), "value": to_date.isoformat()},
        ],
    }
