"""The form's question: its texts, what is a good one, and errors in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import AuditKernelError, UsageError
from audit_kernel.investigation.steps import Step
from audit_kernel.locale import translator
from audit_kernel.use_log import SHORTEST_PURPOSE

if TYPE_CHECKING:
    from collections.abc import Mapping


class QuestionError(UsageError):
    """The form's answer is not complete; `field` names the field."""

    def __init__(self, problem: str, remedy: str, field: str) -> None:
        super().__init__(problem, remedy)
        self.field = field


@dataclass(frozen=True)
class Question:
    """Why, and the first step."""

    purpose: str
    step: Step


def form_texts(language: str, from_date: date, to_date: date) -> dict[str, Any]:
    """Return the form's texts and fields; the period given is the one it begins with."""
    _ = translator(language)
    fields = [
        purpose_field(language),
        {"name": "patient_id", "type": "text", "label": _("Patient"), "hint": _("Number of the patient")},
        {"name": "employee_id", "type": "text", "label": _("Employee"), "hint": _("Number or user name")},
        {"name": "from_date", "type": "date", "label": _("From"), "value": from_date.isoformat()},
        {"name": "to_date", "type": "date", "label": _("To and including"), "value": to_date.isoformat()},
    ]
    return {
        "title": _("Investigate access"),
        "lead": _("Who opened whose record? Give a purpose, then a patient, an employee or both."),
        "link": {"text": _("To the page that takes logs in"), "href": "operate.ipynb"},
        "submit": _("Show activity"),
        "busy": _("Searching …"),
        "fields": fields,
    }


def purpose_field(language: str) -> dict[str, Any]:
    """Return the field for the purpose."""
    _ = translator(language)
    return {
        "name": "purpose",
        "type": "text",
        "label": _("Purpose or case number"),
        "hint": _("Required. It is written to the use log before anything is shown."),
        "required": True,
    }


def checked_purpose(values: Mapping[str, str]) -> str:
    """Return the purpose that a form gives.

    Raises
    ------
    QuestionError: there is none.
    """
    purpose = values.get("purpose", "").strip()
    if len(purpose) < SHORTEST_PURPOSE:
        raise QuestionError(
            "No purpose was given: nothing is shown without one.",
            "Give a case number or a reason, for example “case 2026/17”.",
            "purpose",
        )
    return purpose


def read_question(values: Mapping[str, str]) -> Question:
    """Read the form.

    Raises
    ------
    QuestionError: the purpose is missing, nobody is named, or the period is not one; names the field.
    """
    purpose = checked_purpose(values)
    patient_id, employee_id = (values.get(name, "").strip() or None for name in ("patient_id", "employee_id"))
    if patient_id is None and employee_id is None:
        raise QuestionError("Neither a patient nor an employee was given.", "Give one of them, or both.", "patient_id")
    from_date, to_date = (_day(values.get(name, ""), name) for name in ("from_date", "to_date"))
    if to_date < from_date:
        raise QuestionError("The period ends before it begins.", "Give the first day, then the last.", "to_date")
    return Question(purpose, Step("activity", patient_id, employee_id, from_date, to_date))


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise QuestionError("A day of the period is missing.", "Give it as a date.", field) from None


def sentence_of(error: Exception, language: str) -> tuple[str, str]:
    """Return what failed and the remedy, in the reader's language.

    What is not ours is named by its type only: its message could hold rows.
    """
    if isinstance(error, AuditKernelError):
        return error.parts(language)
    _ = translator(language)
    problem = _("The program failed ({name}). Nothing was shown.").format(name=type(error).__name__)
    return problem, _("Tell the person who runs the program what you asked for.")
