"""The service seals what is asked for: once, for the file's owner, and tells what it refuses; here of one user."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typer.testing import CliRunner

from audit_kernel.cases import lines, work
from audit_kernel.cli import app
from audit_kernel.errors import RunError, UsageError
from audit_kernel.evidence.verify import verify
from audit_kernel.extract_journal import extracts
from audit_kernel.extracts import Request
from audit_kernel.journal import Journal
from audit_kernel.sealing import asking, service
from audit_kernel.sealing.asking import CaseCopy, SealRequest, ask_for_copy, ask_for_extract, read_answers, told
from audit_kernel.sealing.service import seal_requests
from audit_kernel.site import create_site
from audit_kernel.use_log import operating_system_user
from tests.investigation.small_site import PATIENT, make_site

NUMBER = "sak 2026/17"
COPY = CaseCopy(number=NUMBER, recipient="internal", language="en")
EXTRACT = Request("E1", "2026-10-01", "2026-10-31", NUMBER, language="en", kind="employee")


def with_box(site):
    """Make what root's tmpfiles file makes where there are many users."""
    site.asked_folder.mkdir(mode=0o700)
    site.copies_folder.mkdir(mode=0o700)
    site.copies_folder.chmod(0o2750)
    return site


@pytest.fixture
def site(tmp_path):
    site = with_box(create_site(tmp_path / "site", "NO", "Nordli"))
    work.start_case(site, NUMBER, "who read it?")
    return site


def handled(site):
    return [each.answer for each in seal_requests(site)]


def put(site, content, name="ab" * 16, mode=0o640):
    path = site.asked_folder / f"{name}.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(mode)
    return path


def bags(site):
    return [path.name for path in site.restricted_folder.glob("*-case-*")]


def test_a_copy_that_was_asked_for_is_sealed_copied_and_told(site):
    ask_for_copy(site, COPY)
    assert told(site, "case", NUMBER, "en").sentences[0].endswith("Open this again to see it.")
    (answer,) = handled(site)
    assert (answer.state, answer.asked_by, bags(site)) == ("sealed", operating_system_user(), [answer.run])
    copy = site.copies_folder / answer.run
    assert verify(copy, site.keys_folder) == []
    assert {path.stat().st_mode & 0o777 for path in copy.rglob("*")} == {0o440, 0o750}
    assert told(site, "case", " SAK 2026/17", "en").pages == [f"site/copies/{answer.page}"]
    assert told(site, "case", "sak 2026/18", "en").pages == []
    entry = lines.find(site, NUMBER).entries[-1]
    assert (entry.user, entry["through"], entry["run"]) == (answer.asked_by, operating_system_user(), answer.run)
    assert told(site, "case", NUMBER, "en").sentences == []  # nothing was left out of it
    assert list(site.asked_folder.iterdir()) == []
    assert handled(site) == []


