"""The TEMP tables and views that everything else reads, made anew at each connection.

Views saved in the lake would vanish under a pinned snapshot.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow

from audit_kernel.catalog import EVENT_TABLES, PERIOD_RELATIONS, resource_folder
from audit_kernel.country_groups import country_rows, neighbour_rows
from audit_kernel.lawful_purposes import purpose_rows
from audit_kernel.sources import load_source, source_ids
from audit_kernel.sources.dictionary import code_rows, record_table_rows, register_rows, source_rows
from audit_kernel.store.dated import dated_sql, empty_sql
from audit_kernel.store.intake import source_folders
from audit_kernel.store.tables import LAKE, reference_tables, table_definitions, with_access_id
from audit_kernel.yaml_file import read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import duckdb

    from audit_kernel.site import Site

SettingRows = dict[str, list[tuple[object, ...]]]
REFERENCE_SOURCE = "reference:"
TEMPORARY_TABLES = {
    "codes": "source_id varchar, field varchar, code varchar, action varchar, activity_en varchar, activity_sv varchar,"
    " activity_nb varchar, access_type_en varchar, access_type_sv varchar, access_type_nb varchar, area varchar,"
    " meaning_en varchar, meaning_sv varchar, meaning_nb varchar, origin varchar, is_confirmed boolean,"
    " follows varchar, outcome varchar",
    "sources": "source_id varchar, time_zone varchar, own_event_id boolean, running_number boolean,"
    " expects_rows_daily boolean, event_table varchar",
    "source_registers": "source_id varchar, register varchar",
    "record_tables": "source_id varchar, table_name varchar, related varchar",
    "lawful_purposes": "purpose varchar, strength integer",
    "country_groups": "country varchar, country_group varchar, is_partial boolean, valid_from date, valid_to date",
    "country_neighbours": "country varchar, neighbour varchar",
    "site": "country varchar, time_zone varchar, language varchar",
}

# What every report joins is worked out once: as views, planning it anew took ten times as long as a report. It is done
# at the first question only, for a page that shows kept answers asks none. The other kinds of reference data, shifts by
# the million among them, stay views but where a whole month's control asks.
WORKED_OUT_ONCE = frozenset(
    {
        "employees",
        "units",
        "patients",
        "unit_assignments",
        "record_blocks",
        "home_units",
        "identifier_periods",
        "identifier_prefixes",
    }
)

# What a control need not work out: `identifier_periods` is made of them, and nothing else reads them twice.
READ_ONCE = frozenset({"identifiers", "record_keys"})


def setting_rows(site: Site) -> SettingRows:
    """Return the rows of each of TEMPORARY_TABLES: the site's settings, its mappings and dictionaries.

    Raises
    ------
    SettingsError: a mapping or dictionary of the site is wrong.
    """
    sources = [load_source(source_id, source_folders(site)) for source_id in source_ids(source_folders(site))]
    settings = site.settings
    return {
        "codes": code_rows(sources),
        "sources": source_rows(sources),
        "source_registers": register_rows(sources),
        "record_tables": record_table_rows(sources),
        "lawful_purposes": purpose_rows(site),
        "country_groups": [*country_rows(site)],
        "country_neighbours": [*neighbour_rows(site)],
        "site": [(settings.country, settings.time_zone, settings.language)],
    }


def create_views(connection: duckdb.DuckDBPyConnection, rows: SettingRows) -> None:
    """Create the TEMP tables of `setting_rows`, then the model views in their order."""
    create_setting_tables(connection, rows)
    create_stored_accesses(connection)
    rows_of_kinds = connection.execute(
        f"select distinct source_id from {LAKE}.intake_files where source_id like '{REFERENCE_SOURCE}%'"
    )
    create_model_views(
        connection, {source_id.removeprefix(REFERENCE_SOURCE) for (source_id,) in rows_of_kinds.fetchall()}
    )


def create_setting_tables(
    connection: duckdb.DuckDBPyConnection, rows: SettingRows, names: Collection[str] = tuple(TEMPORARY_TABLES)
) -> None:
    """Create the TEMP tables of `setting_rows`, or those of these names."""
    for name in names:
        connection.execute(f"create or replace temp table {name} ({TEMPORARY_TABLES[name]})")
        fill(connection, name, rows[name])


def create_stored_accesses(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the view `stored_accesses`: the stored rows with their access_id."""
    connection.execute(f"create or replace temp view stored_accesses as {with_access_id('accesses_by_patient')}")


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows through Arrow: one by one they would take longer than the question they are for."""
    if not rows:
        return
    columns = [pyarrow.array(values) for values in zip(*rows, strict=True)]
    connection.register("new_rows", pyarrow.table(columns, names=[str(place) for place in range(len(columns))]))
    connection.execute(f"insert into {table} select * from new_rows")
    connection.unregister("new_rows")


@lru_cache
def model_names() -> tuple[str, ...]:
    """Return the models in the order in which they are made: what a question sees before the stored tables."""
    return (*reference_tables(), *read_yaml(resource_folder("sql") / "model" / "order.yml"))


def has_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Say whether a relation has a row, or, written `employees.surname`, a row with a value there."""
    name, _dot, column = relation.partition(".")
    # The rows of logs are asked for where they lie: the views would resolve each first.
    is_of_log = name in EVENT_TABLES
    stored = table_definitions()[name].stored_names(name)[0] if is_of_log else name
    is_here = not is_of_log and stored in (*model_names(), *TEMPORARY_TABLES, *PERIOD_RELATIONS)
    source = f'"{stored}"' if is_here else f'{LAKE}."{stored}"'
    filled = f' where "{column}" is not null' if column else ""
    return connection.execute(f"select 1 from {source}{filled} limit 1").fetchone() is not None


