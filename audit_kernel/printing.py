"""What commands print: tables, progress and sentences for a terminal, in one language; log text is made harmless."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from audit_kernel.errors import UsageError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.verify import head_code
from audit_kernel.locale import format_date, format_number, translator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from audit_kernel.evidence.month import MonthRun
    from audit_kernel.evidence.problems import Problem
    from audit_kernel.evidence.verify import TrustedKey
    from audit_kernel.query import Result
    from audit_kernel.sealing.asking import Told
    from audit_kernel.serving.check import Lack
    from audit_kernel.store.ledger import Delivery

WIDEST = 10_000
LONGEST_CELL = 500


def split_option(text: str) -> tuple[str, str]:
    """Split NAME=VALUE.

    Raises
    ------
    UsageError: there is no equals sign.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise UsageError("{text!r} is not NAME=VALUE.", "Write for example --set log_type=Brukersøk", text=text)
    return name, value


def print_json(value: Any) -> None:  # noqa: ANN401 - any answer
    """Print JSON for scripts; characters beyond ASCII are escaped."""
    print(json.dumps(value, ensure_ascii=True, indent=2, default=str))  # noqa: T201 - for scripts


@contextmanager
def byte_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each file, in bytes, with the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(escape(harmless(name)), total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield report


@contextmanager
def month_progress(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar over the questions of several months, with the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda month, done, total: progress.update(task, description=month, completed=done, total=total)


class Printer:
    """Prints answers on a console in one language."""

    def __init__(self, console: Console, language: str) -> None:
        self.console = console
        self.language = language
        self.translate = translator(language)

    def say(self, text: str) -> None:
        """Print a sentence; what it holds is taken as text, never as markup."""
        self.console.print(escape(harmless(text)), soft_wrap=True)

    def asked(self, request: str, command: str, *, as_json: bool) -> None:
        """Print that the service was asked to seal, and which command shows what became of it."""
        if as_json:
            print_json({"asked": request})
            return
        _ = self.translate
        text = _("Asked for: the service seals it within a minute. {command} then says where it lies.")
        self.say(text.format(command=f"audit-kernel {command}"))

    def told(self, found: Told) -> None:
        """Print what became of what the service was asked to seal."""
        for sentence in found.sentences:
            self.say(sentence)
        for page in found.pages:
            self.say(self.translate("Sealed: {path}").format(path=page))

    def lacks(self, found: Sequence[Lack], nothing: str, *, as_json: bool) -> None:
        """Print what is missing, unsafe or about to expire; `nothing` where there is none."""
        if as_json:
            parts = [(each.kind, *each.error.parts(self.language)) for each in found]
            print_json([dict(zip(("kind", "problem", "remedy"), each, strict=True)) for each in parts])
            return
        _ = self.translate
        words = {"missing": _("Missing"), "unsafe": _("Unsafe"), "expiring": _("Expires")}
        for each in found:
            self.say(f"{words[each.kind]}: {each.error.text(self.language)}")
        if not found:
            self.say(nothing)

    def deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Print lines of the ledger."""
        _ = self.translate
        if not deliveries:
            self.say(_("Nothing was taken in."))
            return
        columns = [(_("File"), ""), (_("Log"), "")]
        numbers = (_("Records read"), _("Stored"), _("Already known"), _("In quarantine"), _("Conflicts"))
        columns += [(heading, "end") for heading in numbers]
        columns += [(_("First event (UTC)"), ""), (_("Last event (UTC)"), "")]
        rows = []
        for each in deliveries:
            name = each.file_name
            if each.is_repeated:
                name = _("{name} (taken in before, nothing was done)").format(name=name)
            counts = (each.n_read, each.n_stored, each.n_known, each.n_quarantined, each.n_conflicts)
            days = [format_date(at.date(), self.language) if at else "" for at in (each.first_at, each.last_at)]
            rows.append((name, each.source_id, *map(self._number, counts), *days))
        self._table(_("Taken in"), columns, rows)

    def refused(self, refused: Sequence[dict[str, Any]]) -> None:
        """Print the files that were refused, when and why."""
        _ = self.translate
        for each in refused:
            self.say(_("Refused on {date}: {reason}").format(date=each["at"], reason=each["refused"]))

    def quarantine(self, rows: Sequence[dict[str, Any]]) -> None:
        """Print records in quarantine."""
        _ = self.translate
        title = _.plural("{count} record in quarantine", "{count} records in quarantine", len(rows))
        columns = [(heading, "") for heading in (_("File"), _("Line"), _("Column"), _("Reason"), _("Record"))]
        cells = [
            (
                row["file_name"],
                str(row["line_number"]),
                row["column_name"],
                self.reason(row["code"]),
                self._cut(row["raw_record"]),
            )
            for row in rows
        ]
        self._table(title.format(count=self._number(len(rows))), columns, cells)

    def result(self, result: Result, time_zone: str, limit: int, notices: Sequence[str] = ()) -> None:
        """Print a report's rows, how many accesses were searched, and what the period lacks."""
        from audit_kernel.evidence.display import table_from_arrow

        _ = self.translate
        description = result.query.description
        title = description.title.in_language(self.language)
        shown = table_from_arrow(result.table, description.columns, self.language, time_zone, title, limit)
        self._table(shown.caption, [(column.label, column.align) for column in shown.columns], shown.rows)
        if shown.note:
            self.say(shown.note)
        texts = (
            "{count} row. {searched} accesses in the period were searched.",
            "{count} rows. {searched} accesses in the period were searched.",
        )
        if result.query.room == "checks":
            texts = (
                "{count} finding. {searched} rows of the logs in the period were examined.",
                "{count} findings. {searched} rows of the logs in the period were examined.",
            )
        text = _.plural(*texts, result.table.num_rows)
        self.say(text.format(count=self._number(result.table.num_rows), searched=self._number(result.rows_searched)))
        if result.rows_unresolved:
            text = _("{count} of them concern a record whose patient is not known (no record key).")
            self.say(text.format(count=self._number(result.rows_unresolved)))
        for notice in notices:
            self.say(notice)

    def sealed(self, run: MonthRun, *, as_json: bool) -> None:
        """Print what became of a sealed run: its pages, where it lies, its code."""
        if not as_json:
            self.run(run)
            return
        pages = [asdict(each) for each in run.outcomes]
        places = {"bag": str(run.bag), "index": str(run.index), "head_code": run.head_code}
        print_json({**places, "warnings": run.warnings, "pages": pages})

    def run(self, run: MonthRun) -> None:
        """Print what became of each notebook, and where the pages are."""
        from audit_kernel.evidence.index import answer

        for outcome in run.outcomes:
            title = outcome.facts.get("title", outcome.name)
            self.say(f"{title}: {answer(self.language, outcome)}")
            if not outcome.succeeded:
                self.say(outcome.reason)
            elif why := outcome.facts.get("not_assessable"):
                self.say(str(why))
        for warning in run.warnings:
            self.say(warning)
        self.say(str(run.index))
        self.code_to_file(run.head_code)

    def code_to_file(self, code: str) -> None:
        """Print the head record's code, and what it is for; nothing before the first run."""
        if code:
            _ = self.translate
            text = _("File this code in the minutes; it shows later whether runs were removed: {code}")
            self.say(text.format(code=code))

    def verification(self, target: Path, problems: Sequence[Problem], key: TrustedKey, *, as_json: bool) -> None:
        """Print each problem by run and file, or that there is none, and the key it was checked with."""
        _ = self.translate
        if as_json:
            found = [
                {**asdict(each), "message": each.text(self.language), "is_failure": each.is_failure}
                for each in problems
            ]
            code = head_code(target, key.key)
            print_json({"public_key_fingerprint": key.fingerprint, "head_code": code, "problems": found})
            return
        self.say(key.text(self.language))
        for problem in problems:
            self.say(problem.text(self.language))
        if not any(problem.is_failure for problem in problems):
            text = _("Verified: nothing in {path} was changed, removed or added.")
            if any(problem.code == "disposed_of" for problem in problems):
                text = _("Verified: nothing in {path} was changed or added, or removed but by a sealed record.")
            self.say(text.format(path=target))
            self.code_to_file(head_code(target, key.key))

    def _table(self, caption: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """Print a table, or where it does not fit the terminal, each row as labels and values."""
        table = Table(title=_safe(caption))
        for label, align in columns:
            table.add_column(_safe(label), justify="right" if align == "end" else "left", no_wrap=True)
        for row in rows:
            table.add_row(*map(_safe, row))
        options = self.console.options.update(max_width=WIDEST)
        width = Measurement.get(self.console, options, table).maximum
        if not self.console.is_terminal:
            Console(file=self.console.file, width=width).print(table)
        elif width <= self.console.width:
            self.console.print(table)
        else:
            self.console.rule(_safe(caption))
            for row in rows:
                for (label, _align), cell in zip(columns, row, strict=True):
                    self.console.print(f"[dim]{_safe(label)}:[/dim] {_safe(cell)}")
                self.console.rule()

    def _cut(self, record: str) -> str:
        """Shorten a long record for the terminal, with a mark; `--json` gives it whole."""
        if len(record) <= LONGEST_CELL:
            return record
        _ = self.translate
        mark = _("{beginning} … ({length} characters in all)")
        return mark.format(beginning=record[:LONGEST_CELL], length=self._number(len(record)))

    def _number(self, value: int) -> str:
        return format_number(value, self.language)

    def reason(self, code: str) -> str:
        """Return the words for a reason of the quarantine; the code itself where there are none."""
        _ = self.translate
        reasons = {
            "conflict": _("the same id came before with other content"),
            "control_characters": _("control characters"),
            "document_type": _("declares a document type, by which other text can be drawn in"),
            "implausible_time": _("a time that cannot be right"),
            "missing_value": _("a value is missing"),
            "not_a_date": _("not a date"),
            "not_a_number": _("not a number"),
            "not_a_time": _("not a time"),
            "not_readable": _("cannot be read"),
            "too_long": _("too long"),
            "unknown_value": _("a value that the mapping does not know"),
        }
        return reasons.get(code, code)


def _safe(text: str) -> str:
    return escape(harmless(text))
