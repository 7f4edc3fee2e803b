"""A case line by line: who may see it, what is added and decided, and that nothing said is lost or changed."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from audit_kernel.cases import lines, work
from audit_kernel.cases.case import normalised
from audit_kernel.cli import main
from audit_kernel.errors import JournalError, RunError, UsageError
from audit_kernel.evidence.journals import broken_journals
from audit_kernel.evidence.retention import Rule, evidence_lines
from audit_kernel.journal import Journal
from audit_kernel.site import Site, create_site
from audit_kernel.use_log import FILE, operating_system_user
from tests.evidence.hostile_site import HOSTILE

REASON = "no_need_in_the_work"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    return create_site(tmp_path_factory.mktemp("cases") / "site", "NO")


@pytest.fixture
def number(request) -> str:
    """A number of the test's own."""
    return f"sak {request.node.name}"[-90:]


@pytest.fixture
def become(monkeypatch):
    """Work as another user of the operating system."""

    def change(name):
        for module in ("use_log", "cases.lines", "cases.work"):
            monkeypatch.setattr(f"audit_kernel.{module}.operating_system_user", lambda: name)

    return change


def used(site):
    return [line["entry"] for line in Journal(site.journals_folder / FILE).entries()]


def test_a_case_says_its_number_purpose_period_and_the_routine_in_force(site, number):
    case = work.start_case(site, number, "who read it?", from_date="2026-08-01", to_date="2026-10-31", readers=["kari"])
    assert (case.number, case.purpose, case.period) == (number, "who read it?", ("2026-08-01", "2026-10-31"))
    assert case.readers == (operating_system_user(), "kari")
    assert case.routine == {"name": "", "version": "", "person_responsible": ""}
    assert (case.is_open, case.subjects, case.decisions) == (True, (), {})
    assert case.path.stat().st_mode & 0o077 == 0


def test_statements_of_sealed_runs_name_a_journal_that_does_not_say_the_number(site):
    case = work.start_case(site, "Sak 2026/999", "a gap in the log")
    assert "999" not in case.path.name
    assert lines.find(site, " SAK2026/ 999").path == case.path
    assert normalised("Sak 2026/17") == normalised("sak  2026/17")
    assert normalised("sak 2026/17") != normalised("sak 2026/171")


def test_a_second_case_of_the_same_number_is_refused_also_when_both_open_at_once(site, number, monkeypatch):
    work.start_case(site, number, "the first")
    with pytest.raises(UsageError, match="already"):
        work.start_case(site, number.upper(), "the second")
    monkeypatch.setattr(work, "_refuse_second", lambda _site, _number: None)  # as if none had been there
    with pytest.raises(UsageError, match="already"):
        work.start_case(site, number, "the second")
    assert lines.find(site, number).purpose == "the first"


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"number": "x"}, "No purpose"),
        ({"number": "sak\n1"}, "printable"),
        ({"number": "s" * 101}, "printable"),
        ({"purpose": " "}, "No purpose"),
        ({"from_date": "2026-02-30"}, "no day"),
        ({"from_date": "2026-03-01", "to_date": "2026-02-01"}, "ends"),
    ],
)
def test_a_case_without_number_purpose_or_right_period_is_not_opened(site, number, wrong, match):
    before = len(lines.cases(site))
    with pytest.raises(UsageError, match=match):
        work.start_case(site, **{"number": number, "purpose": "why", **wrong})
    assert len(lines.cases(site)) == before


def test_one_who_is_not_named_sees_nothing_and_the_attempt_is_in_the_use_log(site, number, become):
    work.start_case(site, number, "secret", readers=["kari"])
    become("kari")
    work.add_note(site, number, "said by kari")
    become("ola")
    for attempt in (
        lambda: lines.open_case(site, number, "case_show"),
        lambda: work.add_note(site, number, "said by ola"),
        lambda: work.share(site, number, "ola"),
    ):
        with pytest.raises(RunError, match="not for the user 'ola'"):
            attempt()
        said = {name: used(site)[-1][name] for name in ("user", "purpose", "activity", "case")}
        assert said == {"user": "ola", "purpose": number, "activity": "case_refused", "case": number}
    assert [case.number for case in lines.seen_cases(site)[0] if case.number == number] == []
    become("kari")
    case = work.share(site, number, "ola")
    assert [entry["text"] for entry in case.notes] == ["said by kari"]
    become("ola")
    assert work.add_note(site, number, "said by ola").notes[-1].user == "ola"
    work.share(site, number, operating_system_user(), ends=True)
    work.share(site, number, "kari", ends=True)
    with pytest.raises(UsageError, match="Nobody would be left"):
        work.share(site, number, "ola", ends=True)
    with pytest.raises(UsageError, match="already"):
        work.share(site, number, "ola")


def test_what_cannot_be_written_into_the_use_log_is_not_shown(site, number, monkeypatch):
    work.start_case(site, number, "why")

    def fail(*_arguments):
        raise JournalError("x", "y")

    monkeypatch.setattr(lines, "record_use", fail)
    with pytest.raises(JournalError):
        lines.open_case(site, number, "case_show")
    with pytest.raises(JournalError):
        lines.seen_cases(site)


