"""The ledger: what came in, what was refused and why."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING

from audit_kernel.errors import IntakeError
from audit_kernel.store.tables import LAKE

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Delivery:
    """One line of the ledger: what became of one file. Sizes in bytes, times in UTC without offset."""

    file_id: str
    source_id: str
    file_name: str
    n_bytes: int
    n_read: int
    n_stored: int
    n_known: int
    n_quarantined: int
    n_conflicts: int
    n_rows: int
    first_at: datetime | None
    last_at: datetime | None
    mapping_hash: str
    taken_in_at: datetime
    taken_in_by: str
    is_repeated: bool = False


COLUMNS = [field.name for field in fields(Delivery) if field.name != "is_repeated"]


def earlier_delivery(connection: duckdb.DuckDBPyConnection, file_id: str, source_id: str) -> Delivery | None:
    """Return the ledger's line of this very file, if it was taken in before.

    Raises
    ------
    IntakeError: it was taken in as another log.
    """
    row = connection.execute(
        f"select {', '.join(COLUMNS)} from {LAKE}.intake_files where file_id = ?", [file_id]
    ).fetchone()
    if row is None:
        return None
    earlier = replace(Delivery(*row), is_repeated=True)
    if earlier.source_id != source_id:
        raise IntakeError(
            "This very file was taken in on {day:%Y-%m-%d} as {earlier!r}.",
            "It was not taken in again as {source_id!r}; the store is unchanged.",
            day=earlier.taken_in_at,
            earlier=earlier.source_id,
            source_id=source_id,
        )
    return earlier


def append_to_ledger(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Write one line inside the caller's transaction."""
    connection.execute(
        f"insert into {LAKE}.intake_files ({', '.join(COLUMNS)}) values ({', '.join('?' for _ in COLUMNS)})",
        [getattr(delivery, name) for name in COLUMNS],
    )


def deliveries(connection: duckdb.DuckDBPyConnection) -> list[Delivery]:
    """Return the whole ledger, oldest first."""
    rows = connection.execute(
        f"select {', '.join(COLUMNS)} from {LAKE}.intake_files order by taken_in_at, file_id"
    ).fetchall()
    return [Delivery(*row) for row in rows]


def quarantined(
    connection: duckdb.DuckDBPyConnection, file_id: str | None = None
) -> list[tuple[str, int, int, str, str, str]]:
    """Return quarantined records: (file name, record, line, column, code, raw text), in file order."""
    return connection.execute(
        "select file_name, record_number, line_number, coalesce(column_name, ''), code, raw_record"
        f" from {LAKE}.quarantine join {LAKE}.intake_files using (file_id)"
        " where file_id = coalesce(?, file_id) order by taken_in_at, file_id, record_number",
        [file_id],
    ).fetchall()
