"""The investigator's page: purpose first, then -141, a row of it, -140, a row of it, -119, and the way back."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import ipywidgets

from audit_kernel.errors import UsageError
from audit_kernel.investigation import charts, content, trail
from audit_kernel.investigation.form_texts import form_texts, narrow_texts
from audit_kernel.investigation.questions import (
    Question,
    QuestionError,
    fitting,
    read_period,
    read_question,
    three_months_before,
)
from audit_kernel.investigation.reasons import with_reasons
from audit_kernel.investigation.session import DETAILS, FIRST_STEP, Answer, Session, Store
from audit_kernel.investigation.steps import Step, next_step
from audit_kernel.investigation.table import Table
from audit_kernel.investigation.ways import WAYS, step_of_way
from audit_kernel.investigation.widgets import HIDDEN, SHOWN, Form, Trail, Working, harmless_texts
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from audit_kernel.investigation.finding import Finding
    from audit_kernel.investigation.table import TableContent
    from audit_kernel.query import Result


class InvestigationPage(ipywidgets.VBox):  # type: ignore[misc]
    """The page as one widget.

    Parameters
    ----------
    open_store: opens the store for a purpose, or raises an AuditKernelError; the purpose is logged there, not here.
    find: finds a finding of a sealed month by its number.
    reason_titles: the title of each reason, asked for when the first is shown.
    finding: a finding's number that the form begins with.
    drawing_seconds: what a browser is given to draw rows before charts and reasons are asked for.

    Attributes
    ----------
    answers: the steps so far, the one on the screen last.
    on_answer: called with each answer after it is shown.
    panel: a box below everything, for what else belongs to a step.
    """

    def __init__(
        self,
        open_store: Callable[[str], Store],
        language: str,
        time_zone: str,
        today: date,
        *,
        find: Callable[[Store, str], Finding] | None = None,
        reason_titles: Callable[[], Mapping[str, str]] = dict,
        finding: str = "",
        drawing_seconds: float = 0,
    ) -> None:
        self.session = Session(open_store)
        self._language, self._time_zone, self._today = language, time_zone, today
        self._find, self._reason_titles, self._drawing_seconds = find, reason_titles, drawing_seconds
        self.answers: list[Answer] = []
        self.on_answer: Callable[[Answer], None] | None = None
        self._choice: tuple[Question, str, str] | None = None
        self._known: set[tuple[str, str]] = set()
        given = {"finding": finding} if finding else {}
        self.form = Form(form_texts(language, three_months_before(today), today, given), language, self.search)
        self.trail = Trail(language, self.back)
        self.table = Table(language, self.choose, self.go)
        self.figures = Table(language)
        self.narrow = Form(narrow_texts(language, today, today), language, self.narrow_to)
        self._preparing = Lock()
        self.timeline: Any = None
        self.hour_map: Any = None
        self.charts = ipywidgets.Box([], layout={"display": HIDDEN})
        self.charts.add_class("ak-charts")
        self.panel = ipywidgets.VBox([])
        self.narrow.layout.display = HIDDEN
        super().__init__([self.form, self.trail, self.charts, self.narrow, self.figures, self.table, self.panel])
        self.add_class("ak-page")

    def __repr__(self) -> str:
        """Name the page only: its state would be written into the notebook."""
        return "<InvestigationPage>"

    def prepare_charts(self) -> None:
        """Make the two charts, once: each ships a megabyte of script, and Altair takes a second to import."""
        # JupyterLab hands messages of widgets to a thread of their own, beside the one that runs cells.
        with self._preparing:
            if self.timeline is None:
                self.hour_map, self.timeline = charts.plain_chart(), charts.brushed_chart(self._brushed)
                self.charts.children = [self.timeline, self.hour_map]

    def search(self, values: dict[str, str]) -> None:
        """Answer the form: nothing is shown without a purpose."""
        with Working(self.form):
            self._clear()
            question = read_question(values, self._today)
            self.session.open(question.purpose)
            if question.finding:
                question = self._of_finding(question, values)
            self._go_on(question)

    def choose(self, row: dict[str, Any]) -> None:
        """Go on to the report that a row leads to, or with the person that it names."""
        with Working(self.form):
            if self._choice is not None:
                question, kind, typed = self._choice
                self._known.add((kind, str(row["person_id"])))
                self._go_on(question.meaning(kind, typed, str(row["person_id"])))
            elif self.answers and (step := next_step(self.answers[-1].step, row, self._time_zone)):
                self._ask(step)

    def go(self, row: dict[str, Any], way: str) -> None:
        """Go another way from a row, one of `ways.WAYS`."""
        if way not in WAYS or not self.answers:
            return
        with Working(self.form):
            longest = self.session.longest(self._today) if way == "extent" else (self._today, self._today)
            step = step_of_way(way, self.answers[-1].step, row, self._time_zone, longest)
            if step is None:
                raise UsageError("This row does not say whom that would be about.", "Choose another row.")
            self._ask(step)

    def narrow_to(self, values: dict[str, str]) -> None:
        """Ask the step on the screen again about some of its days."""
        if not self.answers:
            return
        with Working(self.narrow):
            days = {name: values.get(f"narrow_{name.removesuffix('_date')}", "") for name in ("from_date", "to_date")}
            try:
                first, last = read_period(days, self._today)
            except QuestionError as error:
                error.field = f"narrow_{error.field.removesuffix('_date')}"
                raise
            step = replace(self.answers[-1].step, from_date=first, to_date=last, way="narrowed", origin=None)
            self._ask(step)

    def back(self, position: int) -> None:
        """Go back to an earlier step, as it was."""
        if 0 <= position < len(self.answers):
            with Working(self.form):
                del self.answers[position + 1 :]
                self._show()

    def close_store(self) -> None:
        """Let go of the store."""
        self.session.close()

    def _clear(self) -> None:
        self.answers, self._choice, self._known = [], None, set()
        self.trail.show({})
        self.table.hide()
        self._hide_charts()

    def _hide_charts(self) -> None:
        self.figures.hide()
        self.charts.layout.display = self.narrow.layout.display = HIDDEN

    def _of_finding(self, question: Question, values: Mapping[str, str]) -> Question:
        """Return the question about a finding's people and month, which the form then shows."""
        if self._find is None:
            raise UsageError("There is no archive to look in.", "Give a patient or an employee instead.")
        found = self._find(self.session.store, question.finding)
        dates = {"from_date": found.from_date.isoformat(), "to_date": found.to_date.isoformat()}
        people = {"patient_id": found.patient_id or "", "employee_id": found.employee_id or ""}
        given = {**values, **dates, **people, "period": "between", "finding": ""}
        texts = form_texts(self._language, found.from_date, found.to_date, given)
        self.form.texts = harmless_texts(texts)
        self._known |= {(name.removesuffix("_id"), each) for name, each in people.items()}
        patients, employees = (tuple(filter(None, [each])) for each in people.values())
        report = found.report if question.step.report == FIRST_STEP else question.step.report
        step = replace(question.step, report=report, patients=patients, employees=employees)
        return replace(question, step=fitting(replace(step, from_date=found.from_date, to_date=found.to_date)))

    def _go_on(self, question: Question) -> None:
        """Ask the first step once it is clear who is meant by each name."""
        self._choice = None
        for kind in ("patient", "employee"):
            for typed in getattr(question.step, f"{kind}s"):
                found = None if (kind, typed) in self._known else self.session.people(kind, typed)
                if found is not None and found.table.num_rows > 1:
                    self._let_choose(question, kind, typed, found)
                    return
                if found is not None and found.table.num_rows:  # nobody of the reference data may still be in a log
                    person_id = str(found.table["person_id"][0])
                    question = question.meaning(kind, typed, person_id)
                    self._known.add((kind, person_id))
        step = question.step
        if step.report == "extent":
            first, last = self.session.longest(self._today)
            step = replace(step, from_date=first, to_date=last)
        self._ask(step)
        if question.finding and step.report == FIRST_STEP and not self.answers[-1].result.table.num_rows:
            self._ask(replace(step, report="system_log"))  # attempts and searches are no accesses; the log has them

    def _let_choose(self, question: Question, kind: str, typed: str, found: Result) -> None:
        self._choice = (question, kind, typed)
        step = Step("people", (), (), question.step.from_date, question.step.to_date)
        self._hide_charts()
        self.table.show(content.table_content(found, step, self._language, self._time_zone))
        self.trail.show(trail.choice_view(found, typed, self.session.purpose, self._language))

    def _ask(self, step: Step) -> None:
        self.answers.append(self.session.ask(step))
        self._show()

    def _show(self) -> None:
        answer = self.answers[-1]
        self.trail.remark = ""
        is_explained = answer.step.report == DETAILS and answer.result.table.num_rows > 0
        self.charts.layout.visibility = "hidden"  # what they drew was of the step before; their place stays
        self.table.show(self._content(answer, is_waiting=is_explained))
        self.trail.show(trail.step_view(self.answers, self.session.purpose, self._language))
        if answer.timeline is None:  # the next questions would take the machine from the browser that draws the rows
            time.sleep(self._drawing_seconds)
        answer = self.answers[-1] = self.session.charted(answer)
        self._show_charts(answer)
        if self.on_answer is not None:
            self.on_answer(answer)
        if is_explained:
            self._explain(answer)

    def _explain(self, answer: Answer) -> None:
        """Add the reasons to rows that are on the screen already."""
        if answer.reasons is None:
            self.trail.remark = translator(self._language)("Reasons are being searched for …")
            answer = replace(answer, reasons=self.session.reasons(answer.step))
            self.answers[-1] = answer
            self.table.update(self._content(answer))
        said = trail.reasons_said(answer.reasons, self._reason_titles(), self._language)
        self.trail.remark = said

    def _content(self, answer: Answer, *, is_waiting: bool = False) -> TableContent:
        shown = content.table_content(answer.result, answer.step, self._language, self._time_zone)
        if answer.reasons is None and not is_waiting:
            return shown
        return with_reasons(shown, answer.reasons, self._reason_titles(), self._language)

    def _show_charts(self, answer: Answer) -> None:
        if answer.timeline is None or answer.hour_map is None:
            self._hide_charts()
            if answer.sources is not None:
                shown = content.table_content(answer.sources, answer.step, self._language, self._time_zone)
                self.figures.show(replace(shown, folded=shown.caption, action="", ways=()))
            return
        self.prepare_charts()
        step, days = answer.step, answer.timeline.table
        self.timeline.spec, self.hour_map.spec = charts.specifications(answer, self._language)
        self.charts.layout.visibility = "visible"
        self.charts.layout.display = self.narrow.layout.display = SHOWN
        self.narrow.say("")
        self.narrow.texts = harmless_texts(narrow_texts(self._language, step.from_date, step.to_date))
        self.figures.show(content.figures_content(days, self._language))

    def _brushed(self, first: date, last: date) -> None:
        """Write the days that the timeline's brush covers into the two dates."""
        self.narrow.texts = harmless_texts(narrow_texts(self._language, first, last))
