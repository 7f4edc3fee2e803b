"""A site is backed up, destroyed, restored: it verifies, answers the same, goes on; a damaged backup is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat

import filelock
import pytest
from typer.testing import CliRunner

from audit_kernel.backup import store_copy
from audit_kernel.backup.copying import files_under
from audit_kernel.backup.folder import PAYLOAD, TAGS, list_text, parse_list
from audit_kernel.backup.make import back_up
from audit_kernel.backup.restore import restore
from audit_kernel.cases import work
from audit_kernel.cases.attach import attach_file
from audit_kernel.cli import app
from audit_kernel.errors import RunError, StoreError, UnavailableError, UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence.month import run_month
from audit_kernel.evidence.restricted_run import site_problems
from audit_kernel.evidence.verify import verify
from audit_kernel.journal import Journal
from audit_kernel.site import Site
from audit_kernel.store.connection import tidy, writing
from audit_kernel.store.erase import CLEANING
from audit_kernel.store.intake import take_in
from audit_kernel.store.move import move_store
from tests.evidence.sealed_months import seal_month
from tests.store.logs import ask, everything, gerica_file, row
from tests.store.servers import PASSWORD, running_object_store, with_store

CASE = "sak 2026/17"
ODD_NAME = "logs/åtkomst 100%\\ i oktober\n.csv"


def rows(first, number=20):
    return [row(each) for each in range(first, first + number)]


@pytest.fixture(scope="module")
def lived_in(empty_sites, tmp_path_factory):
    """A site with two files taken in, two sealed months, a case with evidence, a log with an odd name."""
    folder = tmp_path_factory.mktemp("lived_in")
    site = Site(shutil.copytree(empty_sites / "NO", folder / "site"))
    for number in (1, 2):
        take_in(site, gerica_file(folder / f"{number}.csv", rows(number * 100)), "gerica")
    for month in ("2026-09", "2026-10"):
        seal_month(site, month, {"units": 2})
    work.start_case(site, CASE, "somebody asked")
    (folder / "letter.txt").write_text("a letter", encoding="utf-8")
    attach_file(site, CASE, folder / "letter.txt")
    (site.folder / ODD_NAME).write_text("Dato;Tid\n", encoding="utf-8")
    (site.folder / "sql" / "checks" / "own.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (site.folder / "sql" / "checks" / "own.sh").chmod(0o755)
    return site


@pytest.fixture(scope="module")
def backed_up(lived_in, tmp_path_factory):
    return back_up(lived_in, tmp_path_factory.mktemp("backups"))


@pytest.fixture
def living(lived_in, tmp_path):
    return Site(shutil.copytree(lived_in.folder, tmp_path / "living"))


def whole(site):
    """What is wrong with a site."""
    public = site.keys_folder / "signing-key.pub.pem"
    return [each.text() for each in [*verify(site.archive_folder, public), *site_problems(site, public, "en")]]


def test_a_destroyed_site_is_restored_answers_the_same_and_goes_on(living, tmp_path, gerica):
    before, modes = everything(living), {}
    for path in living.folder.rglob("*"):
        if path.is_file() and path.suffix != ".lock" and "catalog" not in path.name:
            modes[path.relative_to(living.folder).as_posix()] = stat.S_IMODE(path.stat().st_mode)
    made = back_up(living, tmp_path / "backups")
    shutil.rmtree(living.folder)
    done = restore(made.folder, living.folder)
    site = Site(living.folder)
    assert done.problems == made.description.problems == ()
    assert (whole(site), everything(site)) == ([], before)
    assert made.description.snapshot == before["snapshot"][0]
    assert made.description.last_run.startswith("2026-10-monthly-")
    assert work.add_note(site, CASE, "after").number == CASE
    for path in site.folder.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    for path, mode in modes.items():
        if path in made_files(made):
            assert stat.S_IMODE((site.folder / path).stat().st_mode) == mode & 0o700, path
    assert (site.folder / ODD_NAME).read_text(encoding="utf-8") == "Dato;Tid\n"
    assert take_in(site, gerica("3.csv", rows(300)), "gerica").n_stored == 20
    seal_month(site, "2026-11", {"units": 1})
    assert whole(site) == []
    last = list(Journal(site.journals_folder / "use_log.jsonl").entries())
    told = [line["entry"] for line in last if line["entry"]["activity"] == "restore"]
    assert [each["backup"] for each in told] == [made.folder.name]


@pytest.mark.soak
def test_a_month_is_run_over_a_restored_site(backed_up, tmp_path, gerica):
    site = restore(backed_up.folder, tmp_path / "restored").site
    take_in(site, gerica("3.csv", rows(300)), "gerica")
    month = run_month(site, "2026-10", purpose="after the restore", threads=1)
    month.require_complete()
    assert (whole(site), month.bag.parent) == ([], site.archive_folder)


def made_files(made):
    listed = parse_list((made.folder / bags.MANIFEST).read_bytes())
    return {path.removeprefix("data/") for path in listed}


def test_a_backup_is_owner_only_and_holds_neither_locks_nor_what_lives_as_long_as_a_command(backed_up):
    found = dict(files_under(backed_up.folder, []))
    assert set(found) == {*TAGS, bags.TAG_MANIFEST, *(f"data/{path}" for path in made_files(backed_up))}
    assert not [path for path in found if path.endswith((".lock", "-wal")) or "/temporary/" in path]
    assert all(not path.stat().st_mode & 0o077 for path in backed_up.folder.rglob("*"))
    assert all(hashlib.sha256(found[f"data/{path}"].read_bytes()) for path in made_files(backed_up))
    assert backed_up.sha256 == bags.digest_of(backed_up.folder / bags.TAG_MANIFEST)


def test_the_next_backup_links_what_the_one_before_holds(living, tmp_path, backed_up):
    destination = backed_up.folder.parent
    second = back_up(living, destination)
    assert second.n_linked > backed_up.n_files / 2
    assert second.n_bytes < backed_up.n_bytes / 2
    third = back_up(living, destination, is_full=True)
    assert (third.n_linked, third.n_files) == (0, second.n_files)
    done = restore(second.folder, tmp_path / "restored")
    assert (done.problems, done.newer) == ((), (third.folder.name,))
    assert ask(done.site, "select count(*) from lake.accesses_by_patient") == [(40,)]
    shared = [path for path in living.folder.rglob("*") if path.is_file() and path.stat().st_nlink > 1]
    assert shared == []  # damage to the site does not reach a backup


def test_files_that_disposal_removes_meanwhile_are_copied_as_of_a_later_moment(living, tmp_path):
    went = []

    def dispose(what, _done, _total):
        if what == "store/files" and not went:
            went.append(what)
            with writing(living, living.temporary_folder) as connection:
                connection.execute("delete from lake.accesses_by_patient")
                for call in CLEANING:
                    connection.execute(f"select count(*) from {call}").fetchall()
                tidy(connection)

    made = back_up(living, tmp_path / "backups", progress=dispose)
    assert went
    site = restore(made.folder, tmp_path / "restored").site
    counts = "select (select count(*) from lake.accesses_by_patient), (select count(*) from lake.accesses_by_employee)"
    assert ask(site, counts) == ask(living, counts) == [(0, 40)]


def test_a_store_that_misses_a_file_is_not_backed_up_in_silence(living, tmp_path):
    lost = next(living.store_folder.rglob("ducklake-*.parquet"))
    lost.unlink()
    with pytest.raises(StoreError, match="are missing"):
        back_up(living, tmp_path / "backups")
    lost.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="is not as the catalogue says"):
        back_up(living, tmp_path / "backups")
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [".lock"]


def test_what_is_wrong_with_the_site_is_told_and_backed_up_as_it_is(living, tmp_path):
    case = next(living.journals_folder.glob("case-*.jsonl"))
    case.write_bytes(case.read_bytes().replace(b"somebody", b"nobody", 1))
    (living.folder / "linked").symlink_to("/etc")
    result = CliRunner().invoke(app, ["backup", str(tmp_path / "b"), "--site", str(living.folder), "--json"])
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert any(case.name in each for each in said["problems"])
    assert any(each.startswith("linked ") for each in said["problems"])
    result = CliRunner().invoke(app, ["restore", said["backup"], str(tmp_path / "r"), "--language", "en"])
    assert result.exit_code == 1
    assert case.name in result.stdout.replace("\n", "")
    assert not (tmp_path / "r" / "linked").exists()


def test_the_signing_key_can_be_left_out(living, tmp_path):
    command = ["backup", str(tmp_path / "b"), "--site", str(living.folder), "--without-signing-key"]
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, "--without-signing-key" in result.stdout) == (0, False)
    (folder,) = [path for path in (tmp_path / "b").iterdir() if path.is_dir()]
    private = (living.keys_folder / "signing-key.pem").read_bytes()
    assert not [path for path in folder.rglob("*") if path.is_file() and private in path.read_bytes()]
    site = restore(folder, tmp_path / "r").site
    assert whole(site) == []
    assert sorted(path.name for path in site.keys_folder.iterdir()) == ["pseudonym-key", "signing-key.pub.pem"]


def test_a_backup_is_refused_where_it_would_harm(living, tmp_path, backed_up):
    for inside in (living.folder / "backups", living.store_folder / "files"):
        with pytest.raises(UsageError, match="in the site's own folder"):
            back_up(living, inside)
    destination = tmp_path / "b"
    destination.mkdir()
    with filelock.FileLock(destination / ".lock"), pytest.raises(UnavailableError, match="Another backup"):
        back_up(living, destination)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="could not be written"):
        back_up(living, tmp_path / "file" / "b")
    with pytest.raises(UsageError, match="is not an empty folder"):
        restore(backed_up.folder, living.folder)
    with pytest.raises(UsageError, match="There is no backup"):
        restore(tmp_path, tmp_path / "r")


def relist(backup, change=lambda _manifest, _modes: None):
    """Write lists that fit what lies in a backup, as whoever forges one would."""
    links: list[str] = []
    found = {f"{PAYLOAD}/{path}": file for path, file in files_under(backup / PAYLOAD, links)}
    manifest = {path: bags.digest_of(file) for path, file in found.items()}
    modes = dict.fromkeys(manifest, "0600")
    change(manifest, modes)
    (backup / bags.MANIFEST).write_bytes(list_text(manifest))
    (backup / "modes.txt").write_bytes(list_text(modes))
    (backup / bags.TAG_MANIFEST).write_bytes(list_text({name: bags.digest_of(backup / name) for name in TAGS}))


def listed_as(path):
    def change(manifest, modes):
        manifest[path], modes[path] = hashlib.sha256(b"evil\n").hexdigest(), "0600"

    return change


def linked(backup):
    (backup / "data" / "settings.yml").unlink()
    (backup / "data" / "settings.yml").symlink_to("/etc/passwd")


def foreign(backup):
    (backup / "data" / "sql" / "evil.sql").write_text("select 1", encoding="utf-8")


def truncated(backup):
    path = next((backup / "data" / "store" / "files").rglob("*.parquet"))
    os.truncate(path, path.stat().st_size - 1)


def flipped(backup):
    path = backup / "data" / "journals" / "use_log.jsonl"
    path.write_bytes(path.read_bytes().replace(b"user", b"usor", 1))


def described_otherwise(backup):
    path = backup / "backup.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"version": 1', '"version": 2'), encoding="utf-8")
    relist(backup)


DAMAGE = {
    "link": (linked, "data/settings.yml: it is a link"),
    "foreign file": (foreign, "data/sql/evil.sql: no list names it"),
    "truncated file": (truncated, ".parquet: it was changed, or cut off"),
    "changed byte": (flipped, "data/journals/use_log.jsonl: it was changed"),
    "missing file": (lambda b: (b / "data" / "archive" / "head.txt").unlink(), "archive/head.txt: it is missing"),
    "half copied": (lambda b: (b / bags.TAG_MANIFEST).unlink(), "tagmanifest-sha256.txt: it is missing"),
    "changed list": (lambda b: os.truncate(b / bags.MANIFEST, 500), "manifest-sha256.txt: it is not as"),
    "changed mode": (lambda b: os.truncate(b / "modes.txt", 0), "modes.txt: it is not as"),
    "other version": (described_otherwise, "backup.json: it is not as"),
    "no settings": (lambda b: ((b / "data" / "settings.yml").unlink(), relist(b)), "modes.txt: it is not as"),
    "device": (lambda b: os.mkfifo(b / "data" / "pipe"), "data/pipe: it is a link or device"),
    "linked folder": (lambda b: (b / "data" / "own").symlink_to("/etc"), "data/own: it is a link"),
}
LEADING_OUT = (
    "data/../../outside/evil",
    "../outside/evil",
    "/outside/evil",
    "data/a/./b",
    "data//a",
    "data/",
    "data/a\0b",
)


@pytest.fixture
def copy_of_backup(backed_up, tmp_path):
    return shutil.copytree(backed_up.folder, tmp_path / "copy" / backed_up.folder.name)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_or_forged_backup_is_refused_with_the_file_named(copy_of_backup, tmp_path, damage):
    do, said = DAMAGE[damage]
    do(copy_of_backup)
    with pytest.raises(VerificationError) as caught:
        restore(copy_of_backup, tmp_path / "restored")
    assert said in str(caught.value)
    assert not (tmp_path / "restored").exists()


def test_a_path_that_leads_out_is_refused_though_every_list_fits(copy_of_backup, tmp_path):
    (copy_of_backup.parent / "outside").mkdir()
    (copy_of_backup.parent / "outside" / "evil").write_text("evil\n", encoding="utf-8")
    for path in LEADING_OUT:
        relist(copy_of_backup, listed_as(path))
        with pytest.raises(VerificationError, match="leads out of the backup"):
            restore(copy_of_backup, tmp_path / "restored")
    relist(copy_of_backup)
    assert restore(copy_of_backup, tmp_path / "restored").problems == ()


@pytest.mark.requires("postgresql")
def test_a_store_in_postgresql_and_an_object_store_is_restored_into_the_folder_and_goes_back(
    empty_sites, postgres, tmp_path, gerica
):
    with running_object_store("audit") as address:
        site = Site(shutil.copytree(empty_sites / "SE", tmp_path / "site"))
        site = with_store(site, f"postgres:{postgres.new_database()} user=postgres", "s3://audit/heimen")
        key = site.keys_folder / "object_store.yml"
        key.write_text(f"key_id: test\nsecret: {PASSWORD}\nendpoint: {address}\nuse_ssl: false\n", encoding="utf-8")
        key.chmod(0o600)
        take_in(site, gerica("1.csv", rows(100)), "gerica")
        made = back_up(site, tmp_path / "backups")
        again = back_up(site, tmp_path / "backups")
        assert (made.description.catalogue, made.description.files) == ("postgres", "object_store")
        assert again.n_linked >= len(made_files(made)) - 10
        shutil.rmtree(site.folder)
        done = restore(again.folder, site.folder)
        restored = Site(site.folder)
        assert not restored.settings.store.is_postgres  # nothing is written into the old store
        assert (done.problems, done.description.rows["accesses_by_patient"]) == ((), 20)
        move_store(restored, f"postgres:{postgres.new_database()} user=postgres", str(tmp_path / "share"))
        moved = Site(site.folder)
        assert take_in(moved, gerica("2.csv", rows(200)), "gerica").n_stored == 20
        assert ask(moved, "select count(*) from lake.accesses_by_patient") == [(40,)]


@pytest.mark.requires("postgresql")
def test_a_catalogue_in_postgresql_is_copied_as_of_one_moment(empty_sites, postgres, tmp_path, gerica, monkeypatch):
    site = Site(shutil.copytree(empty_sites / "SE", tmp_path / "site"))
    site = with_store(site, f"postgres:{postgres.new_database()} user=postgres")
    take_in(site, gerica("1.csv", rows(100)), "gerica")
    plain, calls = store_copy.copy_catalogue, []

    def interrupted(connection, *given, **named):
        class Between:
            def execute(self, sql, *values):
                if sql.startswith("insert into new_catalogue") and len(calls) < 3:
                    calls.append(sql)
                    if len(calls) == 3:  # three tables are copied, and another machine commits
                        take_in(site, gerica("2.csv", rows(200)), "gerica")
                return connection.execute(sql, *values)

        return plain(Between(), *given, **named)

    monkeypatch.setattr(store_copy, "copy_catalogue", interrupted)
    made = back_up(site, tmp_path / "backups")
    assert len(calls) == 3
    assert made.description.rows["accesses_by_employee"] == made.description.rows["accesses_by_patient"] == 20
    assert made.description.problems == ()
