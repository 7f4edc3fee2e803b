"""Lists into the reviewers' own folders and back: each to its own, nothing written over, nothing foreign believed."""

from __future__ import annotations

import json
import os
import pwd
import shutil
from dataclasses import replace

import openpyxl
import pytest
import yaml
from typer.testing import CliRunner

from audit_kernel import decisions
from audit_kernel.cli import app
from audit_kernel.errors import UsageError
from audit_kernel.review import acting, delivery, export
from audit_kernel.review.delivery import collect_lists, deliver_lists
from audit_kernel.review.export import file_name
from audit_kernel.review.own_list import fill_in, read_own_list
from audit_kernel.review.prepare import Prepared
from audit_kernel.site import WORK_LISTS, Site, create_site
from tests.review.two_lists import MONTH, as_made, make_lists, say, subject

pytestmark = pytest.mark.requires("root")

# Two accounts of any Linux, each with a group of its own name.
MONA, RUT = "daemon", "bin"
LISTS = [as_made(made) for made in make_lists()]
NAMES = [file_name(made) for made in LISTS]
WORDS = {
    "justified": "Justified: took part in the patient's care",
    "unjustified": "Unjustified: no need in the work",
}


@pytest.fixture
def site(tmp_path, monkeypatch):
    made = create_site(tmp_path / "site", "NO", "Test kommune")
    monkeypatch.setattr(export, "prepare_lists", lambda *_: Prepared(LISTS, ["No protected person is known."]))
    reviewers = [{"id": "M1", "user": MONA}, {"id": "R1", "user": RUT}]
    return named(made, review={"reviewers": reviewers}, language="en")


def named(site, **more):
    path = site.folder / "settings.yml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**settings, **more}), encoding="utf-8")
    return Site(site.folder)


@pytest.fixture
def folders(site):
    """Both reviewers' folders as `serve accounts` has them made."""
    (site.folder / WORK_LISTS).mkdir(mode=0o711)
    return [make_folder(site, name) for name in (MONA, RUT)]


def make_folder(site, account):
    folder = site.folder / WORK_LISTS / account
    folder.mkdir()
    os.chown(folder, -1, pwd.getpwnam(account).pw_gid)
    folder.chmod(0o2770)
    return folder


def decide(path, row, decision="justified", remark="on the rota"):
    """Decide a row as the reviewer's page does."""
    made = read_own_list(path)
    assert fill_in(made, made.row(str(row)), {"decision": decision, "reason": WORDS[decision], "remark": remark})


def texts(refused):
    return [each.text("en") for each in refused]


def said(site):
    return {key: of["decision"] for key, of in decisions.decided(site, MONTH).items()}


def test_each_list_goes_into_its_reviewer_s_folder_and_is_known_to_the_journal(site, folders):
    made = deliver_lists(site, MONTH)
    assert [each.path for each in made.new] == [folders[0] / NAMES[0], folders[1] / NAMES[1]]
    assert (made.left, made.refused, made.warnings) == ((), (), ("No protected person is known.",))
    assert [entry["reviewer_id"] for entry in decisions.lists(site)] == ["M1", "R1"]
    for each, account in zip(made.new, (MONA, RUT), strict=True):
        status = each.path.stat()
        assert (status.st_mode & 0o7777, status.st_gid) == (0o660, pwd.getpwnam(account).pw_gid)
        assert [path.name for path in each.path.parent.iterdir()] == [each.path.name]


def test_a_list_that_was_delivered_keeps_the_answers_in_it(site, folders):
    deliver_lists(site, MONTH)
    decide(folders[0] / NAMES[0], 1)
    before = (folders[0] / NAMES[0]).read_bytes()
    again = deliver_lists(site, MONTH)
    assert (again.new, [each.reviewer_id for each in again.left]) == ((), ["M1", "R1"])
    assert (folders[0] / NAMES[0]).read_bytes() == before
    assert len(decisions.lists(site)) == 2


def test_who_has_no_account_or_no_folder_is_told_and_the_others_get_their_lists(site, folders):
    site = named(site, review={"reviewers": [{"id": "M1"}, {"id": "R1", "user": RUT}]})
    made = deliver_lists(site, MONTH)
    assert [each.reviewer_id for each in made.new] == ["R1"]
    assert texts(made.refused)[0].startswith("Mona Moe has no account here")
    assert [entry["reviewer_id"] for entry in decisions.lists(site)] == ["R1"]


def wrong_mode(folder, _tmp_path):
    folder.chmod(0o2775)


def wrong_group(folder, _tmp_path):
    os.chown(folder, -1, 0)
    folder.chmod(0o2770)


