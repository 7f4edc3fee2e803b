"""Takes a few bytes through both readers, as intake does."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from audit_kernel import sources
from audit_kernel.catalog import resource_folder

HEADER = "Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype"
GOOD = "1;01.08.2026;07:30:00;Lesing;KANO01;Journal;J1;Post vist"


@dataclass
class Staged:
    n_read: int
    prepared: sources.PreparedFile
    accesses: list[dict[str, Any]]
    authentications: list[dict[str, Any]]
    medication_events: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]


def rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[dict[str, Any]]:
    found = connection.execute(f"select * from {relation} order by all")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="session")
def folders() -> list[Path]:
    return [resource_folder("parameters") / "sources"]


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 2}) as found:
        yield found


@pytest.fixture
def temporary(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def source_of(folders):
    """Read each mapping once."""
    return functools.cache(lambda source_id: sources.load_source(source_id, folders))


@pytest.fixture
def stage_file(connection, source_of, temporary):
    """Take one file through both readers."""

    def take(path: Path, source_id: str = "gerica") -> Staged:
        source = source_of(source_id)
        prepared = sources.prepare(path, source, temporary)
        n_read = sources.stage(connection, prepared, source)
        staged = Staged(
            n_read,
            prepared,
            rows(connection, "staged_accesses"),
            rows(connection, "staged_authentications"),
            rows(connection, "staged_medication_events"),
            rows(connection, "staged_quarantine"),
        )
        events = [*staged.accesses, *staged.authentications, *staged.medication_events]
        good = {row["record_number"] for row in events}
        bad = {row["record_number"] for row in staged.quarantine}
        assert not good & bad
        assert len(bad) == len(staged.quarantine)
        assert len(good) + len(bad) == n_read == prepared.n_records
        return staged

    return take


@pytest.fixture
def take(stage_file, tmp_path):
    """Write text or bytes to a file and take it through both readers."""

    def write_and_take(content: str | bytes, source_id: str = "gerica", name: str = "log.csv") -> Staged:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return stage_file(path, source_id)

    return write_and_take


@pytest.fixture
def log():
    """A log in Gerica's layout from its records' lines."""

    def build(*records: str, end: str = "\n", header: str = HEADER) -> str:
        return "".join(line + end for line in (header, *records))

    return build
