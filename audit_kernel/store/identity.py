"""Which records of a file the store or the file itself holds already: known again, or in conflict.

Only records whose id comes again are compared, so that a file of new records costs no more than a look at the ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.catalog import resource_folder
from audit_kernel.sources.stage import EVENT_TABLES
from audit_kernel.store.tables import LAKE, table_definitions

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

    from audit_kernel.sources import SourceDefinition

# What a mapping does not fill from the record itself.
NOT_CONTENT = frozenset(
    {
        *("source_id", "event_id", "item", "record_hash", "file_id", "line_number", "country", "flags"),
        *("local_date", "local_hour", "local_weekday", "is_holiday", "time_flag"),
    }
)


@dataclass(frozen=True)
class Keys:
    """The spread of a file's readable records: how many, their ids as text, their times as stored or as written."""

    n_records: int
    n_distinct: int  # at most: by a hash of 64 bits
    n_without_id: int
    lowest_id: str | None
    highest_id: str | None
    first: datetime | None
    last: datetime | None


def event_tables(source: SourceDefinition) -> tuple[str, ...]:
    """Return the tables that a source's records may belong to."""
    return (source.table,) if source.format == "delimited" else EVENT_TABLES


def create_staged_keys(connection: duckdb.DuckDBPyConnection, source: SourceDefinition) -> Keys:
    """Make the TEMP view `staged_keys` over the staged records that are not in `refused`, and measure it."""
    rows = " union all ".join(
        "select record_number, line_number, event_id, record_hash, coalesce(recorded_at, recorded_local) as moment"
        f" from staged_{table}" + (" where item = 0" if table == "accesses" and source.format != "delimited" else "")
        for table in event_tables(source)
    )
    has_refused = source.format != "delimited" or connection.execute("select 1 from refused limit 1").fetchone()
    anti = " anti join refused using (record_number)" if has_refused else ""
    connection.execute(f"create or replace temp view staged_keys as select * from ({rows}){anti}")
    # Two ids of one hash only cost a closer look; equal ids have equal hashes.
    found = connection.execute(
        "select count(*), count(distinct hash(coalesce(event_id, record_hash))),"
        " count(*) filter (where event_id is null), min(event_id), max(event_id), min(moment), max(moment)"
        " from staged_keys"
    ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate always has a row
    return Keys(*found)


def set_held_aside(
    connection: duckdb.DuckDBPyConnection, source: SourceDefinition, keys: Keys, mapping_hash: str
) -> None:
    """Make the TEMP tables `occurrences` (record_number, occurrence) and `set_aside` (record_number, line_number,
    status `known` or `conflict`): the records that are not new. The macros of local time are there.
    """  # noqa: D205 - the tables are the summary
    has_repeats = keys.n_distinct < keys.n_records
    repeated = intake_sql("repeated_hashes") if has_repeats and keys.n_without_id else "select 0, 0 where false"
    connection.execute(
        f"create or replace temp table occurrences as select * from ({repeated}) as found(record_number, occurrence)"
    )
    joined = " left join occurrences using (record_number)" if has_repeats and keys.n_without_id else ""
    occurrence = "coalesce(occurrence, 1)" if joined else "1"
    connection.execute(
        "create or replace temp view keys as select record_number, line_number,"
        f" coalesce(event_id, record_hash || ':' || {occurrence}) as event_id from staged_keys{joined}"
    )
    connection.execute("create or replace temp table held_ids (event_id varchar)")
    stored = {table: _held_rows(connection, table, source, keys) for table in event_tables(source)}
    for rows in stored.values():
        if rows:
            connection.execute(
                "insert into held_ids select keys.event_id from keys"
                f" inner join (select event_id {rows[0]}) using (event_id)",
                rows[1],
            )
    if has_repeats and keys.n_without_id < keys.n_records:
        connection.execute("insert into held_ids select event_id from keys group by event_id having count(*) > 1")
    statuses = "select 0::bigint as record_number, 0::bigint as line_number, '' as status where false"
    if connection.execute("select 1 from held_ids limit 1").fetchone():
        _create_contents(connection, source, stored, mapping_hash)
        statuses = f"select * from ({intake_sql('held_records')}) where status <> 'new'"
    connection.execute(f"create or replace temp table set_aside as {statuses}")


def intake_sql(name: str) -> str:
    """Return one statement of `sql/intake`."""
    return (resource_folder("sql") / "intake" / f"{name}.sql").read_text(encoding="utf-8")


def _held_rows(
    connection: duckdb.DuckDBPyConnection, table: str, source: SourceDefinition, keys: Keys
) -> tuple[str, dict[str, object]] | None:
    """The stored rows among which an id of the file can be, as `from ... where ...` with its values; None: no row.

    The bounds let the lake skip files: ids of their own lie in the file's range of ids, an id made of the record in its
    range of times (a day more, for the zone).
    """
    if not keys.n_records:
        return None
    stored_name = table_definitions()[table].stored_names(table)[0]
    item = " and item = 0" if table == "accesses" else ""
    rows = f'from {LAKE}."{stored_name}" where source_id = $source_id{item}'
    values: dict[str, object] = {"source_id": source.source_id}
    if keys.n_without_id == keys.n_records:
        rows += " and recorded_at between $first - interval '1' day and $last + interval '1' day"
        values |= {"first": keys.first, "last": keys.last}
    elif keys.n_without_id == 0:
        rows += " and event_id between $lowest and $highest"
        values |= {"lowest": keys.lowest_id, "highest": keys.highest_id}
    return (rows, values) if connection.execute(f"select 1 {rows} limit 1", values).fetchone() else None


def _create_contents(
    connection: duckdb.DuckDBPyConnection,
    source: SourceDefinition,
    stored: dict[str, tuple[str, dict[str, object]] | None],
    mapping_hash: str,
) -> None:
    """Make `new_content` and `held`: a hash where records have one, else the columns that a mapping fills."""
    names = [name for name in table_definitions()[source.table].columns if name not in NOT_CONTENT]
    is_compared_by_columns = source.format == "delimited" and source.own_event_id
    columns = ", ".join(f'"{name}"::varchar' for name in names)
    old = f"[{columns}]" if is_compared_by_columns else "[record_hash]"
    if source.format == "delimited" and not source.own_event_id:
        old = "['']"  # the id is the content
    new = old.replace('"recorded_at"', "local_to_utc(recorded_local)")
    tables = event_tables(source)
    staged = " union all ".join(f"select record_number, {new} as content from staged_{table}" for table in tables)
    if source.format != "delimited":
        staged = "select record_number, [record_hash] as content from staged_keys"
    connection.execute(f"create or replace temp view new_content as {staged}")
    connection.execute(
        "create or replace temp table held (event_id varchar, content varchar[], is_same_mapping boolean)"
    )
    for rows in stored.values():
        if rows:
            connection.execute(
                f"insert into held select event_id, content, mapping_hash = $mapping_hash from (select event_id,"
                f" file_id, {old} as content {rows[0]} and event_id in (select event_id from held_ids))"
                f" inner join {LAKE}.intake_files using (file_id)",
                {**rows[1], "mapping_hash": mapping_hash},
            )
