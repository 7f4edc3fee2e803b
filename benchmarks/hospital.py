"""A large hospital's month: the Swedish demo's last month many times over, each copy with its own people and places.

Everything that a check reads is in it, in the real layouts: accesses, searches, log-ins, drugs, and all reference data.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from audit_kernel.demo.generator import GeneratedWorld, generate

MONTH = "2026-10"
MOST_COPIES = 89
SOURCES = ("mcss_access", "mcss_search", "mcss_authentication", "mcss_medication")
PERSONAL_NUMBER = "^(19|20)[0-9]{6}-?[0-9]{4}$"
# A value that starts with letters and ends with digits names a person, place or thing; of the rest these do as well.
IDENTIFIER = "^[A-Za-z]{1,8}[0-9]+$"
NOT_COPIED = ("ATC-kod", "drug_code", "country", "action", "role", "task")
WHOLE_KINDS = ("holidays", "roles", "role_permissions")


def make_world(folder: Path) -> GeneratedWorld:
    """Write the demo's world."""
    return generate(folder, 1, MONTH, country="SE")


def write_month(world: GeneratedWorld, folder: Path, n_copies: int) -> dict[str, Path]:
    """Write the last month's log of each source, `n_copies` times the people; return the files by source."""
    connection = duckdb.connect(config={"threads": 2})
    paths = {}
    for path, source_id in zip(world.log_files, world.sources, strict=True):
        if MONTH in path.name and source_id in SOURCES:
            paths[source_id] = folder / path.name
            _copies(connection, path, paths[source_id], n_copies)
    connection.close()
    return paths


def write_reference(world: GeneratedWorld, folder: Path, n_copies: int) -> dict[str, Path]:
    """Write the reference data of as many people; return the files by kind."""
    connection = duckdb.connect(config={"threads": 2})
    paths = {}
    for kind, path in world.reference_files.items():
        paths[kind] = path if kind in WHOLE_KINDS else folder / f"{kind}.csv"
        if kind not in WHOLE_KINDS:
            _copies(connection, path, paths[kind], n_copies)
    connection.close()
    return paths


def _copies(connection: duckdb.DuckDBPyConnection, source: Path, target: Path, n_copies: int) -> None:
    """Write the rows of a file once for each copy, every name of a person, place or thing its own."""
    connection.execute(
        "create or replace temp table delivered as select *, row_number() over () as row_place"
        " from read_csv($path, delim = ';', header = true, all_varchar = true, quote = '\"')",
        {"path": str(source)},
    )
    columns = [row[0] for row in connection.execute("describe delivered").fetchall() if row[0] != "row_place"]
    order = '"Tidpunkt"' if "Tidpunkt" in columns else '"Datum", "Klockslag"' if "Klockslag" in columns else "copy"
    chosen = ", ".join(f'{_copied(column)} as "{column}"' for column in columns)
    connection.execute(
        f"copy (select {chosen} from delivered cross join range({n_copies}) as copies(copy)"
        f" order by {order}, copy, row_place) to '{target}' (header, delimiter ';')"
    )


def _copied(column: str) -> str:
    """SQL of one column's value in a copy; the first copy is the demo itself."""
    name = f'"{column}"'
    if column == "Logg-id":
        return 'cast(7000000 + row_number() over (order by "Tidpunkt", copy, row_place) as varchar)'
    if column in NOT_COPIED:
        return name
    century = "(case when copy < 80 then copy + 20 else copy - 70 end)"
    return f"""case
        when copy = 0 or {name} is null then {name}
        when regexp_matches({name}, '{PERSONAL_NUMBER}') then {century} || substr({name}, 3)
        when regexp_matches({name}, '^10[.]') then (copy + 10) || substr({name}, 3)
        when regexp_matches({name}, '{IDENTIFIER}') then {name} || 'C' || copy
        else {name}
    end"""
