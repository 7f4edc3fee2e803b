"""A list that comes back is hostile until it has proved to be ours; what it decides is written once and never over."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from audit_kernel import decisions
from audit_kernel.errors import DamagedFileError, IntakeError, JournalError, UsageError
from audit_kernel.evidence.journals import broken_journals, journal_heads
from audit_kernel.review.lists import ListRow, ReviewList
from audit_kernel.review.status import Progress, progress
from audit_kernel.review.taking_in import take_in_list, take_in_lists
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.site import Site, create_site

ROWS = tuple(
    ListRow(at, kind, keys, ("Finding", f"Eva Ek (E{at})", "-1+1 Per", "2026-10-05", "08:30:00", "3", "_x0041_ read"))
    for at, (kind, keys) in enumerate(
        [("sample", ("E1|P1|2026-10-05",)), ("sample", ("E2|P2|2026-10-05",)), ("finding", ("ab12", "cd34"))], start=1
    )
)
CARE = "Justified: took part in the patient's care"
NO_NEED = "Unjustified: no need in the work"
ASK = "To follow up: the employee is to be asked"


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO", "Test kommune")


@pytest.fixture
def sent(site, tmp_path) -> Path:
    """A list of three rows that went out to M1."""
    made = ReviewList("1f" * 8, "2026-10", "2026-10-monthly-x", "0" * 64, "en", "M1", "Mona Moe", ROWS)
    decisions.journal(site).append({**made.entry(), "user": "root"})
    path = tmp_path / "list.xlsx"
    path.write_bytes(workbook_bytes(site, made))
    return path


def filled(sent: Path, *answers, change=lambda _book: None, name: str = "answered.xlsx") -> Path:
    """Fill the list in as a spreadsheet would: (line, decision, reason, free text)."""
    book = openpyxl.load_workbook(sent)
    for line, *given in answers:
        for column, text in zip("IJK", given, strict=True):
            book.worksheets[0][f"{column}{line}"].value = text
    change(book)
    path = sent.with_name(name)
    book.save(path)
    return path


def set_cell(sheet: int, place: str, value):
    def change(book):
        book.worksheets[sheet][place].value = value

    return change


def said(site: Site) -> list[tuple[str, ...]]:
    rows = decisions.latest_decisions(site, "2026-10").to_pylist()
    return [
        (row["subject_kind"], row["subject_key"], row["decision"], row["reason"], row["decided_by"]) for row in rows
    ]


def test_decisions_come_in_with_who_decided_and_an_open_row_stays_open(site, sent):
    done = take_in_list(site, filled(sent, (5, "Justified", CARE, "night duty"), (7, "To follow up", ASK, "asks E3")))
    assert (done.n_rows, done.n_decided, done.n_new, done.n_changed) == (3, 2, 3, 0)
    assert said(site) == [
        ("finding", "ab12", "follow_up", "ask_the_employee", "M1"),
        ("finding", "cd34", "follow_up", "ask_the_employee", "M1"),
        ("sample", "E1|P1|2026-10-05", "justified", "care_of_the_patient", "M1"),
    ]
    assert progress(site, "2026-10") == [Progress("M1", "Mona Moe", 3, 1, 1, 0, 1)]
    entry = [line["entry"] for line in decisions.journal(site).entries()][-1]
    assert entry["user"]
    assert entry["reviewer_id"] == "M1"
    assert entry["decisions"][0]["remark"] == "night duty"


def test_the_same_file_twice_adds_nothing_and_says_so(site, sent):
    answered = filled(sent, (5, "Justified", CARE, "night duty"))
    take_in_list(site, answered)
    before = decisions.journal(site).path.read_bytes()
    again = take_in_list(site, answered)
    assert (again.is_repeated, again.n_new) == (True, 0)
    saved_anew = take_in_list(site, filled(sent, (5, "Justified", CARE, "night duty"), name="again.xlsx"))
    assert (saved_anew.n_new, saved_anew.n_changed) == (0, 0)
    assert decisions.journal(site).path.read_bytes() == before


def test_a_changed_decision_is_a_new_line_and_the_old_file_cannot_bring_the_old_one_back(site, sent):
    first = filled(sent, (5, "Justified", CARE, "night duty"), (6, "Justified", CARE, "ward round"))
    take_in_list(site, first)
    changed = take_in_list(
        site,
        filled(sent, (5, "Unjustified", NO_NEED, "was off"), (6, "Justified", CARE, "ward round"), name="second.xlsx"),
    )
    assert (changed.n_new, changed.n_changed) == (1, 1)
    entries = [line["entry"] for line in decisions.journal(site).entries()]
    assert [each["kind"] for each in entries] == ["list", "decisions", "decisions"]
    assert [each["decision"] for each in entries[1]["decisions"]] == ["justified", "justified"]
    assert take_in_list(site, first).is_repeated
    assert said(site)[0][2] == "unjustified"


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([(6, "Justified", CARE, "")], "missing in lines 6"),
        ([(6, "Justified", "", "x"), (7, "", CARE, "x")], "missing in lines 6, 7"),
        ([(6, "Maybe", CARE, "x")], "lines 6 hold a decision or reason that is not in the lists"),
        ([(6, "Justified", "Justified: because", "x")], "lines 6 hold a decision or reason that is not in the lists"),
        ([(6, "Berettiget", CARE, "x")], "lines 6 hold a decision or reason that is not in the lists"),
        ([(6, "Justified", NO_NEED, "x")], "in lines 6 the reason belongs to another decision"),
        ([(6, "Justified", CARE, "x" * 1001)], "longer than 1000 characters in lines 6"),
        ([(6, "=1+1", CARE, "x")], "a formula, an error or a cell beside the list in lines 6"),
        ([(6, "Justified", CARE, "=HYPERLINK(1)")], "a formula, an error or a cell beside the list in lines 6"),
    ],
)
def test_one_wrong_line_refuses_the_whole_file_and_only_its_number_is_told(site, sent, answers, problem):
    path = filled(sent, (5, "Justified", CARE, "night duty"), *answers)
    with pytest.raises(IntakeError, match=problem) as caught:
        take_in_list(site, path)
    assert "Per" not in str(caught.value)
    assert said(site) == []


def remove_line(book):
    book.worksheets[0].delete_rows(6)


def add_line(book):
    book.worksheets[0]["A8"].value = "4"
    book.worksheets[0]["C8"].value = "Eva Ek (E9)"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (set_cell(0, "C5", "Ola Nordmann (E9)"), "lines 5 are not the rows that went out"),
        (set_cell(0, "D6", "-2"), "lines 6 are not the rows that went out"),
        (set_cell(0, "A6", "1"), "lines 6 are not the rows that went out"),
        (set_cell(0, "M6", "a remark beside"), "a cell beside the list in lines 6"),
        (add_line, "lines 8 are not the rows that went out"),
        (remove_line, "1 rows of the list are missing"),
        (set_cell(2, "B1", "2f" * 8), "is not a review list that went out from this site"),
        (set_cell(2, "B2", "2026-09"), "another month or another sealed run"),
        (set_cell(2, "B3", "1" * 64), "another month or another sealed run"),
        (set_cell(2, "B4", "f" * 16), "the keys of its rows were changed"),
        (set_cell(2, "A9", "4"), "the keys of its rows were changed"),
        (lambda book: book.remove(book.worksheets[2]), "is not a review list that went out from this site"),
    ],
)
def test_a_tampered_list_is_refused_whole(site, sent, change, problem):
    with pytest.raises(IntakeError, match=problem):
        take_in_list(site, filled(sent, (5, "Justified", CARE, "night duty"), change=change))
    assert said(site) == []


def repacked(sent: Path, parts: dict[str, bytes]) -> Path:
    """Copy the workbook with some of its parts changed or added."""
    path = sent.with_name("repacked.xlsx")
    with zipfile.ZipFile(sent) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in [*old.namelist(), *(name for name in parts if name not in old.namelist())]:
            new.writestr(name, parts.get(name) or old.read(name))
    return path


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/workbook.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>'},
        {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"},
        {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"},
        {"xl/vbaProject.bin": b"macro"},
        {"xl/media/bomb.xml": b" " * (65 << 20)},
        {f"x/{number}.xml": b"<x/>" for number in range(200)},
    ],
    ids=["entities", "damaged", "external link", "macro", "bomb", "many parts"],
)
def test_a_hostile_workbook_is_refused(site, sent, parts):
    with pytest.raises(IntakeError):
        take_in_list(site, repacked(sent, parts))
    assert said(site) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"name;decision\n", b"\xd0\xcf\x11\xe0" * 100])
def test_what_is_no_workbook_is_refused(site, sent, content):
    path = sent.with_name("other.xlsx")
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match="no review list"):
        take_in_list(site, path)


def test_a_list_of_another_site_is_not_ours(sent, tmp_path):
    other = create_site(tmp_path / "other", "NO", "Other kommune")
    with pytest.raises(IntakeError, match="went out from this site"):
        take_in_list(other, sent)


def test_several_lists_come_in_each_by_itself_and_a_missing_file_stops_before_anything(site, sent):
    good = filled(sent, (5, "Justified", CARE, "night duty"))
    bad = filled(sent, (5, "Justified", CARE, ""), name="bad.xlsx")
    with pytest.raises(UsageError, match="There is no file"):
        take_in_lists(site, [good, sent.with_name("none.xlsx")])
    assert said(site) == []
    done, refused = take_in_lists(site, [bad, good])
    assert [each.file_name for each in done] == ["answered.xlsx"]
    assert len(refused) == 1
    assert len(said(site)) == 1


def test_free_text_is_kept_as_written_and_rows_may_come_back_in_another_order(site, sent):
    def swap(book):
        sheet = book.worksheets[0]
        for column in range(1, 12):
            first, second = sheet.cell(5, column), sheet.cell(6, column)
            first.value, second.value = second.value, first.value

    take_in_list(site, filled(sent, (5, "Justified", CARE, "  on duty: <b>\u202enight</b> _x0041_ "), change=swap))
    assert decisions.decided(site, "2026-10")["sample", "E1|P1|2026-10-05"]["remark"] == "on duty: <b>\u202enight</b> A"


def test_the_journals_head_is_sealed_with_each_run_and_a_changed_decision_shows(site, sent):
    take_in_list(site, filled(sent, (5, "Justified", CARE, "night duty")))
    assert journal_heads(site)[decisions.FILE]["sequence"] == 2
    assert broken_journals(site) == []
    path = decisions.journal(site).path
    path.write_bytes(path.read_bytes().replace(b'"decision":"justified"', b'"decision":"unjustified"'))
    assert [name for name, _text in broken_journals(site)] == [decisions.FILE]
    with pytest.raises(JournalError):
        decisions.latest_decisions(site, "2026-10")


def test_a_month_without_decisions_gives_an_empty_table_of_the_same_columns(site):
    table = decisions.latest_decisions(site, "2026-10")
    assert table.num_rows == 0
    assert table.column_names == [
        "subject_kind", "subject_key", "decision", "reason", "decided_by", "decided_at",
    ]  # fmt: skip
    assert progress(site, "2026-10") == []
    with pytest.raises(UsageError, match="is not a month"):
        decisions.latest_decisions(site, "oktober")
