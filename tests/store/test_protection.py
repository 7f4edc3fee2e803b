from __future__ import annotations

import importlib.resources
import os
import re
import shutil
import sqlite3
import stat
from contextlib import closing

import duckdb
import pytest

from audit_kernel.errors import StoreError
from audit_kernel.site import Site
from audit_kernel.store import catalogue
from audit_kernel.store import connection as store_connection
from audit_kernel.store.connection import attach, connect, transaction, writing
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import take_in_reference
from audit_kernel.store.tables import table_definitions
from tests.store.logs import ask, everything, gerica_file, row

# Minima and maxima of each column stand in the catalogue (docs/threat-model.md); the value in the middle must not.
HIDDEN = "MIDDLEMOST07"


@pytest.fixture(scope="module")
def filled(empty_sites, tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    site = Site(shutil.copytree(empty_sites / "NO", folder / "site"))
    rows = [row(1, employee="AAAA"), row(2, employee=HIDDEN, post="5555501"), row(3, employee="ZZZZ", post="99")]
    path = gerica_file(folder / "a.csv", [*rows, row("x", employee=HIDDEN), row("aaa"), row("zzz")])
    take_in(site, path, "gerica")
    return site


@pytest.fixture
def filled_site(filled, tmp_path):
    return Site(shutil.copytree(filled.folder, tmp_path / "site"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no owner-only modes.")
def test_folders_and_files_of_a_site_are_for_their_owner_only(filled_site):
    old_mask = os.umask(0)
    try:
        with Store(filled_site, "test of modes"):
            pass
    finally:
        os.umask(old_mask)
    for name in ("store", "keys", "archive", "journals", "temporary", "logs"):
        assert stat.S_IMODE((filled_site.folder / name).stat().st_mode) == 0o700
    inside = [path for name in ("store", "keys", "journals") for path in (filled_site.folder / name).rglob("*")]
    assert len(inside) > 10
    too_open = {path.name for path in inside if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert too_open <= {"signing-key.pub.pem"}


def test_the_files_hold_no_word_of_the_log(filled_site):
    files = [path for path in filled_site.store_folder.rglob("*") if path.is_file()]
    assert sum(path.suffix == ".parquet" for path in files) >= 4
    for path in files:
        content = path.read_bytes()
        for word in (HIDDEN, "5555501"):
            assert word.encode() not in content, path.name
        assert path.suffix != ".parquet" or content[:4] == b"PARE"  # the mark of an encrypted footer


def test_small_inserts_are_not_kept_in_the_catalogue(filled_site):
    with sqlite3.connect(f"file:{filled_site.store_folder / 'catalog.sqlite'}?mode=ro", uri=True) as catalogue:
        tables = [name for (name,) in catalogue.execute("select name from sqlite_master where type = 'table'")]
        held = [
            name
            for name in tables
            if name.startswith("ducklake_inlined_data_") and name != "ducklake_inlined_data_tables"
        ]
        rows = [catalogue.execute(f'select count(*) from "{name}"').fetchone()[0] for name in held]
        mode = catalogue.execute("pragma journal_mode").fetchone()[0]
    catalogue.close()
    assert sum(rows) == 0
    assert mode == "wal"


@pytest.mark.parametrize(
    "statement",
    [
        "insert into lake.writer_lock values (9)",
        "delete from lake.accesses_by_patient",
        "update lake.accesses_by_employee set patient_id = null",
        "drop table lake.quarantine",
        "create table lake.other (n integer)",
        "call ducklake_expire_snapshots('lake', older_than => now())",
    ],
)
def test_a_reader_cannot_write(filled_site, statement):
    before = everything(filled_site)
    connection = connect(filled_site.temporary_folder, "200MB", 1)
    attach(connection, filled_site, read_only=True)
    with pytest.raises(duckdb.Error):
        connection.execute(statement)
    connection.close()
    assert everything(filled_site) == before


def test_a_reader_of_the_store_reaches_no_other_file(filled_site, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with Store(filled_site, "test of borders") as store:
        connection = store._connection
        for statement in (
            f"select * from read_csv('{secret}')",
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            f"attach '{tmp_path / 'other.duckdb'}'",
            "set enable_external_access = true",
            "load absent",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv", "site"]


def test_a_store_that_was_moved_opens_where_it_is(filled_site, tmp_path):
    moved = tmp_path / "it's a new place"
    shutil.move(filled_site.folder, moved)
    site = Site(moved)
    with Store(site, "test of moving") as store:
        assert store.sql("select count(*) as n from accesses").to_pylist() == [{"n": 3}]


def test_an_empty_store_says_what_to_do(tmp_path, empty_sites):
    shutil.copytree(empty_sites / "SE", tmp_path / "new")
    with pytest.raises(StoreError, match=r"nothing was taken in yet\. Take a log in with: audit-kernel intake"):
        Store(Site(tmp_path / "new"), "test")


def test_a_snapshot_that_is_not_there_is_a_sentence(filled_site):
    with pytest.raises(StoreError, match="that snapshot 999 was not disposed of"):
        Store(filled_site, "test", snapshot=999)


def test_a_damaged_catalogue_is_a_sentence(site):
    (site.store_folder / "catalog.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(site, "test")
    with pytest.raises(StoreError, match="cannot be opened"), writing(site, site.temporary_folder):
        pass


def test_a_missing_extension_names_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(store_connection, "EXTENSIONS", ("absent_one",))
    with pytest.raises(StoreError, match=r"Install duckdb-extension-absent-one [0-9.]+ with the lock file"):
        connect(tmp_path, "200MB", 1)


def test_a_changed_extension_is_refused(site, tmp_path, monkeypatch):
    place = f"extensions/v{duckdb.__version__}/sqlite_scanner.duckdb_extension"
    whole = importlib.resources.files("duckdb_extension_sqlite_scanner").joinpath(place).read_bytes()
    changed = tmp_path / place
    changed.parent.mkdir(parents=True)
    changed.write_bytes(whole[:-1_000_000] + bytes([whole[-1_000_000] ^ 1]) + whole[-999_999:])
    catalogue.checked_extension.cache_clear()
    monkeypatch.setattr(importlib.resources, "files", lambda _package: tmp_path)
    with closing(duckdb.connect(config=catalogue.CHECKED_BEFORE)) as connection:
        with pytest.raises(StoreError, match="sqlite_scanner cannot be loaded"):
            catalogue.load_extension(connection, "sqlite_scanner")
        monkeypatch.undo()
        catalogue.load_extension(connection, "sqlite_scanner")


@pytest.mark.parametrize("statement", ["load '{path}'", "install '{path}'", "set allow_unsigned_extensions = true"])
def test_a_reader_takes_in_no_extension(filled_site, tmp_path, statement):
    with Store(filled_site, "test") as store, pytest.raises(duckdb.Error, match=r"disabled|locked|Cannot change"):
        store._connection.execute(statement.format(path=tmp_path / "own.duckdb_extension"))


def test_the_tables_are_those_of_the_file(site):
    for name, table in table_definitions().items():
        expected = [(column, each.type) for column, each in table.stored_columns().items()]
        for stored in table.stored_names(name):
            described = ask(site, f'describe lake."{stored}"')
            assert [(each[0], each[1]) for each in described] == expected
            assert [each[2] == "YES" for each in described] == [
                each.nullable for each in table.stored_columns().values()
            ]


def test_a_failed_transaction_tells_its_own_error_not_that_of_the_rollback(site):
    def fail() -> None:
        with writing(site, site.temporary_folder) as connection, transaction(connection):
            connection.execute("rollback")
            raise KeyError

    with pytest.raises(KeyError):
        fail()


def employees(tmp_path, name, *rows):
    path = tmp_path / name
    lines = ("employee_id;name;personal_number;valid_from;valid_to", *rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_later_delivery_replaces_by_key_and_first_day_and_keeps_the_history(filled_site, tmp_path):
    first = employees(tmp_path, "first.csv", "E1;Kari;;2020-01-01;", "E2;Ola;;2020-01-01;", "E3;Per;;x;")
    second = employees(tmp_path, "second.csv", "E1;Kari Nordmann;;2020-01-01;", "E1;Kari Berg;;2026-01-01;")
    delivery = take_in_reference(filled_site, first, "employees")
    assert (delivery.n_read, delivery.n_stored, delivery.n_quarantined, delivery.source_id) == (
        3,
        2,
        1,
        "reference:employees",
    )
    take_in_reference(filled_site, second, "employees")
    assert take_in_reference(filled_site, first, "employees").is_repeated
    with Store(filled_site, "test of reference data") as store:
        rows = store.sql("select employee_id, name, valid_from from employees order by all").to_pylist()
        assert [(each["employee_id"], each["name"], each["valid_from"].year) for each in rows] == [
            ("E1", "Kari Berg", 2026),
            ("E1", "Kari Nordmann", 2020),
            ("E2", "Ola", 2020),
        ]
    assert ask(filled_site, "select count(*) from lake.employees") == [(4,)]


def test_no_message_of_the_store_quotes_the_log(filled_site):
    with Store(filled_site, "test of messages") as store:
        for sql in (
            "select cast(employee_identifier as integer) from accesses",
            "select cast(employee_identifier as date) from accesses",
            "select error(employee_identifier) from accesses",
            "select strptime(employee_identifier, '%Y') from accesses",
        ):
            with pytest.raises(Exception, match="could not be answered") as caught:
                store.sql(sql)
            assert not re.search(f"{HIDDEN}|AAAA|ZZZZ", str(caught.value))
