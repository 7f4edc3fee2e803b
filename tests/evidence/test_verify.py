from __future__ import annotations

import base64
import os
import shutil
import string

import filelock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.errors import KeyFileError, UsageError
from audit_kernel.evidence import bag, chain, keys, problems
from audit_kernel.evidence.chain import archive_runs, head_of
from audit_kernel.evidence.problems import KEY_TEXTS, TEXTS, Problem
from audit_kernel.evidence.verify import trusted_key, verify
from tests.evidence.sealing import RUNS, change_byte, new_site, rewrite, seal_run

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators only")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """One archive of three runs, and another one with another key."""
    base = tmp_path_factory.mktemp("template")
    new_site(base / "site")
    new_site(base / "other", [*RUNS, "foreign"])
    return base


@pytest.fixture
def base(template, tmp_path):
    return shutil.copytree(template, tmp_path / "base")


@pytest.fixture
def archive(base):
    return base / "site" / "archive"


def found(path, public_key=None):
    return {(problem.run, problem.file, problem.code) for problem in verify(path, public_key)}


def files_of(archive):
    names = sorted(path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file())
    return [name for name in names if name != chain.LOCK]


def test_a_whole_archive_and_each_of_its_runs_verify(archive):
    assert verify(archive) == []
    for name in RUNS:
        assert verify(archive / name) == []


def test_one_changed_byte_in_any_file_is_found_and_the_file_named(archive):
    for name in files_of(archive):
        path = archive / name
        whole = path.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            change_byte(path, place)
            problems = verify(archive)
            assert any(problem.place() == name and problem.is_failure for problem in problems), (name, place)
            assert {problem.run for problem in problems} <= {name.split("/")[0], ""}, (name, place)
            rewrite(path, whole)
    assert verify(archive) == []


def test_one_changed_byte_in_a_payload_or_tag_file_accuses_no_other_file(archive):
    lists = {bag.TAG_MANIFEST, bag.MANIFEST}
    for name in files_of(archive / RUNS[1]):
        if name in lists:
            continue
        change_byte(archive / RUNS[1] / name, 3)
        code = "signature_changed" if name == bag.TAG_MANIFEST + bag.SIGNATURE else "file_changed"
        assert found(archive) == {(RUNS[1], name, code)}
        change_byte(archive / RUNS[1] / name, 3)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_flip_truncation_or_growth_of_any_file_is_found_and_named(template, tmp_path, data):
    archive = tmp_path / "archive"
    if not archive.exists():
        shutil.copytree(template / "site" / "archive", archive)
        shutil.copytree(template / "site" / "keys", tmp_path / "keys")
    name = data.draw(st.sampled_from(files_of(archive)))
    whole = (archive / name).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "grow"]))
    if kind == "flip":
        flipped = bytes([whole[place] ^ data.draw(st.integers(1, 255))])
        changed = whole[:place] + flipped + whole[place + 1 :]
    else:
        changed = whole[:place] if kind == "cut" else whole + data.draw(st.binary(min_size=1, max_size=3))
    rewrite(archive / name, changed)
    try:
        assert name in {problem.place() for problem in verify(archive) if problem.is_failure}
    finally:
        rewrite(archive / name, whole)


def test_each_missing_file_is_named(archive):
    for name in files_of(archive):
        path = archive / name
        path.rename(archive.parent / "away")
        assert name in {problem.place() for problem in verify(archive) if problem.is_failure}, name
        (archive.parent / "away").rename(path)
    assert verify(archive) == []


@pytest.mark.parametrize(
    "name",
    [
        "data/pages/added.html",
        "data/added",
        "added.txt",
        "fetch.txt",
        "manifest-sha512.txt",
        "tag/added.txt",
        ".hidden",
    ],
)
def test_an_added_file_is_named(archive, name):
    path = archive / RUNS[1] / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x", encoding="utf-8")
    assert found(archive) == {(RUNS[1], name, "file_extra")}


def test_an_added_empty_folder_is_named(archive):
    (archive / RUNS[1] / "data" / "pages" / "empty").mkdir()
    assert found(archive) == {(RUNS[1], "data/pages/empty", "folder_extra")}


@needs_posix
def test_a_link_is_named_even_where_it_leads_to_the_very_file(archive):
    page = archive / RUNS[1] / "data" / "pages" / "index.html"
    page.rename(archive.parent / "page")
    page.symlink_to(archive.parent / "page")
    (archive / RUNS[1] / "linked").symlink_to(archive.parent)
    assert found(archive) >= {
        (RUNS[1], "data/pages/index.html", "link_extra"),
        (RUNS[1], "data/pages/index.html", "file_missing"),
        (RUNS[1], "linked", "link_extra"),
    }
    shutil.move(archive / RUNS[2], archive.parent / "moved")
    (archive / RUNS[2]).symlink_to(archive.parent / "moved")
    assert (RUNS[2], "", "entry_extra") in found(archive)
    assert (RUNS[2], "", "run_missing") in found(archive)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_removed_run_is_named_whether_first_middle_or_last(archive, number):
    shutil.rmtree(archive / RUNS[number])
    assert found(archive) == {(RUNS[number], "", "run_missing")}
    assert f"number {number + 1} in the chain" in verify(archive)[0].message


def test_two_removed_runs_are_both_told(archive):
    shutil.rmtree(archive / RUNS[1])
    shutil.rmtree(archive / RUNS[2])
    assert found(archive) == {(RUNS[2], "", "run_missing"), ("", "", "run_missing")}


def test_all_runs_removed_are_told(archive):
    for name in RUNS:
        shutil.rmtree(archive / name)
    assert (RUNS[2], "", "run_missing") in found(archive)
    assert len([problem for problem in verify(archive) if problem.code == "run_missing"]) == 3


def test_the_head_record_removed_with_the_last_runs_is_told(archive):
    (archive / chain.HEAD).unlink()
    assert found(archive) == {("", chain.HEAD, "head_missing")}
    shutil.rmtree(archive / RUNS[2])
    shutil.rmtree(archive / RUNS[1])
    assert found(archive) == {("", chain.HEAD, "head_missing")}


def test_two_runs_with_exchanged_names_are_both_named(archive):
    (archive / RUNS[0]).rename(archive / "aside")
    (archive / RUNS[1]).rename(archive / RUNS[0])
    (archive / "aside").rename(archive / RUNS[1])
    assert found(archive) == {(RUNS[0], "", "run_renamed"), (RUNS[1], "", "run_renamed")}
    assert found(archive / RUNS[0]) == {(RUNS[0], "", "run_renamed")}


def test_a_run_copied_under_another_name_is_named(archive):
    shutil.copytree(archive / RUNS[1], archive / "2026-07-monthly")
    assert found(archive) == {("2026-07-monthly", "", "run_copied")}


def test_a_run_of_another_archive_with_another_key_is_named(base, archive):
    shutil.copytree(base / "other" / "archive" / "foreign", archive / "foreign")
    assert ("foreign", bag.TAG_MANIFEST + bag.SIGNATURE, "other_key") in found(archive)
    assert ("foreign", "", "run_added") in found(archive)


def test_a_run_of_another_archive_with_the_same_key_is_named(base, archive, tmp_path):
    shutil.copytree(base / "site" / "keys", tmp_path / "second" / "keys")
    seal_run(tmp_path / "second", "foreign")
    shutil.copytree(tmp_path / "second" / "archive" / "foreign", archive / "foreign")
    assert found(archive) == {("foreign", "", "run_foreign")}
    shutil.copy(tmp_path / "second" / "archive" / chain.HEAD, archive / chain.HEAD)
    assert ("", chain.HEAD, "head_foreign") in found(archive)


def test_a_change_of_the_spare_bits_of_the_head_records_signature_is_found(archive):
    content = (archive / chain.HEAD).read_bytes()
    assert content.endswith(b"==\n")
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    last = letters[letters.index(chr(content[-4])) ^ 1]
    changed = content[:-4] + last.encode() + b"==\n"
    assert base64.b64decode(changed.splitlines()[1]) == base64.b64decode(content.splitlines()[1])
    rewrite(archive / chain.HEAD, changed)
    assert found(archive) == {("", chain.HEAD, "head_changed")}


def test_a_head_record_of_another_key_is_named(base, archive):
    shutil.copy(base / "other" / "archive" / chain.HEAD, archive / chain.HEAD)
    assert found(archive) == {("", chain.HEAD, "head_changed")}


def test_a_run_exchanged_for_its_namesake_of_another_archive_is_named(base, archive):
    shutil.rmtree(archive / RUNS[1])
    shutil.copytree(base / "other" / "archive" / RUNS[1], archive / RUNS[1])
    assert found(archive) == {
        (RUNS[1], bag.TAG_MANIFEST + bag.SIGNATURE, "other_key"),
        (RUNS[1], bag.MANIFEST + bag.SIGNATURE, "other_key"),
        (RUNS[1], bag.TAG_MANIFEST, "chain_broken"),
    }


def test_a_run_sealed_again_by_the_key_holder_breaks_the_chain(base, archive, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(base / "site", again)
    for name in RUNS[1:]:
        shutil.rmtree(again / "archive" / name)
    head = head_of(archive_runs(again / "archive")[0])
    chain.write_head(again / "archive", head, keys.load_private(again / "keys"))
    seal_run(again, RUNS[1], "nothing was found")
    shutil.rmtree(archive / RUNS[1])
    shutil.copytree(again / "archive" / RUNS[1], archive / RUNS[1])
    assert found(archive) == {(RUNS[1], bag.TAG_MANIFEST, "chain_broken")}
    shutil.rmtree(archive / RUNS[2])
    shutil.copytree(again / "archive" / RUNS[1], archive / "second")
    assert (RUNS[2], "", "run_missing") in found(archive)


def test_an_old_head_record_with_more_than_one_later_run_fails(base, archive):
    first = archive_runs(archive)[0]
    chain.write_head(archive, head_of(first), keys.load_private(base / "site" / "keys"))
    assert found(archive) == {(RUNS[1], "", "run_beyond"), (RUNS[2], "", "run_beyond")}


def test_whoever_recomputes_every_hash_and_signs_with_an_own_key_is_found_by_the_sites_key(base, archive):
    shutil.rmtree(archive)
    shutil.copytree(base / "other" / "archive", archive)
    codes = {code for _, _, code in found(archive)}
    assert {"other_key", "key_changed", "head_changed"} <= codes
    assert all((name, bag.TAG_MANIFEST + bag.SIGNATURE, "other_key") in found(archive) for name in RUNS)


def test_hashes_recomputed_without_any_key_are_found(archive):
    folder = archive / RUNS[1]
    rewrite(folder / "data" / "pages" / "index.html", b"<p>nothing was found</p>")
    rewrite_manifests(folder)
    assert found(archive) == {
        (RUNS[1], bag.TAG_MANIFEST + bag.SIGNATURE, "signature_changed"),
        (RUNS[1], bag.MANIFEST + bag.SIGNATURE, "signature_changed"),
        (RUNS[1], bag.TAG_MANIFEST, "chain_broken"),
    }


def rewrite_manifests(folder):
    tree = bag.read_tree(folder).files
    payload = {path: bag.digest_of(tree[path]) for path in tree if path.startswith("data/")}
    rewrite(folder / bag.MANIFEST, bag.manifest_text(payload))
    tags = {path: bag.digest_of(folder / path) for path in bag.TAG_FILES}
    rewrite(folder / bag.TAG_MANIFEST, bag.manifest_text(tags))


def test_without_the_sites_key_the_key_beside_the_evidence_is_used_with_a_warning(base, archive, tmp_path):
    alone = shutil.copytree(archive, tmp_path / "stick" / "archive")
    assert verify(alone) == []
    key = trusted_key(alone)
    assert (key.origin, key.path) == ("beside", alone / keys.PUBLIC_NAME)
    assert "minutes" in key.text()
    assert key.fingerprint in key.text()
    site_key = base / "site" / "keys" / keys.PUBLIC_NAME
    assert trusted_key(archive).origin == trusted_key(archive / RUNS[0]).origin == "beside"  # anyone can add `keys`
    assert trusted_key(archive, site_key=site_key).origin == "site"
    run = shutil.copytree(archive / RUNS[1], tmp_path / "alone" / RUNS[1])
    assert verify(run) == []
    assert trusted_key(run).origin == "beside"
    given_key = base / "other" / "keys" / keys.PUBLIC_NAME
    assert trusted_key(alone, given_key).origin == "given"
    assert "other_key" in {problem.code for problem in verify(alone, given_key)}


def test_a_code_filed_in_the_minutes_shows_an_archive_rolled_back_with_its_head_record(base, archive):
    runs = archive_runs(archive)
    codes = [head_of(run).code() for run in runs]
    assert verify(archive, codes=[codes[0], codes[2].lower()]) == []
    shutil.rmtree(archive / RUNS[2])
    chain.write_head(archive, head_of(runs[1]), keys.load_private(base / "site" / "keys"))
    assert verify(archive) == []
    (told,) = verify(archive, codes=codes)
    assert told.code == "code_unknown"
    assert codes[2] in told.message


@pytest.mark.parametrize("name", ["added.txt", ".DS_Store", "å", "added/"])
def test_whatever_else_lies_in_the_archive_is_named(archive, name):
    path = archive / name
    path.mkdir() if name.endswith("/") else path.write_text("x", encoding="utf-8")
    told = verify(archive)
    assert {problem.run for problem in told} == {bag.shown(name.rstrip("/"))}
    assert all(problem.is_failure and problem.message.isascii() for problem in told)


def test_bytes_in_the_lock_file_are_told(archive):
    (archive / chain.LOCK).write_bytes(b"")
    assert verify(archive) == []
    (archive / chain.LOCK).write_bytes(b"a note")
    assert [(told.file, told.code, told.is_failure) for told in verify(archive)] == [(".lock", "lock_written", True)]


@needs_posix
def test_a_work_folder_with_files_is_excused_only_while_a_sealing_runs(archive):
    (archive / ".work-evil").mkdir()
    assert [told.is_failure for told in verify(archive)] == [False]
    (archive / ".work-evil" / "note.html").write_text("<p>", encoding="utf-8")
    assert [(t.run, t.code, t.is_failure) for t in verify(archive)] == [(".work-evil", "leftover_filled", True)]
    with filelock.FileLock(archive / chain.LOCK):
        assert [told.is_failure for told in verify(archive)] == [False]


@needs_posix
def test_hostile_file_names_are_shown_harmlessly(archive):
    (archive / RUNS[0] / "a\x1b[31m\u202egnp\n.exe").write_text("x", encoding="utf-8")
    os.close(os.open(os.fsencode(archive / RUNS[0]) + b"/\xff", os.O_CREAT | os.O_WRONLY))
    told = {problem.file for problem in verify(archive)}
    assert told == {"a\\x1b[31m\\u202egnp\\n.exe", "\\udcff"}


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_still_checked(archive, monkeypatch):
    digest_of = bag.digest_of

    def broken(path):
        if path.name == "index.html" and RUNS[1] in path.parts:
            raise OSError(5, "Input/output error")
        return digest_of(path)

    monkeypatch.setattr(bag, "digest_of", broken)
    change_byte(archive / RUNS[1] / bag.BAG_INFO, 0)
    assert found(archive) >= {
        (RUNS[1], "data/pages/index.html", "unreadable"),
        (RUNS[1], bag.BAG_INFO, "file_changed"),
    }


@needs_posix
def test_a_pipe_in_a_run_is_named_and_never_opened(archive):
    os.mkfifo(archive / RUNS[1] / "data" / "pipe")
    os.mkfifo(archive / "pipe")
    assert found(archive) == {(RUNS[1], "data/pipe", "link_extra"), ("pipe", "", "entry_extra")}


def test_a_path_in_a_list_that_leads_out_of_the_run_is_never_followed(archive):
    outside = f"{'0' * 64}  ../../../../etc/passwd\n".encode()
    rewrite(archive / RUNS[0] / bag.MANIFEST, outside)
    rewrite(archive / RUNS[0] / bag.TAG_MANIFEST, outside)
    assert {problem.run for problem in verify(archive)} == {RUNS[0]}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"[" * 100_000, b"\xff", b'{"predicate": []}'])
def test_a_statement_or_head_record_of_any_form_is_survived(archive, content):
    rewrite(archive / RUNS[1] / bag.STATEMENT, content)
    rewrite(archive / chain.HEAD, content + b"\nAAAA\n")
    assert found(archive) >= {(RUNS[1], bag.STATEMENT, "file_changed"), ("", chain.HEAD, "head_changed")}
    assert [run.name for run in archive_runs(archive)] == [RUNS[0], RUNS[2]]


def test_a_run_reduced_to_an_empty_folder_is_named(archive):
    shutil.rmtree(archive / RUNS[1])
    (archive / RUNS[1]).mkdir()
    assert (RUNS[1], bag.TAG_MANIFEST, "file_missing") in found(archive)
    assert (RUNS[1], bag.STATEMENT, "file_missing") in found(archive)


def test_nothing_to_verify_is_never_taken_for_whole(tmp_path, base):
    with pytest.raises(UsageError, match="no folder"):
        verify(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert found(tmp_path / "empty") == {("", "", "nothing_found")}
    key = base / "site" / "keys" / keys.PUBLIC_NAME
    (tmp_path / "empty" / "note.txt").write_text("x", encoding="utf-8")
    assert ("", "", "nothing_found") in found(tmp_path / "empty", key)
    with pytest.raises(KeyFileError, match="No public key"):
        verify(tmp_path / "empty")


def test_every_text_can_be_filled_and_translated(monkeypatch):
    for template in (*TEXTS.values(), *KEY_TEXTS.values()):
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name]
        assert template.format(**dict.fromkeys(names, "x"))
    problem = Problem("run", "file", "run_missing", (("number", "3"),))
    assert problem.text() == "run/file: The run, number 3 in the chain, was removed."
    monkeypatch.setattr(problems, "translator", lambda language: lambda text: f"{language} {text}")
    assert problem.text("nb") == "run/file: nb The run, number 3 in the chain, was removed."
    assert problem.place() == "run/file"
