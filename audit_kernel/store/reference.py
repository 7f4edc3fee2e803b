"""Takes reference data in: employees, units, assignments, patients, identifiers, record keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_kernel.errors import IntakeError, UsageError
from audit_kernel.sources import load_reference, stage_reference
from audit_kernel.store.intake import deliver_file, plain_name, refuse_unreadable, source_folders
from audit_kernel.store.ledger import Delivery
from audit_kernel.store.rows import count
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from audit_kernel.site import Site
    from audit_kernel.sources import PreparedFile, ReferenceDefinition


def reference_kinds() -> list[str]:
    """Return the names of the reference tables."""
    return [name for name, table in table_definitions().items() if table.reference]


def take_in_reference(
    site: Site, path: Path, kind: str, progress: Callable[[int, int], None] | None = None, *, is_last: bool = True
) -> Delivery:
    """Take one delivery of reference data in.

    Every delivery is kept; a row with the same key and `valid_from` as an earlier one takes its place in the views.

    Returns
    -------
    Delivery: its line of the ledger, with `source_id` = `reference:KIND`.

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
        return store_delivery(connection, prepared, source, n_read)

    return deliver_file(site, path, source, source_id, stage_file, store_staged, progress, is_last=is_last)


def store_delivery(
    connection: duckdb.DuckDBPyConnection, prepared: PreparedFile, source: ReferenceDefinition, n_read: int
) -> Delivery:
    """Store one staged delivery inside the caller's transaction.

    Raises
    ------
    IntakeError: the two readers differ, or read is not stored + quarantined.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    names = ", ".join(f'"{column}"' for column in table_definitions()[source.kind].columns)
    source_id = f"reference:{source.kind}"
    connection.execute(
        f"insert into {LAKE}.{source.kind} ({names}, delivery_id, delivered_at, row_number)"
        f" select {names}, $file_id, $now, record_number from staged_reference order by record_number",
        {"file_id": prepared.file_id, "now": now},
    )
    connection.execute(
        f"insert into {LAKE}.quarantine select $file_id, $source_id, record_number, line_number, column_name,"
        " code, raw_record from staged_quarantine order by record_number",
        {"file_id": prepared.file_id, "source_id": source_id},
    )
    of_file = {"file_id": prepared.file_id}
    n_stored = count(connection, f"{LAKE}.{source.kind} where delivery_id = $file_id", of_file)
    n_quarantined = count(connection, f"{LAKE}.quarantine where file_id = $file_id", of_file)
    if not n_read == prepared.n_records == n_stored + n_quarantined:
        raise IntakeError(
            "{file!r}: {n_counted:,} records counted and {n_read:,} read, but {n_stored:,} stored and"
            " {n_quarantined:,} in quarantine.",
            "Nothing was stored. Report the file's layout, not its content.",
            file=plain_name(prepared.path),
            n_counted=prepared.n_records,
            n_read=n_read,
            n_stored=n_stored,
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
        n_known=0,
        n_quarantined=n_quarantined,
        n_conflicts=0,
        n_rows=n_stored,
        first_at=None,
        last_at=None,
        mapping_hash=source.mapping_hash,
        taken_in_at=now,
        taken_in_by=operating_system_user(),
    )
