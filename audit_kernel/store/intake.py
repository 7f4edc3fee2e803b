"""Takes a log file in: one file, one transaction, every record accounted for."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import IntakeError, Phrase
from audit_kernel.sources import load_source, prepare, stage
from audit_kernel.sources.formats import reader
from audit_kernel.sources.stage import EVENT_TABLES
from audit_kernel.store.connection import tidy, transaction, without_log_text, writing
from audit_kernel.store.countries import find_countries, staged_with_countries
from audit_kernel.store.ledger import Delivery, append_to_ledger, earlier_delivery
from audit_kernel.store.local_time import create_zone_tables
from audit_kernel.store.quarantine import refuse
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from audit_kernel.site import Site
    from audit_kernel.sources import PreparedFile, SourceDefinition
    from audit_kernel.sources.definition import DelimitedLayout

Connection = duckdb.DuckDBPyConnection

# Outside these years a time is a fault of the log, and each would make a partition of its own.
EARLIEST, LATEST = datetime(1970, 1, 2), datetime(2099, 12, 30)  # noqa: DTZ001 - naive as stored
ACCESS_ID = "cast(substr(sha256(source_id || chr(31) || event_id || chr(31) || item), 1, 32) as uuid)"


def source_folders(site: Site) -> list[Path]:
    """Return where mappings lie: the package's, then the site's own."""
    return [resource_folder("parameters") / "sources", site.folder / "parameters" / "sources"]


def take_in(site: Site, path: Path, source_id: str, progress: Callable[[int, int], None] | None = None) -> Delivery:
    """Take one log file in.

    Parameters
    ----------
    progress: called with bytes read so far and bytes in all.

    Returns
    -------
    Delivery: its line of the ledger; `is_repeated` when this very file was taken in before and nothing was done.

    Raises
    ------
    DamagedFileError: the file is damaged; the store is unchanged.
    IntakeError: the file came in as another log, the counts do not balance, or space ran out; the store is unchanged.
    StoreError: the store cannot be opened or written.
    """
    source = load_source(source_id, source_folders(site))

    def store_staged(connection: Connection, prepared: PreparedFile, n_read: int) -> Delivery:
        return store_file(connection, site, prepared, source, n_read)

    def stage_file(connection: Connection, prepared: PreparedFile) -> int:
        n_read = stage(connection, prepared, source)
        find_countries(connection, site)
        return n_read

    return deliver_file(site, path, source, source_id, stage_file, store_staged, progress)


def deliver_file(
    site: Site,
    path: Path,
    layout: DelimitedLayout,
    source_id: str,
    stage_file: Callable[[Connection, PreparedFile], int],
    store_staged: Callable[[Connection, PreparedFile, int], Delivery],
    progress: Callable[[int, int], None] | None,
) -> Delivery:
    """Prepare, stage and store one file of any kind: one transaction, its line of the ledger in it.

    Raises
    ------
    IntakeError, StoreError: as in `take_in`.
    """
    refuse_odd_path(path)
    with workspace(site) as folder:
        prepared = prepare(path, layout, folder, progress)
        with writing(site, folder) as connection:
            if earlier := earlier_delivery(connection, prepared.file_id, source_id):
                return earlier
            with refusing(path):
                # Outside the transaction, which would leave the rowids provisional by which records are numbered.
                n_read = stage_file(connection, prepared)
                with transaction(connection):
                    delivery = store_staged(connection, prepared, n_read)
                    append_to_ledger(connection, delivery)
                    prepared.check_unchanged()
            tidy(connection)
    return delivery


def refusing(path: Path) -> AbstractContextManager[None]:
    """Turn an error of DuckDB or the system into the refusal of one file."""
    problem = Phrase("{file!r} was not taken in: the disk or memory may be full, or the file cannot be read ({cause}).")
    remedy = Phrase("The store is unchanged. Free space and take the file in again.")
    return without_log_text(IntakeError, problem, remedy, file=plain_name(path))


def refuse_odd_path(path: Path) -> None:
    """Refuse a path that DuckDB cannot be given.

    Raises
    ------
    IntakeError: a name in it is not Unicode.
    """
    if plain_name(path.resolve()) != path.resolve().name or not str(path.resolve()).isprintable():
        raise IntakeError(
            "{path!r} has a name that is not plain text.",
            "Nothing was taken in. Copy the file to another name and try again.",
            path=str(path),
        )


def plain_name(path: Path) -> str:
    r"""Return a file's name; what is not Unicode in it stands as `\xNN`."""
    return os.fsencode(path.name).decode("utf-8", errors="backslashreplace")


