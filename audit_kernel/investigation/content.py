"""What the page shows of one step: a report's table, the sentences around it, and its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow
from pyarrow import compute

from audit_kernel.evidence.display import code_in_words, format_value
from audit_kernel.investigation.steps import ABOUT_OTHERS, FOLLOWING
from audit_kernel.investigation.table import TableColumn, TableContent
from audit_kernel.investigation.ways import ways_of
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
    "patient_searches": ("recorded_at",),
    "blocked_searches": ("recorded_at",),
    "break_glass": ("recorded_at",),
    "extent": ("patient_id",),
    "household": ("patient_id",),
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

    def as_text(rows: pyarrow.Table) -> Sequence[Sequence[str]]:
        cells = [
            [
                code_in_words(column.name, of_query, value, language)
                or format_value(value, of_query.type, language, time_zone)
                for value in rows[column.sorted_by].to_pylist()
            ]
            for column, of_query in zip(columns, shown.values(), strict=True)
        ]
        return list(zip(*cells, strict=True))

    actions = {"activity": _("Activity"), "detailed_activity": _("Detailed activity"), "system_log": _("System log")}
    following = FOLLOWING.get(step.report, "")
    return TableContent(
        rows=result.table,
        columns=columns,
        as_text=as_text,
        caption=_caption(result, language),
        heading=_heading(step, list(shown)),
        action=_("Choose") if step.report == "people" else actions.get(following, ""),
        marked=_position(result.table, step.origin),
        ways=ways_of(result.table.column_names, language) if following or step.report == "system_log" else (),
    )


def figures_content(table: pyarrow.Table, language: str) -> TableContent:
    """Return the figures behind the timeline as a table that is folded until somebody asks for it."""
    _ = translator(language)

    def as_text(rows: pyarrow.Table) -> Sequence[Sequence[str]]:
        return [
            (format_date(row["day"], language), format_number(int(row["n_accesses"]), language))
            for row in rows.to_pylist()
        ]

    columns = [
        TableColumn("day", _("Day"), "day"),
        TableColumn("n_accesses", _("Accesses"), "n_accesses", is_number=True),
    ]
    folded = _("The figures of the timeline as a table")
    return TableContent(table, columns, as_text, _("Accesses per day"), folded=folded)


def _said_above(step: Step) -> set[str]:
    # Whom the question was about stands once above the table, not in every row of it.
    subjects = {"patient": step.patient_id, "employee": step.employee_id}
    other = ABOUT_OTHERS.get(step.report)
    said = [subject for subject, known in subjects.items() if known and subject != other]
    return {f"{subject}_{part}" for subject in said for part in ("id", "name")}


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
        (_("Patient"), _people(result, "patient", step)),
        (_("Employee"), _people(result, "employee", step)),
        (_("Period"), period_text(step.from_date, step.to_date, language)),
        (_("Purpose"), purpose),
    ]
    return [(label, value) for label, value in pairs if value]


def _people(result: Result, subject: str, step: Step) -> str:
    """Return who was asked about: the site's ids, with the names that the rows themselves give."""
    asked: tuple[str, ...] = step.patients if subject == "patient" else step.employees
    resolved = str(result.parameters.get(f"{subject}_id") or "") if len(asked) == 1 else ""
    keys = (f"{subject}_id", f"{subject}_name")
    is_theirs = set(keys) <= set(result.table.column_names) and ABOUT_OTHERS.get(step.report) != subject
    theirs = result.table.select(keys) if is_theirs else None
    if theirs is not None and len(asked) == 1:
        theirs = theirs.slice(0, 1)  # every row is about that one
    names: dict[str, str] = {}
    for row in theirs.to_pylist() if theirs is not None else ():
        if row[keys[1]]:
            names.setdefault(str(row[keys[0]]), row[keys[1]])
    ids = [resolved or each for each in asked]
    return "; ".join(f"{each} {names[each]}" if each in names else each for each in ids)


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
    if step.report == "extent":
        said += " " + extent_said(result, language)
    return said + " " + _("The row you came from is marked.") if is_marked else said


def extent_said(result: Result, language: str) -> str:
    """Give the first estimate of how many people are affected, and what it counts."""
    plural = translator(language).plural
    rows = result.table.select(["n_unexplained"]).to_pylist()
    affected = sum(bool(row["n_unexplained"]) for row in rows)
    return plural(
        "First estimate: {count} person of {total} has accesses for which the data show no reason. It counts what the"
        " logs of this store hold, under this person's own names in them; not what was read aloud, over a shoulder or"
        " under another's name, and not what an older or other log holds.",
        "First estimate: {count} persons of {total} have accesses for which the data show no reason. It counts what"
        " the logs of this store hold, under this person's own names in them; not what was read aloud, over a shoulder"
        " or under another's name, and not what an older or other log holds.",
        affected,
    ).format(count=format_number(affected, language), total=format_number(len(rows), language))


def _caption(result: Result, language: str) -> str:
    title = result.query.description.title.in_language(language)
    return f"{title}: {n_rows_text(result.table.num_rows, language)}"


def notices(result: Result, step: Step, language: str) -> list[str]:
    """Say what the reader must know before believing the rows: unresolved records, unconfirmed and unknown codes."""
    plural = translator(language).plural
    unresolved = result.rows_unresolved if step.patients else 0
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
