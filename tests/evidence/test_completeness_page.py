"""The page of completeness and its calendar, and how the index shows what cannot be assessed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from audit_kernel.errors import NotAssessableError
from audit_kernel.evidence.answers import answer_checks, answer_of
from audit_kernel.evidence.completeness_calendar import calendar, statuses
from audit_kernel.evidence.completeness_page import PARTS, CompletenessPage
from audit_kernel.evidence.execute import Outcome
from audit_kernel.evidence.index import index_page
from audit_kernel.evidence.objects import Chart, Done, Paragraph, Table
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.rendering import fragment
from audit_kernel.evidence.restricted import KeptApart
from audit_kernel.evidence.run import Plan
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.evidence.svg import NAMESPACE
from audit_kernel.locale import LANGUAGES
from audit_kernel.site import Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from tests.store.logs import add_plain_source, gerica_file, plain_file, row

OCTOBER = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
NOT_ASSESSABLE = {"en": "Not assessable", "sv": "Kan inte bedömas", "nb": "Kan ikke vurderes"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site whose first log has two silent days and a record in quarantine, and whose second stops early."""
    folder = tmp_path_factory.mktemp("completeness")
    made = create_site(folder / "site", "SE", "Exempelkommunen")
    add_plain_source(made)
    rows = [row(day, day=f"{day:02d}.10.2026") for day in range(1, 32) if day not in (17, 20)]
    rows += [row(32, day="31.10.2026", time="14:00:00"), row(33, day="40.10.2026")]
    take_in(made, gerica_file(folder / "a.csv", rows), "gerica")
    take_in(made, plain_file(folder / "b.csv", ["2026-10-02 08:00:00;E1;P1;"]), "plain")
    return made


def shown_by(
    page_of: Any, site: Site, folder: Path, language: str, monkeypatch: pytest.MonkeyPatch, steps: str
) -> list[Any]:
    """Return what the cells of a page display."""
    shown: list[Any] = []
    monkeypatch.setattr(Page, "_show", staticmethod(lambda *objects: shown.extend(objects)))
    run_file = folder / "run.json"
    with Store(site, "test of pages") as store:
        RunFile(str(site.folder), store.snapshot, "test of pages", 1, str(folder / "tables"), "").write(run_file)
    page = page_of(str(run_file), language)
    for step in steps.split():
        name, _colon, argument = step.partition(":")
        getattr(page, name)(*filter(None, [argument]))
    page.done()
    return shown


