"""Records on their way into a delimited log: columns of text, joined to lines and written month by month."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow
import pyarrow.compute

from audit_kernel.demo.export import EPOCH, SECONDS_PER_DAY, WrittenLogs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from audit_kernel.demo.entries import Entries
    from audit_kernel.demo.settings import Calendar

FIRST_LOG_ID = 7_300_001
OWN_IDS = ("Logg-id;", "Händelse-id;")
UNIT_SEPARATOR = "\x1f"


def quoted(text: str) -> str:
    """Return one field as a delimited file has it."""
    return '"' + text.replace('"', '""') + '"' if ";" in text or '"' in text else text


def chosen(values: Sequence[str], which: NDArray[numpy.int64]) -> pyarrow.StringArray:
    """Return the text of each row by its number."""
    return _texts(values).take(which)


def _texts(values: pyarrow.StringArray | Sequence[str]) -> pyarrow.StringArray:
    return values if isinstance(values, pyarrow.StringArray) else pyarrow.array(values, pyarrow.string())


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one log: when (seconds of UTC), the planted episode or 0, and columns of fields, quoted as needed.

    moments: by row, what stands for a time that cannot be read.
    """

    at: NDArray[numpy.int64]
    episode: NDArray[numpy.int64]
    fields: Mapping[str, pyarrow.StringArray | list[str]]
    moments: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Entries, header: str) -> Records:
        """Return entries by column."""
        own = {name for fields in entries.fields for name in fields}
        columns = {
            name: [quoted(str(fields.get(name, ""))) for fields in entries.fields]
            for name in header.split(";")
            if name in own
        }
        at, episode = (numpy.array(column, dtype=numpy.int64) for column in (entries.at, entries.episode))
        return cls(at, episode, columns)

    def take(self, which: NDArray[numpy.int64] | NDArray[numpy.bool_]) -> Records:
        """Return those rows, in that order."""
        rows = numpy.arange(len(self.at))[which]
        columns = {name: _texts(column).take(rows) for name, column in self.fields.items()}
        place = {row: new for new, row in enumerate(rows.tolist()) if row in self.moments}
        moments = {new: self.moments[row] for row, new in place.items()}
        return Records(self.at[rows], self.episode[rows], columns, moments)


def write_months(
    folder: Path | None, calendar: Calendar, source_id: str, header: str, records: Records, written: WrittenLogs
) -> None:
    """Write one log month by month in order of time, CRLF, the last file in UTF-8 and the others in Windows-1252.

    Parameters
    ----------
    folder: None writes nothing, and only tells in `written` what would be.
    """
    first, last = calendar.utc_second(0, 0), calendar.utc_second(calendar.n_days, 0)
    order = numpy.argsort(records.at, kind="stable")
    records = records.take(order[(first <= records.at[order]) & (records.at[order] < last)])
    local = calendar.local_seconds(records.at)
    offset = (calendar.start - EPOCH).days
    starts = [(calendar.number(month) + offset) * SECONDS_PER_DAY for month in calendar.months]
    bounds = [*numpy.searchsorted(local // SECONDS_PER_DAY * SECONDS_PER_DAY, starts).tolist(), len(local)]
    own = _own_columns(local, records.moments)
    columns = {**own, **records.fields}
    empty = _texts([""] * len(local))
    fields = [_texts(columns.get(name, empty)) for name in header.split(";")]
    lines = [line or "" for line in _joined(fields, ";").to_pylist()]
    days = local.astype("datetime64[s]").astype("datetime64[D]")
    for place, month in enumerate(calendar.months):
        path = f"{source_id}_{month:%Y-%m}.csv"
        of_month = lines[slice(*bounds[place : place + 2])]
        if folder is not None:
            text = "".join(f"{line}\r\n" for line in (header, *of_month))
            (folder / path).write_bytes(text.encode("utf-8-sig" if month == calendar.months[-1] else "cp1252"))
            written.paths.append(folder / path)
            written.sources.append(source_id)
        rows = numpy.flatnonzero(records.episode[slice(*bounds[place : place + 2])]).tolist()
        for row in rows:
            number = bounds[place] + row
            written.planted.append((int(records.episode[number]), str(days[number]), (source_id, path, row + 2)))
        has_own = header.startswith(OWN_IDS)
        written.event_ids += [of_month[row].partition(";")[0] for row in rows] if has_own else _hashes(of_month, rows)
    written.n_records += len(local)


def _joined(columns: Sequence[pyarrow.Array[Any]], separator: str) -> pyarrow.StringArray:
    join: Callable[..., pyarrow.StringArray] = pyarrow.compute.binary_join_element_wise
    return join(*columns, separator)


def _own_columns(
    local: NDArray[numpy.int64], bad_moments: dict[int, str]
) -> dict[str, pyarrow.StringArray | list[str]]:
    """Return what the log itself adds to a record: when, and its own id where it has one."""
    days = local.astype("datetime64[s]").astype("datetime64[D]")
    seconds = pyarrow.array(local % SECONDS_PER_DAY, pyarrow.int32()).cast(pyarrow.time32("s"))
    dates = pyarrow.array(days).cast(pyarrow.string())
    clocks = seconds.cast(pyarrow.string())
    moments = _joined((dates, clocks), " ")
    if bad_moments:
        bad = [bad_moments.get(row) for row in range(len(local))]
        moments = pyarrow.compute.coalesce(pyarrow.array(bad, pyarrow.string()), moments)
    numbers = pyarrow.array(numpy.arange(FIRST_LOG_ID, FIRST_LOG_ID + len(local))).cast(pyarrow.string())
    marked = [f"H{number:06d}" for number in range(1, len(local) + 1)]
    return {"Logg-id": numbers, "Händelse-id": marked, "Tidpunkt": moments, "Datum": dates, "Klockslag": clocks}


def _hashes(lines: list[str], rows: list[int]) -> list[str]:
    """Return the ids of records that carry none: SHA-256 of the fields, and which of the very same lines it is."""
    wanted = {lines[row] for row in rows}
    seen = Counter[str]()
    occurrence: dict[int, int] = {}
    for row, line in enumerate(lines if wanted else []):
        if line in wanted:
            seen[line] += 1
            occurrence[row] = seen[line]
    fields = (lines[row].replace(";", UNIT_SEPARATOR) for row in rows)
    digests = (hashlib.sha256(text.encode()).hexdigest() for text in fields)
    return [f"{digest}:{occurrence[row]}" for digest, row in zip(digests, rows, strict=True)]
