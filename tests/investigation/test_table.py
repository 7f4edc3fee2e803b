"""The table: sorted and paged in Python, harmless, and quick with many rows."""

from __future__ import annotations

from time import perf_counter

import pyarrow
import pytest

from audit_kernel.investigation.table import ROWS_A_PAGE, Table, TableColumn, TableContent, sorted_indices

HOSTILE = "<script>alert(1)</script>\u202eexe.gpj\x00"


def content(names, numbers=None, **rest):
    rows = pyarrow.table({"name": names, "n": numbers or list(range(len(names)))})
    columns = [TableColumn("name", "Name", "name"), TableColumn("n", "Number", "n", is_number=True)]

    def as_text(piece):
        return [(row["name"] or "-", str(row["n"])) for row in piece.to_pylist()]

    return TableContent(rows, columns, as_text, "Caption", **rest)


def first_column(table):
    return [row[0] for row in table.view["rows"]]


def test_a_new_table_shows_nothing():
    assert Table("en").view == {}


def test_only_one_page_of_rows_goes_to_the_browser():
    table = Table("en")
    table.show(content([f"row {number}" for number in range(ROWS_A_PAGE + 7)]))
    assert len(table.view["rows"]) == ROWS_A_PAGE
    table.turn(1)
    assert first_column(table) == [f"row {number}" for number in range(ROWS_A_PAGE, ROWS_A_PAGE + 7)]
    assert table.view["texts"]["where"] == "Rows 51 to 57 of 57"


@pytest.mark.parametrize("page", [-1, 2, 10**9])
def test_a_page_that_does_not_exist_changes_nothing(page):
    table = Table("en")
    table.show(content([f"row {number}" for number in range(ROWS_A_PAGE + 7)]))
    before = table.view
    table.turn(page)
    assert table.view == before


def test_sorting_goes_up_then_down_then_back_to_the_order_of_the_report():
    table = Table("en")
    table.show(content(["b", "c", "a"]))
    orders = []
    for _ in range(3):
        table.sort("name")
        orders.append((first_column(table), table.view["columns"][0]["sort"]))
    assert orders == [(["a", "b", "c"], "ascending"), (["c", "b", "a"], "descending"), (["b", "c", "a"], "none")]


def test_sorting_another_column_begins_upward_and_on_the_first_page():
    table = Table("en")
    table.show(content([f"{number:03}" for number in range(120)], list(range(120, 0, -1))))
    table.sort("name")
    table.turn(2)
    table.sort("n")
    assert table.view["page"] == 0
    assert [column["sort"] for column in table.view["columns"]] == ["none", "ascending"]
    assert table.view["rows"][0][1] == "1"


def test_rows_without_a_value_come_last_either_way():
    table = Table("en")
    table.show(content(["b", None, "a"]))
    table.sort("name")
    assert first_column(table) == ["a", "b", "-"]
    table.sort("name")
    assert first_column(table) == ["b", "a", "-"]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("sv", ["Anna", "beata", "Zeta", "Åsa", "ärla", "Öberg"]),
        ("nb", ["Anna", "beata", "Zeta", "Ærlig", "Østby", "Åse"]),
    ],
)
def test_names_are_sorted_by_the_alphabet_of_the_language(language, expected):
    rows = pyarrow.table({"name": expected[::-1]})
    order = sorted_indices(rows, "name", "ascending", language).to_pylist()
    assert [rows["name"][position].as_py() for position in order] == expected


def test_equal_rows_keep_the_order_of_the_report():
    rows = pyarrow.table({"n": [1, 0, 1, 0]})
    assert sorted_indices(rows, "n", "ascending", "en").to_pylist() == [1, 3, 0, 2]
    assert sorted_indices(rows, "n", "descending", "en").to_pylist() == [0, 2, 1, 3]


def test_hostile_text_leaves_python_harmless():
    table = Table("en")
    table.show(content([HOSTILE]))
    shown = first_column(table)[0]
    assert shown == "<script>alert(1)</script>⟨U+202E⟩exe.gpj␀"


def test_a_chosen_row_is_the_one_on_the_screen():
    chosen = []
    table = Table("en", chosen.append)
    table.show(content([f"{number:03}" for number in range(120)], action="Open"))
    table.sort("n")
    table.sort("n")
    table.turn(1)
    table._receive(table, {"kind": "choose", "row": 3}, [])
    assert chosen == [{"name": "066", "n": 66}]


def test_a_row_that_is_not_there_and_a_table_without_action_choose_nothing():
    chosen = []
    table = Table("en", chosen.append)
    table.show(content(["a"], action="Open"))
    table.choose(1)
    table.choose(-1)
    table.show(content(["a"]))
    table.choose(0)
    assert chosen == []


def test_the_marked_row_is_on_the_first_page_shown_and_stays_marked_when_sorted():
    table = Table("en")
    table.show(content([f"{number:03}" for number in range(120)], marked=70))
    assert table.view["page"] == 1
    assert table.view["rows"][table.view["marked"]][0] == "070"
    table.sort("n")
    table.sort("n")
    assert table.view["marked"] == 49
    assert table.view["rows"][49][0] == "070"
    table.turn(1)
    assert table.view["marked"] is None


@pytest.mark.parametrize("message", [{}, {"kind": "unknown"}, {"kind": "sort", "column": "nothing"}])
def test_a_message_that_means_nothing_changes_nothing(message):
    table = Table("en")
    table.show(content(["b", "a"]))
    before = table.view
    table._receive(table, message, [])
    assert table.view == before


def test_a_hundred_thousand_rows_are_sorted_and_paged_quickly():
    n_rows = 100_000
    table = Table("nb")
    table.show(content([f"Åse {number * 7919 % n_rows}" for number in range(n_rows)]))
    start = perf_counter()
    table.sort("name")
    table.turn(999)
    assert perf_counter() - start < 2
    assert len(table.view["rows"]) == ROWS_A_PAGE


def test_a_widget_names_itself_without_its_data():
    table = Table("en")
    table.show(content(["KARI NORDMANN"]))
    assert repr(table) == "<Table>"
