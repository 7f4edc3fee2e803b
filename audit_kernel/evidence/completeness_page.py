"""The page of completeness: a calendar of every log, what is missing in words, and the tables behind it."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.evidence.answers import COMPLETENESS
from audit_kernel.evidence.completeness_calendar import calendar, has_remark, sentence
from audit_kernel.evidence.display import Facts, Heading, Paragraph, table_from_arrow
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.tables import write_tables
from audit_kernel.locale import format_date, format_percent, translator
from audit_kernel.parameters import PERIOD
from audit_kernel.sources import load_source, source_ids
from audit_kernel.store.intake import source_folders

if TYPE_CHECKING:
    from audit_kernel.evidence.objects import Tone
    from audit_kernel.query import Result

PARTS = COMPLETENESS[1:]
UNDERSTOOD = (
    "n_unknown_codes",
    "n_unconfirmed_codes",
    "n_patients_unresolved",
    "n_employees_unresolved",
    "n_patients_not_in_list",
)


class CompletenessPage(Page):
    """One page over all logs of a period; see `Page` for the arguments."""

    def ask(self) -> Result:
        """Ask for the days, then for each part."""
        days = super().ask()
        self.parts = {name: self._ask_part(name) for name in PARTS}
        self.days: list[dict[str, Any]] = days.table.to_pylist()
        self.deliveries = self.store.deliveries()
        folders = source_folders(self.site)
        used = {row["source_id"] for row in self.days} & set(source_ids(folders))
        definitions = {source_id: load_source(source_id, folders) for source_id in used}
        self.names = {name: each.title.in_language(self.language) for name, each in definitions.items()}
        self.numbered = {name for name, each in definitions.items() if each.running_number}
        return days

    def _ask_part(self, name: str) -> Result:
        declared = {*PERIOD, *self.store.catalog.query(name, "reports").description.parameters}
        given = {key: value for key, value in self.given.items() if key in declared}
        return self.report(f"reports/{name}", **given)

    def summary(self) -> None:
        """Show in a sentence whether the logs are whole."""
        if self.result is None:
            super().summary()
            return
        _ = translator(self.language)
        logs = {row["source_id"] for row in self.days}
        broken = [log for log in sorted(logs) if self._is_broken(log)]
        unjudged = [log for log in sorted(logs) if any(self._days(log, "no_history"))]
        if broken:
            text = _.plural(
                "{count} of {logs} log is not whole in this period: {names}.",
                "{count} of {logs} logs are not whole in this period: {names}.",
                len(logs),
            )
        elif unjudged:
            text = _("Nothing is known to be missing, but of some days there is too little history to tell: {names}.")
        else:
            text = _("Nothing is missing in the logs of this period, as far as can be told from the logs themselves.")
        values = {"count": self._number(len(broken)), "logs": self._number(len(logs))}
        names = ", ".join(self.names.get(log, log) for log in broken or unjudged)
        self._show(Paragraph(text.format(names=names, **values), "summary"))

    def picture(self) -> None:
        """Draw the calendar."""
        if self.result is None or not self.days:
            return
        _ = translator(self.language)
        description = _("One line for each log, one cell for each day. A cell's shade and its mark say the same.")
        self._show(calendar(self.days, self.names, self.language, _("Rows received, day by day"), description))
        self._show(Facts(self.facts()))

    def words(self) -> None:
        """Say of each log what came, what is missing and what is odd."""
        if self.result is None:
            return
        _ = translator(self.language)
        self._show(Heading(_("Log by log")))
        for log in sorted({row["source_id"] for row in self.days}):
            tone: Tone = "warning" if self._is_broken(log) else "plain"
            self._show(Heading(self.names.get(log, log), 3), Paragraph(" ".join(self._sentences(log)), tone))

    def odd_days(self) -> None:
        """Show the days with anything to see, and write all of them beside the page."""
        import pyarrow

        if self.result is None:
            return
        _ = translator(self.language)
        query = self.result.query.description
        write_tables(self.result.table, Path(self.run.tables), self.name)
        expected = self.store.catalog.query("expected_rows", "reports").description
        odd = [place for place, row in enumerate(self.days) if row["is_unusual"] or has_remark(row)]
        columns = [column for name, column in query.columns.items() if name not in UNDERSTOOD]
        self._show(
            Heading(_("Days to look at")),
            table_from_arrow(
                self.result.table.take(pyarrow.array(odd, pyarrow.int64())),  # typed: there may be none
                columns,
                self.language,
                self.site.settings.time_zone,
                _("Days without rows, with unusually few or many, or with remarks"),
                file_name=f"{self.name}.csv",
            ),
            Paragraph(expected.method.in_language(self.language), "method"),
        )

    def part(self, name: str) -> None:
        """Show one of `PARTS`: its question, its table, and how it is found."""
        if self.result is None:
            return
        result = self.parts[name]
        description = result.query.description
        self._show(
            Heading(description.title.in_language(self.language)),
            Paragraph(description.question.in_language(self.language)),
        )
        self.table_of(result, f"{self.name}_{name}")
        self._show(Paragraph(description.method.in_language(self.language), "method"))

    def understood(self) -> None:
        """Show how many rows of each log hold codes or persons that are not known."""
        if self.result is None:
            return
        _ = translator(self.language)
        columns = self.result.query.description.columns
        self._show(
            Heading(_("What could not be understood")),
            Facts(
                [
                    (columns[name].label.in_language(self.language), self._number(sum(row[name] for row in self.days)))
                    for name in UNDERSTOOD
                ]
            ),
        )

    def _is_broken(self, log: str) -> bool:
        return (
            any(self._days(log, "silent"))
            or any(self._days(log, "low"))
            or any(row["n_missing_numbers"] for row in self.days if row["source_id"] == log)
        )

    def _days(self, log: str, status: str) -> list[dict[str, Any]]:
        return [row for row in self.days if row["source_id"] == log and row["status"] == status]

    def _sentences(self, log: str) -> list[str]:
        """Return what is to be said of one log; zeros are said too."""
        _ = translator(self.language)
        rows = [row for row in self.days if row["source_id"] == log]
        said = [_("{count} rows were received.").format(count=self._number(sum(row["n_rows"] for row in rows)))]
        if all(row["n_expected"] is not None for row in rows):
            expected = sum(row["n_expected"] for row in rows)
            said.append(_("{count} were expected.").format(count=self._number(expected)))
        said += [text for text in (self._last_event(log), sentence(rows, self.language)) if text]
        said.append(self._numbers(log))
        refused = [row for row in self.parts["quarantine_reasons"].table.to_pylist() if row["source_id"] == log]
        n_refused, n_read = sum(row["n_records"] for row in refused), max((row["n_read"] for row in refused), default=0)
        if n_read:
            text = _("{count} of {read} records read are in quarantine ({share}).")
            values = {"count": self._number(n_refused), "read": self._number(n_read)}
            said.append(text.format(share=format_percent(n_refused / n_read, self.language, 2), **values))
        n_faults = sum(row["n_clock_faults"] for row in rows)
        text = _.plural(
            "{count} row has a time that cannot be right.", "{count} rows have a time that cannot be right.", n_faults
        )
        said.append(text.format(count=self._number(n_faults)))
        return said

    def _numbers(self, log: str) -> str:
        _ = translator(self.language)
        if log not in self.numbered:
            return _("This log has no running number, so a lost row leaves no trace in it.")
        found = self.parts["missing_numbers"].table.to_pylist()
        gaps = [row["n_missing"] for row in found if row["source_id"] == log and row["n_missing"]]
        n_missing = sum(gaps)
        if not n_missing:
            return _("No running number is missing.")
        text = _.plural(
            "{count} running number is missing.", "{count} running numbers are missing, gaps: {gaps}.", n_missing
        )
        return text.format(count=self._number(n_missing), gaps=self._number(len(gaps)))

    def _last_event(self, log: str) -> str:
        """Say when the log's last row is, where that lies before the period's last day, or that it has none."""
        _ = translator(self.language)
        ends = [each.last_at for each in self.deliveries if each.source_id == log and each.last_at]
        period = self.period()
        if not ends or period is None:
            return _("No row of it was ever stored.") if not ends else ""
        last = max(ends).replace(tzinfo=UTC).astimezone(ZoneInfo(self.site.settings.time_zone)).date()
        if last >= period[1]:
            return ""
        text = _.plural(
            "Its last row is of {date}, {count} day before the period's end.",
            "Its last row is of {date}, {count} days before the period's end.",
            (period[1] - last) // timedelta(days=1),
        )
        days = self._number((period[1] - last) // timedelta(days=1))
        return text.format(date=format_date(last, self.language), count=days)
