"""Where a site's lake lies: its catalogue (SQLite or PostgreSQL), its files (a folder or an object store), its keys."""

from __future__ import annotations

import importlib.resources
import os
import sqlite3
from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING

import duckdb
from filelock import FileLock

from audit_kernel.errors import StoreError
from audit_kernel.store.store_keys import PASSWORDS, object_store_key, refuse_open_key
from audit_kernel.store.tables import LAKE
from audit_kernel.store_settings import POSTGRES, connection_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.site import Site

SQLITE_FILE = "catalog.sqlite"
LOCK = "writer.lock"
OWNER_ONLY_FILE = 0o600
CONNECT_SECONDS = 10
WRITERS = 4_207_016_411  # the advisory lock of PostgreSQL that the one writer holds; one lake lies in one database
MAY_NOT_WRITE = (
    "select relname from pg_class where relname = 'ducklake_snapshot' and relkind = 'r'"
    " and not has_table_privilege(oid, 'insert')"
)
PLAIN = "catalogue"  # the name under which PostgreSQL is attached without DuckLake


def literal(text: str) -> str:
    """Quote a path or an address for the statements that take no bound value (load, attach)."""
    return "'" + text.replace("'", "''") + "'"


OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
# Its signature was checked when its library came into this process (`checked_extension`), which keeps what it has.
CHECKED_BEFORE = {"allow_unsigned_extensions": "true"}


@cache
def checked_extension(name: str) -> str:
    """Let DuckDB check a packaged extension's signature and load it into this process; return the statement for it.

    The check reads the whole file, which takes longer than most questions: once for all connections of a process.
    """
    file = importlib.resources.files(f"duckdb_extension_{name}").joinpath(
        f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
    )
    load = f"load {literal(str(file))}"
    with closing(duckdb.connect(":memory:", config={**OFFLINE, "threads": "1"})) as connection:
        connection.execute(load)
    return load


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load a packaged extension of DuckDB; nothing is downloaded.

    Raises
    ------
    StoreError: it is missing or does not fit this machine.
    """
    try:
        connection.execute(checked_extension(name))
    except (ModuleNotFoundError, duckdb.Error) as error:
        raise StoreError(
            "DuckDB's extension {name} cannot be loaded ({cause}).",
            "Install duckdb-extension-{package} {version} with the lock file.",
            name=name,
            cause=type(error).__name__,
            package=name.replace("_", "-"),
            version=duckdb.__version__,
        ) from None


def prepare_access(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Give a connection what the site's lake needs: its catalogue's extension, the object store's key.

    Raises
    ------
    KeyFileError: the key is missing, readable by others, or wrong.
    """
    load_extension(connection, "postgres_scanner" if site.settings.store.is_postgres else "sqlite_scanner")
    if site.settings.store.is_object_store:
        key = object_store_key(site)
        words = {"key_id": key.key_id, "secret": key.secret.get_secret_value(), "region": key.region}
        if key.endpoint:
            words |= {"endpoint": key.endpoint, "url_style": "path"}
        values = "".join(f", {word} {literal(value)}" for word, value in words.items())
        use_ssl = str(key.use_ssl).lower()
        connection.execute(f"create or replace secret object_store (type s3, use_ssl {use_ssl}{values})")


def files_address(site: Site) -> str:
    """Return where the Parquet files lie, with a separator at the end."""
    store = site.settings.store
    return f"{store.files}/" if store.is_object_store else str(site.live_folder / store.files) + os.sep


def lake_address(site: Site) -> str:
    """Return what DuckLake attaches as catalogue; it never holds a password."""
    if site.settings.store.is_postgres:
        return f"ducklake:{POSTGRES}{connection_text(site)}"
    return f"ducklake:sqlite:{site.store_folder / SQLITE_FILE}"


def connection_text(site: Site) -> str:
    """Return libpq's words: the setting's, a limit on waiting, and the password file where the site has one.

    Raises
    ------
    KeyFileError: others than its owner can read the password file.
    """
    text = site.settings.store.catalogue.removeprefix(POSTGRES)
    if "connect_timeout" not in (connection_words(text) or {}):
        text += f" connect_timeout={CONNECT_SECONDS}"
    passwords = site.keys_folder / PASSWORDS
    if passwords.exists():
        refuse_open_key(passwords)
        escaped = str(passwords).replace("\\", "\\\\").replace("'", "\\'")
        text += f" passfile='{escaped}'"
    return text


