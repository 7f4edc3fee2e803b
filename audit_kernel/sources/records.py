"""Stages the records of every format that is not delimited: in batches through Arrow, so that big files need little."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pyarrow

from audit_kernel.sources.delimited import add_to_quarantine, create_quarantine
from audit_kernel.sources.formats import BadValueError, Format, FoundRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile

BATCH = 5_000
ARROW_TYPES = {
    "BIGINT": pyarrow.int64(),
    "INTEGER": pyarrow.int32(),
    "VARCHAR": pyarrow.string(),
    "BOOLEAN": pyarrow.bool_(),
    "TIMESTAMP": pyarrow.timestamp("us"),
    "DECIMAL(18,4)": pyarrow.decimal128(18, 4),
    "VARCHAR[]": pyarrow.list_(pyarrow.string()),
}


def stage_records(
    connection: duckdb.DuckDBPyConnection,
    prepared: PreparedFile,
    source: SourceDefinition,
    form: Format,
    tables: Mapping[str, Mapping[str, str]],
) -> int:
    """Fill the TEMP tables `staged_TABLE_rows` and `staged_quarantine`; return the records read.

    Parameters
    ----------
    tables: the columns and types of each table that a record may belong to; their TEMP tables are there and empty.

    Raises
    ------
    DamagedFileError: the file is not of its format, holds no record, is cut short or changed since it was prepared.
    """
    create_quarantine(connection)
    batches = {table: _Batch(connection, f"staged_{table}_rows", columns) for table, columns in tables.items()}
    rejected: list[dict[str, object]] = []
    n_read = 0
    for record in form.records(prepared):
        n_read += 1
        try:
            if record.failure:
                raise BadValueError("", record.failure)  # noqa: TRY301 - one way into quarantine
            staged = form.rows(record.value, source)
        except BadValueError as error:
            rejected.append(_quarantined(record, error))
        except RecursionError:
            rejected.append(_quarantined(record, BadValueError("", "not_readable")))
        else:
            place = {
                "record_number": record.record_number,
                "line_number": record.line_number,
                "record_hash": hashlib.sha256(staged.identity).hexdigest(),
            }
            batches[staged.table].add([{**place, **row} for row in staged.rows])
        if len(rejected) == BATCH:
            add_to_quarantine(connection, rejected)
            rejected.clear()
    add_to_quarantine(connection, rejected)
    for batch in batches.values():
        batch.write()
    prepared.check_unchanged()
    return n_read


def _quarantined(record: FoundRecord, error: BadValueError) -> dict[str, object]:
    return {
        "record_number": record.record_number,
        "line_number": record.line_number,
        "column_name": error.column or None,
        "code": error.code,
        "raw_record": record.text.encode("utf-8", errors="backslashreplace").decode("utf-8"),
    }


class _Batch:
    """Rows on their way into one TEMP table."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str]) -> None:
        self.connection = connection
        self.table = table
        self.schema = pyarrow.schema([pyarrow.field(name, ARROW_TYPES[kind]) for name, kind in columns.items()])
        self.rows: list[dict[str, Any]] = []

    def add(self, rows: list[dict[str, Any]]) -> None:
        self.rows += rows
        if len(self.rows) >= BATCH:
            self.write()

    def write(self) -> None:
        if self.rows:
            self.connection.register("staged_batch", pyarrow.Table.from_pylist(self.rows, schema=self.schema))
            self.connection.execute(f"insert into {self.table} select * from staged_batch")
            self.connection.unregister("staged_batch")
            self.rows.clear()
