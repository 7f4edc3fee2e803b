"""The reviewer's page without a browser: what each button does, shows and leaves behind, and what it never shows."""

from __future__ import annotations

import json
from datetime import date

import pytest

from audit_kernel import decisions
from audit_kernel.errors import MonthIncompleteError
from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.harmless import harmless
from audit_kernel.investigation.widgets import HIDDEN, SHOWN
from audit_kernel.operating.desk import Desk, Worker
from audit_kernel.review import acting, deciding, review, work
from audit_kernel.review.page import ReviewPage
from audit_kernel.review.prepare import Prepared
from tests.review.two_lists import HOSTILE, MONTH, english_site, make_lists, say, subject

GIVEN = {"decision": "justified", "reason": "care_of_the_patient", "remark": "on the rota"}


def at_once(job):
    job()


@pytest.fixture
def site(tmp_path):
    return english_site(tmp_path / "site")


@pytest.fixture
def prepared(monkeypatch):
    """The month's lists as if a sealed run gave them."""
    made = Prepared(make_lists(), ["No protected person is known."])
    monkeypatch.setattr(work, "prepare_lists", lambda *_: made)
    return made


@pytest.fixture
def section(site, prepared):
    return ReviewPage(Desk(site, date(2026, 11, 20), Worker(at_once))).work


def acts_as(monkeypatch, reviewer: str) -> None:
    for module in (acting, deciding, work):
        monkeypatch.setattr(module, "acting_reviewer", lambda *_: reviewer)


def press(form, action="", **given):
    """Use a form's button, as the browser says it."""
    values = {field["name"]: field.get("value") or "" for field in form.texts["fields"]}
    content = {"kind": "search", "values": {**values, **given, **({"action": action} if action else {})}}
    form._receive(form, content, [])


def choose(section, row: int) -> None:
    table = section.tables[0]
    table._receive(table, {"kind": "choose", "row": row}, [])


def begin(section):
    press(section.form, purpose="review of October")
    assert section.form.error == {}


def rows(section):
    return section.tables[0].view["rows"]


def test_nothing_is_shown_before_a_purpose_and_a_month(section, site):
    for given, field in (({"purpose": " "}, "purpose"), ({"purpose": "review", "month": "october"}, "")):
        press(section.form, **given)
        assert section.form.error["field"] == field
        assert section.form.error["problem"]
        assert section.tables[0].view == {}
    assert decisions.lists(site) == []


def test_a_reviewer_gets_their_own_list_and_no_word_of_another_s(section, site, monkeypatch):
    acts_as(monkeypatch, "R1")
    begin(section)
    assert [row[0] for row in rows(section)] == ["1", "2", "3"]
    assert ["Reviewer", "Rut Rask"] in section.answer.view["facts"]
    shown = json.dumps([section.answer.view, section.tables[0].view])
    assert not [word for word in ("Mona", "M1", "second", "twice", "protected") if word in shown]
    assert [entry["reviewer_id"] for entry in decisions.lists(site)] == ["R1"]
    begin(section)
    assert len(decisions.lists(site)) == 1  # the same list goes out once


def test_a_reviewer_without_rows_is_told_so(section, site, monkeypatch):
    acts_as(monkeypatch, "X9")
    begin(section)
    assert section.answer.view["question"] == "Nothing of this month is yours to review."
    assert section.tables[0].view == {}
    assert decisions.lists(site) == []


def test_cells_are_those_of_the_workbook_and_hostile_text_is_made_visible(section, prepared, monkeypatch):
    acts_as(monkeypatch, "M1")
    begin(section)
    assert [row[2:] for row in rows(section)] == [
        [harmless(cell) for cell in each.cells] for each in prepared.lists[0].rows
    ]
    choose(section, 0)
    view = section.row_trail.view
    assert dict(map(tuple, view["facts"]))["Patient"] == f"Per {harmless(HOSTILE)}"
    assert "\u202e" not in json.dumps([view, section.tables[0].view], ensure_ascii=False)


def test_a_row_is_decided_saved_as_one_line_and_the_next_open_row_opens(section, site, monkeypatch):
    acts_as(monkeypatch, "M1")
    begin(section)
    choose(section, 0)
    assert section.deciding.layout.display == SHOWN
    press(section.entry, **GIVEN)
    assert section.entry.error == {}
    entry = [line["entry"] for line in decisions.journal(site).entries()][-1]
    assert "file_sha256" not in entry
    assert (entry["kind"], entry["reviewer_id"], entry["list_id"]) == ("decisions", "M1", "1f" * 8)
    assert entry["decisions"] == [{"kind": "sample", "key": subject(1)[1], **GIVEN}]
    assert rows(section)[0][1] == "Justified"
    assert section.row_trail.view["title"] == "Row 2"
    assert section.entry.texts["title"] == "Decision about row 2"  # so it is drawn anew, without what was typed
    assert section.row_trail.view["status"] == "Saved: row 1, Justified."
    for _number in (2, 3):
        press(section.entry, **GIVEN)
    assert section.deciding.layout.display == HIDDEN
    assert section.answer.view["question"].startswith("Every row is decided.")
    assert set(decisions.decided(site, MONTH)) == {subject(number) for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"decision": ""}, "decision"),
        ({"reason": ""}, "reason"),
        ({"reason": "no_need_in_the_work"}, "reason"),
        ({"remark": "  "}, "remark"),
        ({"remark": "x" * 1001}, "remark"),
    ],
)
def test_each_of_the_three_is_required_and_what_is_wrong_is_said_at_its_field(section, site, monkeypatch, wrong, field):
    acts_as(monkeypatch, "M1")
    begin(section)
    choose(section, 1)
    press(section.entry, **{**GIVEN, **wrong})
    assert section.entry.error["field"] == field
    assert section.row_trail.view["title"] == "Row 2"
    assert decisions.decided(site, MONTH) == {}


