"""The store's part of a backup: its catalogue as one SQLite file, and exactly the files that this copy lists.

A catalogue in PostgreSQL is copied in one transaction into SQLite: a restored site needs no server to be looked at, and
`store move` brings it back. Files are never changed once they are listed; only disposal and tidying remove them.
"""

from __future__ import annotations

import copy
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from audit_kernel.backup.folder import CATALOGUE, STORE_FILES
from audit_kernel.errors import Phrase, StoreError
from audit_kernel.files import OWNER_ONLY_FILE
from audit_kernel.store.catalogue import SQLITE_FILE, files_address, literal, prepare_access
from audit_kernel.store.connection import OWNER_ONLY_MASK, attach, connect, without_log_text
from audit_kernel.store.move import copy_catalogue, row_counts
from audit_kernel.store.tables import LAKE
from audit_kernel.store_settings import OWN_FILES, StoreSettings

if TYPE_CHECKING:
    from audit_kernel.backup.copying import Copying
    from audit_kernel.site import Site

NOT_BACKED_UP = Phrase("The log store of {site!r} could not be backed up ({cause}).")
REMEDY = Phrase("Nothing was changed. Check that store and destination can be reached and have space; try again.")
LISTED = """
    select
        schemas.path || tables.path || files.path as path, files.file_size_bytes,
        min(schemas.path_is_relative, tables.path_is_relative, files.path_is_relative) as is_relative
    from (
        select table_id, path, path_is_relative, file_size_bytes from ducklake_data_file
        union
        select table_id, path, path_is_relative, file_size_bytes from ducklake_delete_file
    ) as files
    join ducklake_table as tables on tables.table_id = files.table_id
    join ducklake_schema as schemas on schemas.schema_id = tables.schema_id
    order by path
"""


class FileGoneError(Exception):
    """A listed file was removed meanwhile: the copy of the catalogue is of no use, another one is."""


def copy_of_catalogue(site: Site, data: Path, temporary: Path) -> None:
    """Write the catalogue as it is at this moment to `store/catalog.sqlite` of the backup.

    Raises
    ------
    StoreError: it cannot be read or written.
    """
    target = data / CATALOGUE
    for left in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm", ".new"))):
        left.unlink(missing_ok=True)
    with without_log_text(StoreError, NOT_BACKED_UP, REMEDY, site=str(site.folder)):
        try:
            if site.settings.store.is_postgres:
                _from_postgres(site, data, temporary)
            else:
                os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE))
                with (
                    closing(sqlite3.connect(site.store_folder / SQLITE_FILE)) as old,
                    closing(sqlite3.connect(target)) as new,
                ):
                    old.backup(new)
            with closing(sqlite3.connect(target, isolation_level=None)) as new:
                # Merged files wait there for their removal; they are not copied with the others.
                new.execute("delete from ducklake_files_scheduled_for_deletion")
                new.execute("pragma journal_mode = wal")
        except sqlite3.Error as error:
            raise OSError(str(error)) from None


def _from_postgres(site: Site, data: Path, temporary: Path) -> None:
    here = copied_site(site, data)
    connection = connect(temporary, site.settings.store.memory_limit, 1)
    old_mask = os.umask(OWNER_ONLY_MASK)
    try:
        for each in (site, here):
            prepare_access(connection, each)
        copy_catalogue(connection, site, here, moves_files=True)
    finally:
        connection.close()
        os.umask(old_mask)


def copied_site(site: Site, data: Path) -> Site:
    """Return the site as if it were the copy in `data`."""
    here = copy.copy(site)
    here.folder = here.live_folder = data
    store = site.settings.store.model_dump() | {"catalogue": "sqlite", "files": OWN_FILES}
    here.settings = site.settings.model_copy(update={"store": StoreSettings(**store)})
    return here


