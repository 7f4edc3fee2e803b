"""One store for many machines: a PostgreSQL catalogue, files on a share or in an object store, by settings alone."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys

import duckdb
import pytest

from audit_kernel.errors import KeyFileError, SettingsError, StoreError
from audit_kernel.site import Site
from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.deliver import read_ledger
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from tests.store.logs import ask, everything, row
from tests.store.servers import PASSWORD, running_object_store, with_store

pytestmark = pytest.mark.requires("postgresql")
UNIT = "insert into lake.units (unit_id, delivery_id, delivered_at, row_number) values (?, '', now(), 1)"
TAKE_IN = """
import sys
from pathlib import Path
from audit_kernel.site import Site
from audit_kernel.store.intake import take_in

delivery = take_in(Site(Path(sys.argv[1])), Path(sys.argv[2]), "gerica")
print(delivery.is_repeated, delivery.n_stored)
"""
READ = """
import sys, time
from pathlib import Path
from audit_kernel.site import Site
from audit_kernel.store.reading import Store

site, ends = Site(Path(sys.argv[1])), time.monotonic() + 1
seen = set()
while time.monotonic() < ends:
    with Store(site, "test of readers") as store:
        seen.add(store.sql("select count(*) as n from accesses").to_pylist()[0]["n"])
print(sorted(seen))
"""


@pytest.fixture
def machines(empty_sites, tmp_path, postgres):
    """Two machines' site folders with one catalogue and one shared folder; the words of the catalogue beside them."""
    words, made = postgres.new_database(), []
    for name in ("one", "two"):
        site = Site(shutil.copytree(empty_sites / "SE", tmp_path / name))
        made.append(with_store(site, f"postgres:{words} user=postgres", str(tmp_path / "share")))
    return (*made, words)


def started(program, *arguments):
    words = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(processes):
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), answers
    return [answer for answer, _errors in answers]


def test_a_file_that_two_machines_take_in_at_once_is_stored_once(machines, gerica):
    one, two, _words = machines
    path = gerica("a.csv", [row(number) for number in range(1, 2_001)])
    answers = ended([started(TAKE_IN, site.folder, path) for site in (one, two)])
    assert sorted(answers) == ["False 2000\n", "True 2000\n"]
    found = everything(two)
    assert len(found["accesses_by_patient"]) == len(found["accesses_by_employee"]) == 2_000
    assert len(found["intake_files"]) == 1
    assert not (two.store_folder / "files").exists()


def test_a_file_that_two_processes_take_in_at_once_is_stored_once_in_sqlite_too(site, gerica):
    path = gerica("a.csv", [row(number) for number in range(1, 2_001)])
    assert sorted(ended([started(TAKE_IN, site.folder, path) for _ in range(2)])) == ["False 2000\n", "True 2000\n"]
    assert len(everything(site)["accesses_by_patient"]) == 2_000


def test_three_processes_read_with_a_role_that_may_only_read_while_one_writes(machines, postgres, gerica):
    one, two, words = machines
    take_in(one, gerica("a.csv", [row(1), row(2)]), "gerica")
    postgres.ask("grant select on all tables in schema public to reader", words.split()[0].removeprefix("dbname="))
    settings = two.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("user=postgres", "user=reader"), encoding="utf-8")
    reader = Site(two.folder)
    readers = [started(READ, reader.folder) for _ in range(3)]
    take_in(one, gerica("b.csv", [row(number) for number in range(3, 11)]), "gerica")
    answers = ended(readers)
    assert {answer.strip() for answer in answers} <= {"[2]", "[2, 10]", "[10]"}
    with Store(reader, "test of readers") as store:
        assert store.sql("select count(*) as n from accesses").to_pylist() == [{"n": 10}]
    with pytest.raises(StoreError, match="may only read the store's catalogue"):
        take_in(reader, gerica("c.csv", [row(99)]), "gerica")
    assert len(read_ledger(one)) == 2


def test_a_reader_over_postgresql_and_a_share_reaches_no_other_file(machines, gerica, tmp_path):
    one, two, _words = machines
    take_in(one, gerica("a.csv", [row(1)]), "gerica")
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", encoding="utf-8")
    with Store(two, "test of borders") as store:
        assert store.sql("select count(*) as n from accesses").to_pylist() == [{"n": 1}]
        for statement in (f"from read_csv('{secret}')", f"attach '{tmp_path / 'new.duckdb'}'", "set threads = 4"):
            with pytest.raises(duckdb.Error):
                store._connection.execute(statement)


def test_a_writer_whose_lock_was_lost_fails_on_the_lock_row_and_says_so(machines, monkeypatch):
    one, two, _words = machines
    open_for_writing(one)
    monkeypatch.setattr("audit_kernel.store.catalogue.only_writer", lambda _site: contextlib.nullcontext())

    def write_at_once() -> None:
        folders = one.temporary_folder, two.temporary_folder
        with writing(one, folders[0]) as first, writing(two, folders[1]) as second, transaction(second):
            with transaction(first):
                first.execute(UNIT, ["1"])
            second.execute(UNIT, ["2"])

    with pytest.raises(StoreError, match="Another writer changed the store at the same moment"):
        write_at_once()
    assert ask(one, "select unit_id from lake.units") == [("1",)]