def test_a_site_of_one_user_has_no_letter_box_and_seals_at_once(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    assert not asking.must_ask(site, site.restricted_folder)
    with pytest.raises(UsageError, match="no letter box"):
        handled(site)
    assert not asking.must_ask(with_box(site), site.restricted_folder)  # the key and the archive are one's own


def test_who_has_no_key_or_may_not_write_the_archive_has_to_ask(site, monkeypatch):
    for refused in (site.keys_folder / "signing-key.pem", site.restricted_folder):
        monkeypatch.setattr(os, "access", lambda path, _mode, refused=refused: path != refused)
        assert asking.must_ask(site, site.restricted_folder)
        monkeypatch.undo()


def test_what_cannot_be_made_is_refused_when_it_is_asked_for(site):
    for copy in (
        COPY.model_copy(update={"number": "sak 1/1"}),
        COPY.model_copy(update={"recipient": "nobody"}),
        COPY.model_copy(update={"language": "../en"}),
        COPY.model_copy(update={"recipient": "authority", "person": "x" * 30_000}),
    ):
        with pytest.raises(UsageError):
            ask_for_copy(site, copy)
    assert list(site.asked_folder.iterdir()) == []


def test_a_refusal_is_told_in_the_askers_language_and_not_in_what_systemd_keeps(site):
    put(site, {"case": {"number": "sak 1/1", "recipient": "internal", "language": "en"}})
    done = CliRunner().invoke(app, ["seal", "--site", str(site.folder)])
    assert (done.exit_code, done.output.strip()) == (2, f"{operating_system_user()}: refused")
    (answer,) = read_answers(site)
    assert answer.said[0].startswith("Not sealed: There is no case 'sak 1/1'.")
    (sentence,) = told(site, "case", "sak 1/1", "en").sentences
    assert sentence.endswith(answer.said[0])


def test_sealing_that_was_killed_is_told_and_not_done_a_second_time(site, monkeypatch):
    class KilledError(BaseException):
        pass

    def killed(*_arguments):
        raise KilledError

    ask_for_copy(site, COPY)
    monkeypatch.setattr(service, "_copied", killed)
    with pytest.raises(KilledError):
        handled(site)
    monkeypatch.undo()
    (sentence,) = told(site, "case", NUMBER, "en").sentences
    assert sentence.endswith("It is being sealed now.")
    (answer,) = handled(site)
    assert (answer.state, len(bags(site)), list(site.asked_folder.iterdir())) == ("interrupted", 1, [])
    assert "not tried again by itself" in told(site, "case", NUMBER, "en").sentences[0]


def test_one_that_was_killed_after_its_answer_is_taken_out_and_nothing_more(site, monkeypatch):
    ask_for_copy(site, COPY)
    (path,) = site.asked_folder.iterdir()
    content = path.read_bytes()
    (answer,) = handled(site)
    put(site, content, name=path.stem)
    assert handled(site) == []
    assert (read_answers(site), len(bags(site)), list(site.asked_folder.iterdir())) == ([answer], 1, [])


def test_a_disk_that_is_full_when_the_copy_is_written_is_told_with_the_runs_name(site, monkeypatch):
    ask_for_copy(site, COPY)
    monkeypatch.setattr(service, "copy_synced", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    (answer,) = handled(site)
    assert (answer.state, answer.run) == ("refused", "")
    assert bags(site)[0] in answer.said[0]
    assert not [path for path in site.copies_folder.iterdir() if path.is_dir()]


def test_what_is_no_request_is_taken_out_and_does_nothing(site, tmp_path):
    wanted = {"case": {"number": NUMBER, "recipient": "internal"}}
    ours = put(site, wanted, name="0" * 32)
    ours.rename(tmp_path / "request.json")
    put(site, {**wanted, "user": "kari"}, "1" * 32)
    put(site, json.dumps(wanted).encode().ljust(asking.LARGEST + 1), "2" * 32)
    put(site, wanted, "3" * 32, 0o660)
    put(site, wanted, "evil\nname")
    put(site, b"[" * 15_000, "4" * 32)
    put(site, {**wanted, "extract": None, "case": {**wanted["case"], "with_texts": "yes"}}, "5" * 32)
    (site.asked_folder / f"{'6' * 32}.json").symlink_to(tmp_path / "request.json")
    (site.asked_folder / f"{'7' * 32}.json").hardlink_to(tmp_path / "request.json")
    os.mkfifo(site.asked_folder / f"{'8' * 32}.json")
    (site.asked_folder / f"{'9' * 32}.json").mkdir()
    answers = handled(site)
    assert ({each.state for each in answers}, len(answers)) == ({"refused"}, 10)
    assert (bags(site), list(site.asked_folder.iterdir())) == ([], [])
    used = [line["entry"] for line in Journal(site.journals_folder / "use_log.jsonl").entries()]
    assert len([each for each in used if each["activity"] == "seal_refused"]) == 10
    assert "En fil fra deg i postkassen" in told(site, "case", NUMBER, "nb").sentences[0]


def test_a_folder_that_only_root_can_remove_holds_nobody_up(site):
    (site.asked_folder / "aa").mkdir()
    (site.asked_folder / "aa" / "file").touch()
    ask_for_copy(site, COPY)
    assert sorted(each.state for each in handled(site)) == ["refused", "sealed"]
    assert [path.name for path in site.asked_folder.iterdir()] == ["aa"]


def test_who_is_in_the_group_no_more_is_refused(site, monkeypatch):
    ask_for_copy(site, COPY)
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [])
    assert ([each.state for each in handled(site)], bags(site)) == (["refused"], [])


def test_another_than_the_owner_seals_nothing(site, monkeypatch):
    ask_for_copy(site, COPY)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(RunError, match="by the owner"):
        handled(site)


def test_a_refusal_stands_beside_what_was_sealed_after_it_and_is_the_askers_alone(site, monkeypatch):
    put(site, {"case": {"number": NUMBER, "recipient": "police", "identity": "full", "language": "en"}})
    assert [each.state for each in handled(site)] == ["refused"]
    ask_for_copy(site, COPY)
    assert [each.state for each in handled(site)] == ["sealed"]
    assert "Not sealed: An export for 'police'" in told(site, "case", NUMBER, "en").sentences[0]
    monkeypatch.setattr(asking, "operating_system_user", lambda: "ola")
    other = told(site, "case", NUMBER, "en")
    assert (len(other.pages), other.sentences) == (1, [])


def test_a_request_that_waits_too_long_is_told(site, monkeypatch):
    ask_for_copy(site, COPY)
    later = datetime.now(UTC) + timedelta(minutes=6)
    monkeypatch.setattr(asking, "utc_now", lambda: later)
    assert "nothing is being sealed" in told(site, "case", NUMBER, "en").sentences[0]


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: json.dumps({"case": text}).encode()))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_lie_in_the_letter_box_nothing_is_sealed_and_nothing_stays(site, content):
    put(site, content)
    assert {each.state for each in handled(site)} == {"refused"}
    assert (bags(site), list(site.asked_folder.iterdir())) == ([], [])


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A site with a log, and a letter box."""
    site = with_box(make_site(tmp_path_factory.mktemp("logged"), "NO")[0])
    work.start_case(site, NUMBER, "who read it?", patients=[PATIENT])
    return site


def test_an_extract_is_made_for_who_asked_and_every_look_up_behind_it_says_so(logged):
    site = logged
    with pytest.raises(UsageError):
        ask_for_extract(site, replace(EXTRACT, number=PATIENT, kind="patient", recipient="nobody"))
    ask_for_extract(site, EXTRACT)
    assert told(site, "extract", None, "en").sentences[0].startswith("Asked for at")
    use_log = Journal(site.journals_folder / "use_log.jsonl")
    before = len(list(use_log.entries()))
    (answer,) = handled(site)
    assert (answer.state, answer.kind, answer.about) == ("sealed", "extract", NUMBER), answer.said
    used = [line["entry"] for line in list(use_log.entries())[before:]]
    assert {"open", "report", "answered"} <= {each["activity"] for each in used}  # the notebook's own among them
    assert {(each["user"], each["through"]) for each in used} == {(answer.asked_by, operating_system_user())}
    (made,) = extracts(site)
    assert (made.bag, made.requested != "") == (answer.run, True)
    assert f"The extract {made.extract_id} for the employee" in told(site, "extract", NUMBER, "en").sentences[0]
    assert verify(site.copies_folder / answer.run, site.keys_folder) == []


def test_a_request_names_one_thing_to_seal():
    for wrong in ({}, {"case": COPY.model_dump(), "extract": {"number": "1"}}):
        with pytest.raises(ValidationError):
            SealRequest.model_validate_json(json.dumps(wrong))
