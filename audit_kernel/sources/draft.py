"""Drafts a mapping from a file's header and first rows, for a person to complete. What is not sure stays undecided."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from audit_kernel.errors import DamagedFileError, Phrase, SettingsError, UsageError
from audit_kernel.sources.columns import DECIDED, NOT_MAPPABLE, TIME_PARTS, ColumnType
from audit_kernel.sources.formats import FormatName, reader
from audit_kernel.sources.header_words import target_of, value_of
from audit_kernel.sources.shape import Shape, shape_of
from audit_kernel.sources.undecided import UNDECIDED
from audit_kernel.store.tables import table_definitions

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Table = Literal["accesses", "authentications", "medication_events"]
MOST_COLUMNS = 500
LONGEST_NAME = 200
# More different values than these are no code.
MOST_VALUES, LONGEST_VALUE = 20, 60
N_EXAMPLES = 3
ALWAYS_REQUIRED = ("event_id", "kind", *TIME_PARTS)
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d.%m.%y")
TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%H.%M.%S", "%H%M%S")
MOMENTS = tuple(f"{day}{between}{time}" for day in DATES for between in (" ", "T") for time in TIMES)
FORMATS: dict[ColumnType, tuple[str, ...]] = {"timestamp": MOMENTS, "date": DATES, "time": TIMES}
TARGETS: dict[ColumnType, str] = {
    "timestamp": "recorded_timestamp",
    "date": "recorded_date",
    "time": "recorded_time",
}
# A column that only this table has says that the log fills it.
TELLING: dict[Table, frozenset[str]] = {
    "medication_events": frozenset(["drug_code", "drug_name", "quantity", "witness_id"]),
    "authentications": frozenset(["account", "device", "reason"]),
}
SOURCE_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")
NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class DraftColumn:
    """One column of the file with what is suggested for it; `to` is `?` where a person must say, empty for not stored.

    values: for a column whose values are decided ones: what each value seen would be stored as, `?` where not sure.
    seen: the different values of the first rows, where they are few and short enough to be codes.
    examples: the first different values, shortened; they are shown, never written into the mapping.
    """

    name: str
    to: str = UNDECIDED
    type: ColumnType = "text"
    format: str = ""
    required: bool = False
    values: dict[str, str] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether a record without a value goes to quarantine: asked for, or the stored column always has one."""
        return self.required or self.to in ALWAYS_REQUIRED


