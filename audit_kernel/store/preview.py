"""What intake would make of a file, without storing anything: the same steps, into a database that lives in memory.

The site's store is neither opened nor made. What only the store knows (rows known already, conflicts with earlier
files) is not part of the answer; both within the file itself are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit_kernel.errors import IntakeError
from audit_kernel.sources import SourceDefinition, UnpackingLimits, prepare, stage, stage_reference
from audit_kernel.sources.stage import EVENT_TABLES
from audit_kernel.store.connection import connect
from audit_kernel.store.countries import find_countries
from audit_kernel.store.intake import plain_name, refuse_odd_path, refusing, store_file
from audit_kernel.store.reference import store_delivery
from audit_kernel.store.rows import count
from audit_kernel.store.tables import LAKE, TableDefinition, table_definitions
from audit_kernel.store.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb
    import pyarrow

    from audit_kernel.site import Site
    from audit_kernel.sources import PreparedFile
    from audit_kernel.sources.recognise import Definition

MOST_QUARANTINED = 20


@dataclass(frozen=True)
class Quarantined:
    """One record that would go to quarantine: its line, the column and the reason's code, and its text."""

    line_number: int
    column_name: str
    code: str
    raw_record: str


@dataclass(frozen=True)
class Preview:
    """What a file would become.

    n_read: records. rows: the first rows of each table that gets any, as stored. n_rows: rows of each table.
    reasons: (code, column, records) of what would be quarantined, the commonest first. first_quarantined: the first
    of these records. refused: why intake would refuse the file whole, if it would; n_read is then 0 or all quarantined.
    """

    file_name: str
    n_read: int = 0
    n_rows: dict[str, int] = field(default_factory=dict)
    rows: dict[str, pyarrow.Table] = field(default_factory=dict)
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    first_quarantined: list[Quarantined] = field(default_factory=list)
    refused: IntakeError | None = None

    @property
    def n_quarantined(self) -> int:
        """Records that would go to quarantine."""
        return sum(count for _code, _column, count in self.reasons)


def preview(
    site: Site,
    path: Path,
    definition: Definition,
    n_rows: int,
    progress: Callable[[int, int], None] | None = None,
) -> Preview:
    """Read a file as a source and say what intake would store and quarantine.

    Parameters
    ----------
    n_rows: rows of each table to return.
    progress: called with bytes done and bytes to do.

    Raises
    ------
    StoreError: the site's temporary folder cannot be written.
    """
    name = plain_name(path)
    with workspace(site) as folder:
        try:
            refuse_odd_path(path)
            prepared = prepare(path, definition, folder, progress, UnpackingLimits(*site.settings.intake.limits))
        except IntakeError as error:
            return Preview(name, refused=error)
        settings = site.settings.store
        connection = connect(folder, settings.memory_limit, settings.threads)
        try:
            _create_lake(connection)
            return _read(connection, site, prepared, definition, n_rows)
        finally:
            connection.close()


def _create_lake(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the stored tables, empty, in a database in memory under the store's name."""
    connection.execute(f"attach ':memory:' as {LAKE}")
    for name, table in table_definitions().items():
        columns = ", ".join(f'"{column}" {each.type}' for column, each in table.stored_columns().items())
        for stored_name in table.stored_names(name):
            connection.execute(f'create table {LAKE}."{stored_name}" ({columns})')


def _read(
    connection: duckdb.DuckDBPyConnection, site: Site, prepared: PreparedFile, definition: Definition, n_rows: int
) -> Preview:
    refused = None
    n_read = 0
    try:
        with refusing(prepared.path):
            if isinstance(definition, SourceDefinition):
                n_read = stage(connection, prepared, definition)
                find_countries(connection, site)
                store_file(connection, site, prepared, definition, n_read)
                tables = {name: table_definitions()[name] for name in EVENT_TABLES}
            else:
                n_read = stage_reference(connection, prepared, definition)
                store_delivery(connection, site, prepared, definition, n_read)
                tables = {definition.kind: definition.table}
    except IntakeError as error:
        refused, tables = error, {}
    counts = {name: count(connection, f'{LAKE}."{table.stored_names(name)[0]}"') for name, table in tables.items()}
    return Preview(
        plain_name(prepared.path),
        n_read,
        {name: number for name, number in counts.items() if number},
        {name: _first_rows(connection, name, table, n_rows) for name, table in tables.items() if counts[name]},
        connection.execute(
            f"select code, coalesce(column_name, ''), count(*) from {LAKE}.quarantine group by all"
            " order by 3 desc, 1, 2"
        ).fetchall(),
        [
            Quarantined(*row)
            for row in connection.execute(
                f"select line_number, coalesce(column_name, ''), code, raw_record from {LAKE}.quarantine"
                f" order by record_number limit {MOST_QUARANTINED}"
            ).fetchall()
        ],
        refused,
    )


def _first_rows(connection: duckdb.DuckDBPyConnection, name: str, table: TableDefinition, n_rows: int) -> pyarrow.Table:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    order = "row_number" if table.reference else "line_number, item" if "item" in table.columns else "line_number"
    query = f'select {columns} from {LAKE}."{table.stored_names(name)[0]}" order by {order} limit ?'
    return connection.execute(query, [n_rows]).to_arrow_table()
