"""Brings an existing store along to another catalogue or another place for its files, snapshots and keys included.

Files are copied as they are and proved by their SHA-256; the catalogue's rows are copied in one transaction. So the
snapshots keep their numbers, and what a sealed run names can still be opened.
"""

from __future__ import annotations

import copy
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from audit_kernel.errors import Phrase, StoreError, UsageError
from audit_kernel.settings_file import write_settings
from audit_kernel.site import SETTINGS_FILE
from audit_kernel.store.catalogue import (
    SQLITE_FILE,
    exists,
    files_address,
    lake_address,
    literal,
    only_writer,
    prepare_access,
)
from audit_kernel.store.connection import OWNER_ONLY_MASK, attach, connect, latest_snapshot, without_log_text
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace
from audit_kernel.store_settings import SQLITE, StoreSettings
from audit_kernel.yaml_file import wrong_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from audit_kernel.site import Site

METADATA = f"__ducklake_metadata_{LAKE}"
INLINED = "ducklake_inlined_data_"
OLD, NEW = "old_catalogue", "new_catalogue"


@dataclass(frozen=True)
class Moved:
    """What was brought along: the newest snapshot, files, their bytes, and rows of the catalogue."""

    snapshot: int
    n_files: int
    n_bytes: int
    n_catalogue_rows: int
    n_rows: int


def move_store(site: Site, catalogue: str | None = None, files: str | None = None) -> Moved:
    """Copy the store to where `catalogue` and `files` say, prove the copy, then write the settings; the old one stays.

    A stopped move changes nothing: the settings are written last. Called again, it goes on with the files there are.

    Raises
    ------
    UsageError: nothing would change.
    SettingsError: an address is wrong.
    StoreError: the target holds another store or other files, cannot be reached, or the copy differs.
    """
    target = with_store(site, catalogue, files)
    old, new = site.settings.store, target.settings.store
    if (old.catalogue, files_address(site)) == (new.catalogue, files_address(target)):
        raise UsageError(
            "The store lies there already.", "Give another --catalogue, another --files, or both. Nothing was changed."
        )
    if not exists(site):
        raise StoreError(
            "The log store of {site!r} is empty: nothing was taken in yet.",
            "Write the new place into settings.yml; there is nothing to bring along.",
            site=str(site.folder),
        )
    old_mask = os.umask(OWNER_ONLY_MASK)
    try:
        with only_writer(site), workspace(site) as folder, copying(site):
            connection = connect(folder, old.memory_limit, old.threads)
            try:
                return copied(connection, site, target)
            finally:
                connection.close()
    finally:
        os.umask(old_mask)


def with_store(site: Site, catalogue: str | None, files: str | None) -> Site:
    """Return the site as it would be with its store elsewhere.

    Raises
    ------
    SettingsError: an address is wrong; the message shows none.
    """
    given = {name: value for name, value in (("catalogue", catalogue), ("files", files)) if value is not None}
    try:
        store = StoreSettings.model_validate({**site.settings.store.model_dump(), **given})
    except ValidationError as error:
        raise wrong_key(error, site.folder / SETTINGS_FILE, StoreSettings) from None
    target = copy.copy(site)
    target.settings = site.settings.model_copy(update={"store": store})
    return target


@contextmanager
def copying(site: Site) -> Iterator[None]:
    """Say of any failure that the store was not moved."""
    problem = Phrase("The log store of {site!r} was not moved ({cause}).")
    remedy = Phrase("It is as it was before. Check that the target can be reached and has space; run it again.")
    with without_log_text(StoreError, problem, remedy, site=str(site.folder)):
        yield


def copied(connection: duckdb.DuckDBPyConnection, site: Site, target: Site) -> Moved:
    """Copy files and catalogue, prove both, and write the settings; the caller holds the writers' lock."""
    attach(connection, site, read_only=True)
    snapshot = latest_snapshot(connection)
    moves_files = files_address(site) != files_address(target)
    prepare_access(connection, target)
    n_files, n_bytes = copy_files(connection, site, target) if moves_files else (0, 0)
    before = row_counts(connection, LAKE)
    n_catalogue_rows = 0
    if site.settings.store.catalogue != target.settings.store.catalogue:
        n_catalogue_rows = copy_catalogue(connection, site, target, moves_files=moves_files)
    connection.execute(f"detach {LAKE}")
    attach(connection, target, read_only=True, snapshot=snapshot)
    if row_counts(connection, LAKE) != before:
        raise differs()
    write_settings(target)
    return Moved(snapshot, n_files, n_bytes, n_catalogue_rows, sum(before.values()))


def differs() -> StoreError:
    """Return the sentence for a copy that is not equal."""
    return StoreError(
        "The copy of the store differs from it.", "The store is as it was before. Empty the target and run it again."
    )


def row_counts(connection: duckdb.DuckDBPyConnection, lake: str) -> dict[str, int]:
    """Count the rows of every stored table."""
    names = connection.execute(
        "select distinct table_name from duckdb_columns() where database_name = ? order by table_name", [lake]
    ).fetchall()
    return {
        name: int(connection.execute(f'select count(*) from {lake}."{name}"').fetchall()[0][0]) for (name,) in names
    }


