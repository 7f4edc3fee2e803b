"""The first reader of delimited files: DuckDB, strictly, with nothing guessed; one pass parses, converts and hashes.

What was found about DuckDB 1.5.5: an explicit `strict_mode=true` together with an explicit CRLF reads files wrongly
(even as no row and no error), so strict mode is left at its default, which is on; `header=true` fails on some CRLF
files likewise, so the header is read as row 0 and left out; a table's rowids are in the file's order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow

from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.sources.conversions import Conversions
from audit_kernel.sources.count import line_with_other_columns
from audit_kernel.sources.raw_records import raw_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audit_kernel.sources.definition import DelimitedLayout
    from audit_kernel.sources.prepare import PreparedFile

DEFAULT_LONGEST_LINE = 2_000_000
QUARANTINE_BATCH = 2_000
FAILURES_PAGE = 100_000
QUARANTINE_FIELDS: list[pyarrow.Field[Any]] = [
    pyarrow.field("record_number", pyarrow.int64()),
    pyarrow.field("line_number", pyarrow.int64()),
    pyarrow.field("column_name", pyarrow.string()),
    pyarrow.field("code", pyarrow.string()),
    pyarrow.field("raw_record", pyarrow.string()),
]
GLOB = re.compile(r"([*?\[])")


def read_records(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedFile,
    layout: DelimitedLayout,
    conversions: Conversions,
    computed: Sequence[str],
    *,
    is_hashed: bool = True,
) -> int:
    """Read the file into the TEMP table `staged_records` and fill `staged_quarantine`; return the records read.

    `staged_records` has record_number as its rowid (row 0 is the header), record_hash (NULL unless `is_hashed`),
    failure (NULL: good) and what `computed` adds, SQL expressions with their alias over the columns c1, c2 ...

    Raises
    ------
    DamagedFileError: DuckDB finds another structure than the mapping's; names file and line.
    """
    has_breaks = prepared.facts.n_quoted_breaks > 0
    columns = [
        *computed,
        f"{conversions.hash() if is_hashed else 'null::varchar'} as record_hash",
        f"{conversions.failure()}::usmallint as failure",
        *([f"{conversions.n_breaks()}::bigint as n_breaks"] if has_breaks else []),
    ]
    connection.execute("drop table if exists staged_records cascade")
    try:
        connection.execute(
            f"create temp table staged_records as select {', '.join(columns)} from {_reader(prepared, layout)}",
            _reader_values(prepared, layout),
        )
    except duckdb.InvalidInputException as error:
        raise _damaged(prepared, layout, str(error)) from None
    except duckdb.OutOfMemoryException:
        raise IntakeError(
            "{name} does not fit into memory and temporary disk space.",
            "Nothing was taken in. Raise `store.memory_limit` in settings.yml.",
            name=prepared.name,
        ) from None
    prepared.check_unchanged()
    _number_lines(connection, has_breaks=has_breaks)
    _fill_quarantine(connection, prepared, layout, conversions)
    row = connection.execute("select count(*) - 1 from staged_records").fetchone()
    return int(row[0]) if row else 0


def _reader(prepared: PreparedFile, layout: DelimitedLayout) -> str:
    """The call of read_csv; all that is not a number or a generated name is bound."""
    names = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(1, len(layout.columns) + 1))
    line_end = "\\r\\n" if prepared.facts.line_end == "\r\n" else "\\n"
    limits = ""
    if prepared.facts.longest_record > DEFAULT_LONGEST_LINE:
        limits = f", max_line_size = {prepared.facts.longest_record + DEFAULT_LONGEST_LINE}"
    return (
        f"read_csv($path, auto_detect = false, header = false, all_varchar = true, columns = {{{names}}}, "
        f"delim = $delimiter, quote = $quote, escape = $quote, new_line = '{line_end}', compression = 'none', "
        f"null_padding = false, ignore_errors = false{limits})"
    )


def _reader_values(prepared: PreparedFile, layout: DelimitedLayout) -> dict[str, str]:
    # read_csv takes a path as a pattern: its signs stand for themselves in brackets.
    return {
        "path": GLOB.sub(r"[\1]", str(prepared.text)),
        "delimiter": layout.delimiter,
        "quote": layout.quote,
    }


def _damaged(prepared: PreparedFile, layout: DelimitedLayout, message: str) -> DamagedFileError:
    """Say where DuckDB stopped; its own message quotes the line and must not leave this function."""
    line = line_with_other_columns(prepared.text, layout.delimiter, layout.quote, len(layout.columns))
    found = re.search(r"Line: (\d+)", message)
    where = line or (int(found[1]) if found else None)
    count = len(layout.columns)
    if where is None:
        return DamagedFileError(
            "{name} does not have the {count} columns of the header, or a quote is not balanced.",
            "Nothing was taken in. Export the file again.",
            name=prepared.name,
            count=count,
        )
    return DamagedFileError(
        "{name}, line {line} does not have the {count} columns of the header, or a quote is not balanced.",
        "Nothing was taken in. Export the file again.",
        name=prepared.name,
        line=where,
        count=count,
    )


def _number_lines(connection: duckdb.DuckDBPyConnection, *, has_breaks: bool) -> None:
    """Make `staged_lines`: the line on which each record begins, quoted line breaks counted."""
    connection.execute("drop view if exists staged_lines")
    connection.execute("drop table if exists staged_line_starts")
    # inside a transaction that made the table, rowids begin at 2**55 instead of 0
    row = connection.execute("select coalesce(min(rowid), 0) from staged_records").fetchone()
    first = int(row[0]) if row else 0
    if not has_breaks:
        connection.execute(
            f"create temp view staged_lines as select rowid - {first} as record_number, "
            f"rowid - {first} + 1 as line_number, * from staged_records where rowid > {first}"
        )
        return
    connection.execute(
        f"create temp table staged_line_starts as select rowid - {first} as record_number, (rowid - {first} + 1 + "
        "coalesce(sum(n_breaks) over (order by rowid rows between unbounded preceding and 1 preceding), 0))::bigint "
        "as line_number from staged_records"
    )
    connection.execute(
        "create temp view staged_lines as select starts.record_number, starts.line_number, records.* "
        "from staged_records as records join staged_line_starts as starts "
        f"on starts.record_number = records.rowid - {first} "
        f"where records.rowid > {first}"
    )


def _fill_quarantine(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, layout: DelimitedLayout, conversions: Conversions
) -> None:
    create_quarantine(connection)
    batch: list[dict[str, object]] = []
    for (number, line, failure), text in raw_records(prepared.text, layout.quote, _failed(connection)):
        column, code = conversions.reasons[failure]
        batch.append(
            {"record_number": number, "line_number": line, "column_name": column, "code": code, "raw_record": text}
        )
        if len(batch) == QUARANTINE_BATCH:
            add_to_quarantine(connection, batch)
            batch.clear()
    add_to_quarantine(connection, batch)


def _failed(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int, int]]:
    """Give record number, line and failure of the bad records, page by page: a file may hold millions."""
    last = 0
    while page := connection.execute(
        "select record_number, line_number, failure from staged_lines where failure is not null and record_number > ? "
        "order by record_number limit ?",
        [last, FAILURES_PAGE],
    ).fetchall():
        yield from page
        last = page[-1][0]


def create_quarantine(connection: duckdb.DuckDBPyConnection) -> None:
    """Make an empty TEMP table `staged_quarantine`."""
    connection.execute(
        "create or replace temp table staged_quarantine (record_number bigint, line_number bigint, "
        "column_name varchar, code varchar, raw_record varchar)"
    )


def add_to_quarantine(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, object]]) -> None:
    """Append rows to `staged_quarantine`."""
    if rows:
        arrow = pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(QUARANTINE_FIELDS))
        connection.register("staged_batch", arrow)
        connection.execute("insert into staged_quarantine select * from staged_batch")
        connection.unregister("staged_batch")
