"""The same questions asked of plain Parquet by DuckDB, Polars, ClickHouse (chdb) and pandas.

They answer an easier question: no names, no plain words, no reference data, no use log, no code dictionary.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas

Question = Callable[[str], int]  # a subject's id: rows answered


def duckdb_activity(files: Path, column: str, start: datetime, end: datetime) -> Question:
    """Return -141 as plain DuckDB answers it."""
    connection = duckdb.connect(config={"threads": 2})
    other = "employee" if column == "patient" else "patient"
    text = (
        f"select {other}, count(*) filter (where table_name = 'Journal'), count(*), min(recorded_at), max(recorded_at)"
        f" from '{files}/*.parquet' where recorded_at >= ? and recorded_at < ? and {column} = ?"
        f" group by {other} order by {other}"
    )
    return lambda subject: connection.execute(text, [start, end, subject]).to_arrow_table().num_rows


def polars_activity(files: Path, column: str, start: datetime, end: datetime) -> Question:
    """Return -141 as Polars answers it, lazily."""
    polars: Any = importlib.import_module("polars")
    at = polars.col("recorded_at")
    other = "employee" if column == "patient" else "patient"

    def ask(subject: str) -> int:
        rows = polars.scan_parquet(f"{files}/*.parquet").filter(
            (at >= start) & (at < end) & (polars.col(column) == subject)
        )
        grouped = rows.group_by(other).agg(
            (polars.col("table_name") == "Journal").sum().alias("n_journal"),
            at.len().alias("n"),
            at.min().alias("first"),
            at.max().alias("last"),
        )
        return int(grouped.sort(other).collect().height)

    return ask


def clickhouse_activity(files: Path, column: str, start: datetime, end: datetime) -> Question:
    """Return -141 as ClickHouse answers it inside the process."""
    session: Any = importlib.import_module("chdb.session").Session()  # no types, and only `make bench` installs it
    other = "employee" if column == "patient" else "patient"

    def ask(subject: str) -> int:
        text = (
            f"select {other}, countIf(table_name = 'Journal'), count(), min(recorded_at), max(recorded_at)"
            f" from file('{files}/*.parquet', Parquet) where recorded_at >= toDateTime64('{start}', 6, 'UTC')"
            f" and recorded_at < toDateTime64('{end}', 6, 'UTC') and {column} = '{subject}'"
            f" group by {other} order by {other}"
        )
        return len(session.query(text, "CSV").bytes().splitlines())

    return ask


def pandas_activity(files: Path, column: str, start: datetime, end: datetime) -> Question:
    """Return -141 as pandas answers it, filters pushed down to Parquet."""
    other = "employee" if column == "patient" else "patient"

    def ask(subject: str) -> int:
        filters = [("recorded_at", ">=", start), ("recorded_at", "<", end), (column, "==", subject)]
        rows = pandas.read_parquet(files, filters=filters, columns=[other, "table_name", "recorded_at"])
        rows["is_journal"] = rows["table_name"] == "Journal"
        return len(rows.groupby(other).agg({"is_journal": "sum", "recorded_at": ["count", "min", "max"]}))

    return ask


PEERS = {
    "duckdb": duckdb_activity,
    "polars": polars_activity,
    "chdb": clickhouse_activity,
    "pandas": pandas_activity,
}


def floor(csv: Path, header: tuple[str, ...], folder: Path) -> None:
    """DuckDB's own bare floor: strict read, cast, two sorted zstd Parquet files; no ledger, no ids, no encryption."""
    connection = duckdb.connect(config={"threads": 2})
    columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in header) + "}"
    first, day, clock, *others = (f'"{name}"' for name in header)
    connection.execute(
        f"create temp table rows as select {first}::bigint as id,"
        f" strptime({day} || ' ' || {clock}, '%d.%m.%Y %H:%M:%S') as recorded_at, {', '.join(others)}"
        f" from read_csv('{csv}', auto_detect = false, header = true, all_varchar = true, columns = {columns},"
        " delim = ';', quote = '\"', escape = '\"', new_line = '\\n', strict_mode = true)"
    )
    for name, key in (("by_patient", '"Bruker"'), ("by_employee", '"Ansatt"')):
        connection.execute(
            f"copy (select * from rows order by {key}, recorded_at, id)"
            f" to '{folder / name}.parquet' (format parquet, compression zstd)"
        )
    connection.close()
