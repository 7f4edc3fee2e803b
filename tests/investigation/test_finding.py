"""From a finding in a sealed month to the form: found by its number, filled in only after the purpose."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pyarrow as pa
import pytest
from pyarrow import parquet

from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.investigation import finding
from audit_kernel.investigation.finding import Finding, find_finding
from audit_kernel.investigation.page import InvestigationPage
from tests.investigation.test_page import Opened, ask, shows_nothing

NUMBER = "3f2a9c01d4e6"
TODAY = date(2026, 11, 22)


class NotedStore:
    def __init__(self):
        self.noted = []

    def note(self, activity, details):
        self.noted.append((activity, details))


@pytest.fixture
def site(tmp_path):
    return SimpleNamespace(archive_folder=tmp_path / "archive")


def run(site, month, rows, kind="monthly", check="own_record"):
    folder = site.archive_folder / f"{month}-{kind}-20261102T031500Z-3f2a"
    tables = folder / "data" / "tables"
    tables.mkdir(parents=True)
    parquet.write_table(pa.Table.from_pylist(rows), tables / f"{check}.parquet")
    parquet.write_table(pa.table({"unit_id": ["U1"]}), tables / "units_counts.parquet")
    return folder


def row(number, employee="E1", patient="P1"):
    return {"finding_id": number, "employee_id": employee, "patient_id": patient}


@pytest.fixture
def sealed(monkeypatch):
    """Months stand as they are sealed; what verifies them is tested where it is."""
    asked = []

    def sealed_month(site, month):
        asked.append(month)
        (folder,) = site.archive_folder.glob(f"{month}-monthly-*")
        return SimpleNamespace(
            folder=folder,
            scope="",
            table=lambda name: parquet.read_table(folder / "data" / "tables" / f"{name}.parquet"),
        )

    monkeypatch.setattr(finding, "sealed_month", sealed_month)
    return asked


def test_a_finding_is_found_by_the_beginning_of_its_number_and_only_its_month_is_verified(site, sealed):
    run(site, "2026-09", [row(NUMBER + "aa"), row("77" * 8)])
    run(site, "2026-10", [row("88" * 8, "E2")])
    store = NotedStore()
    found = find_finding(site, store, f" {NUMBER.upper()} ")
    assert found == Finding(NUMBER + "aa", "activity", "E1", "P1", date(2026, 9, 1), date(2026, 9, 30))
    assert sealed == ["2026-09"]
    assert store.noted == [("finding", {"finding_id": NUMBER})]


def test_a_finding_about_searches_leads_to_the_searches_because_nothing_was_opened(site, sealed):
    folder = run(site, "2026-09", [row(NUMBER)], check="blocked_searches")
    ranked = pa.Table.from_pylist([row(NUMBER), row("77" * 8)])
    parquet.write_table(ranked, folder / "data" / "tables" / "ranked_findings.parquet")
    assert find_finding(site, NotedStore(), NUMBER).report == "blocked_searches"
    assert find_finding(site, NotedStore(), "77" * 8).report == "activity"


def test_a_number_that_is_short_unknown_or_of_several_is_refused(site, sealed):
    run(site, "2026-10", [row(NUMBER + "aa"), row(NUMBER + "bb"), row("99" * 8)])
    run(site, "2026-10", [row("ab" * 8)], kind="closing")
    for number, said in ((NUMBER[:5], "is no finding's number"), (NUMBER, "2 findings"), ("ab" * 8, "No sealed month")):
        with pytest.raises(UsageError, match=said):
            find_finding(site, NotedStore(), number)


def test_a_site_without_an_archive_has_no_finding(site, sealed):
    with pytest.raises(UsageError, match="No sealed month"):
        find_finding(site, NotedStore(), NUMBER)


def test_a_finding_of_a_month_that_was_changed_is_not_opened(site, monkeypatch):
    run(site, "2026-10", [row(NUMBER)])

    def changed(_site, _month):
        raise VerificationError("It was changed.", "Verify.")

    monkeypatch.setattr(finding, "sealed_month", changed)
    with pytest.raises(VerificationError):
        find_finding(site, NotedStore(), NUMBER)


@pytest.fixture
def opened():
    return Opened()


@pytest.fixture
def page(opened):
    found = Finding(NUMBER, "activity", "E1", None, date(2026, 9, 1), date(2026, 9, 30))
    return InvestigationPage(opened, "en", "Europe/Oslo", TODAY, find=lambda _store, _number: found, finding=NUMBER)


def values_of(page):
    return {field["name"]: field.get("value", "") for field in page.form.texts["fields"]}


def test_the_form_begins_with_the_number_alone(page):
    assert values_of(page)["finding"] == NUMBER
    assert values_of(page)["employee_id"] == ""
    assert shows_nothing(page)


def test_where_a_finding_has_no_access_the_log_itself_is_shown(opened):
    found = Finding(NUMBER, "activity", None, "quiet", date(2026, 9, 1), date(2026, 9, 30))
    page = InvestigationPage(opened, "en", "Europe/Oslo", TODAY, find=lambda _store, _number: found)
    ask(page, patient_id="", finding=NUMBER)
    assert [answer.step.report for answer in page.answers] == ["activity", "system_log"]
    ask(page, patient_id="quiet")  # nobody who asks by themselves is led elsewhere
    assert [answer.step.report for answer in page.answers] == ["activity"]


def test_without_a_purpose_no_finding_is_looked_up(page, opened):
    ask(page, purpose="", patient_id="", finding=NUMBER)
    assert opened == []
    assert values_of(page)["employee_id"] == ""


def test_the_purpose_opens_the_findings_people_and_month_and_the_form_shows_them(page, opened):
    ask(page, patient_id="", finding=NUMBER)
    name, asked = opened[0].asked[0]
    assert (name, asked["employee_id"]) == ("activity", "E1")
    assert "patient_id" not in asked
    assert (asked["from_date"], asked["to_date"]) == (date(2026, 9, 1), date(2026, 9, 30))
    values = values_of(page)
    assert (values["employee_id"], values["period"], values["from_date"]) == ("E1", "between", "2026-09-01")
    assert (values["purpose"], values["finding"]) == ("sak 2026/17", "")


def test_a_page_without_an_archive_says_so(opened):
    page = InvestigationPage(opened, "en", "Europe/Oslo", TODAY)
    ask(page, patient_id="", finding=NUMBER)
    assert page.form.error["problem"] == "There is no archive to look in."