@dataclass(frozen=True)
class Draft:
    """A mapping on its way; `mapping` gives what its YAML file says."""

    source_id: str
    time_zone: str
    format: FormatName = "delimited"
    table: Table = "accesses"
    title: str = ""
    encodings: tuple[str, ...] = ("utf-8",)
    delimiter: str = ";"
    quote: str = '"'
    running_number: bool | str = False
    expects_rows_daily: bool | str = UNDECIDED
    columns: tuple[DraftColumn, ...] = ()

    def mapping(self) -> dict[str, Any]:
        """Return the keys and values of the mapping's file, in its order."""
        titles = dict.fromkeys(("en", "sv", "nb"), self.title or self.source_id.replace("_", " "))
        said: dict[str, Any] = {"source_id": self.source_id, "format": self.format, "title": titles}
        said |= {"time_zone": self.time_zone}
        if self.format != "delimited":
            return said | {"own_event_id": True, "expects_rows_daily": self.expects_rows_daily}
        said |= {"table": self.table, "encodings": list(self.encodings)}
        said |= {"delimiter": self.delimiter, "quote": self.quote}
        said |= {"own_event_id": any(column.to == "event_id" for column in self.columns)}
        said |= {"running_number": self.running_number, "expects_rows_daily": self.expects_rows_daily}
        return said | {"columns": {column.name: _column(column) for column in self.columns}}

    def with_column(self, position: int, **changes: Any) -> Draft:  # noqa: ANN401 - fields of DraftColumn
        """Return the draft with one column changed; where it goes decides which values it may have."""
        column = replace(self.columns[position], **changes)
        if "to" in changes:
            column = replace(column, values=_values(column, self.table))
        columns = (*self.columns[:position], column, *self.columns[position + 1 :])
        return replace(self, columns=columns)

    def with_table(self, table: Table) -> Draft:
        """Return the draft for another table; what that table does not have is to be decided anew."""
        allowed = mappable(table)
        columns = [
            column if column.to in ("", UNDECIDED) or column.to in allowed else replace(column, to=UNDECIDED, values={})
            for column in self.columns
        ]
        columns = [replace(each, values=_values(each, table)) for each in columns]
        return replace(self, table=table, columns=tuple(columns))

    def with_value(self, position: int, value: str, to: str) -> Draft:
        """Return the draft with one of a column's values meaning something else."""
        column = self.columns[position]
        return self.with_column(position, values={**column.values, value: to})

    def check(self) -> None:
        """Raise SettingsError where the columns cannot make a mapping, in words for who fills in a form."""
        if self.format != "delimited":
            return
        targets = [column.to for column in self.columns if column.to not in ("", UNDECIDED)]
        remedy = Phrase("Choose what each column holds; a column that is not needed is not stored.")
        for place, column in enumerate(self.columns, start=1):
            if targets.count(column.to) > 1:
                raise SettingsError("Column {place} goes where another column goes too.", remedy, place=place)
            if column.to in TIME_PARTS and "%" not in column.format:
                raise SettingsError(
                    "Column {place} needs a format, for example {example}.", remedy, place=place, example="%d.%m.%Y"
                )
        has_parts = {"recorded_date", "recorded_time"} <= set(targets)
        if has_parts == ("recorded_timestamp" in targets):
            raise SettingsError("The log needs one time: date and time in one column, or in two.", remedy)
        if "kind" in DECIDED[self.table] and "kind" not in targets:
            raise SettingsError("A log of this kind needs a column that says what happened.", remedy)


def mappable(table: Table) -> frozenset[str]:
    """Return the stored columns to which a mapping of that table may send a column."""
    return frozenset(table_definitions()[table].columns) - NOT_MAPPABLE | set(TIME_PARTS)


def proposed_id(file_name: str) -> str:
    """Return a source's name made of a file's: letters and figures, dates and endings left out."""
    plain = file_name.lower().split(".")[0].translate(str.maketrans("åäæöø", "aaaoo"))
    words = [word for word in NOT_IN_NAMES.split(plain) if not word.isdigit()]
    found = SOURCE_ID.match("_".join(words).lstrip("_0123456789"))
    return found[0].rstrip("_") if found else "log"


def draft_of(start: bytes, source_id: str, time_zone: str, name: str, formats: Collection[FormatName] = ()) -> Draft:
    """Draft the mapping of a file.

    Parameters
    ----------
    start: the file's first 64 KiB, unpacked. name: how messages name the file.
    formats: the formats to look for before the file counts as delimited.

    Raises
    ------
    UsageError: `source_id` cannot be a source's name.
    DamagedFileError: the file is of no known format and no delimited text with a header.
    """
    if not SOURCE_ID.fullmatch(source_id):
        raise UsageError(
            "{source_id!r} cannot be the name of a source.",
            "Use small letters, figures and underscores, a letter first.",
            source_id=source_id,
        )
    for form in formats:
        if form != "delimited" and reader(form).looks_like(start):
            return Draft(source_id, time_zone, form)
    shape = shape_of(start)
    if shape is None:
        raise DamagedFileError(
            "{name} is no text with columns, and of no format that is known.",
            "A mapping is drafted for delimited text, for example CSV; ask the system's owner how the log is written.",
            name=name,
        )
    _check_header(shape, name)
    columns = _suggested(shape)
    targets = {column.to for column in columns}
    table = max(TELLING, key=lambda each: len(TELLING[each] & targets))
    draft = Draft(
        source_id,
        time_zone,
        encodings=("utf-8", "windows-1252") if shape.encoding == "utf-8" else (shape.encoding,),
        delimiter=shape.delimiter,
        quote=shape.quote,
        running_number=_is_running(columns, shape),
        columns=tuple(columns),
    )
    return draft.with_table(table if TELLING[table] & targets else "accesses")


