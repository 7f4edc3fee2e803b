"""What the page shows of one step: a report's table, the sentences around it, and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow
from pyarrow import compute

from audit_kernel.evidence.display import format_value
from audit_kernel.investigation.table import TableColumn, TableContent
from audit_kernel.locale import format_date, format_number, translator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from audit_kernel.investigation.steps import Step
    from audit_kernel.query import Result

NUMBERS = frozenset({"integer", "decimal", "percent"})
TIMES = frozenset({"date", "timestamp"})
# Who a row is about stands in its heading; where both were asked for, the employee does.
HEADINGS = {
    "activity": ("employee_id", "patient_id"),
    "detailed_activity": ("recorded_at",),
    "system_log": ("event_id",),
}


def table_content(result: Result, step: Step, language: str, time_zone: str) -> TableContent:
    """Return the table of a step: the columns its `.yml` shows, in the language, with the row it came from marked."""
    _ = translator(language)
    said = _said_above(step)
    described = result.query.description.columns
    shown = {name: column for name, column in described.items() if not column.hidden and name not in said}
    columns = [
        TableColumn(
            name=name,
            label=column.label.in_language(language),
            sorted_by=f"{name}_{language}" if column.localised else name,
            meaning=column.meaning.in_language(language),
            is_number=column.type in NUMBERS,
            is_whole=column.type in TIMES,
        )
        for name, column in shown.items()
    ]
    kinds = [column.type for column in shown.values()]

    def as_text(rows: pyarrow.Table) -> Sequence[Sequence[str]]:
        cells = [
            [format_value(value, kind, language, time_zone) for value in rows[column.sorted_by].to_pylist()]
            for column, kind in zip(columns, kinds, strict=True)
        ]
        return list(zip(*cells, strict=True))

    actions = {"activity": _("Detailed activity"), "detailed_activity": _("System log")}
    return TableContent(
        rows=result.table,
        columns=columns,
        as_text=as_text,
        caption=_caption(result, language),
        heading=_heading(step, list(shown)),
        action=actions.get(step.report, ""),
        marked=_position(result.table, step.origin),
    )


def figures_content(table: pyarrow.Table, day_label: str, caption: str, language: str, folded: str) -> TableContent:
    """Return the figures behind the timeline as a table that is folded until somebody asks for it."""
    _ = translator(language)

    def as_text(rows: pyarrow.Table) -> Sequence[Sequence[str]]:
        return [
            (format_date(row["day"], language), format_number(int(row["n_accesses"]), language))
            for row in rows.to_pylist()
        ]

    columns = [
        TableColumn("day", day_label, "day"),
        TableColumn("n_accesses", _("Accesses"), "n_accesses", is_number=True),
    ]
    return TableContent(table, columns, as_text, caption, folded=folded)


def _said_above(step: Step) -> set[str]:
    # Whom the question was about stands once above the table, not in every row of it.
    subjects = {"patient": step.patient_id, "employee": step.employee_id}
    return {f"{subject}_{part}" for subject, known in subjects.items() if known for part in ("id", "name")}


def _heading(step: Step, names: list[str]) -> int:
    wanted = HEADINGS.get(step.report, ())
    if step.report == "activity" and step.employee_id and not step.patient_id:
        wanted = wanted[::-1]
    return next((names.index(name) for name in wanted if name in names), 0)


def _position(table: pyarrow.Table, access_id: str | None) -> int | None:
    if access_id is None or "access_id" not in table.column_names:
        return None
    position = compute.index(compute.cast(table["access_id"], pyarrow.string()), access_id).as_py()
    return int(position) if position >= 0 else None


def facts(result: Result, step: Step, purpose: str, language: str) -> list[tuple[str, str]]:
    """Return what was asked: whom, when and why."""
    _ = translator(language)
    pairs = [
        (_("Patient"), _person(result, "patient", step.patient_id)),
        (_("Employee"), _person(result, "employee", step.employee_id)),
        (_("Period"), period_text(step.from_date, step.to_date, language)),
        (_("Purpose"), purpose),
    ]
    return [(label, value) for label, value in pairs if value]


def _person(result: Result, subject: str, asked: str | None) -> str:
    if not asked:
        return ""
    resolved = str(result.parameters.get(f"{subject}_id") or asked)
    column = f"{subject}_name"
    names = result.table[column].slice(0, 1).to_pylist() if column in result.table.column_names else []
    return f"{resolved} {names[0]}" if names and names[0] else resolved


def period_text(from_date: date, to_date: date, language: str) -> str:
    """Write a period of whole days."""
    first, last = format_date(from_date, language), format_date(to_date, language)
    return first if first == last else f"{first} \N{EN DASH} {last}"


def n_rows_text(count: int, language: str) -> str:
    """Write a number of rows."""
    return (
        translator(language).plural("{count} row", "{count} rows", count).format(count=format_number(count, language))
    )


def status(result: Result, step: Step, language: str) -> str:
    """Say how many rows came, and from how many that were searched."""
    _ = translator(language)
    searched = format_number(result.rows_searched, language)
    if not result.table.num_rows:
        return _("No rows. {searched} accesses in the period were searched.").format(searched=searched)
    text = _("{rows}. {searched} accesses in the period were searched.")
    said = text.format(rows=n_rows_text(result.table.num_rows, language), searched=searched)
    is_marked = _position(result.table, step.origin) is not None
    return said + " " + _("The row you came from is marked.") if is_marked else said


def _caption(result: Result, language: str) -> str:
    title = result.query.description.title.in_language(language)
    return f"{title}: {n_rows_text(result.table.num_rows, language)}"


def notices(result: Result, step: Step, language: str) -> list[str]:
    """Say what the reader must know before believing the rows: unresolved records, unconfirmed and unknown codes."""
    plural = translator(language).plural
    unresolved = result.rows_unresolved if step.patient_id else 0
    said = [
        (
            unresolved,
            plural(
                "{count} access in the period names a record whose patient is not known; it may be about this patient.",
                "{count} accesses in the period name a record whose patient is not known; "
                "some may be about this patient.",
                unresolved,
            ),
        ),
        (
            unconfirmed := _count(result.table, "is_confirmed", value=False)
            + _sum(result.table, "n_unconfirmed_codes"),
            plural(
                "{count} row uses a code whose meaning the system's owner has not confirmed.",
                "{count} rows use codes whose meaning the system's owner has not confirmed.",
                unconfirmed,
            ),
        ),
        (
            unknown := _count(result.table, "is_unknown_code", value=True) + _sum(result.table, "n_unknown_codes"),
            plural(
                "{count} row uses a code that the code dictionary does not know.",
                "{count} rows use a code that the code dictionary does not know.",
                unknown,
            ),
        ),
        (
            blocked := _count(result.table, "is_blocked", value=True),
            plural(
                "{count} row is about a record that was blocked at that time.",
                "{count} rows are about a record that was blocked at that time.",
                blocked,
            ),
        ),
    ]
    return [text.format(count=format_number(count, language)) for count, text in said if count]


def _count(table: pyarrow.Table, column: str, *, value: bool) -> int:
    if column not in table.column_names:
        return 0
    return table[column].to_pylist().count(value)


def _sum(table: pyarrow.Table, column: str) -> int:
    return sum(int(value or 0) for value in table[column].to_pylist()) if column in table.column_names else 0
