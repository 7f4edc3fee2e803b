from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from audit_kernel.errors import AuditKernelError, IntakeError, StoreError
from audit_kernel.site import Site
from audit_kernel.store import connection as store_connection
from audit_kernel.store import intake
from audit_kernel.store.deliver import read_ledger
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from tests.store.logs import ask, everything, gerica_file, row

# Kills itself, as `kill -9` would, at the moment named by the last argument.
VICTIM = """
import os, signal, sys
from pathlib import Path
from audit_kernel.site import Site
from audit_kernel.store import intake, connection

site, path, moment = Site(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]

def kill_after(module, name, at=1):
    whole, calls = getattr(module, name), []
    def killed(*given, **named):
        answer = whole(*given, **named)
        calls.append(1)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    setattr(module, name, killed)

if moment == "prepared":
    kill_after(intake, "prepare")
elif moment == "staged":
    kill_after(intake, "stage")
elif moment == "half-stored":
    kill_after(intake, "store_rows")
elif moment == "before-commit":
    kill_after(intake, "append_to_ledger")
elif moment == "committed":
    intake.tidy = lambda connection: os.kill(os.getpid(), signal.SIGKILL)
intake.take_in(site, path, "gerica")
"""


def store_files(site: Site) -> set[str]:
    return {path.name for path in (site.store_folder / "files").rglob("*.parquet")}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="This test kills a process the way only POSIX systems do.")
@pytest.mark.parametrize(
    "moment",
    [
        *(pytest.param(moment, marks=pytest.mark.soak) for moment in ("prepared", "staged")),
        *("half-stored", "before-commit", "committed"),
    ],
)
def test_a_killed_intake_leaves_the_store_as_before_and_the_next_one_succeeds(site, tmp_path, gerica, moment):
    take_in(site, gerica("earlier.csv", [row(1)]), "gerica")
    before, files_before = everything(site), store_files(site)
    rows = [row(number, employee="Åsa") for number in range(2, 500)]
    path = gerica_file(tmp_path / "next.csv", rows, encoding="cp1252")  # needs a copy in the temporary folder
    command = [sys.executable, "-c", VICTIM, str(site.folder), str(path), moment]
    victim = subprocess.run(command, capture_output=True, text=True, check=False)
    assert victim.returncode == -signal.SIGKILL, victim.stderr
    if moment == "committed":
        assert len(read_ledger(site)) == 2
        assert take_in(site, path, "gerica").is_repeated
        return
    after = everything(site)
    assert after == before
    if moment in ("half-stored", "before-commit"):
        assert store_files(site) > files_before  # orphans
    assert len(list(site.temporary_folder.glob("intake-*"))) == 1
    assert take_in(site, path, "gerica").n_stored == len(rows)
    assert list(site.temporary_folder.glob("intake-*")) == []
    known = ask(site, "select path from __ducklake_metadata_lake.ducklake_data_file")
    known += ask(site, "select path from __ducklake_metadata_lake.ducklake_delete_file")
    assert store_files(site) == {name.rpartition("/")[2] for (name,) in known}


def test_an_interrupted_intake_leaves_the_store_as_before(site, gerica, monkeypatch):
    take_in(site, gerica("earlier.csv", [row(1)]), "gerica")
    before = everything(site)

    def interrupt(*_given):
        raise KeyboardInterrupt

    monkeypatch.setattr(intake, "append_to_ledger", interrupt)
    with pytest.raises(KeyboardInterrupt):
        take_in(site, gerica("next.csv", [row(2)]), "gerica")
    assert everything(site) == before
    assert list(site.temporary_folder.glob("intake-*")) == []


@pytest.mark.requires("root")
def test_a_full_disk_refuses_the_file_and_leaves_the_store_as_before(tmp_path, gerica, empty_sites):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)], check=True)
    try:
        subprocess.run(["cp", "-r", str(empty_sites / "NO"), str(small / "site")], check=True)
        site = Site(small / "site")
        take_in(site, gerica("first.csv", [row(1)]), "gerica")
        before = everything(site)
        # Different in every row, so that it cannot be packed into what space there is; windows-1252 needs a copy.
        big = gerica(
            "big.csv", [row(number, employee=os.urandom(50).hex()) for number in range(2, 80_000)], encoding="cp1252"
        )
        with pytest.raises(AuditKernelError) as caught:
            take_in(site, big, "gerica")
        assert isinstance(caught.value, IntakeError | StoreError)
        assert caught.value.exit_code in (1, 4)
        assert "pace" in caught.value.remedy
        assert everything(site) == before
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        assert take_in(site, big, "gerica").n_stored == 79_998
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_full_disk_while_merging_does_not_undo_the_intake(site, gerica, monkeypatch):
    def full(_connection):
        raise store_connection.duckdb.IOException("No space left on device")

    monkeypatch.setattr(store_connection, "scattered_tables", full)
    assert take_in(site, gerica("a.csv", [row(1)]), "gerica").n_stored == 1
    assert len(read_ledger(site)) == 1


