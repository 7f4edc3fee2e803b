"""Attaches the lake for a reader at one snapshot, and refuses a store that this version cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.errors import StoreError
from audit_kernel.store.connection import attach, latest_snapshot, while_reading
from audit_kernel.store.tables import LAKE, is_up_to_date

if TYPE_CHECKING:
    import duckdb

    from audit_kernel.site import Site


def refuse_older_store(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Refuse to read a store that lacks what a later version decided: only a writer may add it.

    Raises
    ------
    StoreError: a table or column is missing.
    """
    if not is_up_to_date(connection):
        raise StoreError(
            "The log store of {site!r} was made by an earlier version.",
            "Take a file in, and it is brought up to date; nothing of it is lost.",
            site=str(site.folder),
        )


def attach_pinned(connection: duckdb.DuckDBPyConnection, site: Site, snapshot: int | None) -> int:
    """Attach the lake at one snapshot, the newest when None: no later intake changes what this reader sees."""
    if snapshot is None:
        attach(connection, site, read_only=True)
        with while_reading(site):
            snapshot = latest_snapshot(connection)
            connection.execute(f"detach {LAKE}")
    attach(connection, site, read_only=True, snapshot=snapshot)
    return snapshot
