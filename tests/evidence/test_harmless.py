from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_kernel.evidence.harmless import harmless, neutralise_cell

any_text = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\x1b[31m", "␛[31m"),
        ("one\r\ntwo\t", "one␍␊two␉"),
        ("\x7f", "␡"),
        ("\x85", "⟨U+0085⟩"),
        ("\u202egnp", "⟨U+202E⟩gnp"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("soft\u00adhyphen", "soft⟨U+00AD⟩hyphen"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\ufffe", "⟨U+FFFE⟩"),
        ("\U0001fffe", "⟨U+1FFFE⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\ue000", "⟨U+E000⟩"),
        ("\u2028", "⟨U+2028⟩"),
        ("\u3164", "⟨U+3164⟩"),
        ("x\ufe0f", "x⟨U+FE0F⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
    ],
)
def test_what_disguises_or_commands_becomes_visible(hostile, shown):
    assert harmless(hostile) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Åse Ødegård-Lindström",
        "12\u00a0345",
        "Ωμέγα שלום 漢字",
        "Nguyễn",
        "e\u0301",
        "\N{MINUS SIGN}5 \N{EN DASH} “x” ⟨y⟩ €",
        "🙂",
    ],
)
def test_ordinary_text_of_every_script_stays_as_it_is(text):
    assert harmless(text) == text


def test_a_tower_of_marks_is_cut_after_three():
    shown = harmless("Z" + "\u0301" * 40)
    assert shown.count("\u0301") == 3
    assert shown.count("⟨U+0301⟩") == 37


@given(any_text)
def test_nothing_hidden_is_left_and_the_text_can_be_written(text):
    shown = harmless(text)
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    shown.encode("utf-8")


@given(any_text)
def test_doing_it_twice_changes_nothing_more(text):
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize(
    "text", ["=1+1", "+4712", "-1", "@SUM(A1)", "\tx", "\r=1", "  =1", "\N{FULLWIDTH EQUALS SIGN}1"]
)
def test_a_cell_that_a_spreadsheet_would_compute_becomes_text(text):
    assert neutralise_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Kari", "a=b", "12-34", "'=1"])
def test_other_cells_stay_as_they_are(text):
    assert neutralise_cell(text) == text
