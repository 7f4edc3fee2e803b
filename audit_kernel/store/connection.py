"""Opens the log store: DuckLake with a SQLite catalogue in WAL mode beside encrypted Parquet files."""

from __future__ import annotations

import importlib.resources
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock

from audit_kernel.errors import StoreError
from audit_kernel.store.tables import LAKE, create_missing_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_kernel.site import Site

EXTENSIONS = ("ducklake", "sqlite_scanner", "httpfs")
CATALOGUE = "catalog.sqlite"
LOCK = "writer.lock"
OWNER_ONLY_MASK = 0o077


def connect(temporary: Path, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with the packaged extensions; nothing is downloaded.

    Parameters
    ----------
    temporary: folder for what does not fit in memory.
    memory_limit: DuckDB's own limit, for example `3GB`.
    threads: threads of one query.

    Raises
    ------
    StoreError: a packaged extension is missing or does not fit this machine.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": str(temporary),
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    for name in EXTENSIONS:
        try:
            file = importlib.resources.files(f"duckdb_extension_{name}").joinpath(
                f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
            )
            connection.execute(f"load {literal(str(file))}")
        except (ModuleNotFoundError, duckdb.Error) as error:
            problem = f"DuckDB's extension {name} cannot be loaded ({type(error).__name__})."
            remedy = f"Install duckdb-extension-{name.replace('_', '-')} {duckdb.__version__} with the lock file."
            raise StoreError(problem, remedy) from None
    return connection


def literal(text: str) -> str:
    """Quote a file path for the statements that take no bound value (load, attach)."""
    return "'" + text.replace("'", "''") + "'"


def exists(site: Site) -> bool:
    """Say whether anything was ever taken in."""
    return (site.store_folder / CATALOGUE).is_file()


def attach(connection: duckdb.DuckDBPyConnection, site: Site, *, read_only: bool, snapshot: int | None = None) -> None:
    """Attach the site's lake as `lake`.

    Raises
    ------
    StoreError: there is no store yet, the snapshot is gone, or the catalogue cannot be read.
    """
    if read_only and not exists(site):
        problem = f"The log store of {str(site.folder)!r} is empty: nothing was taken in yet."
        raise StoreError(problem, "Take a log in with: audit-kernel intake FILE --source NAME")
    options = [f"data_path {literal(str(site.store_folder / 'files') + os.sep)}", "data_inlining_row_limit 0"]
    if read_only:
        options.append("read_only")
    else:
        options += ["encrypted", "meta_journal_mode 'WAL'"]
    if snapshot is not None:
        options.append(f"snapshot_version {int(snapshot)}")
    catalogue = literal(f"ducklake:sqlite:{site.store_folder / CATALOGUE}")
    try:
        connection.execute(f"attach {catalogue} as {LAKE} ({', '.join(options)})")
    except duckdb.Error as error:
        problem = f"The log store of {str(site.folder)!r} cannot be opened ({type(error).__name__})."
        remedy = "Check that the folder `store` is readable"
        remedy += "." if snapshot is None else f" and that snapshot {snapshot} was not disposed of."
        raise StoreError(problem, remedy) from None


def latest_snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the lake's newest snapshot."""
    row = connection.execute(f"select max(snapshot_id) from {LAKE}.snapshots()").fetchone()
    return int(row[0]) if row else 0


@contextmanager
def writing(site: Site) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the store for writing, one writer at a time; what is stored belongs into `transaction`.

    Raises
    ------
    StoreError: the store cannot be opened or written.
    """
    old_mask = os.umask(OWNER_ONLY_MASK)
    try:
        with FileLock(site.store_folder / LOCK):
            connection = connect(site.temporary_folder, site.settings.store.memory_limit, site.settings.store.threads)
            try:
                attach(connection, site, read_only=False)
                with transaction(connection, is_first=True):
                    create_missing_tables(connection)
                yield connection
            finally:
                connection.close()
    except (duckdb.IOException, duckdb.TransactionException, OSError) as error:
        problem = f"The log store of {str(site.folder)!r} could not be written ({type(error).__name__})."
        raise StoreError(problem, "It is as it was before. Check free disk space and the folder's permissions.") from None
    finally:
        os.umask(old_mask)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection, *, is_first: bool = False) -> Iterator[None]:
    """Commit at the end, or roll back whatever ended it early."""
    connection.execute("begin transaction")
    try:
        if not is_first:
            # Two writers on one catalogue must conflict at once, not after all their work.
            connection.execute(f"update {LAKE}.writer_lock set n_writes = n_writes + 1")
        yield
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def maintain(site: Site) -> None:
    """Merge small files and clear what a killed writer left; rows and snapshots stay as they are."""
    with FileLock(site.store_folder / LOCK):
        connection = connect(site.temporary_folder, site.settings.store.memory_limit, site.settings.store.threads)
        try:
            attach(connection, site, read_only=False)
            connection.execute(f"call ducklake_merge_adjacent_files('{LAKE}')")
            connection.execute(f"call ducklake_delete_orphaned_files('{LAKE}', cleanup_all => true)")
        finally:
            connection.close()
