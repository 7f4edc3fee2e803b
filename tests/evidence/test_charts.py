from __future__ import annotations

import datetime
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from lxml import etree

from audit_kernel.errors import RunError
from audit_kernel.evidence import charts, svg
from audit_kernel.evidence.rendering import TEMPLATE_FOLDER
from audit_kernel.evidence.svg import ATTRIBUTES, ELEMENTS, INKS, clean_svg
from tests.evidence.pages import EVERYTHING, daily, hourly

DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
from audit_kernel.evidence import charts
from tests.evidence.pages import daily, hourly
sys.stdout.buffer.write((charts.timeline(daily(), "sv", "t").svg + charts.hour_map(hourly(), "sv", "t").svg).encode())
"""


def texts(chart):
    return [element.text for element in etree.fromstring(chart.svg).iter(f"{{{svg.NAMESPACE}}}text")]


def elements(chart, ink):
    return [element for element in etree.fromstring(chart.svg).iter() if ink in element.get("class", "").split()]


@pytest.mark.parametrize(
    "environment",
    [{"TZ": "Asia/Tokyo", "LANG": "C"}, {"TZ": "America/Los_Angeles", "LC_ALL": "nb_NO.UTF-8", "PYTHONHASHSEED": "7"}],
)
def test_zone_locale_and_hash_seed_change_no_byte_of_a_picture(environment):
    here = (charts.timeline(daily(), "sv", "t").svg + charts.hour_map(hourly(), "sv", "t").svg).encode()
    command = [sys.executable, "-c", DRAW, str(Path.cwd())]
    assert subprocess.run(command, env=os.environ | environment, capture_output=True, check=True).stdout == here


def test_no_text_is_measured_so_fonts_change_no_byte(monkeypatch):
    before = [charts.timeline(daily(), "nb", "t").svg, charts.hour_map(hourly(), "nb", "t").svg]
    monkeypatch.setattr(charts, "FONT", "DejaVu Sans Mono, no such font")
    assert [charts.timeline(daily(), "nb", "t").svg, charts.hour_map(hourly(), "nb", "t").svg] == before


def test_a_picture_has_a_title_and_says_in_words_what_it_shows():
    chart = charts.timeline(daily(), "en", "Accesses per day", "All units.")
    root = etree.fromstring(chart.svg)
    assert root.get("role") == "img"
    assert [root.find(f"{{{svg.NAMESPACE}}}{name}").text for name in ("title", "desc")] == [
        "Accesses per day",
        chart.description,
    ]
    assert chart.description == (
        "All units. 1 August 2026 to 7 August 2026: 53 accesses. Most on 5 August 2026: 22. 2 days without any."
        " Shaded: Saturdays and Sundays."
    )


def test_the_table_beside_a_timeline_holds_every_day_of_the_period():
    period = (datetime.date(2026, 7, 30), datetime.date(2026, 8, 9))
    table = charts.timeline(daily(), "nb", "t", period=period).table
    assert len(table.rows) == 11
    assert table.rows[0] == ("30.07.2026", "torsdag", "0")
    assert table.rows[6] == ("05.08.2026", "onsdag", "22")


def test_a_day_without_accesses_has_no_bar():
    assert len(elements(charts.timeline(daily(), "nb", "t"), "ink-series")) == 5


def test_weeks_are_drawn_as_wide_as_they_last():
    arrow = pa.table(
        {"day": [datetime.date(2026, 1, 5), datetime.date(2026, 1, 19)], "n_accesses": [70, 7], "n_days": [7, 7]}
    )
    chart = charts.timeline(arrow, "en", "t")
    assert [row[1:] for row in chart.table.rows] == [("7", "70"), ("7", "0"), ("7", "7")]
    assert "Most in the days from 5 January 2026: 70." in chart.description
    assert not elements(chart, "ink-band")


@pytest.mark.parametrize(
    ("language", "n_days", "expected"),
    [
        ("nb", 5, "1. aug"),
        ("sv", 5, "1 aug"),
        ("sv", 40, "3 aug"),
        ("nb", 92, "okt"),
        ("en", 92, "Oct"),
        ("sv", 800, "2027"),
    ],
)
def test_the_time_axis_is_written_in_the_pages_language(language, n_days, expected):
    assert expected in texts(charts.timeline(daily(counts=[1] * n_days), language, "t"))


@pytest.mark.parametrize("n_days", [1, 2, 9, 10, 11, 31, 62, 63, 92, 184, 365, 366, 550, 551, 1900])
def test_labels_of_the_time_axis_do_not_run_into_each_other(n_days):
    for offset in (0, 14, 27, 30):
        first = datetime.date(2026, 8, 1) + datetime.timedelta(days=offset)
        places = [label["x"] * charts._WIDTH / n_days for label in charts.day_labels(first, n_days, "sv")]
        assert places
        assert all(after - before >= charts._MINIMUM_GAP for before, after in pairwise(places))


@pytest.mark.parametrize("highest", [0, 1, 3, 4, 5, 9, 22, 40, 99, 1000, 123_456_789])
def test_the_number_axis_is_round_and_holds_the_highest_bar(highest):
    top, step = charts.nice(highest)
    assert top >= highest
    assert top % step == 0
    assert top // step <= 5
    assert str(step).rstrip("0") in {"1", "2", "5"}


@pytest.mark.parametrize(
    ("language", "monday", "sunday"),
    [("nb", "mandag", "søndag"), ("sv", "måndag", "söndag"), ("en", "Monday", "Sunday")],
)
def test_weekdays_are_written_in_the_pages_language(language, monday, sunday):
    chart = charts.hour_map(hourly(), language, "t")
    assert {monday, sunday} <= set(texts(chart))
    assert [column.label for column in chart.table.columns][1] == monday


def test_the_hour_map_has_a_cell_for_each_hour_and_the_same_figures_beside_it():
    chart = charts.hour_map(hourly(), "nb", "t")
    cells = [element for step in range(6) for element in elements(chart, f"ink-step-{step}")]
    assert len(cells) == 7 * 24 + 6  # and six in the key
    assert len(chart.table.rows) == 24
    assert chart.table.rows[8][1] == "40"
    assert chart.table.rows[23][7] == "3"
    assert texts(chart).count("0") == 1  # in the key only


@pytest.mark.parametrize("highest", [1, 2, 4, 5, 6, 17, 999, 1000, 54321])
def test_the_shades_cover_every_number_once_and_the_highest_is_darkest(highest):
    limits = charts.step_limits(highest)
    assert limits == sorted(set(limits))
    assert limits[-1] == highest
    cell = charts._cell(1, 0, highest, limits, "en")
    assert cell["step"] == 5
    assert charts._cell(1, 0, 1, limits, "en")["step"] >= 1
    assert charts._cell(1, 0, 0, limits, "en")["step"] == 0


@pytest.mark.parametrize("draw", [charts.timeline, charts.hour_map])
def test_a_period_without_accesses_says_so(draw):
    arrow = daily(counts=()) if draw is charts.timeline else hourly(((1, 0, 0),))
    chart = draw(arrow, "en", "t")
    assert chart.description == "No accesses in the period."
    assert texts(chart) == ["No accesses in the period."]


def test_a_period_without_accesses_but_with_days_shows_its_days():
    chart = charts.timeline(daily(counts=()), "en", "t", period=(datetime.date(2026, 8, 1), datetime.date(2026, 8, 31)))
    assert len(chart.table.rows) == 31
    assert "0 accesses." in chart.description


def test_rows_without_a_time_are_left_out():
    arrow = pa.table({"local_weekday": [1, None], "local_hour": [3, None], "n_accesses": [4, 9]})
    assert charts.hour_map(arrow, "en", "t").description.startswith("4 accesses.")
    days = pa.table({"day": [datetime.date(2026, 8, 1), None], "n_accesses": [4, 9]})
    assert charts.timeline(days, "en", "t").table.rows == (("2026-08-01", "Saturday", "4"),)


@pytest.mark.parametrize(
    "chart", [charts.timeline(daily(), "nb", EVERYTHING, EVERYTHING), charts.hour_map(hourly(), "nb", EVERYTHING)]
)
def test_a_picture_holds_only_what_is_allowed(chart):
    for element in etree.fromstring(chart.svg).iter():
        assert etree.QName(element).localname in ELEMENTS
        assert set(element.attrib) <= ATTRIBUTES | {"role", "font-family"}
        assert not any("url" in value or ":" in value for value in element.attrib.values())


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<g><script/></g>",
        "<style>*{fill:url(https://example.org)}</style>",
        '<a href="javascript:alert(1)"><text>x</text></a>',
        '<image href="https://example.org/x.png"/>',
        '<use href="#x"/>',
        "<foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='//example.org'/></foreignObject>",
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<html:img xmlns:html="http://www.w3.org/1999/xhtml" src="x" onerror="alert(1)"/>',
        "<!-- comment --><?pi x?>",
        "<set/>",
        "<unknown/>",
    ],
)
def test_elements_that_are_not_allowed_go_with_all_they_hold(content):
    cleaned = clean_svg(f'<svg xmlns="{svg.NAMESPACE}">{content}<rect width="1"/></svg>')
    assert [etree.QName(element).localname for element in etree.fromstring(cleaned).iter()] == ["svg", "rect"]


@pytest.mark.parametrize(
    "attribute",
    [
        'onclick="alert(1)"',
        'style="fill:url(//example.org)"',
        'fill="url(#x)"',
        'fill="url(https://example.org/x)"',
        'fill="URL(x)"',
        'href="x"',
        'xml:base="https://example.org"',
        'transform="javascript:alert(1)"',
        'd="M0 0&quot;&gt;"',
        'class="someones"',
        'role="button"',
        'font-family="x"',
        'aria-labelledby="x"',
    ],
)
def test_attributes_that_are_not_allowed_are_dropped(attribute):
    cleaned = clean_svg(f'<svg xmlns="{svg.NAMESPACE}"><rect {attribute} width="1"/></svg>')
    (rect,) = etree.fromstring(cleaned)
    assert dict(rect.attrib) == {"width": "1"}


@pytest.mark.parametrize(
    "document",
    [
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="{svg.NAMESPACE}"><text>&x;</text></svg>',
        f'<!DOCTYPE svg><svg xmlns="{svg.NAMESPACE}"/>',
        "<svg/>",
        "<html/>",
        "no xml",
        "",
        f'<svg xmlns="{svg.NAMESPACE}"><text>&unknown;</text></svg>',
        f'<svg xmlns="{svg.NAMESPACE}">',
    ],
)
def test_what_is_no_plain_svg_is_refused(document):
    with pytest.raises(RunError):
        clean_svg(document)


def test_cleaning_twice_changes_nothing_more():
    once = charts.timeline(daily(), "nb", "t").svg
    assert clean_svg(once) == once


def test_ids_are_numbered_by_the_document_and_the_title_keeps_its_picture():
    cleaned = clean_svg(
        f'<svg xmlns="{svg.NAMESPACE}"><g id="gradient_983"><rect id="x" width="1"/></g></svg>',
        "chart-2",
        "Title",
        "Words",
    )
    root = etree.fromstring(cleaned)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert ids == ["chart-2-1", "chart-2-2", "chart-2-3", "chart-2-4"]
    assert root.get("aria-labelledby") == "chart-2-1 chart-2-2"


def luminance(color):
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def palettes():
    sheet = (TEMPLATE_FOLDER / "page.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{([^}]*--card[^}]*)\}", sheet)
    )
    return {"light": light, "dark": light | dark, "print": light | {"paper": "#ffffff"}}


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_all_text_has_a_contrast_of_at_least_four_and_a_half(theme):
    colors = palettes()[theme]
    pairs = [
        ("ink", "paper"),
        ("label", "paper"),
        ("accent", "paper"),
        ("ink", "card"),
        ("label", "card"),
        ("accent", "card"),
    ]
    pairs += [("ink", "notice"), ("ink", "warning"), ("ink", "band"), ("label", "band")]
    pairs += [(f"on-{'dark' if step >= charts._FIRST_DARK_STEP else 'light'}", f"step-{step}") for step in range(1, 6)]
    too_weak = {pair: round(contrast(colors[pair[0]], colors[pair[1]]), 2) for pair in pairs}
    assert not {pair: ratio for pair, ratio in too_weak.items() if ratio < 4.5}
    assert contrast(colors["series"], colors["card"]) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_shades_are_told_apart_by_lightness_alone(theme):
    colors = palettes()[theme]
    steps = [luminance(colors[f"step-{step}"]) for step in range(1, 6)]
    assert steps == sorted(steps, reverse=theme == "light")
    assert all(contrast(colors[f"step-{step}"], colors[f"step-{step + 1}"]) >= 1.2 for step in range(1, 5))


def test_the_pages_style_knows_every_ink_of_the_charts():
    colors = palettes()["light"]
    names = {ink: name.removeprefix("ink-") for ink, name in INKS.items()}
    assert {ink: colors["line" if name == "grid" else name] for ink, name in names.items() if name != "text"} == {
        ink: ("#d9dddb" if name == "grid" else ink) for ink, name in names.items() if name != "text"
    }