@contextmanager
def plain_postgres(site: Site, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalogue's database without DuckLake, attached as `catalogue`.

    Raises
    ------
    StoreError: it cannot be reached.
    """
    limits = {"memory_limit": "200MB", "threads": "1"}
    with closing(duckdb.connect(":memory:", config={**limits, **OFFLINE, **CHECKED_BEFORE})) as connection:
        connection.execute("set enable_progress_bar = false")
        load_extension(connection, "postgres_scanner")
        access = "type postgres, read_only" if read_only else "type postgres"
        try:
            connection.execute(f"attach {literal(connection_text(site))} as {PLAIN} ({access})")
        except duckdb.Error as error:
            raise unreachable(site, error) from None
        yield connection


def unreachable(site: Site, error: Exception) -> StoreError:
    """Return the sentence for a PostgreSQL that does not answer: its own message may quote the address."""
    return StoreError(
        "The catalogue of {site!r} in PostgreSQL cannot be reached ({cause}).",
        "Check that the server runs, what `store.catalogue` says, and the password in keys/postgres.pass.",
        site=str(site.folder),
        cause=type(error).__name__,
    )


def exists(site: Site) -> bool:
    """Say whether anything was ever taken in.

    Raises
    ------
    StoreError: PostgreSQL cannot be reached.
    """
    if not site.settings.store.is_postgres:
        return (site.store_folder / SQLITE_FILE).is_file()
    with plain_postgres(site, read_only=True) as connection:
        found = "select 1 from duckdb_tables() where database_name = ? and table_name = 'ducklake_metadata'"
        return connection.execute(found, [PLAIN]).fetchone() is not None


@contextmanager
def only_writer(site: Site) -> Iterator[None]:
    """Wait until no other process writes, on this machine or on any that shares the catalogue, then hold the lock.

    PostgreSQL gives the lock up when the connection ends, however the process ends.

    Raises
    ------
    StoreError: PostgreSQL cannot be reached, or its user may only read.
    """
    if not site.settings.store.is_postgres:
        with FileLock(site.store_folder / LOCK, mode=OWNER_ONLY_FILE):
            yield
        return
    with plain_postgres(site, read_only=False) as connection:
        connection.execute("begin transaction")
        held = f"select cast(pg_advisory_xact_lock({WRITERS}) as text) as held"
        connection.execute(f"select * from postgres_query('{PLAIN}', {literal(held)})").fetchall()
        refused = f"select * from postgres_query('{PLAIN}', {literal(MAY_NOT_WRITE)})"
        if connection.execute(refused).fetchone():
            raise StoreError(
                "The user of {site!r} may only read the store's catalogue in PostgreSQL.",
                "Take in and write with the user that made the store: `store.catalogue` in settings.yml.",
                site=str(site.folder),
            )
        yield


def forget_removed(connection: duckdb.DuckDBPyConnection) -> None:
    """Work out each column's smallest and largest value anew from the files there are: the old ones are values too."""
    catalogue = f"__ducklake_metadata_{LAKE}"
    columns = connection.execute(
        f"select table_id, column_id, column_type from {catalogue}.ducklake_table_column_stats"
        f" join {catalogue}.ducklake_column using (table_id, column_id)"
        " where end_snapshot is null and (min_value is not null or max_value is not null) order by all"
    ).fetchall()
    for table_id, column_id, column_type in columns:
        typed = column_type if column_type.startswith("decimal(") else TYPES.get(column_type)
        smallest, largest = (f"cast({each}(cast({each}_value as {typed})) as varchar)" for each in ("min", "max"))
        known = f"from {catalogue}.ducklake_file_column_stats where table_id = ? and column_id = ?"
        values = connection.execute(f"select {smallest}, {largest} {known}", [table_id, column_id]) if typed else None
        row = values.fetchone() if values else None
        connection.execute(
            f"update {catalogue}.ducklake_table_column_stats set min_value = ?, max_value = ?"
            " where table_id = ? and column_id = ?",
            [*(row or (None, None)), table_id, column_id],
        )


# Of DuckLake's types (https://ducklake.select/docs/stable/specification/data_types) those whose order is known here;
# of another, no smallest and largest value is kept, which only makes reading slower.
TYPES = {
    "boolean": "varchar",  # 0 and 1
    "date": "date",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "timestamp": "timestamp",
    "uuid": "varchar",
    "varchar": "varchar",
}


def vacuum(site: Site) -> bool:
    """Write the catalogue anew, so that no free page and no log holds what was removed; False while readers hinder it.

    Raises
    ------
    StoreError: PostgreSQL cannot be reached.
    """
    if site.settings.store.is_postgres:
        with plain_postgres(site, read_only=False) as connection:
            names = connection.execute(
                "select table_name from duckdb_tables() where database_name = ? and table_name like 'ducklake_%'"
                " order by table_name",
                [PLAIN],
            ).fetchall()
            # Each waits for the transactions that read the table: none older keeps a dead row. The planner's statistics
            # hold values of the rows too, so they are made and written anew.
            kept = [f"(full, analyze) {name}" for (name,) in names] + ["full pg_catalog.pg_statistic"]
            for each in kept:
                connection.execute(f"call postgres_execute('{PLAIN}', 'vacuum {each}', use_transaction => false)")
        return True
    with closing(sqlite3.connect(site.store_folder / SQLITE_FILE, isolation_level=None)) as catalogue:
        try:
            catalogue.execute("vacuum")
            busy, _pages, _done = catalogue.execute("pragma wal_checkpoint(truncate)").fetchone()
        except sqlite3.OperationalError:
            return False
    return not busy
