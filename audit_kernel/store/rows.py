"""Inserts the new rows of a staged file into the lake, in each sort order, and counts them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from audit_kernel.errors import IntakeError
from audit_kernel.sources.formats import reader
from audit_kernel.sources.stage import constant, varying_columns
from audit_kernel.store.countries import staged_with_countries
from audit_kernel.store.tables import LAKE, table_definitions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.site import Site
    from audit_kernel.sources import SourceDefinition

Connection = duckdb.DuckDBPyConnection
# A month's rows sorted at once would not fit into the memory that intake has; two or three sorted files read as fast.
SORTED_AT_ONCE = 3_000_000


def store_rows(connection: Connection, site: Site, table: str, source: SourceDefinition, file_id: str) -> int:
    """Insert the new rows of one table in each of its sort orders; return how many."""
    columns = table_definitions()[table].columns
    rows = new_rows(connection, site, table, source)
    given = {name for name, *_rest in connection.execute(f"describe {rows}").fetchall()}
    derived = {
        "source_id": "$source_id",
        "file_id": "$file_id",
        "local_date": "cast(local_at as date)",
        "local_hour": "cast(date_part('hour', local_at) as tinyint)",
        "local_weekday": "cast(date_part('isodow', local_at) as tinyint)",
        "is_holiday": "is_public_holiday(cast(local_at as date))",
    }
    if source.format == "delimited":
        derived |= {"recorded_at": "local_to_utc(local_at)", "time_flag": "local_time_flag(local_at)"}
    selected = ", ".join(
        derived.get(name) or (f'"{name}"' if name in given else f"{constant(name)}::{column.type}")
        for name, column in columns.items()
    )
    names = ", ".join(f'"{column}"' for column in columns)
    values = {"source_id": source.source_id, "file_id": file_id}
    # Local time sorts as UTC does but for one hour a year, in which readers skip a little less.
    by_time = "recorded_at" if "recorded_at" in given else "local_at"
    n_rows = 0
    for first in range(0, last_record(connection, table) + 1, SORTED_AT_ONCE):
        chunk = f"{rows} where record_number >= {first} and record_number < {first + SORTED_AT_ONCE}"
        for stored_name, order in table_definitions()[table].stored_as.items():
            keys = (by_time if name == "recorded_at" else name for name in order)
            sorting = ", ".join(f'"{name}"' for name in keys if name in given)
            # Only what varies is sorted; the constant columns are added to the sorted rows: a third of the time.
            found = connection.execute(
                f'insert into {LAKE}."{stored_name}" ({names}) select {selected} from ({chunk} order by {sorting})',
                values,
            ).fetchone()
        n_rows += int(found[0]) if found else 0
    return n_rows


def last_record(connection: Connection, table: str) -> int:
    """Return the number of the last staged record, 0 where there is none."""
    row = connection.execute(f"select coalesce(max(record_number), 0) from staged_{table}").fetchone()
    return int(row[0]) if row else 0


def new_rows(connection: Connection, site: Site, table: str, source: SourceDefinition) -> str:
    """SELECT of the new staged rows: what varies from row to row, the event's id, its UTC and local time."""
    has_occurrences = count(connection, "occurrences") > 0
    event_id = f"coalesce(event_id, record_hash || ':' || {'coalesce(occurrence, 1)' if has_occurrences else '1'})"
    special = {
        "event_id": event_id if not source.own_event_id or source.format != "delimited" else "event_id",
        "recorded_at": "coalesce(recorded_at, local_to_utc(recorded_local))",
        "local_at": "coalesce(recorded_local, utc_to_local(recorded_at))",
    }
    if source.format == "delimited":
        del special["recorded_at"]
        special["local_at"] = "recorded_local"
    else:
        # Most formats want an offset in every time; a delimited log is local throughout and its mapping names the zone.
        flag = "no_zone" if reader(source.format).has_zone else "ok"
        special["time_flag"] = (
            f"case when recorded_at is not null then 'ok' when local_time_flag(recorded_local) = 'ok' then '{flag}'"
            " else local_time_flag(recorded_local) end"
        )
    varying = varying_columns(connection, table, source)
    if site.countries_file and "country" in table_definitions()[table].columns and "country" not in varying:
        varying.append("country")
    others = [name for name in varying if name not in special]
    selected = ", ".join([f'"{name}"' for name in others] + [f'{text} as "{name}"' for name, text in special.items()])
    left = "".join(
        f" anti join {relation} using (record_number)"
        for relation in ("refused", "set_aside")
        if source.format != "delimited" or count(connection, relation)
    )
    joined = " left join occurrences using (record_number)" if has_occurrences else ""
    return f"select {selected} from ({staged_with_countries(table, site)}){left}{joined}"


def check_stored(connection: Connection, table: str, file_id: str, n_rows: int) -> None:
    """Count the file's rows in the lake itself.

    Raises
    ------
    IntakeError: a sort order holds another number of rows than were to be stored.
    """
    for stored_name in table_definitions()[table].stored_as:
        n_found = count(connection, f'{LAKE}."{stored_name}" where file_id = $file_id', {"file_id": file_id})
        if n_found != n_rows:
            raise IntakeError(
                "{stored_name} holds {n_found:,} rows of the file instead of {n_rows:,}.",
                "Nothing was stored. Take the file in again.",
                stored_name=stored_name,
                n_found=n_found,
                n_rows=n_rows,
            )


def count(connection: Connection, rows: str, values: Mapping[str, object] | None = None) -> int:
    """Count the rows of a relation with its conditions."""
    return int(connection.execute(f"select count(*) from {rows}", values or {}).fetchall()[0][0])