def test_a_damaged_case_is_told_after_those_that_can_be_read(tmp_path, capsys, monkeypatch):
    site = create_site(tmp_path / "site", "SE")
    work.start_case(site, "whole", "why")
    path = work.start_case(site, "damaged", "why").path
    path.write_bytes(path.read_bytes().replace(b"damaged", b"altered"))
    monkeypatch.setattr(sys, "argv", ["audit-kernel", "case", "list", "--site", str(site.folder)])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr()
    assert ended.value.code == JournalError.exit_code
    assert "whole" in printed.out
    assert path.name in printed.err.replace("\n", "")
    (seen,), n_others, (error,) = lines.seen_cases(site)
    assert (seen.number, n_others, path.name in str(error)) == ("whole", 0, True)
    with pytest.raises(JournalError):  # what is disposed of hangs on whether one is open
        work.is_any_open(site)


def test_what_keeps_a_case_from_closing_is_said_in_the_readers_words(site, number):
    work.start_case(site, number, "why")
    with pytest.raises(RunError) as refused:
        work.close(site, number, "done")
    assert refused.value.problem == "The case is not finished: A decision."
    assert refused.value.parts("sv")[0] == "Ärendet är inte färdigt: Ett beslut."


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=some.text(min_size=1, max_size=200) | some.sampled_from(HOSTILE))
def test_every_note_is_read_as_it_was_written(site, text):
    number = "sak of notes"
    if not any(case.number == number for case in lines.cases(site)):
        work.start_case(site, number, "notes")
    before = [entry["text"] for entry in lines.find(site, number).notes]
    if not text.strip():
        with pytest.raises(UsageError, match="empty"):
            work.add_note(site, number, text)
        return
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no place in JSON
        with pytest.raises(JournalError):
            work.add_note(site, number, text)
        assert [entry["text"] for entry in lines.find(site, number).notes] == before
        return
    assert [entry["text"] for entry in work.add_note(site, number, text).notes] == [*before, text]


def test_a_conversation_and_an_explanation_say_with_whom(site, number):
    work.start_case(site, number, "why")
    with pytest.raises(UsageError, match="with whom"):
        work.add_note(site, number, "I was on duty", "explanation")
    with pytest.raises(UsageError, match="no kind"):
        work.add_note(site, number, "x", "rumour")
    case = work.add_note(site, number, "I was on duty", "explanation", who="E1042", on="2026-11-02")
    assert [(entry.did, entry["who"], entry["on"], entry["text"]) for entry in case.notes] == [
        ("explanation", "E1042", "2026-11-02", "I was on duty")
    ]


def test_a_later_decision_holds_and_the_earlier_stays(site, number):
    work.start_case(site, number, "why")
    for wrong in (("guilty", REASON, "x"), ("justified", REASON, "x"), ("unjustified", REASON, " ")):
        with pytest.raises(UsageError):
            work.decide(site, number, *wrong)
    with pytest.raises(UsageError, match="not about 'E9'"):
        work.decide(site, number, "unjustified", REASON, "x", about="E9")
    work.decide(site, number, "unjustified", REASON, "no care relation")
    case = work.decide(site, number, "justified", "cover_or_on_call", "the roster was wrong")
    assert [(entry["decision"], entry["text"]) for entry in case.of_kind("decided")] == [
        ("unjustified", "no care relation"),
        ("justified", "the roster was wrong"),
    ]
    assert case.decisions["case"]["decision"] == "justified"


def test_an_undecided_case_closes_with_a_reason_only_and_a_closed_one_takes_no_word(site, number):
    work.start_case(site, number, "why")
    with pytest.raises(RunError, match="not finished: A decision"):
        work.close(site, number, "ended")
    case = work.close(site, number, "ended", open_reason="the employee died")
    assert (case.is_open, case.entries[-1]["left_open"]) == (False, ["decision"])
    with pytest.raises(RunError, match="closed"):
        work.add_note(site, number, "too late")
    assert work.reopen(site, number, "the patient wrote again").is_open
    with pytest.raises(UsageError, match="is open"):
        work.reopen(site, number, "once more")
    work.decide(site, number, "justified", "cover_or_on_call", "on call")
    assert not work.close(site, number, "ended").is_open


def test_an_open_case_keeps_all_sealed_evidence_and_a_damaged_one_stops_disposal(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    rule = Rule(5, 5, "decision", None)
    assert not work.is_any_open(site)
    case = work.start_case(site, "sak 2026/17", "why")
    assert work.is_any_open(site)
    work.close(site, case.number, "ended", open_reason="a trial")
    assert not work.is_any_open(site)
    assert broken_journals(site) == []
    case.path.write_bytes(case.path.read_bytes().replace(b'"why"', b'"who"'))
    assert [name for name, _text in broken_journals(site)] == [case.path.name]
    with pytest.raises(JournalError, match="What is held is not known"):
        evidence_lines(site, rule, None)


def test_the_use_log_says_who_opened_what_before_it_is_shown(site, number):
    work.start_case(site, number, "why")
    lines.open_case(site, number, "case_show")
    last = used(site)[-1]
    assert (last["user"], last["purpose"], last["activity"], last["about"]) == (
        operating_system_user(), number, "case_show", {},
    )  # fmt: skip
    assert json.dumps(used(site)).count("case_open") >= 1
