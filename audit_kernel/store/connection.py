"""Opens the log store: DuckLake with a catalogue in SQLite (WAL mode) or PostgreSQL, and encrypted Parquet files."""

from __future__ import annotations

import contextlib
import os
import stat
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from audit_kernel.errors import Phrase, StoreError
from audit_kernel.files import shared_modes
from audit_kernel.spark_settings import SPARK
from audit_kernel.store import catalogue
from audit_kernel.store.catalogue import literal
from audit_kernel.store.tables import LAKE, create_missing_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.errors import AuditKernelError
    from audit_kernel.site import Site

EXTENSIONS = ("ducklake", "httpfs")  # the catalogue's own is loaded when it is attached
OWNER_ONLY_MASK = 0o077
GROUP_MAY_READ_MASK = 0o027  # where the folder of the files says so
NOT_ENCRYPTED = "the database is not encrypted"  # DuckLake's words
KEEP_MERGED = "1 day"
# Merging writes a month anew: while it grows not at every file, and once it is over as soon as it is worth it.
FILES_WORTH_MERGING, FILES_OF_A_PAST_MONTH = 24, 4


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
            **catalogue.OFFLINE,
            **catalogue.CHECKED_BEFORE,
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": str(temporary),
            "temp_file_encryption": "true",  # what does not fit in memory is log text
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    for name in EXTENSIONS:
        catalogue.load_extension(connection, name)
    return connection


def attach(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    *,
    read_only: bool,
    snapshot: int | None = None,
    name: str = LAKE,
) -> None:
    """Attach the site's lake as `lake`, or under another name.

    Raises
    ------
    StoreError: there is no store yet, the snapshot is gone, or the catalogue cannot be read.
    """
    is_postgres = site.settings.store.is_postgres
    if read_only and not is_postgres and not catalogue.exists(site):
        raise nothing_taken_in(site)
    options = [
        f"data_path {literal(catalogue.files_address(site))}",
        "override_data_path true",  # the catalogue remembers where the site was made; it may have been moved
        "data_inlining_row_limit 0",
    ]
    if read_only:
        options.append("read_only")
    else:
        options += [] if is_postgres else ["meta_journal_mode 'WAL'"]
        options += [] if is_read_by_spark(site) else ["encrypted"]
    if snapshot is not None:
        options.append(f"snapshot_version {int(snapshot)}")
    try:
        catalogue.prepare_access(connection, site)
        connection.execute(f"attach {literal(catalogue.lake_address(site))} as {name} ({', '.join(options)})")
    except duckdb.Error as error:
        if is_postgres and read_only and not catalogue.exists(site):
            raise nothing_taken_in(site) from None
        if NOT_ENCRYPTED in str(error):
            raise StoreError(
                "The files of the log store of {site!r} are not encrypted: it was made for Spark.",
                "Leave `engine: spark` in settings.yml, or make a new site and take the same files in there.",
                site=str(site.folder),
            ) from None
        remedy = Phrase("Check that the folder `store` is readable.")
        if snapshot is not None:
            remedy = Phrase(
                "Check that the folder `store` is readable and that snapshot {snapshot} was not disposed of."
            )
        raise StoreError(
            "The log store of {site!r} cannot be opened ({cause}).",
            remedy,
            site=str(site.folder),
            cause=type(error).__name__,
            snapshot=snapshot,
        ) from None


def is_read_by_spark(site: Site) -> bool:
    """Whether Spark counts here: it reads no file that DuckDB encrypted, so a new store is made without."""
    return site.settings.engine == SPARK


def nothing_taken_in(site: Site) -> StoreError:
    """Return the sentence for a store that does not exist yet."""
    return StoreError(
        "The log store of {site!r} is empty: nothing was taken in yet.",
        "Take a log in with: audit-kernel intake FILE --source NAME",
        site=str(site.folder),
    )


def latest_snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the number of the lake's newest snapshot."""
    # the catalogue's own table: `snapshots()` reads every change there ever was
    row = connection.execute(f"select max(snapshot_id) from __ducklake_metadata_{LAKE}.ducklake_snapshot").fetchone()
    return int(row[0]) if row else 0


