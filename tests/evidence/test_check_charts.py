"""The chart of a check: what it draws, says and leaves out, whatever the log holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lxml import etree
from pydantic import ValidationError

from audit_kernel.catalog import Catalog, Column, Description
from audit_kernel.chart_description import ChartDescription
from audit_kernel.evidence import check_charts
from audit_kernel.evidence.check_charts import LONGEST_LABEL, MOST_BARS, check_chart
from audit_kernel.evidence.check_page import CheckPage
from audit_kernel.evidence.objects import Chart, Heading, Table
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.evidence.svg import NAMESPACE
from audit_kernel.locale import LANGUAGES
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.yaml_file import Texts
from tests.evidence.pages import HOSTILE
from tests.store.logs import gerica_file, row

COLUMNS = {
    name: Column(type=kind, label=Texts(en=en, sv=sv, nb=sv), meaning=Texts(en=en, sv=sv, nb=sv))
    for name, kind, en, sv in (
        ("unit_id", "id", "Unit", "Enhet"),
        ("home_unit_id", "id", "Home unit", "Hemenhet"),
        ("day_type", "code", "Day type", "Dagtyp"),
        ("n_rows", "integer", "Rows", "Rader"),
        ("n_few", "integer", "Few", "Få"),
    )
}
BARS = ChartDescription(kind="bars", of="counts", x="unit_id", value="n_rows")
HEAT = ChartDescription(kind="heat", of="matrix", x="unit_id", y="home_unit_id", value="n_rows")


def drawn(rows: Mapping[str, Any], chart: ChartDescription = BARS, language: str = "en", **names: str) -> Chart:
    return check_chart(pa.table(dict(rows)), chart, COLUMNS, language, "Title", names)


def texts(chart: Chart) -> list[str | None]:
    return [element.text for element in etree.fromstring(chart.svg).iter(f"{{{NAMESPACE}}}text")]


def test_bars_are_as_long_as_their_numbers_and_named_by_unit() -> None:
    chart = drawn({"unit_id": ["U1", "U2"], "n_rows": [400, 100]}, U1="The house")
    assert [text for text in texts(chart) if text][-5:] == ["0", "100", "200", "300", "400"]
    assert texts(chart)[:2] == ["U1 The house", "U2"]
    assert chart.table.rows == (("U1 The house", "400"), ("U2", "100"))
    assert [float(each) for each in re.findall(r"M0,\d+h([\d.]+)v", chart.svg)] == [480, 120]
    assert chart.description == "Rows by unit: 500 in all."


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_part_is_drawn_dark_and_named(language: str) -> None:
    chart = ChartDescription(kind="bars", of="counts", x="day_type", value="n_rows", of_which="n_few")
    shown = drawn({"day_type": ["sunday", "weekday"], "n_rows": [10, 8], "n_few": [3, None]}, chart, language)
    assert [cells[1:] for cells in shown.table.rows] == [("10", "3"), ("8", "0")]
    assert ("dark: few" if language == "en" else "rkt: få") in shown.description.lower()
    assert shown.table.rows[0][0] != "sunday"


def test_findings_without_a_number_are_counted() -> None:
    chart = ChartDescription(kind="bars", of="findings", x="unit_id")
    assert drawn({"unit_id": ["U2", None, "U2"]}, chart).table.rows == (("U2", "2"), ("\N{EN DASH}", "1"))


def test_of_many_bars_the_largest_are_drawn_in_their_order_and_it_is_said() -> None:
    numbers = [place % 40 for place in range(100)]
    chart = drawn({"unit_id": [f"U{place:03}" for place in range(100)], "n_rows": numbers})
    assert len(chart.table.rows) == MOST_BARS
    assert [cells[0] for cells in chart.table.rows] == sorted(cells[0] for cells in chart.table.rows)
    assert min(int(cells[1]) for cells in chart.table.rows) >= sorted(numbers)[-MOST_BARS]
    assert f"{MOST_BARS} of 100" in chart.description


def test_a_map_holds_the_largest_rows_and_columns_and_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_charts, "MOST_CELLS", 4)
    size = 10
    rows = {
        "home_unit_id": [f"H{down}" for down in range(size) for _across in range(size)],
        "unit_id": [f"U{across}" for _down in range(size) for across in range(size)],
        "n_rows": [down * across for down in range(size) for across in range(size)],
    }
    chart = drawn(rows, HEAT)
    assert {cells[:2] for cells in chart.table.rows} == {(f"H{n}", f"U{m}") for n in range(6, 10) for m in range(6, 10)}
    assert "16 of 81" in chart.description
    assert "U9" in texts(chart)


@pytest.mark.parametrize("chart", [BARS, HEAT])
def test_where_there_is_nothing_the_chart_says_so(chart: ChartDescription) -> None:
    empty: dict[str, list[Any]] = {"unit_id": [], "home_unit_id": [], "n_rows": []}
    for rows in (empty, {"unit_id": ["U1"], "home_unit_id": ["U2"], "n_rows": [0]}):
        shown = drawn(rows, chart)
        assert texts(shown) == [shown.description]
        assert "0 in all" in shown.description


@pytest.mark.parametrize("chart", [BARS, HEAT])
def test_hostile_labels_are_drawn_as_harmless_text(chart: ChartDescription) -> None:
    labels = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    shown = drawn({"unit_id": labels, "home_unit_id": labels[::-1], "n_rows": list(range(1, len(labels) + 1))}, chart)
    root = etree.fromstring(shown.svg)
    assert {etree.QName(element).localname for element in root.iter()} <= {
        "svg", "g", "path", "rect", "line", "text", "tspan", "title", "desc",
    }  # fmt: skip
    assert not [name for element in root.iter() for name in element.attrib if str(name).startswith("on")]
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u200b\u202e\u2066]", shown.svg)
    assert all(len(text or "") <= LONGEST_LABEL for text in texts(shown))


def test_the_same_rows_give_the_same_bytes() -> None:
    rows = {"unit_id": ["U1", "U2"], "home_unit_id": ["U1", "U1"], "n_rows": [3, 5]}
    assert [drawn(rows, chart).svg for chart in (BARS, HEAT)] == [drawn(rows, chart).svg for chart in (BARS, HEAT)]


@pytest.mark.parametrize(
    ("chart", "problem"),
    [
        ({"kind": "pie", "of": "counts", "x": "unit_id"}, "bars"),
        ({"kind": "heat", "of": "counts", "x": "unit_id"}, "a map needs y and value"),
        ({"kind": "bars", "of": "counts", "x": "unit_id", "of_which": "n_rows"}, "of_which needs value"),
        ({"kind": "bars", "of": "matrix", "x": "unit_id"}, "'unit_id' does not stand under matrix"),
        ({"kind": "bars", "of": "findings", "x": "colour"}, "'colour' does not stand under findings"),
    ],
)
def test_a_chart_of_what_is_not_there_is_refused(chart: dict[str, str], problem: str) -> None:
    text = {"en": "x", "sv": "x", "nb": "x"}
    counts = {"unit_id": {"type": "id", "label": text, "meaning": text}}
    with pytest.raises(ValidationError, match=problem):
        Description.model_validate({"title": text, "question": text, "method": text, "counts": counts, "chart": chart})


@pytest.mark.parametrize("name", sorted(name for name in Catalog().queries if name.startswith("checks/")))
def test_every_check_has_a_chart(name: str) -> None:
    query = Catalog().query(name)
    chart = query.description.chart
    assert chart
    if isinstance(chart, ChartDescription) and chart.of != "findings":
        assert query.beside(chart.of)


def test_the_page_draws_the_chart_above_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = create_site(tmp_path / "site", "NO", "Eksempel kommune")
    days = [row(day, day=f"{day:02d}.10.2026") for day in range(1, 32)]
    take_in(site, gerica_file(tmp_path / "a.csv", days), "gerica")
    shown: list[Any] = []
    monkeypatch.setattr(Page, "_show", staticmethod(lambda *objects: shown.extend(objects)))
    run_file = tmp_path / "run.json"
    with Store(site, "test of charts") as store:
        RunFile(str(site.folder), store.snapshot, "test of charts", 1, str(tmp_path / "tables"), "").write(run_file)
    october = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
    for name in ("many_accesses", "blocked_searches"):
        page = CheckPage(f"checks/{name}", str(run_file), "nb", october)
        page.counts()
        page.table()
        page.done()
    kinds = [type(each) for each in shown if isinstance(each, Heading | Chart | Table)]
    assert kinds == [Heading, Chart, Table, Heading, Table] * 2
