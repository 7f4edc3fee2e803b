"""The funnel of a check: which points it has, which are named, and what stands beside it."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pyarrow as pa
import pytest
from lxml import etree

from audit_kernel.chart_description import ChartDescription
from audit_kernel.evidence import svg
from audit_kernel.evidence.check_page import CheckPage
from audit_kernel.evidence.funnel import funnel
from tests.evidence.pages import HOSTILE


def counts(*people):
    ids, numbers, exposures = zip(*people, strict=True)
    return pa.table(
        {"employee_id": ids, "n_unaccounted": numbers, "exposure": [each and Decimal(each) for each in exposures]}
    )


COLLEAGUES = tuple((f"C{number:02d}", number % 4, f"{5 + number / 2:.1f}") for number in range(30))
SKIMMER = ("E1", 25, "12")
FUNNEL = ChartDescription(kind="funnel", of="counts", x="exposure", value="n_unaccounted")


def texts(chart):
    return [element.text for element in etree.fromstring(chart.svg).iter(f"{{{svg.NAMESPACE}}}text")]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Outside the outer line: 1."),
        ("sv", "Utanför den yttre linjen: 1."),
        ("nb", "Utenfor den ytre linjen: 1."),
    ],
)
def test_who_lies_outside_the_limits_is_named_and_counted(language, words):
    chart = funnel(counts(*COLLEAGUES, SKIMMER), language, "Doses")
    assert chart.description.startswith("31 ")
    assert chart.description.endswith(words)
    assert [text for text in texts(chart) if text.startswith(("C", "E"))] == ["E1"]


def test_who_was_found_is_named_within_the_limits_too():
    chart = funnel(counts(*COLLEAGUES), "en", "Doses", marked=frozenset(["C07"]))
    assert [text for text in texts(chart) if text.startswith("C")] == ["C07"]


def test_every_person_is_a_row_beside_the_picture_the_highest_rate_first():
    table = funnel(counts(*COLLEAGUES, SKIMMER, (None, 900, None), ("no work", 1, "0")), "sv", "Doses").table
    assert len(table.rows) == 31
    assert table.rows[0] == ("E1", "12,00", "25", "8")


def test_people_at_one_place_are_one_point_and_a_row_each():
    few = (*COLLEAGUES[:9], SKIMMER)
    alike = [(f"D{number:03d}", 0, "7.5") for number in range(200)]
    less, more = (funnel(counts(*people), "en", "Doses") for people in (few, (*few, *alike)))
    assert len(more.table.rows) == len(less.table.rows) + 200
    points = [chart.svg.count('class="ink-series"') for chart in (less, more)]
    assert points == [10, 11]


def test_without_people_or_without_doses_it_says_so():
    assert funnel(counts((None, 3, None)), "en", "Doses").description == "No accesses in the period."
    chart = funnel(counts(("E1", 0, "3"), ("E2", 0, "0.2")), "en", "Doses")
    assert chart.description.endswith("Outside the outer line: 0.")


def test_an_id_from_a_hostile_log_neither_stops_the_drawing_nor_writes_elements():
    people = tuple((text.encode("utf-8", "replace").decode(), 40, "3") for text in HOSTILE)
    chart = funnel(counts(*COLLEAGUES * 20, *people), "nb", "Doses")
    root = etree.fromstring(chart.svg)
    assert {etree.QName(element).localname for element in root.iter()} <= svg.ELEMENTS
    assert len(chart.table.rows) == 600 + len(HOSTILE)


@pytest.mark.parametrize(
    ("chart", "part", "n_shown"), [(FUNNEL, "counts", 1), (FUNNEL, "matrix", 0), ((), "counts", 0)]
)
def test_a_checks_page_draws_it_over_its_plain_counts_where_the_check_asks_for_it(chart, part, n_shown, monkeypatch):
    page, shown = object.__new__(CheckPage), []
    title = SimpleNamespace(in_language=lambda _language: "Doses")
    page.query, page.language = SimpleNamespace(description=SimpleNamespace(chart=chart, title=title)), "en"
    page.result = SimpleNamespace(table=pa.table({"employee_id": ["C07"]}))
    monkeypatch.setattr(page, "_show", lambda *objects: shown.extend(objects))
    described = SimpleNamespace(description=SimpleNamespace(columns={}))
    page._draw(part, SimpleNamespace(table=counts(*COLLEAGUES), query=described))
    assert [[text for text in texts(each) if text.startswith("C")] for each in shown] == [["C07"]] * n_shown


def test_the_same_people_give_the_same_bytes():
    first, second = (funnel(counts(*COLLEAGUES, SKIMMER), "sv", "Doses").svg for _each in range(2))
    assert first == second
