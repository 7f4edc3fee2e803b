"""The drill without a browser: purpose, -141, a row, -140, a row, -119, and the way back."""

from __future__ import annotations

import json
import time
from datetime import date
from threading import Thread

import pytest

from audit_kernel.errors import JournalError, NotAssessableError, StoreError, UnknownSubjectError, UsageError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.investigation.page import InvestigationPage
from tests.investigation.fake_store import HOSTILE, N_EVENTS, FakeStore

QUESTION = {
    "purpose": "sak 2026/17",
    "patient_id": "P1",
    "employee_id": "",
    "from_date": "2026-10-01",
    "to_date": "2026-10-31",
}


class Opened(list):
    def __call__(self, purpose):
        self.append(FakeStore(purpose))
        return self[-1]


@pytest.fixture
def opened():
    return Opened()


@pytest.fixture
def page(opened):
    return InvestigationPage(opened, "en", "Europe/Oslo", date(2026, 11, 22))


def ask(page, **changes):
    page.form._receive(page.form, {"kind": "search", "values": QUESTION | changes}, [])


def choose(page, row):
    page.table._receive(page.table, {"kind": "choose", "row": row}, [])


def go(page, row, way):
    page.table._receive(page.table, {"kind": "way", "row": row, "way": way}, [])


def press(page, action, **changes):
    ask(page, action=action, **changes)


def reports(store):
    return [name for name, _ in store.asked]


def shows_nothing(page):
    return page.table.view == {} and page.trail.view == {} and page.charts.layout.display == "none"


def test_the_page_begins_with_the_form_and_the_last_three_months(page):
    fields = {field["name"]: field for field in page.form.texts["fields"]}
    assert list(fields) == ["purpose", "patient_id", "employee_id", "period", "from_date", "to_date", "finding"]
    assert fields["period"]["options"][0][0] == "last_3_months"
    assert (fields["from_date"]["value"], fields["to_date"]["value"]) == ("2026-08-22", "2026-11-22")
    assert shows_nothing(page)


@pytest.mark.parametrize("purpose", ["", "   ", "ab"])
def test_without_a_purpose_no_store_is_opened_and_nothing_shown(page, opened, purpose):
    ask(page, purpose=purpose)
    assert opened == []
    assert page.form.error["field"] == "purpose"
    assert page.form.error["problem"] == "No purpose was given: nothing is shown without one."
    assert shows_nothing(page)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"patient_id": " "}, "patient_id"),
        ({"from_date": ""}, "from_date"),
        ({"to_date": "31.10.2026"}, "to_date"),
        ({"from_date": "2026-11-01"}, "to_date"),
    ],
)
def test_an_incomplete_question_names_its_field_and_asks_nothing(page, opened, changes, field):
    ask(page, **changes)
    assert opened == []
    assert page.form.error["field"] == field
    assert page.form.error["remedy"]
    assert shows_nothing(page)


def test_a_patient_leads_from_activity_through_detailed_activity_to_the_system_log(page, opened):
    ask(page)
    assert [name for name, _ in opened[0].asked] == ["activity", "timeline", "hour_map"]
    assert page.trail.view["crumbs"] == ["Activity"]
    assert page.table.view["action"] == "Detailed activity"
    choose(page, 1)
    name, asked = opened[0].asked[3]
    assert (name, asked["patient_id"], asked["employee_id"]) == ("detailed_activity", "P1", "E001")
    assert (asked["from_date"], asked["to_date"]) == (date(2026, 10, 1), date(2026, 10, 31))
    choose(page, 4)
    assert reports(opened[0])[4:7] == ["timeline", "hour_map", "access_reasons"]
    name, asked = opened[0].asked[7]
    assert (name, asked["patient_id"], asked["employee_id"]) == ("system_log", "P1", "E001")
    # 2026-10-02 02:15 UTC is the second of October in Oslo too.
    assert (asked["from_date"], asked["to_date"]) == (date(2026, 10, 2), date(2026, 10, 2))
    assert page.trail.view["crumbs"] == ["Activity", "Detailed activity", "System log"]
    assert page.table.view["action"] == ""
    assert page.table.view["rows"][page.table.view["marked"]][0] == "70004"
    assert "The row you came from is marked." in page.trail.view["status"]
    choose(page, 0)
    assert len(page.answers) == 3


def test_an_access_late_in_the_evening_leads_to_its_local_day(page, opened):
    ask(page)
    choose(page, 1)
    choose(page, 8)  # 2026-10-02 22:15 UTC is past midnight in Oslo
    assert opened[0].asked[-1][1]["from_date"] == date(2026, 10, 3)


def test_an_employee_leads_to_the_chosen_row_s_patient(page, opened):
    ask(page, patient_id="", employee_id="E001")
    assert "patient_id" not in opened[0].asked[0][1]
    choose(page, 7)
    assert opened[0].asked[3][1]["patient_id"] == "P007"


def test_going_back_shows_the_earlier_step_without_asking_again(page, opened):
    ask(page)
    choose(page, 1)
    choose(page, 4)
    n_asked = len(opened[0].asked)
    page.trail._receive(page.trail, {"kind": "back", "step": 0}, [])
    assert page.trail.view["crumbs"] == ["Activity"]
    assert page.table.view["action"] == "Detailed activity"
    assert page.charts.layout.display == ""
    assert len(opened[0].asked) == n_asked
    page.back(5)
    page.back(-1)
    assert page.trail.view["crumbs"] == ["Activity"]


