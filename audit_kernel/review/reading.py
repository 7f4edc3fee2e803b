"""Reads a review list that came back: hostile input until each of its marks and cells has proved to be our own.

Office Open XML (ISO/IEC 29500), read by openpyxl; nothing is computed, no link is followed.
"""

from __future__ import annotations

import warnings
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import DamagedFileError, IntakeError, Phrase
from audit_kernel.review.lists import row_hash
from audit_kernel.review.workbook import HEADER_ROW, LONGEST_REMARK, MARK_SHEET, MARKS, choices
from audit_kernel.review_reasons import decision_words
from audit_kernel.sources.sheet import check_parts, damage_refused
from audit_kernel.sources.unpack import UnpackingLimits, is_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from audit_kernel.site import Site

LARGEST_FILE, MOST_PARTS, MOST_ROWS = 20 << 20, 200, 100_000
LIMITS = UnpackingLimits(largest=64 << 20)
READ_CELLS, ENTRIES = 8, 3
FOREIGN_PARTS = ("externallink", "vbaproject", "activex", "embeddings/", "connections.xml", "querytable")
REMEDY = Phrase("Nothing of it was taken in. Send the reviewer the list anew, or correct it and take it in again.")


@dataclass(frozen=True)
class Answer:
    """What was decided about one sampling unit or finding."""

    kind: str
    key: str
    decision: str
    reason: str
    remark: str


def read_answers(
    site: Site, path: Path, find_list: Callable[[str], Mapping[str, Any] | None]
) -> tuple[Mapping[str, Any], list[Answer]]:
    """Return the list that a file is, as the journal knows it, and the rows that were decided.

    Parameters
    ----------
    find_list: the journal's entry of a list's id, None for one that never went out.

    Raises
    ------
    DamagedFileError: it is no workbook, or a damaged one.
    IntakeError: it is no list of this site, rows or marks of it were changed, or an answer is incomplete or unknown;
        the message names lines of the sheet, never what stands in them.
    """
    name = path.name
    check_file(path, name)
    with damage_refused(name), warnings.catch_warnings(), path.open("rb") as stream:
        import openpyxl

        warnings.simplefilter("ignore")  # of features that hold no data
        book = openpyxl.load_workbook(stream, read_only=True, keep_links=False)
        try:
            made = _known_list(book, find_list, name)
            lines = lines_of(book, name)
        finally:
            book.close()
    compare({str(row["number"]): row["sha256"] for row in made["rows"]}, lines, name)
    return made, _answers(site, made, lines, name)


def check_file(path: Path, name: str) -> None:
    """Refuse what is no plain workbook, before anything of it is read.

    Raises
    ------
    DamagedFileError, IntakeError
    """
    if path.stat().st_size > LARGEST_FILE or not is_workbook(path):
        raise DamagedFileError("{name} is no review list: no workbook (.xlsx), or a far larger one.", REMEDY, name=name)
    check_parts(path, name, LIMITS)
    with zipfile.ZipFile(path) as archive:
        parts = [part.lower() for part in archive.namelist()]
    if len(parts) > MOST_PARTS or any(foreign in part for part in parts for foreign in FOREIGN_PARTS):
        raise DamagedFileError("{name} holds links to other files, macros or foreign parts.", REMEDY, name=name)


def _known_list(book: Workbook, find_list: Callable[[str], Mapping[str, Any] | None], name: str) -> Mapping[str, Any]:
    """Return the list that the hidden sheet names, when all its marks are those that went out."""
    marks = marks_of(book)
    found = dict(marks)
    made = find_list(found.get(MARKS[0], ""))
    if made is None:
        raise IntakeError("{name} is not a review list that went out from this site.", REMEDY, name=name)
    expected = {mark: str(made[mark]) for mark in MARKS}
    if {mark: found.get(mark) for mark in MARKS} != expected:
        raise IntakeError("{name} names another month or another sealed run than its list.", REMEDY, name=name)
    expected |= {str(row["number"]): row["sha256"][:16] for row in made["rows"]}
    if found != expected or len(marks) != len(expected):
        raise IntakeError("{name}: the keys of its rows were changed.", REMEDY, name=name)
    return made


def marks_of(book: Workbook) -> list[tuple[str, str]]:
    """Return the pairs of the hidden sheet: the list's marks, then each row's number and the beginning of its hash."""
    marks = cells_of(book[MARK_SHEET], 2) if MARK_SHEET in book.sheetnames else []
    return [(str(row[0]), str(row[1])) for row in marks if len(row) > 1]