def store_file(
    connection: Connection, site: Site, prepared: PreparedFile, source: SourceDefinition, n_read: int
) -> Delivery:
    """Identify, quarantine and store one staged file inside the caller's transaction.

    Raises
    ------
    IntakeError: the two readers differ, or read is not stored + known + quarantined.
    """
    if n_read != prepared.n_records:
        raise IntakeError(
            "{file!r}: the reader found {n_read:,} records, an independent count {n_counted:,}.",
            "Nothing was stored. Report the file's layout, not its content.",
            file=plain_name(prepared.path),
            n_read=n_read,
            n_counted=prepared.n_records,
        )
    connection.execute("create or replace temp table refused as select * from staged_quarantine")
    implausible = "coalesce(recorded_at, recorded_local) not between $earliest and $latest"
    bounds = {"earliest": EARLIEST, "latest": LATEST}
    staged = " union all ".join(
        f"select record_number, line_number from staged_{table} where {implausible}" for table in EVENT_TABLES
    )
    refuse(connection, prepared, source, "implausible_time", f"from ({staged})", bounds)
    connection.execute(
        f"create or replace temp table record_status as {intake_sql('record_status')}",
        {"source_id": source.source_id},
    )
    n_conflicts = refuse(connection, prepared, source, "conflict", "from record_status where status = 'conflict'", {})
    create_local_time_tables(connection, site, source)
    n_rows = {table: store_rows(connection, site, table, source, prepared.file_id) for table in EVENT_TABLES}
    connection.execute(
        f"insert into {LAKE}.quarantine select $file_id, $source_id, record_number, line_number, column_name, code,"
        " raw_record from refused order by record_number",
        {"file_id": prepared.file_id, "source_id": source.source_id},
    )
    for table in EVENT_TABLES:
        check_stored(connection, table, prepared.file_id, n_rows[table])
    delivery = counted_delivery(connection, prepared, source, n_read, n_conflicts, sum(n_rows.values()))
    # Conflicts were readable: they stay in quarantine as an alarm.
    refuse_unreadable(connection, prepared, n_read, delivery.n_quarantined - n_conflicts)
    if delivery.n_read != delivery.n_stored + delivery.n_known + delivery.n_quarantined:
        raise IntakeError(
            "{file!r}: {n_read:,} records read, but {n_stored:,} stored, {n_known:,} already known and"
            " {n_quarantined:,} in quarantine.",
            "Nothing was stored. Report the file's layout, not its content.",
            file=plain_name(prepared.path),
            n_read=delivery.n_read,
            n_stored=delivery.n_stored,
            n_known=delivery.n_known,
            n_quarantined=delivery.n_quarantined,
        )
    return delivery


def refuse_unreadable(connection: Connection, prepared: PreparedFile, n_read: int, n_unreadable: int) -> None:
    """Refuse a file of which no record could be read, inside the caller's transaction.

    Raises
    ------
    IntakeError: every record is in quarantine; it names the first one's column and code.
    """
    if not n_read or n_unreadable < n_read:
        return
    column, code = connection.execute(
        f"select coalesce(column_name, '-'), code from {LAKE}.quarantine where file_id = ?"
        " order by record_number limit 1",
        [prepared.file_id],
    ).fetchall()[0]
    raise IntakeError(
        "{file!r}: every record is unreadable, so the mapping does not fit (first: column {column!r}, {code}).",
        "The store is unchanged. Correct the mapping, its date format for example, and take the file in again.",
        file=plain_name(prepared.path),
        column=column,
        code=code,
    )


def intake_sql(name: str) -> str:
    """Return one statement of `sql/intake`."""
    return (resource_folder("sql") / "intake" / f"{name}.sql").read_text(encoding="utf-8")