STEPS = f"heading summary picture words odd_days {' '.join(f'part:{name}' for name in PARTS)} understood method"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_a_picture_then_words_then_tables(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    shown = shown_by(
        lambda run, spoken: CompletenessPage("reports/completeness", run, spoken, OCTOBER),
        site, tmp_path, language, monkeypatch, STEPS,
    )  # fmt: skip
    kinds = [type(each) for each in shown]
    assert kinds.index(Chart) < kinds.index(Table)
    texts = " ".join(each.text for each in shown if isinstance(each, Paragraph))
    names = {"en": "Gerica system log", "sv": "Gericas systemlogg", "nb": "Systemlogg i Gerica"}
    assert names[language] in texts
    assert "29" in texts
    tables = [each for each in shown if isinstance(each, Table)]
    days, gaps, clocks, codes, quarantine = tables[:5]
    assert [cells[0] for cells in days.rows].count("gerica") == 5  # two silent, two after a gap, one in quarantine
    assert [cells[3:6] for cells in gaps.rows] == [("17", "17", "1"), ("20", "20", "1")]
    assert clocks.rows == codes.rows == ()
    assert [(cells[0], cells[3]) for cells in quarantine.rows] == [("gerica", "1"), ("plain", "0")]
    assert isinstance(shown[-1], Done)
    assert shown[-1].facts["n_remarks"] >= 3
    assert {path.name for path in (tmp_path / "tables").glob("*.csv")} == {
        "completeness.csv", *(f"completeness_{name}.csv" for name in PARTS)
    }  # fmt: skip


def test_the_page_asks_nothing_that_its_month_has_answered(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_file = tmp_path / "run.json"
    with Store(site, "test of pages") as store:
        answer_checks(store, ["completeness"], OCTOBER, tmp_path, KeptApart())
        told = (str(site.folder), store.snapshot, "test of pages", 1, str(tmp_path / "tables"))
        RunFile(*told, answers=str(tmp_path / "answers")).write(run_file)
        days = store.report("completeness", **OCTOBER).table
        gaps = store.report("missing_numbers", **OCTOBER).table
    asked: list[str] = []
    monkeypatch.setattr(Store, "ask", lambda _store, query, *_given: asked.append(query.name))
    page = CompletenessPage("reports/completeness", str(run_file), "en", OCTOBER)
    page.store.close()
    assert asked == []
    assert page.result is not None
    assert page.result.table == days
    assert page.parts["missing_numbers"].table == gaps
    assert gaps.num_rows == 2


def test_a_check_that_its_month_could_not_assess_is_not_asked_again_and_its_page_says_the_same(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(site, "test of pages") as store:
        answer_checks(store, ["checks/many_accesses"], OCTOBER, tmp_path, KeptApart())
        query = store.catalog.query("checks/many_accesses")
        with pytest.raises(NotAssessableError) as asked:
            store.ask(query, OCTOBER)
        monkeypatch.setattr(Store, "ask", None)
        with pytest.raises(NotAssessableError) as kept:
            answer_of(str(tmp_path / "answers"), store, query, OCTOBER)
    assert asked.value.lacks == kept.value.lacks != ()
    assert [asked.value.text(language) for language in LANGUAGES] == [
        kept.value.text(language) for language in LANGUAGES
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_check_over_incomplete_logs_says_so_on_its_page_and_on_the_index(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    shown = shown_by(
        lambda run, spoken: Page("checks/many_accesses", run, spoken, OCTOBER),
        site, tmp_path, language, monkeypatch, "heading summary table method",
    )  # fmt: skip
    summary, reason = (each for each in shown if isinstance(each, Paragraph) and each.tone in ("summary", "warning"))
    assert summary.text == NOT_ASSESSABLE[language]
    for part in ("gerica", "17", "20"):
        assert part in reason.text
    assert not [each for each in shown if isinstance(each, Table)]
    facts = shown[-1].facts
    assert (facts["is_assessable"], facts["not_assessable"], facts["n_rows"]) == (False, reason.text, 0)
    plan = Plan("monthly", "2026-10", "x", language, 1, [], [])
    outcomes = [
        Outcome("many_accesses", facts=dict(facts), room="checks"),
        Outcome("other", facts={"title": "Other", "is_assessable": True, "n_rows": 0}, room="checks"),
    ]
    html = etree.HTML(index_page(site, plan, outcomes))
    (item,) = html.xpath("//ul[@class='links']/li[@class='warning']")
    assert item.xpath("string(span)") == NOT_ASSESSABLE[language]
    assert item.xpath("string(p)") == reason.text
    assert len(html.xpath("//ul[@class='links']/li")) == 2


def test_an_index_without_any_answer_does_not_begin_with_zero_findings(site: Site) -> None:
    plan = Plan("monthly", "2026-10", "x", "en", 1, [], [])
    outcomes = [Outcome("a", facts={"title": "A", "is_assessable": False, "not_assessable": "why"}, room="checks")]
    html = index_page(site, plan, outcomes)
    assert "None of the 1 checks could be assessed." in html
    assert "0 findings" not in html


def day(place: int, status: str = "ok", log: str = "gerica", **more: int) -> dict[str, Any]:
    figures = dict.fromkeys(
        ("n_missing_numbers", "n_restarts", "n_clock_faults", "n_quarantined", "n_conflicts", "n_odd_hours"), 0
    )
    return {
        "source_id": log,
        "local_date": date(2026, 10, 1) + timedelta(days=place),
        "status": status,
        **figures,
        **more,
    }


def marks(chart: Chart) -> list[str]:
    texts = [element.text for element in etree.fromstring(chart.svg).iter(f"{{{NAMESPACE}}}text")]
    return [text for text in texts if text in {status.mark for status in statuses("en").values()}]


def test_a_status_is_drawn_as_a_mark_and_said_in_words() -> None:
    rows = [day(0), day(1, "silent"), day(2, "low"), day(3, "high"), day(4, "no_history"), day(5, n_quarantined=1)]
    chart = calendar([*rows, day(0, log="fhir")], {"gerica": "Gerica <b>"}, "en", "t", "Days.")
    legend = 5
    assert len(marks(chart)) == 5 + legend
    assert chart.description == (
        "Days. 1 day without any rows. 1 day with too few rows. 1 day with too many rows. Of 1 day there is too little"
        " history to say how many rows to expect."
    )
    assert [tuple(cells) for cells in chart.table.rows] == [
        ("fhir", "1", "0", "0", "0", "0"),
        ("Gerica <b>", "2", "1", "1", "1", "1"),
    ]
    assert "Gerica &lt;b&gt;" in fragment(chart)


def test_a_year_has_no_room_for_marks_and_a_whole_month_says_so() -> None:
    year = calendar([day(place, "silent") for place in range(365)], {}, "en", "t", "")
    assert len(marks(year)) == 5
    assert "365 days without any rows." in year.description
    assert "Every day has as many rows as expected." in calendar([day(0)], {}, "en", "t", "").description


@pytest.mark.parametrize("language", ["sv", "nb"])
def test_the_calendar_speaks_the_readers_language(language: str) -> None:
    english = {status.words for status in statuses("en").values()}
    assert not english & {status.words for status in statuses(language).values()}