def wrong_owner(folder, _tmp_path):
    os.chown(folder, pwd.getpwnam(MONA).pw_uid, -1)
    folder.chmod(0o2770)


def a_link(folder, tmp_path):
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")


def an_open_place_above(folder, _tmp_path):
    folder.parent.chmod(0o777)


@pytest.mark.parametrize("spoil", [wrong_mode, wrong_group, wrong_owner, a_link, lambda each, _: each.rmdir()])
def test_a_folder_that_another_could_enter_gets_no_list_and_is_not_read(site, folders, tmp_path, spoil):
    spoil(folders[0], tmp_path)
    made = deliver_lists(site, MONTH)
    assert [each.reviewer_id for each in made.new] == ["R1"]
    (told,) = texts(made.refused)
    assert told.startswith(f"{folders[0]} is not a folder of root with the group {MONA} and the mode 2770.")
    assert not list(tmp_path.glob("elsewhere/*"))
    if os.path.lexists(folders[0]):
        assert texts(collect_lists(site)[1])[0].startswith(f"{folders[0]} is not a folder of root")


def test_a_place_where_others_could_swap_folders_gets_no_list(site, folders, tmp_path):
    an_open_place_above(folders[0], tmp_path)
    assert len(deliver_lists(site, MONTH).refused) == 2


def test_a_link_in_the_list_s_place_is_neither_followed_nor_written_over(site, folders, tmp_path):
    (folders[0] / NAMES[0]).symlink_to(tmp_path / "victim")
    made = deliver_lists(site, MONTH)
    assert "is there already and is no plain file" in texts(made.refused)[0]
    assert not (tmp_path / "victim").exists()


def test_whose_account_it_is_the_settings_say_first_then_the_users_then_the_reference_data(site, monkeypatch):
    known = {"from-data": "R1", "in-both": "M1", "root": "M1"}
    monkeypatch.setattr(acting, "_identified", lambda *_: known)
    monkeypatch.setattr(acting, "exists", lambda _site: True)
    users = [{"user": "in-both", "employee": "X2"}, {"user": MONA, "employee": "X3"}]
    site = named(site, use_log={"users": users})
    # Whom settings name is theirs alone; the site's owner is the operator and nobody's account.
    assert acting.acting_users(site, "test") == {MONA: "M1", RUT: "R1", "in-both": "X2", "from-data": "R1"}


def test_what_was_decided_is_collected_and_the_same_file_again_adds_nothing(site, folders):
    deliver_lists(site, MONTH)
    decide(folders[0] / NAMES[0], 1)
    done, refused = collect_lists(site)
    assert refused == []
    found = sorted((each.reviewer_name, each.n_rows, each.n_decided, each.n_new) for each in done)
    assert found == [("Mona Moe", 3, 1, 1), ("Rut Rask", 3, 0, 0)]
    assert said(site) == {subject(1): "justified"}
    before = decisions.journal(site).path.read_bytes()
    again, refused = collect_lists(site)
    assert sorted((each.reviewer_name, each.is_repeated) for each in again) == [("Mona Moe", True), ("Rut Rask", False)]
    assert decisions.journal(site).path.read_bytes() == before
    assert list(site.temporary_folder.glob("collect-*")) == []


def test_a_decision_changed_and_changed_back_is_collected_each_time_and_all_stay(site, folders):
    deliver_lists(site, MONTH)
    path = folders[0] / NAMES[0]
    for decision in ("justified", "unjustified", "justified"):  # the last file has the bytes of the first
        decide(path, 1, decision)
        collect_lists(site)
    of = decisions.opinions(site, MONTH)[subject(1)].first
    assert [each["decision"] for each in of] == ["justified", "unjustified", "justified"]


def test_a_decision_typed_elsewhere_is_not_taken_back_by_a_file_that_says_nothing_new(site, folders):
    deliver_lists(site, MONTH)
    decide(folders[0] / NAMES[0], 1)
    collect_lists(site)
    entry = next(each for each in decisions.lists(site) if each["reviewer_id"] == "M1")
    say(site, entry, 1, "unjustified")
    decide(folders[0] / NAMES[0], 2)
    collect_lists(site)
    assert said(site) == {subject(1): "unjustified", subject(2): "justified"}


def link(path, original):
    path.unlink()
    path.symlink_to(original)


def hard_link(path, original):
    path.unlink()
    os.link(original, path)


def pipe(path, _original):
    path.unlink()
    os.mkfifo(path)


def folder(path, _original):
    path.unlink()
    path.mkdir()


def foreign_owner(path, _original):
    os.chown(path, pwd.getpwnam(RUT).pw_uid, -1)