def test_two_processes_taking_in_the_same_file_store_it_once(site, gerica):
    path = gerica("a.csv", [row(number) for number in range(1, 200)])
    code = (
        "import sys; from pathlib import Path; from audit_kernel.site import Site;"
        "from audit_kernel.store.intake import take_in;"
        "print(take_in(Site(Path(sys.argv[1])), Path(sys.argv[2]), 'gerica').is_repeated)"
    )
    command = [sys.executable, "-c", code, str(site.folder), str(path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate()[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(answers) == ["False", "True"]
    assert ask(site, "select count(*) from lake.accesses_by_patient") == [(199,)]
    assert len(read_ledger(site)) == 1


def test_ten_readers_see_whole_files_only_while_one_writes(site, gerica):
    """Every file holds 50 records, so a reader who saw a part of one would count another number."""
    take_in(site, gerica("a0.csv", [row(number) for number in range(50)]), "gerica")
    seen: list[tuple[int, int]] = []
    errors: list[BaseException] = []
    is_done = threading.Event()

    def read() -> None:
        connection = store_connection.connect(site.temporary_folder, "200MB", 1)
        try:
            while not is_done.is_set():
                store_connection.attach(connection, site, read_only=True)
                for _ in range(2):
                    seen.extend(
                        connection.execute(
                            "select (select count(*) from lake.accesses_by_patient),"
                            " (select count(*) from lake.accesses_by_employee)"
                        ).fetchall()
                    )
                connection.execute("detach lake")
        except BaseException as error:  # noqa: BLE001 - shown below
            errors.append(error)
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(10)]
    for reader in readers:
        reader.start()
    try:
        for file in range(1, 3):
            take_in(site, gerica(f"a{file}.csv", [row(file * 50 + number) for number in range(50)]), "gerica")
    finally:
        is_done.set()
        for reader in readers:
            reader.join()
    assert errors == []
    assert {by_patient % 50 for by_patient, _by_employee in seen} == {0}
    assert all(by_patient == by_employee for by_patient, by_employee in seen)
    assert len(seen) >= 20


def test_a_reader_keeps_its_rows_while_files_come_in_and_are_merged(site, gerica, monkeypatch):
    monkeypatch.setattr(store_connection, "FILES_WORTH_MERGING", 2)
    take_in(site, gerica("a.csv", [row(1), row(2)]), "gerica")
    with Store(site, "test of snapshots") as store:
        first = store.snapshot
        take_in(site, gerica("b.csv", [row(3), row(4)]), "gerica")
        take_in(site, gerica("c.csv", [row(5)]), "gerica")
        count = "select count(*) as n from accesses"
        assert store.sql(count).to_pylist() == [{"n": 2}]
    with Store(site, "test of snapshots", snapshot=first) as store:
        assert store.sql(count).to_pylist() == [{"n": 2}]
    with Store(site, "test of snapshots") as store:
        assert store.sql(count).to_pylist() == [{"n": 5}]
        assert store.snapshot > first


def test_merging_leaves_one_file_a_month_and_deletes_the_parts_a_day_later(site, gerica, monkeypatch):
    monkeypatch.setattr(store_connection, "FILES_WORTH_MERGING", 3)
    snapshots = []
    for file in range(3):
        take_in(site, gerica(f"{file}.csv", [row(file)]), "gerica")
        snapshots.append(ask(site, "select max(snapshot_id) from lake.snapshots()")[0][0])
    listed = "select count(*) from ducklake_list_files('lake', 'accesses_by_patient')"
    assert ask(site, listed) == [(1,)]
    n_files = len(store_files(site))
    monkeypatch.setattr(store_connection, "KEEP_MERGED", "0 seconds")
    time.sleep(0.01)
    with store_connection.writing(site, site.temporary_folder) as connection:
        store_connection.tidy(connection)
    assert len(store_files(site)) < n_files
    rows = "select count(*) from lake.accesses_by_patient"
    assert [ask(site, rows, snapshot=snapshot) for snapshot in snapshots] == [[(1,)], [(2,)], [(3,)]]
