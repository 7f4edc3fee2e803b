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
# Who a row is about stands in its heading; where both were asked for, the employee does.
HEADINGS = {
    "activity": ("employee_name", "patient_name"),
    "detailed_activity": ("recorded_at",),
    "system_log": ("event_id",),
}


def table_content(result: Result, step: Step, language: str, time_zone: str) -> TableContent:
    """Return the table of a step: the columns its `.yml` shows, in the language, with the row it came from marked."""
    _ = translator(language)
    shown = {name: column for name, column in result.query.description.columns.items() if not column.hidden}
    columns = [
        TableColumn(
            name=name,
            label=column.label.in_language(language),
            sorted_by=f"{name}_{language}" if column.localised else name,
            meaning=column.meaning.in_language(language),
            is_number=column.type in NUMBERS,
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
        caption=result.query.description.title.in_language(language),
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
        (_("Patient"), result.parameters.get("patient_id") or step.patient_id),
        (_("Employee"), result.parameters.get("employee_id") or step.employee_id),
        (_("Period"), period_text(step.from_date, step.to_date, language)),
        (_("Purpose"), purpose),
    ]
    return [(label, str(value)) for label, value in pairs if value]


def period_text(from_date: date, to_date: date, language: str) -> str:
    """Write a period of whole days."""
    first, last = format_date(from_date, language), format_date(to_date, language)
    return first if first == last else f"{first} \N{EN DASH} {last}"


def status(result: Result, language: str) -> str:
    """Say how many rows came, and from how many that were searched."""
    _ = translator(language)
    searched = format_number(result.rows_searched, language)
    if not result.table.num_rows:
        return _("No rows. {searched} accesses in the period were searched.").format(searched=searched)
    text = _("{rows} rows. {searched} accesses in the period were searched.")
    return text.format(rows=format_number(result.table.num_rows, language), searched=searched)


def notices(result: Result, step: Step, language: str) -> list[str]:
    """Say what the reader must know before believing the rows: unresolved records, unconfirmed and unknown codes."""
    _ = translator(language)
    texts = []
    if step.patient_id and result.rows_unresolved:
        text = _(
            "{count} accesses in the period name a record whose patient is not known; "
            "some of them may be about this patient."
        )
        texts.append(text.format(count=format_number(result.rows_unresolved, language)))
    if unconfirmed := _count(result.table, "is_confirmed", value=False):
        text = _("{count} rows use codes whose meaning the system's owner has not confirmed. They are marked.")
        texts.append(text.format(count=format_number(unconfirmed, language)))
    if unknown := _count(result.table, "is_unknown_code", value=True):
        text = _("{count} rows use a code that the code dictionary does not know.")
        texts.append(text.format(count=format_number(unknown, language)))
    if blocked := _count(result.table, "is_blocked", value=True):
        text = _("{count} rows are about a record that was blocked at that time.")
        texts.append(text.format(count=format_number(blocked, language)))
    return texts


def _count(table: pyarrow.Table, column: str, *, value: bool) -> int:
    if column not in table.column_names:
        return 0
    return table[column].to_pylist().count(value)
