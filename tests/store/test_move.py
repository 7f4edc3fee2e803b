"""An existing store moves to another catalogue or another place, with its snapshots, and the old one stays."""

from __future__ import annotations

import shutil

import pytest

from audit_kernel.errors import AuditKernelError, SettingsError, StoreError, UsageError
from audit_kernel.site import Site
from audit_kernel.store import move
from audit_kernel.store.intake import take_in
from audit_kernel.store.move import move_store
from audit_kernel.store.reading import Store
from tests.store.logs import ask, everything, gerica_file, row
from tests.store.servers import running_object_store


@pytest.fixture(scope="module")
def filled(empty_sites, tmp_path_factory):
    """A store with two files, a record in quarantine, and files that merging left for removal."""
    folder = tmp_path_factory.mktemp("moving")
    site = Site(shutil.copytree(empty_sites / "NO", folder / "site"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("audit_kernel.store.connection.FILES_WORTH_MERGING", 2)
        take_in(site, gerica_file(folder / "a.csv", [row(1), row(2), row("x")]), "gerica")
        take_in(site, gerica_file(folder / "b.csv", [row(3, employee="Åse"), row(4, "05.11.2026")]), "gerica")
    return site


@pytest.fixture
def site(filled, tmp_path):
    return Site(shutil.copytree(filled.folder, tmp_path / "it's here"))


def snapshots(site):
    return ask(site, "select snapshot_id, cast(snapshot_time as varchar) from lake.snapshots() order by 1")


@pytest.mark.requires("postgresql")
def test_a_store_moves_to_postgresql_and_a_share_and_back(site, postgres, tmp_path, gerica):
    before, numbers = everything(site), snapshots(site)
    files = sorted(path.name for path in (site.store_folder / "files").rglob("*.parquet"))
    address = f"postgres:{postgres.new_database()} user=postgres"
    moved = move_store(site, address, str(tmp_path / "share"))
    there = Site(site.folder)
    assert (there.settings.store.catalogue, there.settings.store.files) == (address, str(tmp_path / "share"))
    assert there.settings.name == site.settings.name
    assert "# Settings of this site" in (site.folder / "settings.yml").read_text(encoding="utf-8")
    assert (everything(there), snapshots(there)) == (before, numbers)
    assert moved.n_files == len(list((tmp_path / "share").rglob("*.parquet"))) < len(files)
    assert moved.snapshot == before["snapshot"][0]
    assert everything(site) == before  # the old store is still whole
    pinned = numbers[-2][0]
    with Store(there, "test of a pinned reader", snapshot=pinned) as store:
        assert store.snapshot == pinned
    assert take_in(there, gerica("c.csv", [row(9)]), "gerica").n_stored == 1
    after = everything(there)
    with pytest.raises(StoreError, match="a store lies there"):  # the old one is in the way
        move_store(there, "sqlite", "store/back")
    shutil.move(site.store_folder / "catalog.sqlite", tmp_path / "old.sqlite")
    move_store(there, "sqlite", "store/back")
    back = Site(site.folder)
    assert everything(back) == after
    assert take_in(back, gerica("d.csv", [row(10)]), "gerica").n_stored == 1


def test_only_the_files_move_to_an_object_store(site):
    before = everything(site)
    with running_object_store("moved") as address:
        key = site.keys_folder / "object_store.yml"
        key.write_text(f"key_id: test\nsecret: hemmelig\nendpoint: {address}\nuse_ssl: false\n", encoding="utf-8")
        key.chmod(0o600)
        moved = move_store(site, files="s3://moved/heimen")
        there = Site(site.folder)
        assert there.settings.store.catalogue == "sqlite"
        shutil.rmtree(site.store_folder / "files")
        assert everything(there) == before
        assert moved.n_bytes > 0
        with pytest.raises(UsageError, match="lies there already"):
            move_store(there, files="s3://moved/heimen/")


def test_a_stopped_move_changes_nothing_and_goes_on_when_called_again(site, tmp_path, monkeypatch):
    before, settings = everything(site), (site.folder / "settings.yml").read_bytes()
    digests, whole = [], move.sha256

    def stop_after_three(connection, path):
        digests.append(path)
        if len(digests) > 5:
            raise KeyboardInterrupt
        return whole(connection, path)

    with monkeypatch.context() as patched:
        patched.setattr(move, "sha256", stop_after_three)
        with pytest.raises(KeyboardInterrupt):
            move_store(site, files=str(tmp_path / "share"))
    copied = sorted((tmp_path / "share").rglob("*.parquet"))
    assert len(copied) == 3
    copied[0].write_bytes(copied[0].read_bytes()[:-1])  # half a file
    assert (everything(site), (site.folder / "settings.yml").read_bytes()) == (before, settings)
    move_store(site, files=str(tmp_path / "share"))
    assert everything(Site(site.folder)) == before


def test_a_target_that_is_not_empty_or_a_copy_that_differs_is_refused(site, tmp_path, monkeypatch):
    before, settings = everything(site), (site.folder / "settings.yml").read_bytes()
    share = tmp_path / "share"
    share.mkdir()
    (share / "other.txt").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match="holds files that are not of this store"):
        move_store(site, files=str(share))
    (share / "other.txt").unlink()
    with monkeypatch.context() as patched:
        patched.setattr(move, "sha256", lambda _connection, path: path)
        with pytest.raises(StoreError, match="differs"):
            move_store(site, files=str(share))
    for wrong in ({"catalogue": "postgres:dbname=a host=b password=geheim"}, {"files": "s3://x?secret=geheim"}):
        with pytest.raises(SettingsError) as caught:
            move_store(site, **wrong)
        assert "geheim" not in str(caught.value)
    with pytest.raises(AuditKernelError):
        move_store(site, catalogue="postgres:dbname=absent host=/nowhere")
    missing = next((site.store_folder / "files").rglob("accesses_by_patient/*.parquet"))
    assert (everything(site), (site.folder / "settings.yml").read_bytes()) == (before, settings)
    for path in missing.parent.iterdir():
        path.unlink()
    with pytest.raises(StoreError, match="are missing"):
        move_store(site, files=str(tmp_path / "another"))


def test_settings_that_cannot_be_changed_are_left_to_the_operator(site, tmp_path):
    path = site.folder / "settings.yml"
    text = path.read_text(encoding="utf-8")
    flow = text[: text.index("store:")] + "store: {memory_limit: 3GB, threads: 2}\n" + text[text.index("routine:") :]
    path.write_text(flow, encoding="utf-8")
    with pytest.raises(SettingsError, match="could not be changed"):
        move_store(Site(site.folder), files=str(tmp_path / "share"))
    assert path.read_text(encoding="utf-8") == flow


def test_a_site_whose_store_was_never_made_has_nothing_to_move(empty_sites, tmp_path):
    site = Site(shutil.copytree(empty_sites / "SE", tmp_path / "new"))
    with pytest.raises(StoreError, match="nothing was taken in yet"):
        move_store(site, files=str(tmp_path / "share"))
