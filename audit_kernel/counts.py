"""What stands beside every answer: how much of the log it was looked for in, and how well that is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.store.tables import LAKE

if TYPE_CHECKING:
    from collections.abc import Collection
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


def count_searched(
    connection: duckdb.DuckDBPyConnection, start_at: datetime | None, end_at: datetime | None
) -> tuple[int, int]:
    """Return how many accesses the period holds, and how many of them have a record without a known patient."""
    row = connection.execute(
        "select count(*), count(*) filter (where is_patient_unresolved) from resolved_accesses"
        " where ($start_at is null or recorded_at >= $start_at) and ($end_at is null or recorded_at < $end_at)",
        {"start_at": start_at, "end_at": end_at},
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


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