def test_an_empty_catalogue_and_one_out_of_reach_are_sentences(machines, empty_sites, tmp_path):
    one, _two, words = machines
    assert read_ledger(one) == []
    with pytest.raises(StoreError, match=r"nothing was taken in yet"):
        Store(one, "test")
    absent = Site(shutil.copytree(empty_sites / "SE", tmp_path / "absent"))
    absent = with_store(absent, f"postgres:{words}0 user=postgres")
    for attempt in (lambda: read_ledger(absent), lambda: Store(absent, "test"), lambda: open_for_writing(absent)):
        with pytest.raises(StoreError, match="in PostgreSQL cannot be reached") as caught:
            attempt()
        assert words not in str(caught.value)


def open_for_writing(site):
    with writing(site, site.temporary_folder):
        pass


def test_the_password_stands_in_an_owner_only_file_and_nowhere_else(machines, postgres, gerica, caplog):
    one, _two, words = machines
    settings = one.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("user=postgres", "user=guarded"), encoding="utf-8")
    site = Site(one.folder)
    with pytest.raises(StoreError, match=r"the password in keys/postgres\.pass"):
        open_for_writing(site)
    passwords = site.keys_folder / "postgres.pass"
    passwords.write_text(f"*:*:*:guarded:{PASSWORD}\n", encoding="utf-8")
    passwords.chmod(0o640)
    with pytest.raises(KeyFileError, match="can be read by others than its owner"):
        open_for_writing(site)
    passwords.chmod(0o600)
    assert take_in(site, gerica("a.csv", [row(1)]), "gerica").n_stored == 1
    held = [path for path in site.folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert held == [passwords]
    assert PASSWORD not in caplog.text
    assert PASSWORD.encode() not in postgres.bytes_on_disk(words.split()[0].removeprefix("dbname="))
    passwords.write_text("*:*:*:guarded:wrong\n", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        open_for_writing(site)
    assert "wrong" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        f'catalogue: "postgres:dbname=a host=b password={PASSWORD}"',
        f'catalogue: "postgres:dbname=a host=b options={PASSWORD}"',
        f'catalogue: "postgresql://u:{PASSWORD}@host/db"',
        f'catalogue: "postgres:dbname=a user={PASSWORD}"',
        f"catalogue: {{password: {PASSWORD}}}",
        f'files: "s3://bucket?s3_secret_access_key={PASSWORD}"',
        f'files: "https://u:{PASSWORD}@host/x"',
        f"password: {PASSWORD}",
    ],
)
def test_a_secret_in_the_settings_is_refused_without_being_shown(empty_sites, tmp_path, setting):
    site = shutil.copytree(empty_sites / "SE", tmp_path / "site")
    path = site / "settings.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("store:\n", f"store:\n    {setting}\n"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        Site(site)
    for language in ("en", "sv", "nb"):
        assert PASSWORD not in caught.value.text(language)


def test_files_in_an_object_store_are_written_read_and_merged(machines, gerica, monkeypatch):
    site = machines[0]
    with running_object_store("audit") as address:
        settings = site.folder / "settings.yml"
        text = settings.read_text(encoding="utf-8").replace(site.settings.store.files, "s3://audit/heimen/store")
        settings.write_text(text, encoding="utf-8")
        site = Site(site.folder)
        key = site.keys_folder / "object_store.yml"
        for content, mode in ((None, 0), ("key_id: a", 0o600), (f"secret: [{PASSWORD}", 0o600), ("key_id: a", 0o644)):
            if content is not None:
                key.write_text(content, encoding="utf-8")
                key.chmod(mode)
            with pytest.raises(KeyFileError) as caught:
                open_for_writing(site)
            assert PASSWORD not in str(caught.value)
        key.write_text(f"key_id: test\nsecret: {PASSWORD}\nendpoint: {address}\nuse_ssl: false\n", encoding="utf-8")
        key.chmod(0o600)
        monkeypatch.setattr("audit_kernel.store.connection.FILES_WORTH_MERGING", 2)
        for number in (1, 2):
            take_in(site, gerica(f"{number}.csv", [row(number)]), "gerica")
        with Store(site, "test of an object store") as store:
            assert store.sql("select count(*) as n from accesses").to_pylist() == [{"n": 2}]
            shown = str(store._connection.execute("from duckdb_secrets()").fetchall())
            assert "key_id=test" in shown
            assert PASSWORD not in shown
            with pytest.raises(duckdb.Error):
                store._connection.execute("from read_blob('s3://audit/other')")
        files = ask(site, "select count(*) from glob('s3://audit/heimen/store/**/*.parquet')")
        assert files[0][0] >= 4
        with pytest.raises(KeyFileError):
            (key.unlink(), read_ledger(site))