def create_local_time_tables(connection: Connection, site: Site, source: SourceDefinition) -> None:
    """Create the offsets and holidays of the years that the file spans."""
    times = " union all ".join(
        f"select coalesce(recorded_at, recorded_local) as moment from staged_{t}" for t in EVENT_TABLES
    )
    row = connection.execute(
        f"select min(moment), max(moment) from ({times}) where moment between ? and ?", [EARLIEST, LATEST]
    ).fetchone()
    first, last = row if row and row[0] else (EARLIEST, EARLIEST)
    create_zone_tables(connection, source.time_zone, site.settings.country, first.year, last.year)


def store_rows(connection: Connection, site: Site, table: str, source: SourceDefinition, file_id: str) -> int:
    """Make `readable_TABLE` and insert its new rows in each of the table's sort orders; return how many."""
    connection.execute(f"create or replace temp view staged_rows as {staged_with_countries(table, site)}")
    definition = table_definitions()[table]
    access_id = f", {ACCESS_ID} as access_id" if "access_id" in definition.columns else ""
    flag = "no_zone" if source.format != "delimited" and reader(source.format).has_zone else "ok"
    connection.execute(
        f"create or replace temp table readable_{table} as select *{access_id} from ({intake_sql('readable_rows')})",
        {"source_id": source.source_id, "file_id": file_id, "flag_of_local": flag},
    )
    n_rows = count(connection, f"readable_{table} where status = 'new'")
    columns = ", ".join(f'"{column}"' for column in definition.columns)
    for stored_name, order in definition.stored_as.items():
        if n_rows:
            connection.execute(
                f'insert into {LAKE}."{stored_name}" ({columns}) select {columns} from readable_{table}'
                f" where status = 'new' order by {', '.join(order)}"
            )
    return n_rows


def check_stored(connection: Connection, table: str, file_id: str, n_rows: int) -> None:
    """Count the file's rows in the lake itself.

    Raises
    ------
    IntakeError: a sort order holds another number of rows than were to be stored.
    """
    for stored_name in table_definitions()[table].stored_as:
        n_found = count(connection, f'{LAKE}."{stored_name}" where file_id = $file_id', {"file_id": file_id})
        if n_found != n_rows:
            raise IntakeError(
                "{stored_name} holds {n_found:,} rows of the file instead of {n_rows:,}.",
                "Nothing was stored. Take the file in again.",
                stored_name=stored_name,
                n_found=n_found,
                n_rows=n_rows,
            )


def count(connection: Connection, rows: str, values: Mapping[str, object] | None = None) -> int:
    """Count the rows of a relation with its conditions."""
    return int(connection.execute(f"select count(*) from {rows}", values or {}).fetchall()[0][0])


def counted_delivery(
    connection: Connection, prepared: PreparedFile, source: SourceDefinition, n_read: int, n_conflicts: int, n_rows: int
) -> Delivery:
    """Count what became of the file's records, the stored and quarantined ones in the lake itself."""
    of_file = {"file_id": prepared.file_id}
    spans = " union all ".join(f"select recorded_at from readable_{table}" for table in EVENT_TABLES)
    first_at, last_at = connection.execute(f"select min(recorded_at), max(recorded_at) from ({spans})").fetchall()[0]
    return Delivery(
        file_id=prepared.file_id,
        source_id=source.source_id,
        file_name=plain_name(prepared.path),
        n_bytes=prepared.n_bytes,
        n_read=n_read,
        n_stored=count(connection, f"{LAKE}.accesses_by_patient where file_id = $file_id and item = 0", of_file)
        + count(connection, f"{LAKE}.authentications where file_id = $file_id", of_file)
        + count(connection, f"{LAKE}.medication_events where file_id = $file_id", of_file),
        n_known=count(connection, "record_status where status = 'known'"),
        n_quarantined=count(connection, f"{LAKE}.quarantine where file_id = $file_id", of_file),
        n_conflicts=n_conflicts,
        n_rows=n_rows,
        first_at=first_at,
        last_at=last_at,
        mapping_hash=source.mapping_hash,
        taken_in_at=datetime.now(UTC).replace(tzinfo=None),
        taken_in_by=operating_system_user(),
    )
