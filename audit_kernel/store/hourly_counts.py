"""Keeps `hourly_counts`: what every page asks of a log's wholeness, without reading the log."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import duckdb

from audit_kernel.errors import SettingsError, StoreError
from audit_kernel.store.catalogue import literal
from audit_kernel.store.connection import transaction
from audit_kernel.store.tables import LAKE, table_definitions
from audit_kernel.store.views import create_setting_tables, create_stored_accesses, model_sql, setting_rows

if TYPE_CHECKING:
    from audit_kernel.site import Site


def count_rows(connection: duckdb.DuckDBPyConnection, site: Site) -> None:
    """Count the rows of every file that is not counted yet.

    Until it succeeds, readers count those files' rows themselves: slower, with the same answer.
    """
    # The file is in already: another writer, or a fault of another log's mapping, must not make it look refused.
    with contextlib.suppress(duckdb.Error, SettingsError, StoreError):
        create_setting_tables(connection, setting_rows(site), ("sources",))
        connection.execute(f"create or replace temp view uncounted_files as {model_sql('uncounted_files')}")
        files, first, last = connection.execute(
            f"select list(file_id), min(first_at), max(last_at) from {LAKE}.intake_files"
            " where file_id in (select file_id from uncounted_files)"
        ).fetchall()[0]
        if not files:
            return
        create_stored_accesses(connection)
        for name in ("events", "event_counts"):
            connection.execute(f"create or replace temp view {name} as {model_sql(name)}")
        # Said as constants, so that the lake opens no other file than theirs.
        of_files = f"file_id in ({', '.join(literal(file_id) for file_id in files)})"
        moments = f"recorded_at between timestamp '{first}' and timestamp '{last}'"
        connection.execute(
            f"create or replace temp view events as select * from ({model_sql('events')})"
            f" where {of_files} and {moments}"
        )
        columns = ", ".join(table_definitions()["hourly_counts"].columns)
        with transaction(connection):
            is_theirs = f"{of_files} and file_id in (select file_id from uncounted_files)"
            connection.execute(
                f"create or replace temp table counted as select {columns} from event_counts where {is_theirs}"
            )
            connection.execute(
                "insert into counted by name select source_id, file_id, has_numbers, 0 as n_rows, 0 as n_odd_hours,"
                " 0 as n_numbers from uncounted_files"
            )
            connection.execute(f"delete from {LAKE}.hourly_counts where {of_files}")
            connection.execute(
                f"insert into {LAKE}.hourly_counts ({columns})"
                f" select {columns} from counted order by source_id, hour_at, file_id, event_table, block"
            )
