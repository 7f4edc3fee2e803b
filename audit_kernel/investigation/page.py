"""The investigator's page: purpose first, then -141, a row of it, -140, a row of it, -119, and the way back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

import ipywidgets

from audit_kernel import open_site, open_store
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence import coverage
from audit_kernel.evidence.display import Paragraph
from audit_kernel.investigation import content, figures
from audit_kernel.investigation.questions import Question, QuestionError, form_texts, read_question, sentence_of
from audit_kernel.investigation.steps import Step, next_step
from audit_kernel.investigation.table import Table
from audit_kernel.investigation.widgets import Form, Trail
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.query import Result

DEFAULT_PERIOD = timedelta(days=90)
# The form is on the screen by then, and nobody has typed a purpose yet.
SECONDS_UNTIL_CHARTS = 0.5
FIRST_STEP = "activity"
CHARTED = (FIRST_STEP, "detailed_activity")
HIDDEN, SHOWN = "none", ""


class Store(Protocol):
    """What the page needs of an open store."""

    def report(self, name: str, **parameters: Any) -> Result:  # noqa: ANN401 - typed by the query's `.yml`
        """Run a report."""

    def close(self) -> None:
        """Close the store."""


@dataclass(frozen=True)
class Answer:
    """A step with what the store answered, kept so that going back asks nothing again."""

    step: Step
    result: Result
    timeline: Result | None = None
    hour_map: Result | None = None
    lacking: coverage.Lacking = field(default_factory=list)


class InvestigationPage(ipywidgets.VBox):  # type: ignore[misc]
    """The page as one widget.

    Parameters
    ----------
    open_store: opens the store for a purpose, or raises an AuditKernelError; the purpose is logged there, not here.
    """

    def __init__(self, open_store: Callable[[str], Store], language: str, time_zone: str, today: date) -> None:
        self._open_store = open_store
        self._language = language
        self._time_zone = time_zone
        self._store: Store | None = None
        self._purpose = ""
        self.answers: list[Answer] = []
        self.form = Form(form_texts(language, today - DEFAULT_PERIOD, today), language, self.search)
        self.trail = Trail(language, self.back)
        self.table = Table(language, self.choose)
        self.figures = Table(language)
        self._preparing = Lock()
        self.timeline: Any = None
        self.hour_map: Any = None
        self.charts = ipywidgets.Box([], layout={"display": HIDDEN})
        self.charts.add_class("ak-charts")
        super().__init__([self.form, self.trail, self.charts, self.figures, self.table])
        self.add_class("ak-page")

    def __repr__(self) -> str:
        """Name the page only: its state would be written into the notebook."""
        return "<InvestigationPage>"

    def prepare_charts(self) -> None:
        """Make the two charts, once: each ships a megabyte of script, and Altair takes a second to import."""
        # JupyterLab hands messages of widgets to a thread of their own, beside the one that runs cells.
        with self._preparing:
            if self.timeline is None:
                self.hour_map, self.timeline = _chart(), _chart()
                self.charts.children = [self.timeline, self.hour_map]

    def search(self, values: dict[str, str]) -> None:
        """Answer the form: nothing is shown without a purpose."""
        with self._working():
            self._clear()
            question = read_question(values)
            self._open(question)
            self.answers = [self._ask(question.step)]
            self._show()

    def choose(self, row: dict[str, Any]) -> None:
        """Go on to the report that a row leads to."""
        step = next_step(self.answers[-1].step, row, self._time_zone) if self.answers else None
        if step is not None:
            with self._working():
                self.answers.append(self._ask(step))
                self._show()

    def back(self, position: int) -> None:
        """Go back to an earlier step, as it was."""
        if 0 <= position < len(self.answers):
            del self.answers[position + 1 :]
            self.form.say("")
            self._show()

    def close_store(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _working(self) -> _Working:
        return _Working(self)

    def _clear(self) -> None:
        self.answers = []
        self.trail.show({})
        self.table.hide()
        self.figures.hide()
        self.charts.layout.display = HIDDEN

    def _open(self, question: Question) -> None:
        if self._store is not None and question.purpose == self._purpose:
            return
        self.close_store()
        self._store = self._open_store(question.purpose)
        self._purpose = question.purpose

    def _ask(self, step: Step) -> Answer:
        if self._store is None:
            raise AuditKernelError("The store is not open.", "Ask again with a purpose.")
        parameters = step.parameters()
        result = self._store.report(step.report, **parameters)
        lacking = coverage.coverage(self._store, parameters) if step.report == FIRST_STEP else []
        if step.report not in CHARTED or not result.table.num_rows:
            return Answer(step, result, lacking=lacking)
        timeline, hour_map = (self._store.report(name, **parameters) for name in ("timeline", "hour_map"))
        return Answer(step, result, timeline, hour_map, lacking)

    def _show(self) -> None:
        _ = translator(self._language)
        answer = self.answers[-1]
        description = answer.result.query.description
        self.table.show(content.table_content(answer.result, answer.step, self._language, self._time_zone))
        self._show_charts(answer)
        self.trail.show(
            {
                "crumbs": [self._title(earlier) for earlier in self.answers],
                "title": self._title(answer),
                "question": description.question.in_language(self._language),
                "facts": content.facts(answer.result, answer.step, self._purpose, self._language),
                "notices": [
                    *coverage.notices(answer.lacking, self._language),
                    *content.notices(answer.result, answer.step, self._language),
                ],
                "status": content.status(answer.result, answer.step, self._language),
                "texts": {"trail": _("Steps of the investigation"), "notices": _("What to know about these rows")},
            }
        )

    def _title(self, answer: Answer) -> str:
        return answer.result.query.description.title.in_language(self._language)

    def _show_charts(self, answer: Answer) -> None:
        if answer.timeline is None or answer.hour_map is None:
            self.charts.layout.display = HIDDEN
            self.figures.hide()
            return
        self.prepare_charts()
        _ = translator(self._language)
        step, days = answer.step, answer.timeline.table
        self.timeline.spec = figures.timeline(days, step.from_date, step.to_date, self._language)
        self.hour_map.spec = figures.hour_map(answer.hour_map.table, self._language)
        self.charts.layout.display = SHOWN
        folded = _("The figures of the timeline as a table")
        self.figures.show(content.figures_content(days, _("Day"), _("Accesses per day"), self._language, folded))


class _Working:
    """Marks the form busy, and turns errors into a sentence with its remedy."""

    def __init__(self, page: InvestigationPage) -> None:
        self._page = page

    def __enter__(self) -> None:
        self._page.form.say("")
        self._page.form.is_busy = True

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        form = self._page.form
        language = self._page._language  # noqa: SLF001 - a part of the page
        form.is_busy = False
        if isinstance(error, QuestionError):
            form.say(*error.parts(language), error.field)
        elif isinstance(error, Exception):
            form.say(*sentence_of(error, language))
        return error is None or isinstance(error, Exception)


def _chart() -> Any:  # noqa: ANN401 - altair's own widget
    import altair

    altair.JupyterChart.enable_offline()
    # Vega draws SVG, which can be enlarged and read; its menu would lead to an editor in the outside world.
    options = {"actions": False, "renderer": "svg", "mode": "vega-lite"}
    return altair.JupyterChart(None, embed_options=options)  # type: ignore[arg-type]


_opened: list[InvestigationPage] = []


def open_page() -> InvestigationPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    for page in _opened:
        page.close_store()
    _opened.clear()
    try:
        site = open_site()
    except AuditKernelError as error:
        return Paragraph(f"{error.problem} {error.remedy}", tone="warning")
    settings = site.settings
    today = datetime.now(ZoneInfo(settings.time_zone)).date()
    page = InvestigationPage(lambda purpose: open_store(site, purpose), settings.language, settings.time_zone, today)
    _opened.append(page)
    with suppress(RuntimeError):  # no loop runs outside a kernel; the charts are then made when they are needed
        asyncio.get_running_loop().call_later(SECONDS_UNTIL_CHARTS, page.prepare_charts)
    return page
