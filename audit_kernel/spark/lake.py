"""The stored tables as Spark reads them: views over the Parquet files that DuckLake lists for one snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from audit_kernel.errors import StoreError
from audit_kernel.spark.connection import empty
from audit_kernel.spark.transpile import LAKE_PREFIX
from audit_kernel.store.connection import latest_snapshot, writing
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.store.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    from pyspark.sql import SparkSession

    from audit_kernel.site import Site

NOT_READ = frozenset({"writer_lock"})


LISTED = f"from ducklake_list_files('{LAKE}', $stored, snapshot_version => $snapshot)"


def with_deletes(connection: duckdb.DuckDBPyConnection, snapshot: int) -> list[str]:
    """Return the tables of which rows are deleted at the snapshot that still lie in their files."""
    deleted = f"select 1 {LISTED} where delete_file is not null limit 1"
    return [
        stored
        for stored in stored_tables()
        if connection.execute(deleted, {"stored": stored, "snapshot": snapshot}).fetchone()
    ]


def compact(site: Site) -> None:
    """Write the files anew in which rows are deleted: Spark reads files whole. Rows and earlier snapshots stay.

    Raises
    ------
    StoreError: the store cannot be written.
    """
    with workspace(site) as folder, writing(site, folder) as connection:
        for stored in with_deletes(connection, latest_snapshot(connection)):
            connection.execute(f"call ducklake_rewrite_data_files('{LAKE}', '{stored}', delete_threshold => 0)")


def stored_tables() -> list[str]:
    """Return the names of the tables that are read, each in every sort order."""
    names = {stored for name, table in table_definitions().items() for stored in table.stored_names(name)}
    return sorted(names - NOT_READ)


def stored_files(connection: duckdb.DuckDBPyConnection, site: Site, snapshot: int) -> Mapping[str, list[str]]:
    """Return the files of each stored table at the snapshot.

    Raises
    ------
    StoreError: the files are encrypted, or rows of them are deleted by files of their own.
    """
    if site.settings.store.is_object_store:
        raise StoreError(
            "The files of the log store of {site!r} lie in an object store, from which Spark does not read here.",
            "Bring them into a folder that every machine of the cluster has: audit-kernel store move --files FOLDER",
            site=str(site.folder),
        )
    found = {}
    if deleted := with_deletes(connection, snapshot):
        raise StoreError(
            "In snapshot {snapshot} of {site!r} rows of {tables} are deleted that still lie in its files.",
            "Run the month without naming a snapshot: it is then compacted first.",
            snapshot=snapshot,
            site=str(site.folder),
            tables=", ".join(deleted),
        )
    for stored in stored_tables():
        rows = connection.execute(
            f"select data_file, data_file_encryption_key is not null {LISTED} order by data_file",
            {"stored": stored, "snapshot": snapshot},
        ).fetchall()
        if any(is_encrypted for _file, is_encrypted in rows):
            raise StoreError(
                "The files of the log store of {site!r} are encrypted, and Spark cannot read them.",
                "Make a new site with `engine: spark` in settings.yml, on storage that is encrypted, and take the"
                " same files in there.",
                site=str(site.folder),
            )
        found[stored] = [str(file) for file, _is_encrypted in rows]
    return found


def stored_rows(connection: duckdb.DuckDBPyConnection) -> Mapping[str, int]:
    """Return how many rows each stored table has at the snapshot that is attached."""
    texts = [f"select '{stored}', count(*) from {LAKE}.\"{stored}\"" for stored in stored_tables()]
    return dict(connection.execute(" union all ".join(texts)).fetchall())


def register_files(session: SparkSession, files: Mapping[str, list[str]], rows: Mapping[str, int]) -> None:
    """Make each stored table a temporary view; a column that was added later is NULL in the older files.

    Parameters
    ----------
    rows: how many each table must have (`stored_rows`).

    Raises
    ------
    StoreError: Spark finds more or fewer.
    """
    counting = []
    for name, table in table_definitions().items():
        for stored in table.stored_names(name):
            if stored not in files:
                continue
            columns = {
                column: exp.DataType.build(each.type, dialect="duckdb").sql("spark")
                for column, each in table.stored_columns().items()
            }
            schema = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
            found = files[stored]
            read = session.read.schema(schema).parquet(*found) if found else empty(session, columns)
            read.createOrReplaceTempView(f"{LAKE_PREFIX}{stored}")
            counting.append(f"select '{stored}' as stored, count(*) as n_rows from {LAKE_PREFIX}{stored}")
    counted = {each.stored: each.n_rows for each in session.sql(" union all ".join(counting)).collect()}
    if wrong := sorted(stored for stored, n_rows in counted.items() if n_rows != rows[stored]):
        raise StoreError(
            "Spark reads other numbers of rows than the log store has, in {tables}.",
            "Nothing was counted. Check that every file of the store can be read, and report this sentence.",
            tables=", ".join(wrong),
        )