def test_the_same_purpose_keeps_the_store_and_another_opens_it_anew(page, opened):
    ask(page)
    ask(page, patient_id="P2")
    assert len(opened) == 1
    ask(page, purpose="sak 2026/18")
    assert [store.purpose for store in opened] == ["sak 2026/17", "sak 2026/18"]
    assert opened[0].is_closed
    assert ("sak 2026/18") in dict(page.trail.view["facts"]).values()


def test_a_new_question_that_fails_leaves_nothing_of_the_old_answer(page):
    ask(page)
    ask(page, patient_id="nobody")
    assert page.form.error["problem"] == "The patient 'nobody' stands nowhere."
    assert page.form.error["remedy"] == "Check the number."
    assert shows_nothing(page)
    assert not page.form.is_busy


def test_a_good_question_clears_the_error(page):
    ask(page, purpose="")
    ask(page)
    assert page.form.error == {}


def test_an_unexpected_error_is_named_by_its_type_and_never_by_a_row(page):
    ask(page, patient_id="broken")
    assert "ZeroDivisionError" in page.form.error["problem"]
    assert "KARI" not in json.dumps(page.form.error)
    assert shows_nothing(page)


@pytest.mark.parametrize("error", [UsageError, UnknownSubjectError, NotAssessableError, JournalError, StoreError])
@pytest.mark.parametrize("language", ["en", "sv", "nb"])
def test_an_error_of_the_store_becomes_a_sentence_with_a_remedy(error, language):
    def refuse(_purpose):
        raise error("It failed.", "Try again.")

    page = InvestigationPage(refuse, language, "Europe/Oslo", date(2026, 11, 22))
    ask(page)
    assert page.form.error["problem"]
    assert page.form.error["remedy"]
    assert shows_nothing(page)


def test_a_failing_second_step_keeps_the_first_on_the_screen(page, opened):
    ask(page)
    opened[0].detailed_activity = None
    choose(page, 1)
    assert page.form.error["problem"]
    assert page.trail.view["crumbs"] == ["Activity"]
    assert len(page.answers) == 1


def test_hostile_text_reaches_no_widget_raw(page):
    ask(page, purpose=f"sak {HOSTILE}")
    choose(page, 1)
    choose(page, 4)
    sent = json.dumps([page.form.get_state(), page.trail.get_state(), page.table.get_state()], ensure_ascii=False)
    assert "\u202e" not in sent
    assert "\\u0000" not in sent
    assert "\\u001b" not in sent
    assert harmless(HOSTILE)[:20] in page.table.view["rows"][0][3]


def test_charts_hold_dates_and_counts_only(page):
    ask(page)
    for chart in (page.timeline, page.hour_map):
        values = [value for row in chart.spec["data"]["values"] for value in row.values()]
        assert values
        assert all(isinstance(value, int) or len(value) <= 10 for value in values)
        assert chart.embed_options["actions"] is False


def test_charts_are_made_once_and_only_change(page):
    ask(page)
    before = (page.timeline, page.hour_map)
    first = page.timeline.spec
    choose(page, 1)
    assert (page.timeline, page.hour_map) == before
    assert first["data"] == page.timeline.spec["data"]


def test_no_rows_say_how_many_were_searched_and_draw_no_chart(page, opened):
    ask(page, patient_id="quiet")
    assert page.trail.view["status"] == "No rows. 4,711 accesses in the period were searched."
    assert [name for name, _ in opened[0].asked] == ["activity"]
    assert page.charts.layout.display == "none"
    assert page.table.view["rows"] == []


def test_notices_tell_of_unresolved_records_unconfirmed_and_unknown_codes_and_blocks(page):
    ask(page)
    notices = page.trail.view["notices"]
    assert notices[0].startswith("On 2 days of the period the log gerica delivered nothing")
    assert any(notice.startswith("3 accesses in the period name a record") for notice in notices)
    assert any(notice.startswith("1 row is about a record that was blocked") for notice in notices)
    choose(page, 1)
    assert any(notice.startswith(f"{N_EVENTS // 2} rows use codes") for notice in page.trail.view["notices"])
    choose(page, 4)
    assert any(notice.startswith("1 row uses a code") for notice in page.trail.view["notices"])


def test_whom_the_question_is_about_stands_above_the_table_and_not_in_it(page):
    ask(page)
    assert dict(page.trail.view["facts"])["Patient"] == "P1 Ola 0"
    assert "patient_name" not in [column["name"] for column in page.table.view["columns"]]


def test_texts_of_the_report_are_in_the_language_of_the_page(opened):
    page = InvestigationPage(opened, "sv", "Europe/Stockholm", date(2026, 11, 22))
    ask(page)
    choose(page, 1)
    assert page.trail.view["title"] == "sv Detailed activity"
    assert any("öppnade genomförandeplanen" in cell for cell in page.table.view["rows"][0])


def test_the_page_s_own_text_in_a_notebook_holds_no_data(page):
    ask(page)
    assert page._repr_mimebundle_()["text/plain"] == "<InvestigationPage>"


def test_what_is_looked_at_is_handed_to_whoever_listens(page):
    shown = []
    page.on_answer = shown.append
    ask(page)
    choose(page, 1)
    page.back(0)
    assert [answer.step.report for answer in shown] == ["activity", "detailed_activity", "activity"]


def test_what_two_threads_bring_is_done_one_after_the_other(page):
    ask(page)
    inside = []

    def slow(answer):
        inside.append(("begin", answer.step.report))
        time.sleep(0.05)
        inside.append(("end", answer.step.report))

    page.on_answer = slow
    clicks = [Thread(target=page.table._receive, args=(None, {"kind": "choose", "row": 0}, [])) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    assert [said for said, _report in inside] == ["begin", "end", "begin", "end"]
    assert [answer.step.report for answer in page.answers] == ["activity", "detailed_activity", "system_log"]
