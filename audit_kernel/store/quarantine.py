"""Moves records that were readable but may not be stored to quarantine, each with its text as it stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow

from audit_kernel.sources.delimited import QUARANTINE_FIELDS
from audit_kernel.sources.formats import reader
from audit_kernel.sources.raw_records import raw_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb

    from audit_kernel.sources import PreparedFile, SourceDefinition

BATCH = 2_000


def refuse(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedFile,
    source: SourceDefinition,
    code: str,
    selected: str,
    bounds: Mapping[str, object],
) -> int:
    """Add the records that `selected` (from ... where ...) finds to `refused`; return how many.

    Parameters
    ----------
    code: the reason, as in the quarantine's `code`.
    bounds: the values that `selected` binds.
    """
    rows = connection.execute(
        f"select distinct record_number, line_number {selected} order by record_number", bounds
    ).fetchall()
    batch: list[dict[str, object]] = []
    for (number, line), text in with_texts(prepared, source, rows):
        batch.append({"record_number": number, "line_number": line, "code": code, "raw_record": text})
        if len(batch) == BATCH:
            _add(connection, batch)
            batch.clear()
    _add(connection, batch)
    return len(rows)


def with_texts(
    prepared: PreparedFile, source: SourceDefinition, rows: Sequence[tuple[int, int]]
) -> Iterator[tuple[tuple[int, int], str]]:
    r"""Give each (record, line) with the record's text; rows ascend. What is not Unicode stands as `\xNN`, `\uNNNN`."""
    if source.format == "delimited":
        yield from raw_records(prepared.text, source.quote, rows)
    elif rows:
        wanted = dict(rows)
        for record in reader(source.format).records(prepared):
            if record.record_number in wanted:
                text = record.text.encode("utf-8", errors="backslashreplace").decode("utf-8")
                yield (record.record_number, wanted[record.record_number]), text


def _add(connection: duckdb.DuckDBPyConnection, batch: list[dict[str, object]]) -> None:
    if batch:
        connection.register("refused_batch", pyarrow.Table.from_pylist(batch, schema=pyarrow.schema(QUARANTINE_FIELDS)))
        connection.execute("insert into refused select * from refused_batch")
        connection.unregister("refused_batch")
