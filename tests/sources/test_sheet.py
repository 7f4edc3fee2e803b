"""Workbooks: read by the mapping of the CSV file, strictly, and refused where a value would be guessed."""

from __future__ import annotations

import datetime
import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel import sources
from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.sources.sheet_count import count_sheets

HEADER = ["Id. nr.", "Dato", "Tid", "Loggtype", "Ansatt", "Tabell", "Relatert post", "Meldingstype"]
DAY, TIME = datetime.date(2026, 8, 1), datetime.time(7, 30, 5)
GOOD = [1, DAY, TIME, "Lesing", "KANO01", "Journal", "J1", "Post vist"]


def workbook(*sheets, formats=()) -> bytes:
    """A workbook of sheets, each a list of rows; formats: (cell, number format) of the first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    for cell, number_format in formats:
        book.worksheets[0][cell].number_format = number_format
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def changed(content: bytes, part: str, old: str, new: str, *, count: int = 1) -> bytes:
    """Exchange text in one part of a workbook."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            text = before.read(name).decode()
            if name.endswith(part):
                assert old in text
                text = text.replace(old, new, count)
            after.writestr(name, text)
    return target.getvalue()


def test_a_sheet_gives_the_rows_of_the_same_log_as_text(take, log):
    sheet = take(workbook([HEADER, GOOD]))
    text = take(log("1;01.08.2026;07:30:05;Lesing;KANO01;Journal;J1;Post vist"))
    assert sheet.accesses == text.accesses
    assert sheet.prepared.encoding == "xlsx"
    assert sheet.prepared.n_bytes > text.prepared.n_bytes


def test_dates_and_times_in_every_kind_of_cell_are_read(take):
    rows = [
        [1, datetime.datetime(2026, 8, 1), datetime.timedelta(hours=7, minutes=30), "x"],
        [2, "01.08.2026", "07:30:00", "x"],
        [3, datetime.date(2026, 8, 1), datetime.time(7, 30), "x"],
    ]
    staged = take(workbook([HEADER, *rows]))
    assert [row["recorded_local"] for row in staged.accesses] == [datetime.datetime(2026, 8, 1, 7, 30)] * 3


@pytest.mark.parametrize(
    ("day", "time", "column"),
    [
        (datetime.datetime(2026, 8, 1, 7, 30), TIME, "Dato"),
        (46235, TIME, "Dato"),
        (DAY, datetime.time(7, 30, 5, 250000), "Tid"),
        (DAY, datetime.timedelta(hours=30), "Tid"),
        (DAY, 0.3125, "Tid"),
    ],
)
def test_a_moment_that_its_column_cannot_hold_whole_goes_to_quarantine(take, day, time, column):
    staged = take(workbook([HEADER, GOOD, [2, day, time, "Lesing"]]))
    assert [row["column_name"] for row in staged.quarantine] == [column]
    assert len(staged.accesses) == 1


def test_numbers_are_written_as_they_are_shown(take):
    row = [7.0, DAY, TIME, "Lesing", 123456789012, 0.1 + 0.2, 1010112345, True]
    staged = take(workbook([HEADER, row], formats=[("G2", "00000000000")]))
    found = staged.accesses[0]
    assert (found["event_id"], found["employee_id"], found["table_name"]) == ("7", "123456789012", "0.3")
    assert (found["record_ref"], found["message_type"]) == ("01010112345", "TRUE")