def cells_of(sheet: Any, n_columns: int) -> list[list[Any]]:  # noqa: ANN401 - openpyxl's read-only sheet
    """Return the filled rows of a sheet."""
    sheet.reset_dimensions()  # what a sheet says of its own size may be wrong
    rows = sheet.iter_rows(max_row=MOST_ROWS, max_col=n_columns, values_only=True)
    return [list(row) for row in rows if any(value is not None for value in row)]


def lines_of(book: Workbook, name: str) -> list[tuple[int, list[str]]]:
    """Return each filled line below the header, with its number in the sheet: eleven cells as text.

    Raises
    ------
    IntakeError: a line holds what is no text.
    """
    from openpyxl.utils.escape import unescape

    sheet = next(each for each in book.worksheets if each.title != MARK_SHEET)
    sheet.reset_dimensions()
    lines, strange = [], []
    n_cells = READ_CELLS + ENTRIES
    for number, row in enumerate(sheet.iter_rows(max_row=MOST_ROWS), start=1):
        values = [cell.value for cell in row]
        if number <= HEADER_ROW or all(value is None for value in values):
            continue
        is_strange = any(cell.data_type in "fe" for cell in row if cell.value is not None)
        if is_strange or any(value is not None for value in values[n_cells:]):
            strange.append(number)
        texts = ["" if value is None else unescape(str(value)) for value in values[:n_cells]]
        lines.append((number, texts + [""] * (n_cells - len(texts))))
    _refuse_lines(strange, Phrase("{name}: a formula, an error or a cell beside the list in lines {lines}."), name)
    return lines


def compare(expected: Mapping[str, str], lines: Sequence[tuple[int, list[str]]], name: str) -> None:
    """Refuse lines that are not, each once, the rows that went out.

    Parameters
    ----------
    expected: by a row's number its SHA-256, or the beginning of it.

    Raises
    ------
    IntakeError: rows were changed, are missing or stand twice.
    """
    changed, seen = [], set()
    for line, cells in lines:
        sha256 = expected.get(cells[0])
        if not sha256 or cells[0] in seen or not row_hash(int(cells[0]), cells[1:READ_CELLS]).startswith(sha256):
            changed.append(line)
        seen.add(cells[0])
    _refuse_lines(changed, Phrase("{name}: lines {lines} are not the rows that went out."), name)
    if missing := len(expected) - len(seen):
        raise IntakeError("{name}: {count} rows of the list are missing.", REMEDY, name=name, count=missing)


def _answers(site: Site, made: Mapping[str, Any], lines: Sequence[tuple[int, list[str]]], name: str) -> list[Answer]:
    """Return the decided rows; a row with nothing in its three cells is still open."""
    codes = {text: code for code, text in decision_words(made["language"]).items()}
    reasons = choices(site, made["language"])
    rows = {str(row["number"]): row for row in made["rows"]}
    filled = [
        (line, rows[cells[0]], [cell.strip() for cell in cells[READ_CELLS:]])
        for line, cells in lines
        if any(cell.strip() for cell in cells[READ_CELLS:])
    ]
    entries = [(line, given) for line, _row, given in filled]
    faults = (
        (
            Phrase("{name}: decision, reason or free text is missing in lines {lines}."),
            [line for line, given in entries if not all(given)],
        ),
        (
            Phrase("{name}: lines {lines} hold a decision or reason that is not in the lists to choose from."),
            [line for line, given in entries if given[0] not in codes or given[1] not in reasons],
        ),
        (
            Phrase("{name}: in lines {lines} the reason belongs to another decision."),
            [line for line, given in entries if given[1] in reasons and reasons[given[1]][0] != codes.get(given[0])],
        ),
        (
            Phrase("{name}: the free text is longer than 1000 characters in lines {lines}."),
            [line for line, given in entries if len(given[2]) > LONGEST_REMARK],
        ),
    )
    for problem, wrong in faults:
        _refuse_lines(wrong, problem, name)
    return [
        Answer(row["kind"], key, codes[given[0]], reasons[given[1]][1], given[2])
        for _line, row, given in filled
        for key in row["keys"]
    ]


def _refuse_lines(lines: Iterable[int], problem: Phrase, name: str) -> None:
    """Refuse the whole file where a line is wrong; all such lines are named."""
    if found := list(lines):
        raise IntakeError(problem, REMEDY, name=name, lines=", ".join(map(str, found)))