def test_the_reasons_offered_are_those_of_the_decision(section, monkeypatch):
    acts_as(monkeypatch, "M1")
    begin(section)
    choose(section, 0)
    (reason,) = (field for field in section.entry.texts["fields"] if field["name"] == "reason")
    assert reason["follows"] == "decision"
    of = {code: decision for code, _label, decision in reason["options"]}
    assert (of[""], of["care_of_the_patient"], of["no_need_in_the_work"]) == ("", "justified", "unjustified")


def test_an_earlier_decision_is_shown_and_a_change_is_added(section, site, monkeypatch):
    acts_as(monkeypatch, "M1")
    begin(section)
    choose(section, 0)
    press(section.entry, **GIVEN)
    choose(section, 0)
    assert {field["name"]: field["value"] for field in section.entry.texts["fields"]} == GIVEN
    (said,) = section.row_trail.view["notices"]
    assert said.startswith("Decided by M1, ")
    assert said.endswith("Justified, took part in the patient's care. “on the rota”")
    press(section.entry)
    assert section.row_trail.view["status"] == "Row 1 was decided so already: Justified."
    choose(section, 0)
    press(section.entry, decision="unjustified", reason="no_need_in_the_work")
    assert decisions.decided(site, MONTH)[subject(1)]["decision"] == "unjustified"
    said = [each["decision"] for each in decisions.opinions(site, MONTH)[subject(1)].first]
    assert said == ["justified", "unjustified"]


def test_back_to_the_list_saves_nothing_and_an_error_of_the_month_gets_its_sentence(section, site, monkeypatch):
    acts_as(monkeypatch, "M1")
    begin(section)
    choose(section, 2)
    press(section.entry, "leave", **GIVEN)
    assert section.deciding.layout.display == HIDDEN
    assert section.tables[0].view["marked"] == 2
    assert decisions.decided(site, MONTH) == {}

    def fail(*_):
        raise MonthIncompleteError("Not everything ran: own_record failed.", "Run the month again.")

    monkeypatch.setattr(work, "prepare_lists", fail)
    press(section.form, purpose="review")
    assert section.form.error["problem"].startswith("Not everything ran")
    assert section.tables[0].view == {}


def test_the_operator_chooses_a_list_sees_the_warnings_and_settles_where_two_differ(section, site, prepared):
    begin(section)
    assert [row[:3] for row in rows(section)] == [["Mona Moe", "3", "3"], ["Rut Rask", "3", "3"]]
    assert section.answer.view["notices"] == ["No protected person is known."]
    choose(section, 0)
    assert ["Reviewer", "Mona Moe"] in section.answer.view["facts"]
    choose(section, 0)
    press(section.entry, **GIVEN)
    begin(section)
    choose(section, 1)
    entry = next(each for each in decisions.lists(site) if each["reviewer_id"] == "R1")
    say(site, entry, 1, "unjustified", HOSTILE)
    begin(section)
    assert rows(section)[-1][:3] == ["To settle: two reviewers differ", "1", "1"]
    choose(section, 2)
    assert rows(section)[0][1:4] == ["Open", "Justified", "Unjustified"]
    choose(section, 0)
    notices = section.row_trail.view["notices"]
    assert [text.split(",")[0] for text in notices] == ["First reviewer", "Second reviewer"]
    assert harmless(HOSTILE) in notices[1]
    assert decisions.decided(site, MONTH) == {}
    press(section.entry, decision="follow_up", reason="ask_the_employee", remark="I ask")
    assert section.entry.error == {}
    assert rows(section)[0][1] == "To follow up"
    assert decisions.decided(site, MONTH)[subject(1)]["decision"] == "follow_up"
    begin(section)
    assert len(rows(section)) == 2


def test_the_page_s_own_words_tell_nothing_and_without_a_site_there_is_a_sentence(section, monkeypatch, tmp_path):
    assert repr(section) == "<WorkSection>"
    assert repr(ReviewPage(section.desk)) == "<ReviewPage>"
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(tmp_path / "none"))
    assert isinstance(review(), Paragraph)
