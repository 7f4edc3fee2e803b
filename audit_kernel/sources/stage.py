"""Stages a prepared log file: the TEMP relations from which intake stores rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.sources.conversions import Conversions
from audit_kernel.sources.delimited import read_records
from audit_kernel.sources.formats import reader
from audit_kernel.sources.records import stage_records
from audit_kernel.store.tables import table_definitions

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.prepare import PreparedFile

EVENT_TABLES = ("accesses", "authentications", "medication_events")
# Known only at intake, or computed there from the source's time zone.
MADE_AT_INTAKE = frozenset(
    ["source_id", "file_id", "local_date", "local_hour", "local_weekday", "is_holiday", "time_flag"]
)
FIRST_COLUMNS = {
    "record_number": "BIGINT",
    "line_number": "BIGINT",
    "event_id": "VARCHAR",
    "record_hash": "VARCHAR",
    "item": "INTEGER",
    "recorded_at": "TIMESTAMP",
    "recorded_local": "TIMESTAMP",
}


def staged_columns(table: str) -> dict[str, str]:
    """Return the columns and types of a staged event table, in order."""
    columns = table_definitions()[table].columns
    first = {name: kind for name, kind in FIRST_COLUMNS.items() if name != "item" or name in columns}
    others = {name: column.type for name, column in columns.items() if name not in MADE_AT_INTAKE | first.keys()}
    return {**first, **others}


def stage(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, source: SourceDefinition) -> int:
    """Read the file and create `staged_quarantine` and a `staged_TABLE` for each of EVENT_TABLES.

    A record is in one of them only; a record about several patients or resources is several rows of accesses. Returns
    the records that the first reader read, good and bad.

    Raises
    ------
    DamagedFileError: the file's structure is not the mapping's, or it changed since it was prepared.
    """
    tables = {table: staged_columns(table) for table in EVENT_TABLES}
    for table, columns in tables.items():
        create_empty(connection, f"staged_{table}_rows", columns)
        connection.execute(f"create or replace temp view staged_{table} as select * from staged_{table}_rows")
    if source.format == "delimited":
        return _stage_delimited(connection, prepared, source)
    return stage_records(connection, prepared, source, reader(source.format), tables)


def varying_columns(connection: duckdb.DuckDBPyConnection, table: str, source: SourceDefinition) -> list[str]:
    """Return the columns of a staged table that may differ from row to row; the others hold their constant."""
    if source.format != "delimited":
        return [name for name in staged_columns(table) if name not in ("record_number", "recorded_local")]
    given = [name for name, *_rest in connection.execute("describe staged_records").fetchall()]
    return [
        "line_number",
        *(name for name in given if name not in ("record_hash", "failure", "recorded_local", "n_breaks")),
    ]


def create_empty(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]) -> None:
    """Make an empty TEMP table."""
    listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    connection.execute(f"create or replace temp table {name} ({listed})")


def _stage_delimited(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, source: SourceDefinition) -> int:
    conversions = Conversions(source.columns, prepared.facts)
    expressions = _expressions(conversions, source)
    stored = {name: text for name, text in expressions.items() if text is not None}
    computed = [f'{text} as "{name}"' for name, text in stored.items()]
    # A record with an id of its own is compared by its columns, should the id come again: no hash of each is needed.
    n_read = read_records(connection, prepared, source, conversions, computed, is_hashed=not source.own_event_id)
    selected = []
    for name, kind in staged_columns(source.table).items():
        if name in stored or name in ("record_number", "line_number", "record_hash"):
            selected.append(f'"{name}"')
        else:
            selected.append(f'{constant(name)}::{kind} as "{name}"')
    connection.execute(
        f"create or replace temp view staged_{source.table} as select {', '.join(selected)} from staged_lines "
        "where failure is null"
    )
    return n_read


def constant(name: str) -> str:
    """SQL for the value of a column that the log does not have."""
    return {"item": "0", "is_break_glass": "false", "flags": "[]", "repeated": "1"}.get(name, "null")


def _expressions(conversions: Conversions, source: SourceDefinition) -> dict[str, str | None]:
    """The SQL expression of each stored column that this mapping fills."""
    types = staged_columns(source.table)
    columns: dict[str, str | None] = {
        name: conversions.converted(name, kind)
        for name, kind in types.items()
        if name not in ("record_number", "line_number", "record_hash")
    }
    columns["recorded_local"] = conversions.recorded_local()
    if source.table == "accesses":
        columns["outcome"] = columns["outcome"] or f"'{source.outcome}'"
        columns["patient_id"] = columns["patient_id"] or _patient_of_record(conversions)
        flags = conversions.flags()
        columns["flags"] = None if flags == constant("flags") else flags
    return columns


def _patient_of_record(conversions: Conversions) -> str | None:
    """The related record behind its table: whose it is, the dictionary and `record_keys` say when a query is asked."""
    table, record = conversions.column("table_name"), conversions.column("record_ref")
    return f"{table} || ':' || {record}" if table and record else None
