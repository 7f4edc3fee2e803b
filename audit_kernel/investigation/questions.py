"""The form's question: what is a good one, and errors in the reader's language."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import AuditKernelError, UsageError
from audit_kernel.investigation.steps import Step
from audit_kernel.locale import translator
from audit_kernel.use_log import SHORTEST_PURPOSE

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_PEOPLE = 12
# Standing questions of the routine, each a report, and whom it cannot do without.
STANDING = {
    "blocked_searches": "",
    "patient_searches": "",
    "search_misuse": "employee_id",
    "employee_month": "employee_id",
    "readers_and_carers": "patient_id",
    "break_glass": "",
    "extent": "employee_id",
}


# These are about one kind of person only, whoever else stands in the form.
ABOUT_EMPLOYEES, ABOUT_PATIENTS = ("employee_month",), ("readers_and_carers",)


class QuestionError(UsageError):
    """The form's answer is not complete; `field` names the field."""

    def __init__(self, problem: str, remedy: str, field: str, **values: Any) -> None:  # noqa: ANN401 - as its base
        super().__init__(problem, remedy, **values)
        self.field = field


@dataclass(frozen=True)
class Question:
    """Why, and the first step; its persons are as somebody typed them. `finding` names one of a sealed month."""

    purpose: str
    step: Step
    finding: str = ""

    def meaning(self, kind: str, typed: str, person_id: str) -> Question:
        """Return the question with what was typed for a patient or employee replaced by an id."""
        asked = self.step.patients if kind == "patient" else self.step.employees
        people = tuple(dict.fromkeys(person_id if each == typed else each for each in asked))
        changed = replace(self.step, patients=people) if kind == "patient" else replace(self.step, employees=people)
        return replace(self, step=changed)


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


def read_question(values: Mapping[str, str], today: date) -> Question:
    """Read the form: purpose, persons, period, and as `action` a standing question.

    Raises
    ------
    QuestionError: the purpose is missing, nobody or too many are named, or the period is not one; names the field.
    """
    purpose = checked_purpose(values)
    action = values.get("action", "")
    report = action if action in STANDING else "activity"
    patients, employees = (several(values.get(name, "")) for name in ("patient_id", "employee_id"))
    finding = values.get("finding", "").strip()
    _refuse_wrong_people(report, patients, employees, finding)
    from_date, to_date = read_period(values, today)
    return Question(purpose, fitting(Step(report, patients, employees, from_date, to_date)), finding)


def fitting(step: Step) -> Step:
    """Return a first step as its report can be asked: about whom it is, and over the last whole month where it must."""
    if step.report in ABOUT_PATIENTS:
        return replace(step, employees=())
    if step.report not in ABOUT_EMPLOYEES:
        return step
    from_date, to_date = whole_month(step.from_date, step.to_date)
    return replace(step, patients=(), from_date=from_date, to_date=to_date)


def several(typed: str) -> tuple[str, ...]:
    """Return the persons that were typed, each once: set apart by semicolons, numbers by commas too."""
    found: list[str] = []
    for part in re.split(r"[;\n]", typed):
        numbers = [each.strip() for each in part.split(",")]
        found += numbers if all(re.search(r"\d", each) for each in numbers) else [part.strip()]
    return tuple(dict.fromkeys(each for each in found if each))


def _refuse_wrong_people(report: str, patients: tuple[str, ...], employees: tuple[str, ...], finding: str) -> None:
    needed = STANDING.get(report, "")
    if report == "activity" and not finding and not patients and not employees:
        raise QuestionError("Neither a patient nor an employee was given.", "Give one of them, or both.", "patient_id")
    if needed == "employee_id" and not employees and not finding:
        raise QuestionError("This question is about an employee.", "Say whom, then ask again.", needed)
    if needed == "patient_id" and not patients and not finding:
        raise QuestionError("This question is about a patient.", "Say whom, then ask again.", needed)
    n_questions = max(1, len(patients)) * max(1, len(employees))
    if n_questions > MOST_PEOPLE:
        raise QuestionError(
            "That is {count} persons or pairs at once; {most} can be shown together.",
            "Ask about fewer, then about the rest.",
            "patient_id",
            count=n_questions,
            most=MOST_PEOPLE,
        )


def read_period(values: Mapping[str, str], today: date) -> tuple[date, date]:
    """Return the first and last day of the period: a preset ending today, or the days given.

    Raises
    ------
    QuestionError: a day is missing, or the period ends before it begins; names the field.
    """
    preset = values.get("period", "") or "between"
    if preset == "last_30_days":
        return today - timedelta(days=29), today
    if preset == "last_3_months":
        return three_months_before(today), today
    from_date = _day(values.get("from_date", ""), "from_date")
    to_date = today if preset == "since" else _day(values.get("to_date", ""), "to_date")
    if to_date < from_date:
        raise QuestionError(
            "The period ends before it begins.",
            "Give the first day, then the last.",
            "from_date" if preset == "since" else "to_date",
        )
    return from_date, to_date


def three_months_before(day: date) -> date:
    """Return the same day three months before, or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - 3, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def whole_month(from_date: date, to_date: date) -> tuple[date, date]:
    """Return the last whole month inside a period; where it holds none, the month of its last day."""
    first = (to_date + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    last = first if first.replace(day=1) >= from_date else to_date
    return last.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])


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
