"""What the form asks: persons, periods and standing questions, and how several are put together."""

from __future__ import annotations

from datetime import date

import pytest

from audit_kernel.errors import UsageError
from audit_kernel.investigation.page import InvestigationPage
from audit_kernel.investigation.questions import QuestionError, read_period, read_question, several, whole_month
from tests.investigation.test_page import Opened, ask, choose, press, reports, shows_nothing

TODAY = date(2026, 11, 22)


@pytest.fixture
def opened():
    return Opened()


@pytest.fixture
def page(opened):
    return InvestigationPage(opened, "en", "Europe/Oslo", TODAY)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("1042", ("1042",)),
        (" 1042; 1043 ;1042", ("1042", "1043")),
        ("1042, 1043", ("1042", "1043")),
        ("Hansen, Kari", ("Hansen, Kari",)),
        ("Hansen, Kari; 1043", ("Hansen, Kari", "1043")),
        (" ; ", ()),
    ],
)
def test_several_persons_are_set_apart_by_semicolons_and_numbers_by_commas_too(typed, expected):
    assert several(typed) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"period": "last_30_days"}, ("2026-10-24", "2026-11-22")),
        ({"period": "last_3_months", "from_date": "2020-01-01"}, ("2026-08-22", "2026-11-22")),
        ({"period": "since", "from_date": "2026-11-01", "to_date": "2020-01-01"}, ("2026-11-01", "2026-11-22")),
        ({"period": "between", "from_date": "2026-11-01", "to_date": "2026-11-03"}, ("2026-11-01", "2026-11-03")),
    ],
)
def test_a_preset_ends_today_and_the_dates_it_hides_count_for_nothing(values, expected):
    assert tuple(day.isoformat() for day in read_period(values, TODAY)) == expected


def test_three_months_before_the_last_of_a_month_is_the_last_of_a_shorter_one():
    assert read_period({"period": "last_3_months"}, date(2026, 5, 31))[0] == date(2026, 2, 28)


def test_since_a_day_to_come_is_no_period():
    with pytest.raises(QuestionError) as raised:
        read_period({"period": "since", "from_date": "2026-12-01"}, TODAY)
    assert raised.value.field == "from_date"


@pytest.mark.parametrize(
    ("first", "last", "month"),
    [("2026-08-22", "2026-11-22", 10), ("2026-10-01", "2026-10-31", 10), ("2026-11-03", "2026-11-20", 11)],
)
def test_an_employees_month_is_the_last_whole_one_of_the_period(first, last, month):
    from_date, to_date = whole_month(date.fromisoformat(first), date.fromisoformat(last))
    assert (from_date, to_date.month) == (date(2026, month, 1), month)


def test_several_persons_are_asked_about_pair_by_pair_and_shown_as_one(page, opened):
    ask(page, patient_id="P1; P2", employee_id="E1;E2")
    pairs = [(each["patient_id"], each["employee_id"]) for name, each in opened[0].asked if name == "activity"]
    assert pairs == [("P1", "E1"), ("P1", "E2"), ("P2", "E1"), ("P2", "E2")]
    answer = page.answers[0]
    assert answer.result.table.num_rows == 4 * 120
    assert sum(answer.timeline.table["n_accesses"].to_pylist()) == 4 * sum((day * 5) % 13 for day in range(28))
    facts = dict(page.trail.view["facts"])
    assert facts["Patient"] == "P1 Ola 0; P2 Ola 0"
    assert {"employee_id", "employee_name"} <= {column["name"] for column in page.table.view["columns"]}
    choose(page, 0)
    assert opened[0].asked[-1][0] == "access_reasons"
    with pytest.raises(UsageError):
        answer.step.parameters()
    assert page.answers[-1].step.parameters()["patient_id"] in ("P1", "P2")


def test_too_many_persons_at_once_are_refused(page, opened):
    ask(page, patient_id=";".join(f"P{number}" for number in range(13)))
    assert "13 persons" in page.form.error["problem"]
    assert opened == []


def test_a_name_that_fits_one_is_that_person(page, opened):
    ask(page, patient_id="berg")
    assert opened[0].asked[0][1]["patient_id"] == "P4"


def test_a_name_that_fits_several_is_a_choice_and_nothing_is_asked_before_it(page, opened):
    ask(page, patient_id="hansen; P1", employee_id="kari")
    assert opened[0].asked == []
    assert page.trail.view["title"] == "Who is meant?"
    assert page.trail.view["notices"] == ["21 persons fit; the first 3 are shown. Write more of the name."]
    assert page.table.view["action"] == "Choose"
    assert page.table.view["ways"] == []
    choose(page, 1)
    assert [(each["patient_id"], each["employee_id"]) for name, each in opened[0].asked if name == "activity"] == [
        ("P8", "E001"),
        ("P1", "E001"),
    ]
    assert page.trail.view["crumbs"] == ["Activity"]


def test_a_new_question_forgets_a_choice_that_was_not_made(page, opened):
    ask(page, patient_id="hansen")
    ask(page)
    choose(page, 0)
    assert reports(opened[0]).count("detailed_activity") == 1


@pytest.mark.parametrize("action", ["blocked_searches", "patient_searches", "break_glass"])
def test_a_standing_question_about_everybody_needs_nobody(page, opened, action):
    press(page, action, patient_id="")
    assert reports(opened[0]) == [action]
    assert not {"patient_id", "employee_id"} & set(opened[0].asked[0][1])
    assert page.form.error == {}


@pytest.mark.parametrize(
    ("action", "field"),
    [("employee_month", "employee_id"), ("search_misuse", "employee_id"), ("extent", "employee_id")],
)
def test_a_standing_question_about_an_employee_asks_for_one(page, opened, action, field):
    press(page, action)
    assert page.form.error["field"] == field
    assert opened == []
    assert shows_nothing(page)


def test_readers_are_compared_for_a_patient_only(page, opened):
    press(page, "readers_and_carers", patient_id="", employee_id="E1")
    assert page.form.error["field"] == "patient_id"
    press(page, "readers_and_carers")
    assert reports(opened[0]) == ["readers_and_carers"]


def test_the_extent_is_of_all_that_the_store_holds_and_says_what_it_counts(page, opened):
    press(page, "extent", employee_id="E1")
    asked = opened[0].asked[0][1]
    assert (asked["from_date"], asked["to_date"]) == (date(2024, 3, 1), TODAY)
    assert "First estimate: 1 person of 2 has accesses" in page.trail.view["status"]
    assert reports(opened[0]) == ["extent", "extent_sources"]
    assert page.figures.view["folded"] == "extent_sources: 2 rows"
    assert not page.figures.view["action"]


def test_an_action_that_is_none_asks_for_activity():
    assert (
        read_question(
            {"purpose": "sak 1", "patient_id": "1", "period": "last_30_days", "action": "x"}, TODAY
        ).step.report
        == "activity"
    )
