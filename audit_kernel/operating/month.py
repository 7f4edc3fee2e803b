"""A month: is it complete, then run its control and open the sealed pages."""

from __future__ import annotations

import webbrowser
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audit_kernel import open_store
from audit_kernel.evidence.coverage import Lacking, coverage, notices
from audit_kernel.evidence.index import answer
from audit_kernel.evidence.month import month_days, run_month, schedule
from audit_kernel.investigation.content import table_content
from audit_kernel.investigation.steps import Step
from audit_kernel.locale import format_month, format_number
from audit_kernel.operating.section import Report, Section, text_table

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.month import MonthRun
    from audit_kernel.operating.desk import Desk
    from audit_kernel.query import Result

REPORT = "completeness"


class MonthSection(Section):
    """Completeness of a month, and its run."""

    def __init__(self, desk: Desk) -> None:
        self.index: Path | None = None
        super().__init__(desk, 1)

    def texts(self) -> dict[str, Any]:
        """Return the form's texts; it begins with the month before this one."""
        _ = self._
        last = self.desk.today.replace(day=1) - timedelta(days=1)
        actions = [["run", _("Run the month")]]
        if self.index:
            actions.append(["open", _("Open the index page")])
        field = {"name": "month", "type": "text", "label": _("Month"), "hint": _("Year and month, for example 2026-10")}
        return {
            "level": "h2",
            "title": _("3. A month"),
            "lead": _("Look first whether the logs are whole, then run the control. It is sealed in the archive."),
            "submit": _("Is it complete?"),
            "actions": actions,
            "busy": _("Working …"),
            "fields": [{**field, **({} if self.index else {"value": f"{last:%Y-%m}"})}],
        }

    def act(self, values: dict[str, str]) -> None:
        """Ask for completeness, run the month, or open its index page."""
        action = values.get("action", "")
        month = values.get("month", "").strip()
        if action == "open":
            if self.index:
                webbrowser.open(self.index.as_uri())
        elif action == "run":
            self.start(lambda report: self._run(month, report))
        else:
            self.start(lambda report: self._completeness(month, report))

    def _completeness(self, month: str, report: Report) -> None:
        _ = self._
        first, last = month_days(month)
        report(_("Counting …"))
        period = {"from_date": first, "to_date": last}
        store = open_store(self.desk.site, self.desk.purpose)
        try:
            result = store.report(REPORT, **period)
            lacking = coverage(store, period)
        finally:
            store.close()
        self._show(result, first, last, lacking)

    def _show(self, result: Result, first: date, last: date, lacking: Lacking) -> None:
        _, language = self._, self.desk.language
        description = result.query.description
        said = notices(lacking, language)
        lead = _("Something is missing: see below.") if said else _("Nothing is known to be missing.")
        title = f"{description.title.in_language(language)}, {format_month(first, language)}"
        step = Step(REPORT, (), (), first, last)
        if result.table.num_rows:
            content = table_content(result, step, language, self.desk.site.settings.time_zone)
            self.tables[0].show(content)
        self.say(title, lead, notices=said)

    def _run(self, month: str, report: Report) -> None:
        _, language = self._, self.desk.language
        month_days(month)
        total = len(schedule(self.desk.site).monthly)
        done: list[str] = []

        def progress(outcome: Outcome) -> None:
            done.append(outcome.name)
            text = _("{name} finished ({done} of {total})")
            report(text.format(name=outcome.name, done=format_number(len(done), language), total=total))

        report(_("Notebooks are running"))
        run = run_month(self.desk.site, month, purpose=self.desk.purpose, language=language, progress=progress)
        self._show_run(run, month)

    def _show_run(self, run: MonthRun, month: str) -> None:
        _, language = self._, self.desk.language
        self.index = run.index
        self.refresh()
        lead = _("The month was run and sealed.") if run.is_complete else _("The month is incomplete: see the pages.")
        facts = [(_("Month"), month), (_("Index page"), str(run.index))]
        rows = [[str(each.facts.get("title", each.name)), answer(language, each), each.reason] for each in run.outcomes]
        labels = {"page": _("Page"), "answer": _("Answer"), "why": _("Why")}
        if all(each.succeeded for each in run.outcomes):
            rows, labels = [row[:2] for row in rows], {name: labels[name] for name in ("page", "answer")}
        self.tables[0].show(text_table(_("Pages of the run"), labels, rows))
        self.say(_("The month's run"), lead, facts, run.warnings)