def newest_snapshot(data: Path) -> tuple[int, str]:
    """Return number and time (UTC, as the catalogue writes it) of the copy's newest snapshot."""
    asked = "select snapshot_id, snapshot_time from ducklake_snapshot order by snapshot_id desc limit 1"
    with closing(sqlite3.connect(data / CATALOGUE)) as catalogue:
        number, at = catalogue.execute(asked).fetchone()
    return int(number), str(at)


def copy_files(site: Site, copying: Copying, temporary: Path) -> None:
    """Copy or link the files that the copied catalogue lists; drop those that an earlier try copied in vain.

    Raises
    ------
    FileGoneError: one is there no more. StoreError: one is not as long as the catalogue says, or cannot be read.
    """
    with closing(sqlite3.connect(copying.target / CATALOGUE)) as catalogue:
        listed = {str(path): (int(size), bool(is_relative)) for path, size, is_relative in catalogue.execute(LISTED)}
    wanted = {f"{STORE_FILES}/{path}" for path in listed}
    for path in [each for each in copying.digests if each.startswith(f"{STORE_FILES}/") and each not in wanted]:
        copying.drop(path)
    total, done = sum(size for size, _is_relative in listed.values()), 0
    with without_log_text(StoreError, NOT_BACKED_UP, REMEDY, site=str(site.folder)):
        fetch = _Fetch(site, temporary)
        try:
            for path, (size, is_relative) in listed.items():
                inside = f"{STORE_FILES}/{path}"
                if not is_relative or ".." in path.split("/"):
                    raise _damaged(site, path)
                if inside not in copying.digests:
                    fetch.add(copying, inside, path, size)
                if (copying.target / inside).stat().st_size != size:
                    raise _damaged(site, path)
                done += size
                copying.progress(STORE_FILES, done, total)
        except FileNotFoundError as error:
            raise FileGoneError from error
        finally:
            fetch.close()


class _Fetch:
    """Reads the store's files from a folder, or from an object store through DuckDB."""

    def __init__(self, site: Site, temporary: Path) -> None:
        self._address, self._aside = files_address(site), temporary / "fetched.parquet"
        self._connection: duckdb.DuckDBPyConnection | None = None
        if site.settings.store.is_object_store:
            self._connection = connect(temporary, site.settings.store.memory_limit, 1)
            prepare_access(self._connection, site)

    def add(self, copying: Copying, inside: str, path: str, size: int) -> None:
        if self._connection is None:
            copying.add(inside, Path(self._address) / path, never_changes=True)
            return
        if copying.link_unread(inside, size):
            return
        self._aside.unlink(missing_ok=True)
        source = f"select content from read_blob({literal(self._address + path)})"
        try:
            self._connection.execute(f"copy ({source}) to {literal(str(self._aside))} (format blob)")
        except (duckdb.HTTPException, duckdb.IOException) as error:
            raise FileNotFoundError(path) from error
        self._aside.chmod(OWNER_ONLY_FILE)
        copying.add(inside, self._aside)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _damaged(site: Site, path: str) -> StoreError:
    return StoreError(
        "The file {path!r} of the log store of {site!r} is not as the catalogue says.",
        "Restore it from an earlier backup; the store cannot be backed up as it is.",
        path=path,
        site=str(site.folder),
    )


def gone(site: Site) -> StoreError:
    """Return the sentence for a store that misses files while nobody may remove any."""
    return StoreError(
        "Files of the log store of {site!r} are missing.",
        "Restore them from an earlier backup; the store cannot be backed up as it is.",
        site=str(site.folder),
    )


def rows_of(copied: Site, temporary: Path) -> dict[str, int]:
    """Open the copied store and count the rows of every table: it is proved to open.

    Raises
    ------
    StoreError: it does not.
    """
    connection = connect(temporary, copied.settings.store.memory_limit, 1)
    try:
        with without_log_text(StoreError, NOT_BACKED_UP, REMEDY, site=str(copied.folder)):
            attach(connection, copied, read_only=True)
            return row_counts(connection, LAKE)
    finally:
        connection.close()
