"""The objects a page is made of, and the table that is made of a query's result."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from audit_kernel.evidence.completeness_words import completeness_words, quarantine_reason
from audit_kernel.evidence.objects import (
    MIME_TYPE,
    Chart,
    DisplayObject,
    Done,
    Facts,
    Heading,
    Link,
    Links,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
    from_description,
)
from audit_kernel.locale import (
    format_boolean,
    format_date,
    format_decimal,
    format_number,
    format_percent,
    format_timestamp,
    in_language,
    translator,
)

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "MIME_TYPE",
    "Chart",
    "DisplayObject",
    "Done",
    "Facts",
    "Heading",
    "Link",
    "Links",
    "PageInformation",
    "Paragraph",
    "Table",
    "TableColumn",
    "format_value",
    "from_description",
    "table_from_arrow",
]

EMPTY = "\N{EN DASH}"
# One log field can be megabytes long; the whole of it stands in the table's file.
MAXIMUM_CELL = 500
_NUMBERS = frozenset({"integer", "decimal", "percent"})


class ColumnDescription(Protocol):
    """What a table needs to know of a column: the part of a query's description that is shown."""

    @property
    def name(self) -> str:
        """Name in SQL."""

    @property
    def type(self) -> str:
        """One of text, id, integer, decimal, percent, date, timestamp, boolean, code."""

    @property
    def label(self) -> Any:  # noqa: ANN401 - a mapping or a model with en, sv, nb
        """Heading in each language."""

    @property
    def meaning(self) -> Any:  # noqa: ANN401 - a mapping or a model with en, sv, nb
        """Meaning in each language."""

    @property
    def localised(self) -> bool:
        """Whether SQL gives one column a language."""

    @property
    def hidden(self) -> bool:
        """Whether the column is left out of the page."""


def table_from_arrow(
    arrow: pyarrow.Table,
    columns: Sequence[ColumnDescription] | Mapping[str, ColumnDescription],
    language: str,
    time_zone: str,
    caption: str,
    limit: int = 1000,
    file_name: str = "",
) -> Table:
    """Make the page's table of a query's result.

    Shows at most ``limit`` rows and says so, naming ``file_name`` where all of them are. Numbers, dates and times
    are written in the language; timestamps are UTC and shown in ``time_zone``; ids and codes are never grouped.
    """
    shown = [column for column in (columns.values() if isinstance(columns, Mapping) else columns) if not column.hidden]
    names = [f"{column.name}_{language}" if column.localised else column.name for column in shown]
    values = [arrow.column(name).slice(0, limit).to_pylist() for name in names]
    texts = [
        [
            code_in_words(column.name, column, value, language) or format_value(value, column.type, language, time_zone)
            for value in column_values
        ]
        for column, column_values in zip(shown, values, strict=True)
    ]
    return Table(
        caption=caption,
        columns=[_table_column(column, language) for column in shown],
        rows=list(zip(*texts, strict=True)),
        n_rows=arrow.num_rows,
        note=_note(arrow.num_rows, limit, file_name, language),
        language=language,
    )


def format_value(value: Any, kind: str, language: str, time_zone: str) -> str:  # noqa: ANN401, PLR0911 - one value of any SQL type
    """Write one value as a reader of the language does; NULL is a dash."""
    if value is None or value == "" or (isinstance(value, float | Decimal) and not math.isfinite(value)):
        return EMPTY
    if isinstance(value, bool):
        return format_boolean(value, language)
    if isinstance(value, datetime.datetime):
        return format_timestamp(value, language, time_zone)
    if isinstance(value, datetime.date):
        return format_date(value, language)
    if kind in _NUMBERS and isinstance(value, int | float | Decimal):
        return _format_number(value, kind, language)
    if isinstance(value, list | tuple):
        return ", ".join(format_value(part, kind, language, time_zone) for part in value)
    text = str(value) if isinstance(value, str | int | Decimal | float | UUID) else repr(value)
    return _shortened(text, language)


def code_in_words(name: str, column: ColumnDescription, value: Any, language: str) -> str:  # noqa: ANN401 - any SQL type
    """Return the words for a code: the column's own where its `.yml` has them, else the model's; empty for others."""
    own = getattr(column, "words", {}).get(value) if isinstance(value, str) else None
    return in_language(own, language) if own else in_words(name, value, language)


def in_words(column: str, value: Any, language: str) -> str:  # noqa: ANN401 - one value of any SQL type
    """Return the words for one of the model's own codes, by the column it stands in; empty for anything else."""
    _ = translator(language)
    if column == "outcome":
        words = {"success": _("success"), "denied": _("denied"), "failed": _("failed"), "unknown": _("unknown")}
    elif column == "time_flag":
        words = {
            "ok": _("certain"),
            "ambiguous": _("the hour occurs twice"),
            "nonexistent": _("the hour does not exist"),
            "no_zone": _("without time zone"),
        }
    elif column == "day_type":
        words = {"weekday": _("weekday"), "saturday": _("Saturday"), "sunday": _("Sunday or public holiday")}
    elif column == "reason" and value:
        return quarantine_reason(str(value), language)
    elif column in ("status", "kind_of_gap", "kind_of_fault", "field"):
        words = completeness_words(column, language)
    elif column == "action":
        words = {
            "read": _("read"),
            "write": _("write"),
            "delete": _("delete"),
            "sign": _("sign"),
            "countersign": _("countersign"),
            "print": _("print"),
            "export": _("export"),
            "search": _("search"),
            "execute": _("execute"),
            "other": _("other"),
        }
    else:
        return ""
    return words.get(value, "")


def _format_number(value: float | Decimal, kind: str, language: str) -> str:
    if kind == "integer":
        return format_number(int(value), language)
    return format_percent(value, language) if kind == "percent" else format_decimal(value, language)


def _shortened(text: str, language: str) -> str:
    if len(text) <= MAXIMUM_CELL:
        return text
    _ = translator(language)
    length = format_number(len(text), language)
    return _("{beginning} … ({length} characters in all)").format(beginning=text[:MAXIMUM_CELL], length=length)


def _table_column(column: ColumnDescription, language: str) -> TableColumn:
    return TableColumn(
        name=column.name,
        label=in_language(column.label, language),
        kind=column.type,
        align="end" if column.type in _NUMBERS else "start",
        meaning=in_language(column.meaning, language) if column.meaning else "",
    )


def _note(n_rows: int, limit: int, file_name: str, language: str) -> str:
    if n_rows <= limit:
        return ""
    _ = translator(language)
    shown, total = format_number(limit, language), format_number(n_rows, language)
    if not file_name:
        return _("The first {shown} of {total} rows are shown.").format(shown=shown, total=total)
    return _("The first {shown} of {total} rows are shown; all of them are in the file {file_name}.").format(
        shown=shown, total=total, file_name=file_name
    )
