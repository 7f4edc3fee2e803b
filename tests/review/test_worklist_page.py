"""The page of a reviewer with an account apart: the own folder alone, each answer written into its workbook."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import date

import openpyxl
import pytest

from audit_kernel import decisions
from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.harmless import harmless
from audit_kernel.investigation.widgets import HIDDEN, SHOWN
from audit_kernel.operating.desk import Desk, Worker
from audit_kernel.review.export import file_name
from audit_kernel.review.own_list import read_own_list
from audit_kernel.review.reading import read_answers
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.review.worklist_page import WorklistPage, WorklistSection, open_page
from audit_kernel.site import WORK_LISTS
from audit_kernel.use_log import operating_system_user
from tests.review.test_page import at_once, choose, press, rows
from tests.review.two_lists import HOSTILE, MONTH, as_made, english_site, make_lists, subject

CARE = "Justified: took part in the patient's care"
NO_NEED = "Unjustified: no need in the work"
OWN = as_made(make_lists()[0])
GIVEN = {"decision": "justified", "reason": CARE, "remark": "on the rota"}


@pytest.fixture
def site(tmp_path):
    return english_site(tmp_path / "site")


@pytest.fixture
def folder(site):
    own = site.folder / WORK_LISTS / operating_system_user()
    own.mkdir(parents=True)
    return own


@pytest.fixture
def book(site, folder):
    """M1's list of three rows, as it was delivered."""
    path = folder / file_name(OWN)
    path.write_bytes(workbook_bytes(site, OWN))
    return path


def section_of(site):
    return WorklistSection(Desk(site, date(2026, 11, 20), Worker(at_once)))


def answers(site, path):
    """What the strict way of every list takes from the workbook, by key."""
    entry = OWN.entry()
    return {
        each.key: (each.decision, each.reason, each.remark) for each in read_answers(site, path, lambda _id: entry)[1]
    }


def parts(path):
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_own_lists_stand_there_at_once_newest_first_and_no_folder_of_the_store_is_touched(site, folder, book):
    older = replace(OWN, month="2026-09", list_id="3f" * 8)
    (folder / file_name(older)).write_bytes(workbook_bytes(site, older))
    other = site.folder / WORK_LISTS / "somebody-else"
    other.mkdir()
    (other / "list.xlsx").write_bytes(book.read_bytes())
    for name in ("store", "archive", "journals", "keys", "parameters", "cases", "temporary"):
        (site.folder / name).rename(site.folder / f"not-{name}")  # as if this account could not enter
    section = section_of(site)
    assert [row[:3] for row in rows(section)] == [["October 2026", "3", "3"], ["September 2026", "3", "3"]]
    choose(section, 0)
    assert [row[:2] for row in rows(section)] == [["1", "Open"], ["2", "Open"], ["3", "Open"]]
    assert harmless(HOSTILE) in rows(section)[0][4]
    choose(section, 0)
    press(section.entry, **GIVEN)
    assert section.entry.error == {}
    assert not [path for path in site.folder.iterdir() if path.name in ("store", "journals", "temporary")]


def test_an_answer_is_written_into_the_workbook_and_nothing_else_of_it_changes(site, book):
    before = parts(book)
    section = section_of(site)
    choose(section, 0)
    choose(section, 1)
    assert section.deciding.layout.display == SHOWN
    press(section.entry, decision="unjustified", reason=NO_NEED, remark="=1+1 _x0041_ \u202ex\nwas off")
    assert section.entry.error == {}
    assert section.row_trail.view["title"] == "Row 3"
    assert section.row_trail.view["status"] == "Saved: row 2, Unjustified."
    said = ("unjustified", "no_need_in_the_work", f"=1+1 _x0041_ {harmless(chr(0x202E))}x\nwas off")
    assert answers(site, book) == {subject(2)[1]: said}
    after = parts(book)
    assert [name for name in before if after[name] != before[name]] == ["xl/worksheets/sheet1.xml"]
    sheet = openpyxl.load_workbook(book).worksheets[0]
    assert sheet.protection.sheet
    assert {cell.coordinate for line in sheet.iter_rows() for cell in line if not cell.protection.locked} == {
        f"{column}{line}" for column in "IJK" for line in (5, 6, 7)
    }
    assert len(sheet.data_validations.dataValidation) == 3
    assert sheet["K6"].data_type == "s"
    assert list(book.parent.glob(".*.new")) == []


def test_when_all_is_decided_the_page_says_that_the_list_is_collected(site, book):
    section = section_of(site)
    choose(section, 0)
    choose(section, 2)
    for _number in range(3):  # after the last row the next open one is the first
        press(section.entry, **GIVEN)
        assert section.entry.error == {}
    assert section.deciding.layout.display == HIDDEN
    assert section.answer.view["question"].startswith("Every row is decided. The list is collected from here")
    assert set(answers(site, book)) == {subject(number)[1] for number in (1, 2, 3)}
    assert [row[1] for row in rows(section)] == ["Justified"] * 3
    choose(section, 0)
    assert {field["name"]: field["value"] for field in section.entry.texts["fields"]} == GIVEN
    press(section.entry)
    assert section.answer.view["status"] == "Row 1 was decided so already: Justified."