@pytest.mark.parametrize("spoil", [link, hard_link, pipe, folder, foreign_owner])
def test_what_is_no_plain_file_of_the_account_is_not_read_and_the_others_are(site, folders, tmp_path, spoil):
    deliver_lists(site, MONTH)
    decide(folders[0] / NAMES[0], 1)
    decide(folders[1] / NAMES[1], 3)
    shutil.copy(folders[0] / NAMES[0], tmp_path / "original.xlsx")
    spoil(folders[0] / NAMES[0], tmp_path / "original.xlsx")
    done, refused = collect_lists(site)
    assert [each.reviewer_name for each in done] == ["Rut Rask"]
    assert texts(refused)[0].startswith(f"{NAMES[0]} in the folder of {MONA} is no plain file of theirs")
    assert set(said(site).values()) == {"justified"}
    assert subject(1) not in said(site)


def test_another_s_list_is_refused_where_it_does_not_belong(site, folders):
    deliver_lists(site, MONTH)
    decide(folders[1] / NAMES[1], 3)
    (folders[1] / NAMES[1]).rename(folders[0] / NAMES[1])
    done, refused = collect_lists(site)
    assert [each.reviewer_name for each in done] == ["Mona Moe"]
    assert texts(refused)[0].startswith(f"{NAMES[1]} is the list of another than in whose folder it lies.")
    assert said(site) == {}


def test_a_changed_cell_a_flood_and_no_workbook_are_refused_whole(site, folders):
    deliver_lists(site, MONTH)
    decide(folders[0] / NAMES[0], 1)
    book = openpyxl.load_workbook(folders[0] / NAMES[0])
    book.worksheets[0]["C6"] = "Somebody Else"
    book.save(folders[0] / NAMES[0])
    big, bad = (replace(LISTS[0], list_id=digit * 16) for digit in "ab")
    with (folders[1] / file_name(big)).open("wb") as stream:
        stream.truncate(21 << 20)
    (folders[1] / file_name(bad)).write_bytes(b"PK\x03\x04 evil")
    _done, refused = collect_lists(site)
    assert len(refused) == 3
    assert not [text for text in texts(refused) if "Somebody" in text or "evil" in text]
    assert [text for text in texts(refused) if "lines 6 are not the rows that went out" in text]
    assert said(site) == {}


def test_files_of_other_names_are_counted_and_not_named(site, folders):
    deliver_lists(site, MONTH)
    (folders[0] / NAMES[0]).rename(folders[0] / "Per Pasient, kopi.xlsx")
    (folders[0] / f".~lock.{NAMES[0]}#").write_text("x")
    _done, refused = collect_lists(site)
    (told,) = texts(refused)
    assert told.startswith(f"{MONA}: 1 files have another name than a list is delivered under")
    assert "Per" not in told


def test_a_folder_of_somebody_who_does_not_review_is_told(site, folders):
    deliver_lists(site, MONTH)
    site = named(site, review={"reviewers": [{"id": "R1", "user": RUT}]})
    done, refused = collect_lists(site)
    assert [each.reviewer_name for each in done] == ["Rut Rask"]
    assert texts(refused)[0].startswith(f"The user '{MONA}' is nobody's who reviews here; 1 lists were not taken in.")


def test_only_the_operator_delivers_and_collects(site, folders, monkeypatch):
    monkeypatch.setattr(export, "acting_reviewer", lambda *_: "M1")
    monkeypatch.setattr(delivery, "acting_reviewer", lambda *_: "M1")
    for do in (lambda: deliver_lists(site, MONTH), lambda: collect_lists(site)):
        with pytest.raises(UsageError, match="their own list only"):
            do()
    assert decisions.lists(site) == []


def run(site, *words):
    return CliRunner().invoke(app, ["review", *words, "--site", str(site.folder)])


def test_the_commands_print_names_of_staff_and_counts_alone(site, folders):
    done = run(site, "deliver", MONTH)
    assert done.exit_code == 0, done.output
    decide(folders[0] / NAMES[0], 1)
    shown = done.output + run(site, "deliver", MONTH).output + run(site, "collect").output
    assert "Mona Moe: delivered before; the list stays as it is." in shown
    assert "1 of 3 rows decided" in shown
    assert not [word for word in ("Per", "Eva", "on the rota") if word in shown]
    (folders[1] / "other.xlsx").write_text("x")
    done = run(site, "collect", "--json")
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)["refused"]) == 1
    folders[1].chmod(0o2750)
    done = run(site, "deliver", MONTH, "--json")
    assert (done.exit_code, len(json.loads(done.stdout)["left"])) == (1, 1)


def test_without_a_place_for_lists_there_is_a_sentence(site):
    with pytest.raises(UsageError, match="no list was delivered"):
        collect_lists(site)
    assert len(deliver_lists(site, MONTH).refused) == 2
