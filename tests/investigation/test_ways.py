"""From a row to other questions, reasons beside rows, and the timeline's brush."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from audit_kernel.errors import NotAssessableError
from audit_kernel.investigation.charts import days_of
from audit_kernel.investigation.page import InvestigationPage
from audit_kernel.investigation.ways import WAYS, year_before
from tests.investigation.fake_store import FIRST_AT
from tests.investigation.test_page import Opened, ask, choose, go, reports

TODAY = date(2026, 11, 22)
TITLES = {"on_shift": "On shift", "documented_care": "Wrote or signed", "care_team": "Care team"}


@pytest.fixture
def opened():
    return Opened()


@pytest.fixture
def page(opened):
    return InvestigationPage(opened, "en", "Europe/Oslo", TODAY, reason_titles=lambda: TITLES)


@pytest.mark.parametrize(
    ("way", "report", "people"),
    [
        ("other_patients", "activity", {"employee_id": "E001"}),
        ("other_readers", "activity", {"patient_id": "P1"}),
        ("same_household", "household", {"patient_id": "P1", "employee_id": "E001"}),
        ("twelve_months", "activity", {"patient_id": "P1", "employee_id": "E001"}),
        ("whole_month", "employee_month", {"employee_id": "E001"}),
        ("gave_care", "readers_and_carers", {"patient_id": "P1"}),
        ("extent", "extent", {"patient_id": "P1", "employee_id": "E001"}),
    ],
)
def test_a_row_leads_to_the_same_people_in_another_question_and_back(page, opened, way, report, people):
    ask(page)
    before = len(opened[0].asked)
    go(page, 1, way)
    name, asked = opened[0].asked[before]
    assert name == report
    assert {key: value for key, value in asked.items() if key.endswith("_id")} == people
    assert len(page.trail.view["crumbs"]) == 2
    assert page.trail.view["crumbs"][1] == dict(page.table.view["ways"] or [(way, page.trail.view["crumbs"][1])])[way]
    page.back(0)
    assert page.trail.view["crumbs"] == ["Activity"]


def test_twelve_months_back_end_where_the_step_ended(page, opened):
    ask(page)
    go(page, 1, "twelve_months")
    asked = page.answers[-1].step.parameters()
    assert (asked["from_date"], asked["to_date"]) == (date(2025, 10, 31), date(2026, 10, 31))
    assert year_before(date(2028, 2, 29)) == date(2027, 2, 28)


def test_colleagues_are_asked_for_at_the_moment_of_the_row(page, opened):
    ask(page)
    assert "colleagues_then" not in dict(page.table.view["ways"])  # a row of many accesses has no moment
    choose(page, 1)
    go(page, 0, "colleagues_then")
    name, asked = opened[0].asked[-1]
    assert (name, asked["at"]) == ("colleagues", FIRST_AT.replace(tzinfo=UTC))
    assert (asked["from_date"], asked["to_date"]) == (date(2026, 10, 1), date(2026, 10, 1))
    assert page.answers[-1].step.origin == "access-0"


def test_a_way_that_is_none_or_not_on_offer_asks_nothing(page, opened):
    ask(page)
    before = len(opened[0].asked)
    for way in ("nothing", "colleagues_then", ""):
        go(page, 1, way)
    go(page, 500, "extent")
    go(page, -1, "extent")
    assert len(opened[0].asked) == before


def test_a_row_that_names_nobody_says_so(page):
    ask(page)
    page.go({"employee_id": None, "patient_id": None}, "other_patients")
    assert page.form.error["problem"] == "This row does not say whom that would be about."


@pytest.mark.parametrize("language", ["en", "sv", "nb"])
def test_every_way_has_words_in_every_language(opened, language):
    page = InvestigationPage(opened, language, "Europe/Oslo", TODAY)
    ask(page)
    choose(page, 1)
    words = dict(page.table.view["ways"])
    assert list(words) == list(WAYS)
    assert len(set(words.values())) == len(words)


def test_rows_come_first_and_their_reasons_after_on_the_page_and_in_the_order_chosen(page, opened):
    ask(page)
    shown = []
    page.table.observe(lambda change: shown.append([(row[1], row[-1]) for row in change["new"]["rows"][:3]]), "view")
    choose(page, 1)
    assert reports(opened[0])[-1] == "access_reasons"
    assert shown == [
        [("…", "…")] * 3,
        [
            ("On shift", "Wrote or signed"),
            ("No reason found", "Wrote or signed, On shift"),
            ("Not enough alone: On shift", "Wrote or signed"),
        ],
    ]
    assert page.trail.remark.endswith("Care team.")
    page.table.sort("best_reason")
    assert page.table.view["rows"][0][1] == "No reason found"


def test_going_back_to_reasons_asks_for_them_once(page, opened):
    ask(page)
    choose(page, 1)
    choose(page, 4)
    page.back(1)
    assert reports(opened[0]).count("access_reasons") == 1
    assert page.table.view["rows"][0][1] == "On shift"


def test_where_no_reason_can_be_searched_for_the_rows_stay_and_the_page_says_so(page, opened):
    ask(page)

    def refuse(_parameters):
        raise NotAssessableError("access_reasons", "accesses")

    opened[0].access_reasons = refuse
    choose(page, 1)
    assert page.form.error == {}
    assert page.trail.remark.startswith("Reasons could not be searched for")
    assert len(page.table.view["rows"]) == 50
    assert "best_reason" not in [column["name"] for column in page.table.view["columns"]]


def test_two_dates_narrow_the_period_and_keep_the_people(page, opened):
    ask(page)
    page.narrow._receive(
        page.narrow, {"kind": "search", "values": {"narrow_from": "2026-10-05", "narrow_to": "2026-10-07"}}, []
    )
    step = page.answers[-1].step
    assert (step.report, step.patient_id) == ("activity", "P1")
    assert (step.from_date, step.to_date) == (date(2026, 10, 5), date(2026, 10, 7))
    assert page.trail.view["crumbs"] == ["Activity", "Narrowed period"]


def test_a_wrong_day_is_said_at_the_two_dates_and_asks_nothing(page, opened):
    ask(page)
    before = len(opened[0].asked)
    page.narrow_to({"narrow_from": "2026-10-05", "narrow_to": ""})
    assert page.narrow.error["field"] == "narrow_to"
    assert len(opened[0].asked) == before


def test_the_brush_writes_its_days_into_the_two_dates_and_asks_nothing_yet(page, opened):
    ask(page)
    before = len(opened[0].asked)
    days = [datetime(2026, 10, day, tzinfo=UTC).timestamp() * 1000 for day in (5, 8)]
    page.timeline._vl_selections = {"brush": {"value": {"utcyearmonthdate_day": days}, "store": []}}
    values = {field["name"]: field["value"] for field in page.narrow.texts["fields"]}
    assert values == {"narrow_from": "2026-10-05", "narrow_to": "2026-10-07"}
    assert len(opened[0].asked) == before


@pytest.mark.parametrize(
    "selected", [None, {}, [], {"day": None}, {"day": [1]}, {"day": ["a", "b"]}, {"day": [1e30, 1e31]}, "x"]
)
def test_a_selection_that_is_none_is_no_days(selected):
    assert days_of(selected) is None
