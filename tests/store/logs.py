"""Small logs written by hand, and what a store holds, for the tests of the store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from audit_kernel.site import Site
from audit_kernel.store.connection import attach, connect
from audit_kernel.store.tables import table_definitions

HEADER = "Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype"
# A log without own ids, in Swedish local time, with a patient column and free text.
PLAIN_MAPPING = """
source_id: plain
format: delimited
title: {en: Plain, sv: Enkel, nb: Enkel}
time_zone: Europe/Stockholm
encodings: [utf-8]
delimiter: ";"
columns:
  Tid: {to: recorded_timestamp, type: timestamp, format: "%Y-%m-%d %H:%M:%S", required: true}
  Vem: {to: employee_id}
  Patient: {to: patient_id}
  Text: {to: message}
"""
PLAIN_HEADER = "Tid;Vem;Patient;Text"


def row(
    number: int | str, day: str = "01.10.2026", time: str = "12:00:00", employee: str = "KANO01", post: str = "1042"
) -> str:
    """One record of the Gerica log about a patient."""
    return f"{number};{day};{time};Lesing;{employee};Bruker;{post};Post vist"


def gerica_file(path: Path, rows: Iterable[str], encoding: str = "utf-8") -> Path:
    """Write a Gerica export."""
    path.write_bytes("".join(f"{line}\r\n" for line in (HEADER, *rows)).encode(encoding))
    return path


def plain_file(path: Path, rows: Iterable[str]) -> Path:
    """Write an export of the log without own ids."""
    path.write_bytes("".join(f"{line}\n" for line in (PLAIN_HEADER, *rows)).encode())
    return path


def add_plain_source(site: Site) -> None:
    """Give the site the mapping of the log without own ids."""
    (site.folder / "parameters" / "sources" / "plain.yml").write_text(PLAIN_MAPPING, encoding="utf-8")


@cache
def reader() -> duckdb.DuckDBPyConnection:
    """One connection for all looks past the product: loading the extensions takes longer than the look."""
    return connect(Path(tempfile.gettempdir()), "1GB", 1)


@contextmanager
def attached(site: Site, snapshot: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach the site's lake for a moment."""
    attach(reader(), site, read_only=True, snapshot=snapshot)
    try:
        yield reader()
    finally:
        reader().execute("detach lake")


def ask(site: Site, sql: str, values: Any = None, snapshot: int | None = None) -> list[tuple[Any, ...]]:
    """Ask the lake directly, past the product's own ways."""
    with attached(site, snapshot) as connection:
        return connection.execute(sql, values).fetchall()


def everything(site: Site) -> dict[str, Any]:
    """All rows of all tables, and the newest snapshot."""
    with attached(site) as connection:
        found: dict[str, Any] = {
            "snapshot": connection.execute("select max(snapshot_id) from lake.snapshots()").fetchone()
        }
        for name, table in table_definitions().items():
            for stored in table.stored_names(name):
                found[stored] = sorted(connection.execute(f'select * from lake."{stored}"').fetchall(), key=repr)
        return found
