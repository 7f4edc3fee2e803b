from __future__ import annotations

import datetime
import json
import math
import uuid
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from audit_kernel.errors import RunError
from audit_kernel.evidence.display import (
    EMPTY,
    MIME_TYPE,
    Done,
    Heading,
    Link,
    Links,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
    format_value,
    from_description,
    table_from_arrow,
)
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.rendering import render_page
from tests.evidence.pages import EVERYTHING, HOSTILE, column, page_information, page_objects

NBSP = "\u00a0"
any_text = st.text(st.characters(exclude_categories=()), min_size=1)


def utc(*parts):
    """Return the time as DuckDB gives it: UTC without an offset."""
    return datetime.datetime(*parts, tzinfo=datetime.UTC).replace(tzinfo=None)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, content in value.items():
            yield from strings(key)
            yield from strings(content)
    elif isinstance(value, list):
        for content in value:
            yield from strings(content)


@pytest.mark.parametrize("shown", [*page_objects(EVERYTHING), page_information(EVERYTHING), Done({"a": EVERYTHING})])
def test_every_string_of_every_object_is_harmless(shown):
    for text in strings(shown.as_json()):
        assert harmless(text) == text


@pytest.mark.parametrize("shown", [*page_objects(EVERYTHING), page_information(EVERYTHING), Done({"a": [1, "x"]})])
def test_an_object_is_made_again_from_its_json(shown):
    assert from_description(json.loads(json.dumps(shown.as_json()))).as_json() == shown.as_json()


@pytest.mark.parametrize("shown", page_objects(EVERYTHING))
def test_the_html_for_jupyterlab_holds_no_script_and_no_handler(shown):
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {MIME_TYPE, "text/html", "text/plain"}
    for element in html.fromstring(bundle["text/html"]).iter():
        assert element.tag not in {"script", "style", "iframe", "img", "link", "object"}
        assert not [name for name in element.attrib if name.startswith("on")]
    assert harmless(bundle["text/plain"].replace("\n", "").replace("\t", "")) == bundle["text/plain"].replace(
        "\n", ""
    ).replace("\t", "")


@pytest.mark.parametrize(
    "description",
    [
        {},
        {"object": "script", "text": "x"},
        {"object": "paragraph"},
        {"object": "paragraph", "text": "x", "tone": "loud"},
        {"object": "paragraph", "text": "x", "onclick": "y"},
        {"object": "heading", "text": "x", "level": 7},
        {"object": "page", "title": "x", "language": "de", "name": "x"},
        {"object": "table", "caption": "x", "columns": [{"nom": "x"}], "rows": [], "n_rows": 0},
        {"object": "chart", "title": "x", "description": "x", "svg": "<svg/>", "table": None},
        {"object": "links", "links": [{"label": "x"}]},
    ],
)
def test_a_description_that_is_not_ours_is_refused(description):
    with pytest.raises(RunError):
        from_description(description)


def test_a_row_with_a_cell_too_many_is_refused():
    with pytest.raises(RunError, match="more or fewer cells"):
        Table("x", [TableColumn("a", "A")], [("1", "2")], 1)


@pytest.mark.parametrize("address", ["/etc/passwd", "//example.org", "https://example.org", "a\\b", "x//y"])
def test_a_link_that_leads_outside_is_refused(address):
    with pytest.raises(RunError, match="outside"):
        Links([("x", address)])


def test_a_link_is_never_taken_for_a_scheme():
    assert Link("x", "javascript:alert(1)").href == "javascript%3Aalert%281%29"
    assert Link("x", "../tables/åse lund.csv#a b").href == "../tables/%C3%A5se%20lund.csv#a%20b"


def test_an_unknown_language_is_refused():
    with pytest.raises(RunError, match="language"):
        PageInformation("x", "de", "x")


def test_a_level_or_tone_that_pages_do_not_know_is_refused():
    with pytest.raises(RunError, match="level"):
        Heading("x", 4)
    with pytest.raises(RunError, match="tone"):
        Paragraph("x", "loud")