def temporary_tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of the TEMP tables."""
    # Not `duckdb_tables()`: it asks the catalogue how many rows each table of the lake has.
    made = (
        "select table_name from duckdb_columns() where database_name = 'temp'"
        " except select view_name from duckdb_views() where database_name = 'temp'"
    )
    return {str(name) for (name,) in connection.execute(made).fetchall()}


def is_made(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Say whether a TEMP table that is made only when it is asked for is there."""
    return name in temporary_tables(connection)


def model_sql(name: str) -> str:
    """Return the SELECT of one model of `sql/model`."""
    return (resource_folder("sql") / "model" / f"{name}.sql").read_text(encoding="utf-8")


def create_model_views(connection: duckdb.DuckDBPyConnection, delivered: Collection[str]) -> None:
    """Create each kind of reference data, then each model of `sql/model` in the order of `order.yml`.

    Parameters
    ----------
    delivered: the kinds of reference data that were ever delivered; the others are made without reading a table.
    """
    kinds = reference_tables()
    for name in {*model_names()} & temporary_tables(connection):
        connection.execute(f"drop table {name}")
    for name in model_names():
        of_kind = dated_sql if name in delivered else empty_sql
        text = of_kind(name) if name in kinds else model_sql(name)
        connection.execute(f"create or replace temp view {name} as {text}")


def work_out(connection: duckdb.DuckDBPyConnection, *, is_whole: bool = False) -> duckdb.DuckDBPyConnection:
    """Put tables in the place of the views of WORKED_OUT_ONCE; what reads them goes on by their names.

    Parameters
    ----------
    is_whole: put tables in the place of all reference data: a whole month's control asks.
    """
    others = reference_tables().keys() - READ_ONCE if is_whole else ()
    wanted = WORKED_OUT_ONCE.union(others) - temporary_tables(connection)
    for name in model_names():
        if name in wanted:
            connection.execute(f"create or replace temp table worked_out as from {name}")
            connection.execute(f"drop view {name}")
            connection.execute(f"alter table worked_out rename to {name}")
    return connection
