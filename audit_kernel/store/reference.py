"""Takes reference data in: staged rows compared with those that hold, new ones stored, what has ended marked so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_kernel.errors import IntakeError, UsageError
from audit_kernel.sources import load_reference, stage_reference
from audit_kernel.store.dated import delivery_sql, latest_sql, reference_sql
from audit_kernel.store.intake import EARLIEST, LATEST, deliver_file, plain_name, refuse_unreadable, source_folders
from audit_kernel.store.ledger import Delivery
from audit_kernel.store.local_time import create_zone_tables
from audit_kernel.store.rows import count
from audit_kernel.store.tables import LAKE, reference_tables
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from audit_kernel.site import Site
    from audit_kernel.sources import PreparedFile, ReferenceDefinition


def reference_kinds() -> list[str]:
    """Return the names of the reference tables."""
    return list(reference_tables())


def take_in_reference(
    site: Site, path: Path, kind: str, progress: Callable[[int, int], None] | None = None, *, is_last: bool = True
) -> Delivery:
    """Take one delivery of reference data in.

    A row with the same key and beginning as an earlier one takes its place in the views; the earlier one is kept. Where
    the mapping says `delivery: complete`, what the file no longer has ends on the day of delivery.

    Returns
    -------
    Delivery: its line of the ledger, with `source_id` = `reference:KIND`; `n_known` records said nothing new.

    Raises
    ------
    UsageError: there is no such kind.
    DamagedFileError, IntakeError: the file was refused whole; the store is unchanged.
    """
    if kind not in reference_kinds():
        raise UsageError(
            "There is no kind of reference data {kind!r}.",
            "There are: {allowed}.",
            kind=kind,
            allowed=", ".join(reference_kinds()),
        )
    source = load_reference(kind, source_folders(site))
    source_id = f"reference:{kind}"

    def stage_file(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile) -> int:
        return stage_reference(connection, prepared, source)

    def store_staged(connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, n_read: int) -> Delivery:
        return store_delivery(connection, site, prepared, source, n_read)

    return deliver_file(site, path, source, source_id, stage_file, store_staged, progress, is_last=is_last)


def store_delivery(
    connection: duckdb.DuckDBPyConnection, site: Site, prepared: PreparedFile, source: ReferenceDefinition, n_read: int
) -> Delivery:
    """Store one staged delivery inside the caller's transaction.

    Raises
    ------
    IntakeError: the two readers differ, or read is not stored + known + quarantined.
    """
    now = datetime.now(UTC)
    source_id = f"reference:{source.kind}"
    connection.execute(
        f"insert into {LAKE}.quarantine select $file_id, $source_id, record_number, line_number, column_name,"
        " code, raw_record from staged_quarantine order by record_number",
        {"file_id": prepared.file_id, "source_id": source_id},
    )
    of_file = {"file_id": prepared.file_id}
    n_quarantined = count(connection, f"{LAKE}.quarantine where file_id = $file_id", of_file)
    compare(connection, site, source, now)
    # A record that cannot be read may be the very row that would seem to have ended.
    parts = (
        ["new_reference", "ended_reference"]
        if source.delivery == "complete" and not n_quarantined
        else ["new_reference"]
    )
    names = ", ".join(f'"{column}"' for column in source.table.columns)
    for part in parts:
        connection.execute(
            f"insert into {LAKE}.{source.kind} ({names}, delivery_id, delivered_at, row_number)"
            f" select {names}, $file_id, $now, record_number from {part} order by record_number, {names}",
            {"file_id": prepared.file_id, "now": now.replace(tzinfo=None)},
        )
    n_rows = count(connection, f"{LAKE}.{source.kind} where delivery_id = $file_id", of_file)
    n_stored = count(connection, f"{LAKE}.{source.kind} where delivery_id = $file_id and row_number > 0", of_file)
    n_known = count(connection, "known_reference")
    if not n_read == prepared.n_records == n_stored + n_known + n_quarantined:
        raise IntakeError(
            "{file!r}: {n_counted:,} records counted and {n_read:,} read, but {n_stored:,} stored, {n_known:,} already"
            " known and {n_quarantined:,} in quarantine.",
            "Nothing was stored. Report the file's layout, not its content.",
            file=plain_name(prepared.path),
            n_counted=prepared.n_records,
            n_read=n_read,
            n_stored=n_stored,
            n_known=n_known,
            n_quarantined=n_quarantined,
        )
    refuse_unreadable(connection, prepared, n_read, n_quarantined)
    return Delivery(
        file_id=prepared.file_id,
        source_id=source_id,
        file_name=plain_name(prepared.path),
        n_bytes=prepared.n_bytes,
        n_read=n_read,
        n_stored=n_stored,
        n_known=n_known,
        n_quarantined=n_quarantined,
        n_conflicts=0,
        n_rows=n_rows,
        first_at=None,
        last_at=None,
        mapping_hash=source.mapping_hash,
        taken_in_at=now.replace(tzinfo=None),
        taken_in_by=operating_system_user(),
    )


def compare(connection: duckdb.DuckDBPyConnection, site: Site, source: ReferenceDefinition, now: datetime) -> None:
    """Create TEMP tables `known_reference`, `new_reference` and `ended_reference` from the staged rows and the store.

    In a complete delivery that is not the first, a new row without a beginning begins on the day of delivery.
    """
    table, day = source.table, now.astimezone(ZoneInfo(site.settings.time_zone)).date()
    is_complete = source.delivery == "complete"
    placed = "staged_reference"
    if "starts_at" in table.columns:
        years = connection.execute(
            "select coalesce(min(year(starts_at)), $first), coalesce(max(year(coalesce(ends_at, starts_at))), $last)"
            " from staged_reference",
            {"first": EARLIEST.year, "last": EARLIEST.year},
        ).fetchall()[0]
        first, last = (min(max(year, EARLIEST.year), LATEST.year) for year in years)
        create_zone_tables(connection, site.settings.time_zone, site.settings.country, first, last)
        placed = f"({reference_sql('times')})"
    connection.execute(f"create or replace temp table placed_reference as select * from {placed}")
    connection.execute(f"create or replace temp table holding_reference as {latest_sql(source.kind)}")
    on_day = {"day": day} if table.is_in_days else {}
    known = delivery_sql("known", source.kind, is_complete=is_complete)
    connection.execute(f"create or replace temp table known_reference as {known}", on_day if is_complete else {})
    is_undated_new = is_complete and table.is_in_days and bool(count(connection, f"{LAKE}.{source.kind}"))
    replaced = " replace (coalesce(valid_from, $day) as valid_from)" if is_undated_new else ""
    connection.execute(
        f"create or replace temp table new_reference as select *{replaced} from placed_reference"
        " anti join known_reference using (record_number)",
        on_day if is_undated_new else {},
    )
    ended = delivery_sql("ended", source.kind, is_complete=is_complete)
    connection.execute(
        f"create or replace temp table ended_reference as select 0 as record_number, * from ({ended})", on_day
    )