@pytest.mark.parametrize(
    ("value", "kind", "nb", "sv", "en"),
    [
        (1234567, "integer", f"1{NBSP}234{NBSP}567", f"1{NBSP}234{NBSP}567", "1,234,567"),
        (1234567, "id", "1234567", "1234567", "1234567"),
        ("0012345", "id", "0012345", "0012345", "0012345"),
        (Decimal("1234.5"), "decimal", f"1{NBSP}234,50", f"1{NBSP}234,50", "1,234.50"),
        (0.125, "percent", f"12,5{NBSP}%", f"12,5{NBSP}%", "12.5%"),
        (datetime.date(2026, 10, 5), "date", "05.10.2026", "2026-10-05", "2026-10-05"),
        (
            utc(2026, 7, 1, 22, 30),
            "timestamp",
            "02.07.2026 00:30:00",
            "2026-07-02 00:30:00",
            "2026-07-02 00:30:00",
        ),
        (True, "boolean", "Ja", "Ja", "Yes"),
        (False, "boolean", "Nei", "Nej", "No"),
        (None, "text", EMPTY, EMPTY, EMPTY),
        ("", "text", EMPTY, EMPTY, EMPTY),
        (math.nan, "decimal", EMPTY, EMPTY, EMPTY),
        (["a", "b"], "text", "a, b", "a, b", "a, b"),
        (uuid.UUID(int=1), "id", *["00000000-0000-0000-0000-000000000001"] * 3),
    ],
)
def test_a_value_is_written_as_its_reader_writes(value, kind, nb, sv, en):
    assert [format_value(value, kind, language, "Europe/Oslo") for language in ("nb", "sv", "en")] == [nb, sv, en]


def test_the_hour_that_occurs_twice_tells_its_offset():
    first, second = (utc(2026, 10, 25, hour, 30) for hour in (0, 1))
    assert format_value(first, "timestamp", "sv", "Europe/Stockholm") == "2026-10-25 02:30:00 (+02:00)"
    assert format_value(second, "timestamp", "sv", "Europe/Stockholm") == "2026-10-25 02:30:00 (+01:00)"


def test_a_field_of_five_megabytes_is_cut_and_says_how_long_it_was():
    text = format_value("x" * 5_000_000, "text", "en", "UTC")
    assert text == "x" * 500 + " … (5,000,000 characters in all)"


def test_a_table_shows_what_its_columns_declare():
    arrow = pa.table(
        {"secret": ["s"], "activity_en": ["read"], "activity_nb": ["lest"], "n": [1200], "employee_id": [1200]}
    )
    columns = {
        "secret": column("secret", hidden=True),
        "activity": column("activity", localised=True),
        "n": column("n", "integer", meaning={"en": "how many", "nb": "hvor mange"}),
        "employee_id": column("employee_id", "id"),
    }
    table = table_from_arrow(arrow, columns, "nb", "Europe/Oslo", "Oppslag")
    assert table.rows == (("lest", f"1{NBSP}200", "1200"),)
    assert [(item.label, item.align, item.meaning) for item in table.columns] == [
        ("activity", "start", ""),
        ("n", "end", "hvor mange"),
        ("employee_id", "start", ""),
    ]


def test_a_long_table_shows_its_first_rows_and_says_where_all_are():
    arrow = pa.table({"n": list(range(1500))})
    table = table_from_arrow(arrow, [column("n", "integer")], "en", "UTC", "x", file_name="x.csv")
    assert (len(table.rows), table.n_rows) == (1000, 1500)
    assert table.note == "The first 1,000 of 1,500 rows are shown; all of them are in the file x.csv."
    assert not table_from_arrow(arrow.slice(0, 1000), [column("n", "integer")], "en", "UTC", "x").note


@settings(max_examples=60)
@given(st.lists(st.tuples(any_text, any_text), min_size=1, max_size=4))
def test_a_table_says_on_the_page_just_what_stood_in_it(rows):
    arrow = pa.table({"a": [harmless(a) for a, _b in rows]})
    table = Table("x", [TableColumn("a", "A"), TableColumn("b", "B")], rows, len(rows))
    page = html.document_fromstring(render_page([table], page_information("x", "en")))
    cells = [cell.text_content() for row in page.iterfind(".//tbody/tr") for cell in row]
    assert cells == [harmless(text) for row in rows for text in row]
    assert arrow.num_rows == len(rows)
    assert not page.xpath("//script | //tbody//*[not(self::tr or self::td or self::th)]")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_cell_stays_text(hostile):
    page = html.document_fromstring(
        render_page([Table("x", [TableColumn("a", "A")], [[hostile]], 1)], page_information("x"))
    )
    (cell,) = page.xpath("//tbody/tr/th")
    assert cell.text_content() == harmless(hostile)
    assert len(cell) == 0