HOSTILE = [
    "=1+1",
    "a;b",
    'a"b',
    '";";"',
    "a\nb",
    "a\r\nb",
    "<!--x-->",
    "<row><c><v>1</v></c></row>",
    "&lol;",
    "ø\u202e",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(take, text):
    book = openpyxl.Workbook()
    for row in (HEADER, GOOD):
        book.active.append(row)
    book.active["E2"].value = text
    book.active["E2"].data_type = "s"
    target = io.BytesIO()
    book.save(target)
    staged = take(target.getvalue())
    assert [row["employee_id"] for row in staged.accesses] == [text]
    assert [row["patient_id"] for row in staged.accesses] == ["Journal:J1"]


def test_a_control_character_of_the_formats_own_spelling_goes_to_quarantine(take):
    staged = take(workbook([HEADER, GOOD, [2, DAY, TIME, "Lesing", "a_x0007_b"]]))
    assert [row["code"] for row in staged.quarantine] == ["control_characters"]


def test_empty_rows_and_empty_sheets_are_no_records(take):
    staged = take(workbook([], [[], HEADER, [], GOOD, [None] * 8, [2, *GOOD[1:]], []], []))
    assert [row["event_id"] for row in staged.accesses] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (workbook([HEADER, GOOD], [["x"]]), "more than one sheet with data"),
        (workbook([HEADER]), "a header and no record"),
        (workbook([]), "column 1|not separated"),
        (workbook([HEADER[:-1], GOOD[:-1]]), "'Meldingstype' is missing"),
        (workbook([HEADER, [*GOOD, "more"]]), "does not have the 8 columns"),
        (workbook([HEADER, [1, DAY, TIME, "=1+1"]]), "row 1?[0-9]: a formula has no stored value"),
        (changed(workbook([HEADER, GOOD]), "sheet1.xml", 't="n"><v>1</v>', 't="e"><v>#N/A</v>'), "row 2, column 1"),
        (changed(workbook([HEADER, GOOD]), "sheet1.xml", '<row r="2">', '<row r="1">'), "damaged|out of order"),
        (changed(workbook([HEADER, GOOD]), "sheet1.xml", "</sheetData>", "</sheetDat>"), "damaged"),
        (changed(workbook([HEADER, GOOD]), "styles.xml", "<styleSheet", "<other"), "damaged"),
        (
            changed(workbook([HEADER, GOOD]), "sheet1.xml", "<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet'),
            "a document type",
        ),
        (workbook([HEADER, GOOD])[:-40], "is packed with zip and cut short"),
    ],
)  # fmt: skip
def test_a_workbook_that_would_need_a_guess_is_refused(take, content, words):
    with pytest.raises(DamagedFileError, match=words):
        take(content)


def test_a_formula_is_read_by_its_stored_value(take):
    book = workbook([HEADER, GOOD])
    staged = take(changed(book, "sheet1.xml", '<c r="A2" t="n"><v>1</v>', '<c r="A2" t="n"><f>1+4</f><v>5</v>'))
    assert [row["event_id"] for row in staged.accesses] == ["5"]


def test_a_sheet_that_lies_about_its_size_is_read_whole(take):
    book = workbook([HEADER, GOOD, [2, *GOOD[1:]]])
    staged = take(changed(book, "sheet1.xml", '<dimension ref="A1:H3"', '<dimension ref="A1:B2"'))
    assert [row["message_type"] for row in staged.accesses] == ["Post vist", "Post vist"]


def test_a_workbook_that_expands_too_far_is_refused(tmp_path, temporary, source_of):
    path = tmp_path / "log.xlsx"
    path.write_bytes(workbook([HEADER, *[[*GOOD[:7], "x" * 30_000]] * 60]))
    limits = sources.UnpackingLimits(largest=10**6)
    with pytest.raises(IntakeError, match="expands to more than 1,000,000 bytes"):
        sources.prepare(path, source_of("gerica"), temporary, limits=limits)


def test_a_cell_that_a_mapping_without_quotes_cannot_hold_is_refused(tmp_path, temporary, source_of):
    path = tmp_path / "log.xlsx"
    path.write_bytes(workbook([HEADER, [1, DAY, TIME, "a;b"]]))
    source = source_of("gerica").model_copy(update={"quote": ""})
    with pytest.raises(DamagedFileError, match="row 2: a cell holds the mapping's delimiter"):
        sources.prepare(path, source, temporary)


def test_reference_data_comes_as_a_workbook_too(tmp_path, temporary, folders):
    definition = sources.load_reference("employees", folders)
    path = tmp_path / "employees.xlsx"
    row = {"employee_id": "A1", "name": "Kari", "valid_from": datetime.date(2026, 1, 1)}
    values = [row.get(mapping.to) for mapping in definition.columns.values()]
    path.write_bytes(workbook([list(definition.columns), values]))
    prepared = sources.prepare(path, definition, temporary)
    assert prepared.n_records == 1
    assert re.search(r'"A1".*"(2026-01-01|01\.01\.2026)"', prepared.text.read_text())


NOT_IN_XML = re.compile("[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
texts = st.text(max_size=6).filter(lambda text: not NOT_IN_XML.search(text) and not text.startswith("="))
cells = st.none() | texts | st.integers(0, 10**6) | st.booleans()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(cells, max_size=4), max_size=6))
def test_both_counts_of_a_sheet_agree(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("sheet") / "sheet.xlsx"
    path.write_bytes(workbook(rows))
    found = openpyxl.load_workbook(path, read_only=True, data_only=True)
    filled = [[cell for cell in row if cell is not None] for row in found.active.iter_rows(values_only=True)]
    facts = count_sheets(path)
    assert [sheet.n_rows for sheet in facts] == [sum(bool(row) for row in filled)]
    assert [sheet.n_cells for sheet in facts] == [sum(len(row) for row in filled)]