def while_reading(site: Site) -> AbstractContextManager[None]:
    """Say of any failure that the store cannot be read."""
    problem = Phrase("The log store of {site!r} could not be read ({cause}).")
    remedy = Phrase("Check that its folder is readable; try again.")
    return without_log_text(StoreError, problem, remedy, site=str(site.folder))


@contextmanager
def without_log_text(kind: type[AuditKernelError], problem: Phrase, remedy: Phrase, **values: object) -> Iterator[None]:
    """Replace an error of DuckDB or the system by one of ours: DuckDB's messages quote values of the log.

    Parameters
    ----------
    problem, remedy, values: as :class:`AuditKernelError` takes them; `{cause}` names the error's type.
    """
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise kind(problem, remedy, cause=type(error).__name__, **values) from None


@contextmanager
def writing(site: Site, temporary: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the store for writing, one writer at a time; what is stored belongs into `transaction`.

    Parameters
    ----------
    temporary: folder for what does not fit in memory.

    Raises
    ------
    StoreError: the store cannot be opened or written.
    """
    problem = Phrase("The log store of {site!r} could not be written ({cause}).")
    remedy = Phrase("It is as it was before. Check free disk space and the folder's permissions.")
    failures = without_log_text(StoreError, problem, remedy, site=str(site.folder))
    files = Path(catalogue.files_address(site))
    files = files if files.is_dir() else files.parent
    is_shared = files.is_dir() and bool(shared_modes(files)[0] & stat.S_IRGRP)
    old_mask = os.umask(GROUP_MAY_READ_MASK if is_shared else OWNER_ONLY_MASK)
    try:
        with failures, catalogue.only_writer(site):
            connection = connect(temporary, site.settings.store.memory_limit, site.settings.store.threads)
            try:
                attach(connection, site, read_only=False)
                with transaction(connection, is_first=True):
                    create_missing_tables(connection)
                yield connection
            finally:
                connection.close()
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
    except duckdb.TransactionException as error:
        with contextlib.suppress(duckdb.Error):
            connection.execute("rollback")
        if "conflict" not in str(error):  # a role that may only read fails at commit too
            raise
        raise StoreError(
            "Another writer changed the store at the same moment, so nothing of this was stored.",
            "Try again; on PostgreSQL, check that the server keeps idle connections (docs/operating.md).",
        ) from None
    except BaseException:
        with contextlib.suppress(duckdb.Error):  # the first error is the one to tell; closing rolls back too
            connection.execute("rollback")
        raise


def tidy(connection: duckdb.DuckDBPyConnection) -> None:
    """Merge small files and clear what a killed writer left; rows and snapshots stay as they are.

    Files that were merged stay a day longer: a reader may be about to open them.
    """
    # What was taken in is committed: where this fails (a full disk), the next intake tidies.
    with contextlib.suppress(duckdb.Error):
        for table in scattered_tables(connection):
            connection.execute(f"call ducklake_merge_adjacent_files('{LAKE}', {literal(table)})")
        connection.execute(f"call ducklake_delete_orphaned_files('{LAKE}', cleanup_all => true)")
        connection.execute(f"call ducklake_cleanup_old_files('{LAKE}', older_than => now() - interval '{KEEP_MERGED}')")


def scattered_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables of which one month lies in so many files that merging is worth writing it anew."""
    metadata = f"__ducklake_metadata_{LAKE}"
    rows = connection.execute(
        "with months as (select data_file_id,"
        " sum(try_cast(partition_value as integer) * case partition_key_index when 0 then 12 else 1 end) as month"
        f" from {metadata}.ducklake_file_partition_value group by data_file_id),"
        " counted as (select tables.table_name, months.month, count(*) as n_files,"
        " max(months.month) over (partition by tables.table_name) as newest"
        f" from {metadata}.ducklake_data_file as files"
        f" join {metadata}.ducklake_table as tables using (table_id) left join months using (data_file_id)"
        " where files.end_snapshot is null and tables.end_snapshot is null"
        " group by tables.table_name, months.month)"
        " select distinct table_name from counted"
        " where n_files >= case when month < newest then $past else $growing end order by all",
        {"past": min(FILES_OF_A_PAST_MONTH, FILES_WORTH_MERGING), "growing": FILES_WORTH_MERGING},
    ).fetchall()
    return [str(name) for (name,) in rows]
