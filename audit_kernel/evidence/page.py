"""What the cells of a notebook call: one page of evidence, in one language."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.display import display

from audit_kernel.catalog import Column
from audit_kernel.errors import NotAssessableError
from audit_kernel.evidence import charts, code_notices, coverage, restricted
from audit_kernel.evidence.answers import answer_of
from audit_kernel.evidence.display import (
    DisplayObject,
    Done,
    Facts,
    Heading,
    PageInformation,
    Paragraph,
    format_value,
    table_from_arrow,
)
from audit_kernel.evidence.findings import with_names, with_numbers, with_sentences
from audit_kernel.evidence.grounds import grounds, unit_in_words, why_not_assessable
from audit_kernel.evidence.masking import Mask, masked_notice
from audit_kernel.evidence.run_file import read_run_file
from audit_kernel.evidence.tables import write_tables
from audit_kernel.locale import format_date, format_number, translator
from audit_kernel.parameters import PERIOD
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from audit_kernel.catalog import Query
    from audit_kernel.query import Result

CHARTS = {"timeline": charts.timeline, "hour_map": charts.hour_map}


class Page:
    """One page: a catalogued query, asked once, and what is shown of it.

    Parameters
    ----------
    name: the query's name.
    run: path of the run file.
    language: en, sv or nb; the site's own when empty.
    parameters: as the query's `.yml` declares them.

    Raises
    ------
    AuditKernelError: the question cannot be asked. One that cannot be answered for want of data makes a page that
        says "not assessable".
    """

    def __init__(self, name: str, run: str, language: str, parameters: Mapping[str, Any]) -> None:
        self.run = read_run_file(run)
        self.site = self.run.opened_site()
        self.language = language or self.site.settings.language
        self.store = Store(self.site, self.run.purpose, self.run.snapshot, self.run.threads, self.run.control)
        self.mask = Mask(self.site, self.run.scope, self.run.people, lambda: self.store) if self.run.scope else None
        self.query = self.store.catalog.query(name)
        self.name = name.rsplit("/", maxsplit=1)[-1]
        self.given = {key: value for key, value in parameters.items() if value not in (None, "", [])}
        self.result: Result | None = None
        self.not_assessable = ""
        try:
            self.result = self.ask()
        except NotAssessableError as error:
            self.not_assessable = why_not_assessable(error, self.language)

    def ask(self) -> Result:
        """Ask the page's question."""
        return self.answer_to(self.query, self.given)

    def answer_to(self, query: Query, parameters: Mapping[str, Any]) -> Result:
        """Return the rows that this run may show of `whole_answer`."""
        return restricted.part_of_run(self.whole_answer(query, parameters), self.run)

    def whole_answer(self, query: Query, parameters: Mapping[str, Any]) -> Result:
        """Return the month's own answer where it was worked out, else ask now; not all of it may be shown."""
        if self.mask:
            return self.mask.answer(lambda asked: self._answered(query, asked), parameters)
        return self._answered(query, parameters)

    def _answered(self, query: Query, parameters: Mapping[str, Any]) -> Result:
        return answer_of(self.run.answers, self.store, query, parameters)

    def report(self, name: str, **parameters: Any) -> Result:  # noqa: ANN401 - typed by the query's `.yml`
        """Return a report's answer: the month's own where it was worked out, else what the store says now."""
        return self.whole_answer(self.store.catalog.query(name), parameters)

    def heading(self) -> None:
        """Show title, question, what was asked, and on what legal basis."""
        description = self.query.description
        title = description.title.in_language(self.language)
        self._show(
            PageInformation(title, self.language, self.name, self.site.settings.name, self.run.home),
            Heading(title, 1),
            Paragraph(description.question.in_language(self.language)),
        )

    def summary(self) -> None:
        """Show the answer in a sentence, zeros as loudly as findings, and what could not be assessed."""
        _ = translator(self.language)
        if self.result is None:
            self._show(Paragraph(_("Not assessable"), "summary"), Paragraph(self.not_assessable, "warning"))
            if notices := self.notices():
                self._show(Paragraph(" ".join(notices), "notice"))
            return
        searched = self._number(self.result.rows_searched)
        count = self._number(self.result.table.num_rows)
        if self.query.room == "checks":
            text = _.plural(
                "{count} finding. {searched} rows of the logs in the period were examined.",
                "{count} findings. {searched} rows of the logs in the period were examined.",
                self.result.table.num_rows,
            )
        elif self.result.table.num_rows:
            text = _.plural(
                "{count} row. {searched} accesses in the period were searched.",
                "{count} rows. {searched} accesses in the period were searched.",
                self.result.table.num_rows,
            )
        else:
            text = _("No rows. {searched} accesses in the period were searched, and none of them fits the question.")
        self._show(Paragraph(text.format(count=count, searched=searched), "summary"))
        if notices := self.notices():
            self._show(Paragraph(" ".join(notices), "notice"))
        self._show(Facts(self.facts()))

    def notices(self) -> list[str]:
        """Return what the reader must know beside the figures: what the period lacks, unresolved rows, odd codes."""
        _ = translator(self.language)
        if self.result is None:
            return coverage.notices(coverage.coverage(self, self.given), self.language)
        notices = coverage.notices(coverage.coverage(self, self.result.parameters), self.language)
        if self.result.rows_unresolved:
            text = _(
                "{count} rows of the period concern a record whose patient is not known, because no record key was"
                " taken in for it. They may concern any patient."
            )
            notices.append(text.format(count=self._number(self.result.rows_unresolved)))
        notices += code_notices.notices(self.result, self.language)
        if self.mask:
            notices.append(masked_notice(self.language))
        return notices + (restricted.notice(self.run, self.language) if self.query.room != "reports" else [])

    def facts(self) -> list[tuple[str, str]]:
        """Return what was asked."""
        _ = translator(self.language)
        if self.result is None:
            return []
        values = dict(self.result.parameters)
        pairs: list[tuple[str, str]] = []
        if values.get("from_date") and values.get("to_date"):
            first, last = (format_date(_as_date(values[key]), self.language) for key in ("from_date", "to_date"))
            pairs.append((_("Period"), _("{first} to {last}, both included").format(first=first, last=last)))
        for name, parameter in self.query.description.parameters.items():
            if parameter.type == "period" or values.get(name) is None or name in self.result.thresholds:
                continue
            label = parameter.label.in_language(self.language) if parameter.label else name
            unit = unit_in_words(parameter.unit, self.language)
            text = f"{format_value(values[name], 'text', self.language, '')} {unit}".strip()
            if parameter.type in ("patient", "employee"):
                text = f"{text} {self.store.names(parameter.type, {text}).get(text, '')}".strip()
            pairs.append((label, text))
        return pairs

    def totals(self) -> None:
        """Show each number's sum over all rows, and how often each yes-or-no is yes."""
        if self.result is None:
            return
        pairs = []
        for name, column in self.query.description.columns.items():
            if column.type in ("integer", "boolean") and not column.hidden:
                total = sum(int(value or 0) for value in self.result.table.column(name).to_pylist())
                pairs.append((column.label.in_language(self.language), self._number(total)))
        self._show(Facts(pairs))

    def remarks(self) -> dict[str, int]:
        """Return in how many rows a figure is not zero that should be; nothing for a query without such figures."""
        names = [name for name, column in self.query.description.columns.items() if column.is_remark]
        if self.result is None or not names:
            return {}
        rows = self.result.table.select(names).to_pylist()
        return {"n_remarks": sum(any(row.values()) for row in rows)}

    def period(self) -> tuple[date, date] | None:
        """Return the days asked about; an open side is the first or last day of the rows; None without any."""
        if self.result is None:
            return None
        first, last = (self.result.parameters.get(name) for name in PERIOD)
        if (first is None or last is None) and "local_date" in self.result.table.column_names:
            days = [day for day in self.result.table.column("local_date").to_pylist() if day is not None]
            first, last = first or min(days, default=None), last or max(days, default=None)
        return (_as_date(first), _as_date(last)) if first and last else None

    def chart(self, name: str) -> None:
        """Draw accesses per day (`timeline`) or per hour and weekday (`hour_map`) for what was asked."""
        if self.result is None:
            return
        period = self.period()
        if period is None:
            return
        query = self.store.catalog.query(name, "reports")
        wanted = {"from_date", "to_date", *query.description.parameters}
        asked = {key: value for key, value in self.result.parameters.items() if key in wanted and value is not None}
        asked |= dict(zip(PERIOD, period, strict=True))
        title = query.description.title.in_language(self.language)
        question = query.description.question.in_language(self.language)
        result = self.report(f"reports/{name}", **asked)
        if name == "timeline":
            self._show(charts.timeline(result.table, self.language, title, question, period))
        else:
            self._show(charts.hour_map(result.table, self.language, title, question))

    def table(self, query: str = "", **parameters: Any) -> None:  # noqa: ANN401 - typed by the query's `.yml`
        """Show a table of at most 1,000 rows and write all rows beside the page; `query` names another query to ask."""
        period = {key: value for key, value in self.given.items() if key in PERIOD}
        result = self.result
        if query:
            result = self.answer_to(self.store.catalog.query(query), {**period, **parameters})
        if result is not None:
            self.table_of(result, f"{self.name}_{result.query.name}" if query else self.name)

    def table_of(self, result: Result, name: str, caption: str = "") -> None:
        """Show the rows of a result under its query's title or `caption`, and write all of them as `name`."""
        description = result.query.description
        arrow: pa.Table = result.table
        columns: dict[str, Column] = dict(description.columns)
        if result.query.room == "checks" and not result.query.part:
            arrow, columns = with_sentences(result, self.site, self.language)
        arrow, columns = with_names(self.store, arrow, columns)
        if self.mask:
            arrow, columns = self.mask.without_left_out(result.query, arrow, columns)
        write_tables(arrow, Path(self.run.tables), name)
        arrow, columns = with_numbers(arrow, columns)
        self._show(
            table_from_arrow(
                arrow,
                columns,
                self.language,
                self.site.settings.time_zone,
                caption or description.title.in_language(self.language),
                file_name=f"{name}.csv",
            )
        )

    def method(self) -> None:
        """Show the criterion and how the page counts, and what it does not show."""
        _ = translator(self.language)
        description = self.query.description
        if description.criterion:
            self._show(
                Heading(_("What counts as a finding")), Paragraph(description.criterion.in_language(self.language))
            )
        self._show(
            Heading(_("How this page counts")), Paragraph(description.method.in_language(self.language), "method")
        )
        if self.result is not None:
            self._show(*grounds(self.result, self.site, self.language))

    def done(self, **facts: Any) -> None:  # noqa: ANN401 - shown by the index page
        """Report that the notebook reached its end, and its figures for the index page."""
        self._show(
            Done(
                {
                    "title": self.query.description.title.in_language(self.language),
                    "room": self.query.room,
                    "is_assessable": self.result is not None,
                    "not_assessable": self.not_assessable,
                    "n_rows": self.result.table.num_rows if self.result else 0,
                    "rows_searched": self.result.rows_searched if self.result else 0,
                    **self.remarks(),
                    **facts,
                }
            )
        )
        self.store.close()

    def _number(self, value: int) -> str:
        return format_number(value, self.language)

    @staticmethod
    def _show(*objects: DisplayObject) -> None:
        for each in objects:
            display(each)  # type: ignore[no-untyped-call]


def _as_date(value: Any) -> date:  # noqa: ANN401 - a date or its ISO text
    return value if isinstance(value, date) else date.fromisoformat(str(value))
