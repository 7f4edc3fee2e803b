"""Takes a log file in: one file, one transaction, every record accounted for."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import IntakeError, Phrase
from audit_kernel.sources import UnpackingLimits, load_source, prepare, stage
from audit_kernel.sources.stage import EVENT_TABLES
from audit_kernel.store.connection import tidy, transaction, without_log_text, writing
from audit_kernel.store.countries import find_countries
from audit_kernel.store.identity import create_staged_keys, event_tables, set_held_aside
from audit_kernel.store.ledger import Delivery, append_to_ledger, earlier_delivery
from audit_kernel.store.local_time import create_local_time_macros
from audit_kernel.store.quarantine import refuse
from audit_kernel.store.rows import check_stored, count, store_rows
from audit_kernel.store.tables import LAKE
from audit_kernel.store.workspace import workspace
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from audit_kernel.site import Site
    from audit_kernel.sources import PreparedFile, SourceDefinition
    from audit_kernel.sources.definition import DelimitedLayout

Connection = duckdb.DuckDBPyConnection

# Outside these years a time is a fault of the log, and each would make a partition of its own.
EARLIEST, LATEST = datetime(1970, 1, 2), datetime(2099, 12, 30)  # noqa: DTZ001 - naive as stored


def source_folders(site: Site) -> list[Path]:
    """Return where mappings lie: the package's, then the site's own."""
    return [resource_folder("parameters") / "sources", site.folder / "parameters" / "sources"]


def take_in(
    site: Site,
    path: Path,
    source_id: str,
    progress: Callable[[int, int], None] | None = None,
    *,
    is_last: bool = True,
) -> Delivery:
    """Take one log file in.

    Parameters
    ----------
    progress: called with bytes read so far and bytes in all.
    is_last: no other file follows at once, so that the store is tidied: small files merged, leftovers cleared.

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

    return deliver_file(site, path, source, source_id, stage_file, store_staged, progress, is_last=is_last)


def deliver_file(
    site: Site,
    path: Path,
    layout: DelimitedLayout,
    source_id: str,
    stage_file: Callable[[Connection, PreparedFile], int],
    store_staged: Callable[[Connection, PreparedFile, int], Delivery],
    progress: Callable[[int, int], None] | None,
    *,
    is_last: bool,
) -> Delivery:
    """Prepare, stage and store one file of any kind: one transaction, its line of the ledger in it.

    Raises
    ------
    IntakeError, StoreError: as in `take_in`.
    """
    from audit_kernel.store.hourly_counts import count_rows  # which reads the mappings as this module does

    refuse_odd_path(path)
    with workspace(site) as folder:
        limits = UnpackingLimits(*site.settings.intake.limits)
        prepared = prepare(path, layout, folder, progress, limits)
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
            if is_last:
                count_rows(connection, site)
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
    keys = create_staged_keys(connection, source)
    if keys.first and keys.last and not (keys.first >= EARLIEST and keys.last <= LATEST):
        staged = "from staged_keys where moment not between $earliest and $latest"
        refuse(connection, prepared, source, "implausible_time", staged, {"earliest": EARLIEST, "latest": LATEST})
        keys = create_staged_keys(connection, source)
    first, last = (keys.first, keys.last) if keys.first and keys.last else (EARLIEST, EARLIEST)
    create_local_time_macros(connection, source.time_zone, site.settings.country, first, last)
    set_held_aside(connection, source, keys, source.mapping_hash)
    n_conflicts = refuse(connection, prepared, source, "conflict", "from set_aside where status = 'conflict'", {})
    n_rows = {table: store_rows(connection, site, table, source, prepared.file_id) for table in event_tables(source)}
    connection.execute(
        f"insert into {LAKE}.quarantine select $file_id, $source_id, record_number, line_number, column_name, code,"
        " raw_record from refused order by record_number",
        {"file_id": prepared.file_id, "source_id": source.source_id},
    )
    for table, n_stored in n_rows.items():
        check_stored(connection, table, prepared.file_id, n_stored)
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


def counted_delivery(
    connection: Connection, prepared: PreparedFile, source: SourceDefinition, n_read: int, n_conflicts: int, n_rows: int
) -> Delivery:
    """Count what became of the file's records, the stored and quarantined ones in the lake itself."""
    of_file = {"file_id": prepared.file_id}
    spans = " union all ".join(
        f"select coalesce(recorded_at, local_to_utc(recorded_local)) as moment from staged_{table}"
        " anti join refused using (record_number)"
        for table in EVENT_TABLES
    )
    first_at, last_at = connection.execute(f"select min(moment), max(moment) from ({spans})").fetchall()[0]
    return Delivery(
        file_id=prepared.file_id,
        source_id=source.source_id,
        file_name=plain_name(prepared.path),
        n_bytes=prepared.n_bytes,
        n_read=n_read,
        n_stored=count(connection, f"{LAKE}.accesses_by_patient where file_id = $file_id and item = 0", of_file)
        + count(connection, f"{LAKE}.authentications where file_id = $file_id", of_file)
        + count(connection, f"{LAKE}.medication_events where file_id = $file_id", of_file),
        n_known=count(connection, "set_aside where status = 'known'"),
        n_quarantined=count(connection, f"{LAKE}.quarantine where file_id = $file_id", of_file),
        n_conflicts=n_conflicts,
        n_rows=n_rows,
        first_at=first_at,
        last_at=last_at,
        mapping_hash=source.mapping_hash,
        taken_in_at=datetime.now(UTC).replace(tzinfo=None),
        taken_in_by=operating_system_user(),
    )
