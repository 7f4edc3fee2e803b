"""What stands beside every answer: how much of the log it was looked for in, and how well that is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.store.tables import LAKE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    import duckdb

# Few combinations of codes stand in many rows: each is looked up once.
ODD_CODES = """
with combined as (
    select source_id, log_type, table_name, message_type, count(*) as n_rows
    from stored_accesses
    where ($start_at is null or recorded_at >= $start_at) and ($end_at is null or recorded_at < $end_at)
    group by all
), used as (
    select
        combined.*,
        field,
        case field when 'log_type' then log_type when 'table_name' then table_name else message_type end as code
    from combined cross join (values ('log_type'), ('table_name'), ('message_type')) as fields (field)
), judged as (
    select
        source_id, log_type, table_name, message_type, n_rows,
        bool_or(codes.code is null) as is_unknown, bool_and(codes.is_confirmed) as is_confirmed
    from used left join codes using (source_id, field, code)
    where used.code is not null
    group by all
)
select
    coalesce(sum(n_rows) filter (where not is_unknown and not is_confirmed), 0),
    coalesce(sum(n_rows) filter (where is_unknown), 0)
from judged
"""
IN_PERIOD = "($start_at is null or recorded_at >= $start_at) and ($end_at is null or recorded_at < $end_at)"
SEARCHED = f"select count(*) from stored_accesses where {IN_PERIOD}"
# Only a row without a patient's number, or with a record's in its place, can name nobody: the others join nothing.
UNRESOLVED = f"""
select count(*) from resolved_accesses
where {IN_PERIOD} and record_ref is not null
    and (patient_id is null or patient_id = table_name || ':' || record_ref) and is_patient_unresolved
"""


def count_searched(
    connection: duckdb.DuckDBPyConnection,
    start_at: datetime | None,
    end_at: datetime | None,
    known: Mapping[tuple[datetime | None, datetime | None], tuple[int, int]] | None = None,
) -> tuple[int, int]:
    """Return how many accesses the period holds, and how many of them have a record without a known patient.

    Parameters
    ----------
    known: the same of periods counted before over the same snapshot: within one in which every patient is known, all
        are.
    """
    period = {"start_at": start_at, "end_at": end_at}
    n_accesses = _count(connection, SEARCHED, period)
    if any(not unresolved and _is_within(period, each) for each, (_n, unresolved) in (known or {}).items()):
        return n_accesses, 0
    return n_accesses, _count(connection, UNRESOLVED, period)


def _count(connection: duckdb.DuckDBPyConnection, text: str, period: Mapping[str, datetime | None]) -> int:
    row = connection.execute(text, period).fetchone()
    return int(row[0]) if row else 0


def _is_within(period: Mapping[str, datetime | None], other: tuple[datetime | None, datetime | None]) -> bool:
    (start_at, end_at), (first, last) = period.values(), other
    begins = first is None or (start_at is not None and start_at >= first)
    return begins and (last is None or (end_at is not None and end_at <= last))


def count_examined(
    connection: duckdb.DuckDBPyConnection,
    tables: Collection[str],
    start_at: datetime | None,
    end_at: datetime | None,
    n_accesses: int,
) -> int:
    """Return how many rows of these event tables the period holds; `n_accesses` are those of accesses."""
    counted = 0 if tables and "accesses" not in tables else n_accesses
    for table in {*tables} - {"accesses"}:
        row = connection.execute(
            f"select count(*) from {LAKE}.{table}"
            " where ($start_at is null or recorded_at >= $start_at) and ($end_at is null or recorded_at < $end_at)",
            {"start_at": start_at, "end_at": end_at},
        ).fetchone()
        counted += int(row[0]) if row else 0
    return counted


def count_odd_codes(
    connection: duckdb.DuckDBPyConnection, start_at: datetime | None, end_at: datetime | None
) -> tuple[int, int]:
    """Return how many rows of the period carry an unconfirmed code, and how many one that the dictionary has not."""
    row = connection.execute(ODD_CODES, {"start_at": start_at, "end_at": end_at}).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)