def copy_files(connection: duckdb.DuckDBPyConnection, site: Site, target: Site) -> tuple[int, int]:
    """Copy every file that the catalogue knows; return how many and their bytes.

    Raises
    ------
    StoreError: the target holds something that is not of this store, or a copy differs.
    """
    old, new = files_address(site), files_address(target)
    rows = connection.execute(
        f"select path, file_size_bytes from {METADATA}.ducklake_data_file"
        f" union select path, file_size_bytes from {METADATA}.ducklake_delete_file order by all"
    ).fetchall()
    wanted = {Path(path).name for path, _size in rows}
    sources = {name.removeprefix(old) for name in files_under(connection, old) if Path(name).name in wanted}
    if {Path(name).name for name in sources} != wanted:
        raise StoreError(
            "Files of the log store of {site!r} are missing.",
            "Restore them from a backup before it is moved. Nothing was changed.",
            site=str(site.folder),
        )
    present = {name.removeprefix(new) for name in files_under(connection, new)}
    if present - sources:
        raise StoreError(
            "{files!r} is not empty: it holds files that are not of this store.",
            "Name an empty folder or prefix. Nothing was changed.",
            files=target.settings.store.files,
        )
    for name in sorted(sources):
        digest = sha256(connection, old + name)
        if name in present and sha256(connection, new + name) == digest:
            continue  # a stopped move had copied it
        if not target.settings.store.is_object_store:
            (Path(new) / name).parent.mkdir(parents=True, exist_ok=True)
        source = f"select content from read_blob({literal(old + name)})"
        connection.execute(f"copy ({source}) to {literal(new + name)} (format blob)")
        if not target.settings.store.is_object_store:
            with (Path(new) / name).open("rb") as file:
                os.fsync(file.fileno())
        if not digest or sha256(connection, new + name) != digest:
            raise differs()
    return len(sources), sum(int(size) for _path, size in rows)


def files_under(connection: duckdb.DuckDBPyConnection, folder: str) -> list[str]:
    """Return the addresses of the files under a folder or prefix, in order."""
    rows = connection.execute(f"select file from glob({literal(folder + '**')}) order by file").fetchall()
    return [str(name) for (name,) in rows]


def sha256(connection: duckdb.DuckDBPyConnection, path: str) -> str:
    """Return the SHA-256 of a file in a folder or an object store; empty when there is none."""
    found = connection.execute(f"select sha256(content) from read_blob({literal(path)})").fetchone()
    return str(found[0]) if found else ""


def copy_catalogue(connection: duckdb.DuckDBPyConnection, site: Site, target: Site, *, moves_files: bool) -> int:
    """Copy the catalogue's rows in one transaction; return how many.

    Raises
    ------
    StoreError: the target holds a store already, or the rows differ.
    """
    if target.settings.store.catalogue == SQLITE and exists(target):
        raise not_empty()
    final = target.store_folder / SQLITE_FILE
    aside = final.with_name(f"{SQLITE_FILE}.new")
    address = lake_address(target)
    if not target.settings.store.is_postgres:
        for left in (aside, *(aside.with_name(aside.name + end) for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)
        address = f"ducklake:sqlite:{aside}"
    options = f"data_path {literal(files_address(target))}, override_data_path true, encrypted"
    connection.execute(f"attach {literal(address)} as {NEW} ({options})")  # makes its empty tables
    connection.execute(f"detach {NEW}")
    attach_plainly(connection, lake_address(site), f"{OLD} (read_only)")
    attach_plainly(connection, address, NEW)
    if connection.execute(f"select count(*) from {NEW}.ducklake_table").fetchone() != (0,):
        raise not_empty()
    connection.execute("begin transaction")
    n_rows = 0
    for table in catalogue_tables(connection):
        # Merged files wait there for their removal; they are not copied with the others.
        skip = " where false" if moves_files and table == "ducklake_files_scheduled_for_deletion" else ""
        connection.execute(f"delete from {NEW}.{table}")
        connection.execute(f"insert into {NEW}.{table} by name select * from {OLD}.{table}{skip}")
        old = connection.execute(f"select count(*) from {OLD}.{table}{skip}").fetchone()
        if connection.execute(f"select count(*) from {NEW}.{table}").fetchone() != old:
            raise differs()
        n_rows += old[0] if old else 0
    connection.execute("commit")
    connection.execute(f"detach {NEW}")
    connection.execute(f"detach {OLD}")
    if not target.settings.store.is_postgres:
        aside.rename(final)
    return n_rows


def not_empty() -> StoreError:
    """Return the sentence for a catalogue that another store uses."""
    return StoreError(
        "The catalogue to move to is not empty: a store lies there.",
        "Name an empty database, or move the file store/catalog.sqlite away. Nothing was changed.",
    )


def attach_plainly(connection: duckdb.DuckDBPyConnection, lake: str, name: str) -> None:
    """Attach a lake's catalogue without DuckLake, under which its tables are hidden."""
    connection.execute(f"attach {literal(lake.removeprefix('ducklake:'))} as {name}")


def catalogue_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the old catalogue's tables, in order.

    Raises
    ------
    StoreError: rows lie in the catalogue itself, which no store of this program does.
    """
    rows = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and starts_with(table_name, 'ducklake_')"
        " order by table_name",
        [OLD],
    ).fetchall()
    names = [str(name) for (name,) in rows]
    inlined = [name for name in names if name.startswith(INLINED) and name != f"{INLINED}tables"]
    if any(connection.execute(f'select 1 from {OLD}."{name}" limit 1').fetchone() for name in inlined):
        raise differs()
    return [name for name in names if name not in inlined]
