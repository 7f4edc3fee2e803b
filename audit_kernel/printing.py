"""What commands print: tables, progress and sentences for a terminal. Log text is made harmless first."""

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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.month import MonthRun
    from audit_kernel.evidence.objects import Table as EvidenceTable
    from audit_kernel.evidence.problems import Problem
    from audit_kernel.evidence.verify import TrustedKey
    from audit_kernel.query import Result
    from audit_kernel.store.ledger import Delivery


WIDEST = 10_000


def split_option(text: str) -> tuple[str, str]:
    """Split NAME=VALUE.

    Raises
    ------
    UsageError: there is no equals sign.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        problem = f"{text!r} is not NAME=VALUE."
        raise UsageError(problem, "Write for example --set log_type=Brukersøk")
    return name, value


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
def step_progress(console: Console, total: int) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar over the notebooks of a run."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Running notebooks", total=total)

        def report(outcome: Outcome) -> None:
            progress.update(task, advance=1, description=f"{outcome.name} finished")

        yield report


def print_deliveries(console: Console, deliveries: Sequence[Delivery]) -> None:
    """Print lines of the ledger."""
    if not deliveries:
        console.print("Nothing was taken in.")
        return
    table = Table(title="Taken in (times in UTC)")
    for heading in ("File", "Source"):
        table.add_column(heading, overflow="fold")
    for heading in ("Read", "Stored", "Known", "Quarantined", "Conflicts"):
        table.add_column(heading, justify="right")
    table.add_column("First and last event", overflow="fold")
    for each in deliveries:
        span = f"{each.first_at:%Y-%m-%d} to {each.last_at:%Y-%m-%d}" if each.first_at and each.last_at else ""
        counts = (each.n_read, each.n_stored, each.n_known, each.n_quarantined, each.n_conflicts)
        note = " (taken in before; nothing done)" if each.is_repeated else ""
        cells = (harmless(each.file_name) + note, each.source_id, *(f"{count:,}" for count in counts), span)
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)


def print_refused(console: Console, refused: Sequence[dict[str, Any]]) -> None:
    """Print the files that were refused, and why."""
    for each in refused:
        console.print(f"[red]Refused[/red] {each['at']}: {escape(harmless(str(each['refused'])))}", soft_wrap=True)


def print_quarantine(console: Console, rows: Sequence[dict[str, Any]]) -> None:
    """Print records in quarantine."""
    table = Table(title=f"{len(rows):,} records in quarantine")
    for heading in ("File", "Line", "Column", "Reason", "Record"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        cells = (row["file_name"], str(row["line_number"]), row["column_name"], row["code"], row["raw_record"][:500])
        table.add_row(*(escape(harmless(cell)) for cell in cells))
    console.print(table)


def print_result(console: Console, result: Result, language: str, time_zone: str, limit: int) -> None:
    """Print a report's rows and how many accesses were searched."""
    from audit_kernel.evidence.display import table_from_arrow

    description = result.query.description
    shown = table_from_arrow(
        result.table, description.columns, language, time_zone, description.title.in_language(language), limit
    )
    _print_wide_table(console, shown)
    if shown.note:
        console.print(escape(shown.note))
    console.print(f"{result.table.num_rows:,} rows; {result.rows_searched:,} accesses in the period were searched.")
    if result.rows_unresolved:
        console.print(
            f"{result.rows_unresolved:,} of them concern a record whose patient is not known (no record key)."
        )


def print_outcomes(console: Console, run: MonthRun) -> None:
    """Print what became of each notebook, and where the pages are."""
    for outcome in run.outcomes:
        if not outcome.succeeded:
            console.print(f"[red]Failed[/red] {outcome.name}: {escape(harmless(outcome.reason))}", soft_wrap=True)
        elif not outcome.facts.get("is_assessable"):
            console.print(
                f"Not assessable: {outcome.name}. {escape(harmless(str(outcome.facts.get('not_assessable'))))}"
            )
        else:
            word = "findings" if outcome.facts.get("room") == "checks" else "rows"
            console.print(f"{outcome.name}: {outcome.facts.get('n_rows', 0):,} {word}")
    console.print(str(run.index), soft_wrap=True)


def print_verification(
    console: Console, target: Path, problems: Sequence[Problem], key: TrustedKey, language: str, *, as_json: bool
) -> None:
    """Print each problem by run and file, or that there is none, and the key it was checked with."""
    if as_json:
        answer = {
            "public_key_fingerprint": key.fingerprint,
            "problems": [
                {**asdict(each), "message": each.text(language), "is_failure": each.is_failure} for each in problems
            ],
        }
        print(json.dumps(answer, ensure_ascii=True, indent=2))  # noqa: T201 - for scripts
        return
    console.print(escape(harmless(key.text(language))), soft_wrap=True)
    for problem in problems:
        console.print(escape(harmless(problem.text(language))), soft_wrap=True)
    if not any(problem.is_failure for problem in problems):
        console.print(f"Verified: nothing in {escape(str(target))} was changed, removed or added.", soft_wrap=True)


def _print_wide_table(console: Console, shown: EvidenceTable) -> None:
    """Print a table, or where it does not fit the terminal, each row as labels and values."""
    table = Table(title=escape(shown.caption))
    for column in shown.columns:
        table.add_column(escape(column.label), justify="right" if column.align == "end" else "left", no_wrap=True)
    for row in shown.rows:
        table.add_row(*(escape(cell) for cell in row))
    width = Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum
    if not console.is_terminal:
        Console(file=console.file, width=width).print(table)
    elif width <= console.width:
        console.print(table)
    else:
        console.rule(escape(shown.caption))
        for row in shown.rows:
            for column, cell in zip(shown.columns, row, strict=True):
                console.print(f"[dim]{escape(column.label)}:[/dim] {escape(cell)}")
            console.rule()