def _check_header(shape: Shape, name: str) -> None:
    remedy = Phrase("Export the file with a header; nothing was written.")
    if len(shape.names) > MOST_COLUMNS or max(map(len, shape.names)) > LONGEST_NAME:
        raise DamagedFileError("{name}, line 1: the header has too many or too long names.", remedy, name=name)
    if len(set(shape.names)) != len(shape.names):
        raise DamagedFileError("{name}, line 1: a column stands twice in the header.", remedy, name=name)
    # A row of data in place of the header would put a person's data into the mapping.
    if any(cell.strip().isdigit() or _formats([cell]) for cell in shape.names):
        raise DamagedFileError("{name}, line 1 is a row of data, no header.", remedy, name=name)


def _suggested(shape: Shape) -> list[DraftColumn]:
    columns: list[DraftColumn] = []
    taken: set[str] = set()
    for position, name in enumerate(shape.names):
        values = [row[position] for row in shape.rows if len(row) == len(shape.names) and row[position]]
        to = target_of(name)
        kind, form = _time(values)
        if kind != "text" and to in TIME_PARTS:
            to = TARGETS[kind]
        elif to == "event_id" and all(value.isascii() and value.isdigit() for value in values):
            kind = "integer"
        elif to not in TIME_PARTS:
            kind, form = "text", ""
        is_free = bool(to) and to not in taken
        taken.add(to)
        different = tuple(sorted(set(values)))
        is_code = len(different) <= MOST_VALUES and all(len(value) <= LONGEST_VALUE for value in different)
        columns.append(
            DraftColumn(
                name,
                to if is_free else UNDECIDED,
                kind if is_free else "text",
                form if is_free else "",
                seen=different if is_code else (),
                examples=tuple(value[:LONGEST_VALUE] for value in list(dict.fromkeys(values))[:N_EXAMPLES]),
            )
        )
    return columns


def _time(values: Sequence[str]) -> tuple[ColumnType, str]:
    """The kind of time that all values are, and its format: `?` where day and month could be either way round."""
    fitting = _formats(values)
    if not fitting:
        return "text", ""
    kind = next(kind for kind, formats in FORMATS.items() if fitting[0] in formats)
    same_kind = [form for form in fitting if form in FORMATS[kind]]
    return kind, same_kind[0] if len(same_kind) == 1 else UNDECIDED


def _formats(values: Sequence[str]) -> list[str]:
    """The formats that fit every value; empty where there is no value, or a number without signs could be anything."""
    if not values or all(value.isdigit() for value in values):
        return []
    return [form for formats in FORMATS.values() for form in formats if all(_fits(value, form) for value in values)]


def _fits(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def _is_running(columns: Sequence[DraftColumn], shape: Shape) -> bool | str:
    """Whether the log's own id counts up by one in the first rows; `?` where it is a number that does not."""
    position = next((n for n, column in enumerate(columns) if column.to == "event_id"), None)
    if position is None or columns[position].type != "integer":
        return False
    numbers = [int(row[position]) for row in shape.rows if len(row) == len(shape.names) and row[position]]
    counts_up = len(numbers) > 1 and all(later - earlier == 1 for earlier, later in pairwise(numbers))
    return True if counts_up else UNDECIDED


def _values(column: DraftColumn, table: Table) -> dict[str, str]:
    allowed = DECIDED[table].get(column.to)
    if allowed is None:
        return {}
    kept = {value: to for value, to in column.values.items() if to in allowed}
    suggested = {value: value_of(column.to, value, allowed) or UNDECIDED for value in column.seen}
    return {**suggested, **kept} or {UNDECIDED: UNDECIDED}


def _column(column: DraftColumn) -> dict[str, Any]:
    said: dict[str, Any] = {"to": column.to} if column.to else {}
    if column.type != "text":
        said["type"] = column.type
    if column.format or column.to in TIME_PARTS:
        said["format"] = column.format or UNDECIDED
    if column.is_required:
        said["required"] = True
    return said | ({"values": column.values} if column.values else {})
