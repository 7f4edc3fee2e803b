"""The stored tables, as `sql/model/tables.yml` describes them: that file is the one place they are decided."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.yaml_file import read_model

if TYPE_CHECKING:
    import duckdb

LAKE = "lake"
# zstd at its fastest: two thirds of snappy's bytes, a third less again where hashes are kept, in no more time.
OPTIONS: dict[str, object] = {
    "sort_on_insert": False,
    "parquet_compression": "zstd",
    "parquet_compression_level": 1,
    "parquet_version": 2,
}


class ColumnDefinition(BaseModel):
    """Type, NULL and meaning of one stored column; of reference data also the only values, or their pattern."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    nullable: bool
    meaning: str
    values: tuple[str, ...] = ()
    pattern: str = ""


class TableDefinition(BaseModel):
    """One table, stored once or in several sort orders.

    Of reference data: `key` and the beginning of `period` are what a later delivery replaces; `checks` are conditions
    in SQL, by column, that make a record a bad one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: str
    columns: dict[str, ColumnDefinition]
    stored_as: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    partitioned_by: str = ""
    reference: bool = False
    key: tuple[str, ...] = ()
    period: tuple[str, ...] = ("valid_from", "valid_to")
    checks: dict[str, str] = Field(default_factory=dict)

    def stored_names(self, name: str) -> tuple[str, ...]:
        """Return the names under which the lake holds the table."""
        return tuple(self.stored_as) or (name,)

    @property
    def is_in_days(self) -> bool:
        """Whether its rows hold from day to day, not from one point of time to another."""
        return bool(self.period) and self.columns[self.period[0]].type == "DATE"

    def stored_columns(self) -> dict[str, ColumnDefinition]:
        """Return all stored columns, a reference table's delivery included."""
        return {**self.columns, **(DELIVERY_COLUMNS if self.reference else {})}


class _Tables(RootModel[dict[str, TableDefinition]]):
    """The whole file."""


DELIVERY_COLUMNS = {
    "delivery_id": ColumnDefinition(type="VARCHAR", nullable=False, meaning="SHA-256 of the delivered file"),
    "delivered_at": ColumnDefinition(type="TIMESTAMP", nullable=False, meaning="when it was taken in (UTC)"),
    "row_number": ColumnDefinition(type="BIGINT", nullable=False, meaning="record in the file, 1 is the first"),
}


def reference_tables() -> dict[str, TableDefinition]:
    """Return the tables of reference data by kind, in the file's order."""
    return {name: table for name, table in table_definitions().items() if table.reference}


def with_access_id(stored_name: str) -> str:
    """SELECT of stored accesses with their access_id: the first 16 bytes of SHA-256 over source_id, event_id and item.

    It is worked out where it is asked for: kept, it was a third of the store, since no compression helps against it.
    """
    key = "source_id || chr(31) || event_id || chr(31) || item"
    columns = ", ".join(f'"{column}"' for column in table_definitions()["accesses"].columns)
    return f'select cast(substr(sha256({key}), 1, 32) as uuid) as access_id, {columns} from {LAKE}."{stored_name}"'


@lru_cache
def table_definitions() -> dict[str, TableDefinition]:
    """Return every table by name, in the file's order."""
    return read_model(resource_folder("sql") / "model" / "tables.yml", _Tables).root


def create_missing_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create in the attached lake the tables and columns that it lacks, by month where the file says so."""
    known = _known_columns(connection)
    if not known:
        for option, value in OPTIONS.items():
            connection.execute(f"call {LAKE}.set_option(?, ?)", [option, value])
    for name, table in table_definitions().items():
        for stored_name in table.stored_names(name):
            if stored_name in known:
                _update_columns(connection, stored_name, table.stored_columns(), known[stored_name])
                continue
            columns = ", ".join(
                f'"{column}" {definition.type}{"" if definition.nullable else " not null"}'
                for column, definition in table.stored_columns().items()
            )
            connection.execute(f'create table {LAKE}."{stored_name}" ({columns})')
            if table.partitioned_by:
                by = table.partitioned_by
                connection.execute(
                    f'alter table {LAKE}."{stored_name}" set partitioned by (year("{by}"), month("{by}"))'
                )
                # Merging sorts a month anew; what is inserted is sorted before its constant columns are added.
                order = ", ".join(f'"{column}"' for column in table.stored_as[stored_name])
                connection.execute(f'alter table {LAKE}."{stored_name}" set sorted by ({order})')
    if connection.execute(f"select count(*) from {LAKE}.writer_lock").fetchone() == (0,):
        connection.execute(f"insert into {LAKE}.writer_lock values (0)")


def is_up_to_date(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the attached lake has every table and column; a store made by an earlier version may lack some."""
    known = _known_columns(connection)
    return all(
        set(table.stored_columns()) <= known.get(stored_name, set())
        for name, table in table_definitions().items()
        for stored_name in table.stored_names(name)
    )


def _update_columns(
    connection: duckdb.DuckDBPyConnection, stored_name: str, columns: dict[str, ColumnDefinition], known: set[str]
) -> None:
    """Add to a table that an earlier version made what was decided since, and drop what is stored no longer."""
    for column, definition in columns.items():
        if column not in known:
            connection.execute(f'alter table {LAKE}."{stored_name}" add column "{column}" {definition.type}')
    for column in sorted(known - columns.keys()):
        connection.execute(f'alter table {LAKE}."{stored_name}" drop column "{column}"')


def _known_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Return the columns of each table that the lake has."""
    known: dict[str, set[str]] = {}
    for stored_name, column in connection.execute(
        f"select table_name, column_name from __ducklake_metadata_{LAKE}.ducklake_table as tables"
        f" join __ducklake_metadata_{LAKE}.ducklake_column as columns using (table_id)"
        " where tables.end_snapshot is null and columns.end_snapshot is null and columns.parent_column is null"
    ).fetchall():
        known.setdefault(stored_name, set()).add(column)
    return known
