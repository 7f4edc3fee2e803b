"""Where everybody was in a period, as far as addresses tell: accesses and log-ins with country, network and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import PRESENCES
from audit_kernel.explanations import period_sql
from audit_kernel.store.views import is_made

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

PLACED = "placed_period"


def place_period(connection: duckdb.DuckDBPyConnection, bound: Mapping[str, Any]) -> None:
    """Create the TEMP relations of one period: `period_authentications`, `known_addresses`, `period_places`.

    The view `period_presences` puts accesses and log-ins together over them. They stay until another period is asked
    for. `explain_period` comes first.

    Parameters
    ----------
    bound: `start_at` and `end_at` (UTC, half open).
    """
    period = {name: bound[name] for name in ("start_at", "end_at")}
    same = f"select 1 from {PLACED} where start_at = $start_at and end_at = $end_at"
    if is_made(connection, PLACED) and connection.execute(same, period).fetchone():
        return
    connection.execute(
        f"create or replace temp table period_authentications as {period_sql('period_authentications')}", period
    )
    for name in ("known_addresses", "period_places"):
        connection.execute(f"create or replace temp table {name} as {period_sql(name)}")
    connection.execute(f"create or replace temp view {PRESENCES} as {period_sql(PRESENCES)}")
    connection.execute(
        f"create or replace temp table {PLACED} as select $start_at::timestamp start_at, $end_at::timestamp end_at",
        period,
    )
