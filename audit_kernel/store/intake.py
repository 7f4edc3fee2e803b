"""Takes a log file in: one file, one transaction, every record accounted for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import IntakeError
from audit_kernel.sources import load_source, prepare, stage
from audit_kernel.sources.raw_records import raw_records
from audit_kernel.store.connection import maintain, transaction, writing
from audit_kernel.store.ledger import Delivery, append_to_ledger, earlier_delivery
from audit_kernel.store.local_time import create_zone_tables
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_kernel.site import Site
    from audit_kernel.sources import PreparedFile, SourceDefinition

Connection = duckdb.DuckDBPyConnection

# Outside these years a time is a fault of the log, and each would make a partition of its own.
EARLIEST, LATEST = datetime(1970, 1, 2), datetime(2099, 12, 31)  # noqa: DTZ001 - naive as stored
EVENT_TABLES = ("accesses", "authentications")
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
    prepared = prepare(path, source, site.temporary_folder, progress)
    try:
        with writing(site) as connection:
            if earlier := earlier_delivery(connection, prepared.file_id, source_id):
                return earlier
            try:
                # Outside the transaction: the reader numbers records by rowid, which a transaction leaves provisional.
                n_read = stage(connection, prepared, source)
                with transaction(connection):
                    delivery = store_file(connection, site, prepared, source, n_read)
                    append_to_ledger(connection, delivery)
                    prepared.check_unchanged()
            except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
                problem = f"{path.name} was not taken in: disk or memory ran out ({type(error).__name__})."
                raise IntakeError(problem, "The store is unchanged. Free space and take the file in again.") from None
    finally:
        prepared.remove_copies()
    maintain(site)
    return delivery


def store_file(
    connection: Connection, site: Site, prepared: PreparedFile, source: SourceDefinition, n_read: int
) -> Delivery:
    """Identify, quarantine and store one staged file inside the caller's transaction.

    Raises
    ------
    IntakeError: the two readers differ, or read is not stored + known + quarantined.
    """
    if n_read != prepared.n_records:
        problem = f"{prepared.path.name}: the reader found {n_read:,} records, an independent count {prepared.n_records:,}."
        raise IntakeError(problem, "Nothing was stored. Report the file's layout, not its content.")
    connection.execute("create or replace temp table refused as select * from staged_quarantine")
    implausible = "coalesce(recorded_at, recorded_local) not between $earliest and $latest"
    bounds = {"earliest": EARLIEST, "latest": LATEST}
    for table in EVENT_TABLES:
        refuse(connection, prepared, source, "implausible_time", f"from staged_{table} where {implausible}", bounds)
    connection.execute(
        f"create or replace temp table record_status as {intake_sql('record_status')}",
        {"source_id": source.source_id},
    )
    n_conflicts = refuse(connection, prepared, source, "conflict", "from record_status where status = 'conflict'", {})
    create_local_time_tables(connection, site, source)
    n_rows = sum(store_rows(connection, table, source.source_id, prepared.file_id) for table in EVENT_TABLES)
    connection.execute(
        f"insert into {LAKE}.quarantine select $file_id, $source_id, record_number, line_number, column_name, code,"
        " raw_record from refused order by record_number",
        {"file_id": prepared.file_id, "source_id": source.source_id},
    )
    delivery = counted_delivery(connection, prepared, source, n_read, n_conflicts, n_rows)
    if delivery.n_read != delivery.n_stored + delivery.n_known + delivery.n_quarantined:
        problem = (
            f"{prepared.path.name}: {delivery.n_read:,} records read, but {delivery.n_stored:,} stored,"
            f" {delivery.n_known:,} already known and {delivery.n_quarantined:,} in quarantine."
        )
        raise IntakeError(problem, "Nothing was stored. Report the file's layout, not its content.")
    return delivery


def intake_sql(name: str) -> str:
    """Return one statement of `sql/intake`."""
    return (resource_folder("sql") / "intake" / f"{name}.sql").read_text(encoding="utf-8")


def refuse(
    connection: Connection,
    prepared: PreparedFile,
    source: SourceDefinition,
    code: str,
    where: str,
    bounds: dict[str, datetime],
) -> int:
    """Move the records that `where` selects to quarantine, each with its raw text; return how many."""
    rows = connection.execute(
        f"select distinct record_number, line_number {where} order by record_number", bounds
    ).fetchall()
    texts = raw_records(prepared.text, source.quote, [int(row[0]) for row in rows])
    for (number, line_number), text in zip(rows, texts, strict=True):
        connection.execute(
            "insert into refused (record_number, line_number, column_name, code, raw_record) values (?, ?, null, ?, ?)",
            [number, line_number, code, text],
        )
    return len(rows)


def create_local_time_tables(connection: Connection, site: Site, source: SourceDefinition) -> None:
    """Create the offsets and holidays of the years that the file spans."""
    times = " union all ".join(f"select coalesce(recorded_at, recorded_local) as moment from staged_{t}" for t in EVENT_TABLES)
    row = connection.execute(
        f"select min(moment), max(moment) from ({times}) where moment between ? and ?", [EARLIEST, LATEST]
    ).fetchone()
    first, last = row if row and row[0] else (EARLIEST, EARLIEST)
    create_zone_tables(connection, source.time_zone, site.settings.country, first.year, last.year)


def store_rows(connection: Connection, table: str, source_id: str, file_id: str) -> int:
    """Insert the new rows of one table in each of its sort orders and count them there; return how many.

    Raises
    ------
    IntakeError: a sort order holds another number of rows than were to be stored.
    """
    connection.execute(f"create or replace temp view staged_rows as select * from staged_{table}")
    connection.execute(
        f"create or replace temp table new_rows as {intake_sql('new_rows')}",
        {"source_id": source_id, "file_id": file_id},
    )
    row = connection.execute("select count(*) from new_rows").fetchone()
    n_rows = int(row[0]) if row else 0
    definition = table_definitions()[table]
    columns = list(definition.columns)
    values = ", ".join(f"{ACCESS_ID} as access_id" if column == "access_id" else f'"{column}"' for column in columns)
    for stored_name, order in definition.stored_as.items():
        if n_rows:
            connection.execute(
                f'insert into {LAKE}."{stored_name}" ({", ".join(columns)})'
                f" select {values} from new_rows order by {', '.join(order)}"
            )
        row = connection.execute(
            f'select count(*) from {LAKE}."{stored_name}" where file_id = ?', [file_id]
        ).fetchone()
        if row is None or int(row[0]) != n_rows:
            problem = f"{stored_name} holds {row[0] if row else 0:,} rows of the file instead of {n_rows:,}."
            raise IntakeError(problem, "Nothing was stored. Take the file in again.")
    return n_rows


def counted_delivery(
    connection: Connection, prepared: PreparedFile, source: SourceDefinition, n_read: int, n_conflicts: int, n_rows: int
) -> Delivery:
    """Count what became of the file, the stored records from the lake itself."""
    stored = "file_id = $file_id"
    row = connection.execute(
        f"select (select count(*) from {LAKE}.accesses_by_patient where {stored} and item = 0)"
        f" + (select count(*) from {LAKE}.authentications where {stored}),"
        " (select count(*) from record_status where status = 'known'),"
        f" (select count(*) from {LAKE}.quarantine where {stored})",
        {"file_id": prepared.file_id},
    ).fetchone() or (0, 0, 0)
    span = connection.execute(
        f"select min(recorded_at), max(recorded_at) from (select recorded_at from {LAKE}.accesses_by_patient where {stored}"
        f" union all select recorded_at from {LAKE}.authentications where {stored})",
        {"file_id": prepared.file_id},
    ).fetchone() or (None, None)
    return Delivery(
        file_id=prepared.file_id,
        source_id=source.source_id,
        file_name=prepared.path.name,
        n_bytes=prepared.n_bytes,
        n_read=n_read,
        n_stored=int(row[0]),
        n_known=int(row[1]),
        n_quarantined=int(row[2]),
        n_conflicts=n_conflicts,
        n_rows=n_rows,
        first_at=span[0],
        last_at=span[1],
        mapping_hash=source.mapping_hash,
        taken_in_at=datetime.now(UTC).replace(tzinfo=None),
        taken_in_by=operating_system_user(),
    )