def test_two_tabs_lose_no_word(site, book):
    first, second = section_of(site), section_of(site)
    for tab in (first, second):
        choose(tab, 0)
        choose(tab, 0)
    press(first.entry, **GIVEN)
    press(second.entry, decision="unjustified", reason=NO_NEED, remark="was off")
    assert second.entry.error["problem"].startswith("This row was decided elsewhere meanwhile")
    assert second.row_trail.view["notices"] == ["Justified, took part in the patient's care. “on the rota”"]
    assert answers(site, book)[subject(1)[1]][0] == "justified"
    press(second.entry, decision="unjustified", reason=NO_NEED, remark="was off")
    assert second.entry.error == {}
    press(first.entry, **GIVEN)  # row 2: what the other tab wrote into row 1 stays
    assert {key: said[0] for key, said in answers(site, book).items()} == {
        subject(1)[1]: "unjustified",
        subject(2)[1]: "justified",
    }


def test_what_a_spreadsheet_filled_in_half_stands_in_the_form_and_the_row_is_open(site, book):
    sheets = openpyxl.load_workbook(book)
    sheets.worksheets[0]["I5"], sheets.worksheets[0]["K5"] = "Justified", "typed elsewhere"
    sheets.save(book)
    section = section_of(site)
    assert rows(section)[0][2] == "3"
    choose(section, 0)
    assert rows(section)[0][1] == "Open"
    choose(section, 0)
    shown = {field["name"]: field["value"] for field in section.entry.texts["fields"]}
    assert shown == {"decision": "justified", "reason": "", "remark": "typed elsewhere"}
    press(section.entry, reason=CARE)
    assert answers(site, book)[subject(1)[1]] == ("justified", "care_of_the_patient", "typed elsewhere")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"decision": ""}, "decision"),
        ({"reason": ""}, "reason"),
        ({"reason": NO_NEED}, "reason"),
        ({"reason": "Justified: because"}, "reason"),
        ({"remark": " \n "}, "remark"),
        ({"remark": "\u202e" * 200}, "remark"),  # each is eight letters when it can be seen
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(site, book, wrong, field):
    before = book.read_bytes()
    section = section_of(site)
    choose(section, 0)
    choose(section, 1)
    press(section.entry, **{**GIVEN, **wrong})
    assert section.entry.error["field"] == field
    assert book.read_bytes() == before


def change_cell(sheets):
    sheets.worksheets[0]["C5"] = "Somebody Else"


def change_mark(sheets):
    sheets["audit-kernel"]["B4"] = "0" * 16


def remove_marks(sheets):
    del sheets["audit-kernel"]


def make_no_month(sheets):
    sheets["audit-kernel"]["B2"] = "x"


def add_formula(sheets):
    sheets.worksheets[0]["K5"] = "=1+1"


def remove_reasons(sheets):
    del sheets["Reasons"]


@pytest.mark.parametrize("change", [change_cell, change_mark, remove_marks, make_no_month, add_formula])
def test_a_workbook_that_was_changed_is_named_and_not_shown(site, book, change):
    sheets = openpyxl.load_workbook(book)
    change(sheets)
    sheets.save(book)
    section = section_of(site)
    assert section.tables[0].view == {}
    (told,) = section.answer.view["notices"]
    assert told.startswith(f"{book.name} cannot be shown: {book.name}")
    assert "Somebody" not in told


def test_a_list_without_its_reasons_takes_no_answer(site, book):
    sheets = openpyxl.load_workbook(book)
    remove_reasons(sheets)
    sheets.save(book)
    section = section_of(site)
    choose(section, 0)
    choose(section, 0)
    press(section.entry, **GIVEN)
    assert section.entry.error["field"] == "reason"


def test_a_list_that_is_changed_while_it_is_open_is_not_written(site, book):
    section = section_of(site)
    choose(section, 0)
    choose(section, 0)
    book.write_bytes(b"no workbook")
    press(section.entry, **GIVEN)
    assert "is no review list" in section.entry.error["problem"]
    assert book.read_bytes() == b"no workbook"


def test_what_lies_beside_the_lists_is_left_alone_and_what_is_none_is_named(site, folder, book):
    (folder / ".~lock.list.xlsx#").write_text("x")
    (folder / f".{book.name}.abcd.new").write_text("x")
    (folder / "notes.txt").write_text("x")
    (folder / "other.XLSX").write_text("x")
    section = section_of(site)
    assert len(rows(section)) == 1
    (told,) = section.answer.view["notices"]
    assert told.startswith("other.XLSX cannot be shown: other.XLSX is no review list")


def test_the_legal_basis_of_each_reason_comes_from_the_workbook(site, book):
    section = section_of(site)
    choose(section, 0)
    view = section.tables[1].view
    assert len(view["rows"]) == len(read_own_list(book).reasons) >= 14
    assert all(cell for row in view["rows"] for cell in row)
    assert section.tables[1].view["rows"][0][:2] == ["Justified", "took part in the patient's care"]


def test_without_a_folder_a_list_or_a_site_there_is_a_sentence(site, monkeypatch, tmp_path):
    section = section_of(site)
    assert section.form.error["problem"] == "You have no folder for work lists on this server."
    (site.folder / WORK_LISTS / operating_system_user()).mkdir(parents=True)
    press(section.form)
    assert section.form.error == {}
    assert section.answer.view["question"] == "There is no list for you."
    assert decisions.lists(site, MONTH) == []
    assert repr(WorklistPage(section.desk)) == "<WorklistPage>"
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(tmp_path / "none"))
    assert isinstance(open_page(), Paragraph)


def test_no_word_of_a_list_stands_where_a_notebook_would_keep_it(site, book):
    section = section_of(site)
    choose(section, 0)
    assert "Eva" in json.dumps(section.tables[0].view, ensure_ascii=False)
    assert "Eva" not in repr(section)
