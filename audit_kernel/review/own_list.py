"""A reviewer's own list, read from its workbook alone and filled in there: no store, no archive, no journal.

Whoever has an account apart reads nothing else. What is written is what a spreadsheet would write, so the list goes the
strict way of every list that comes back.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from audit_kernel.errors import AuditKernelError, IntakeError, UsageError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.month import month_days
from audit_kernel.files import replace_whole, shared_modes
from audit_kernel.review.deciding import checked_entry
from audit_kernel.review.reading import READ_CELLS, REMEDY, cells_of, check_file, compare, lines_of, marks_of
from audit_kernel.review.work import WorkRow
from audit_kernel.review.workbook import HEADER_ROW, MARK_SHEET, MARKS, repeatable, write_text
from audit_kernel.review_reasons import DECISIONS
from audit_kernel.sources.sheet import damage_refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

LOCK = ".lock"
MARK_LENGTH, REASON_CELLS = 16, 4
LOCK_SECONDS = 30


class ChangedMeanwhileError(UsageError):
    """What stands in the row is not what was shown: another tab or a spreadsheet wrote it."""


@dataclass(frozen=True)
class OwnReason:
    """A written reason as the workbook has it: the cell's text, its words alone, decision, clause, what that asks."""

    text: str
    title: str
    decision: str
    clause: str
    asks: str


@dataclass(frozen=True)
class OwnList:
    """A list as its workbook holds it now.

    rows: `said` holds the code of the decision and the reason's text; both are empty where they are not in the lists.
    entries: the three cells of each row as they stand, by its number. words: each decision as the workbook writes it.
    """

    path: Path
    month: str
    rows: tuple[WorkRow, ...]
    entries: Mapping[str, tuple[str, ...]]
    reasons: tuple[OwnReason, ...]
    words: Mapping[str, str]

    @property
    def n_open(self) -> int:
        """How many rows are still to be decided."""
        return sum(row.is_open for row in self.rows)

    def row(self, key: str) -> WorkRow:
        """Return a row by its number."""
        return next(row for row in self.rows if row.key == key)


def own_lists(folder: Path) -> tuple[list[OwnList], list[tuple[str, AuditKernelError]]]:
    """Return the lists of a reviewer's folder, newest first, and of each workbook that is none its name and why.

    Raises
    ------
    UsageError: there is no such folder, or this user may not read it.
    """
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() == ".xlsx" and path.name[0] not in ".~"]
    except OSError:
        raise UsageError(
            "You have no folder for work lists on this server.",
            "Ask the person responsible for the log control: `serve accounts` makes one for each reviewer's account.",
        ) from None
    found, wrong = [], []
    for path in paths:
        try:
            found.append((read_own_list(path), path.stat().st_mtime))
        except AuditKernelError as error:
            wrong.append((path.name, error))
        except OSError:
            wrong.append((path.name, UsageError("It cannot be read.")))
    found.sort(key=lambda each: (each[0].month, each[1], each[0].path.name), reverse=True)
    return [made for made, _at in found], sorted(wrong, key=lambda each: each[0])


def read_own_list(path: Path) -> OwnList:
    """Return the list that a workbook holds.

    Raises
    ------
    DamagedFileError, IntakeError: it is no review list, or its rows are not those that went out.
    OSError: it cannot be read.
    """
    check_file(path, path.name)
    return _parsed(path, path.read_bytes())


def fill_in(made: OwnList, row: WorkRow, given: Mapping[str, str]) -> bool:
    """Write the three cells of a row into the workbook, and nothing else; say whether that changed it.

    Parameters
    ----------
    made, row: as they were shown.
    given: decision (a code), reason (its text in the workbook) and remark, each required.

    Raises
    ------
    EntryError: one of the three is missing or wrong.
    ChangedMeanwhileError: the row's cells are not those that were shown; nothing was written.
    DamagedFileError, IntakeError: the workbook is no such list any more.
    OSError: it cannot be read or written.
    """
    path = made.path
    entry = _checked(made, given)
    with FileLock(path.with_name(LOCK), timeout=LOCK_SECONDS, mode=shared_modes(path.parent)[0]):
        check_file(path, path.name)
        before = path.read_bytes()
        now = _parsed(path, before)
        if now.entries.get(row.key) != made.entries[row.key]:
            raise ChangedMeanwhileError(
                "This row was decided elsewhere meanwhile, in another tab or in a spreadsheet; nothing was saved.",
                "What stands there now is shown above. Save again to put yours in its place.",
            )
        if now.entries[row.key] == entry:
            return False
        content = _with_entry(before, row.key, entry)
        written = _parsed(path, content)
        if dict(written.entries) != {**now.entries, row.key: entry}:
            raise IntakeError("{name} would not hold what was filled in.", REMEDY, name=path.name)
        if path.read_bytes() != before:  # a spreadsheet asks for no lock
            raise ChangedMeanwhileError(
                "The workbook was saved elsewhere in this moment; nothing was saved.", "Save again."
            )
        replace_whole(path, content, shared_modes(path.parent)[0])
    return True


def _checked(made: OwnList, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the three cells' texts when all are there and fit each other."""
    plain = {**given, "remark": "\n".join(map(harmless, given.get("remark", "").splitlines()))}
    words = checked_entry(plain, {(each.decision, each.text) for each in made.reasons})
    return made.words[words["decision"]], words["reason"], words["remark"]


def _parsed(path: Path, content: bytes) -> OwnList:
    import openpyxl

    name = path.name
    with damage_refused(name), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of features that hold no data
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        try:
            marks, lines = marks_of(book), lines_of(book, name)
            reasons = [
                row
                for sheet in book.worksheets[1:]
                if sheet.title != MARK_SHEET
                for row in cells_of(sheet, REASON_CELLS)
            ]
        finally:
            book.close()
    said, hashes = dict(marks[: len(MARKS)]), dict(marks[len(MARKS) :])
    month = said.get("month", "")
    are_marks = tuple(said) == MARKS and all(
        number.isdecimal() and len(sha) == MARK_LENGTH for number, sha in hashes.items()
    )
    if not are_marks or not _is_month(month):
        raise IntakeError("{name} is not a review list that went out from this site.", REMEDY, name=name)
    compare(hashes, lines, name)
    words = dict(zip(DECISIONS, (_text(row[3]) for row in reasons[1:]), strict=False))
    offered = tuple(_reasons(reasons[1:], words))
    entries = {cells[0]: tuple(cell.strip() for cell in cells[READ_CELLS:]) for _line, cells in lines}
    rows = tuple(_row(cells[:READ_CELLS], entries[cells[0]], words, offered) for _line, cells in lines)
    return OwnList(path, month, rows, entries, offered, words)


def _is_month(text: str) -> bool:
    try:
        month_days(text)
    except UsageError:
        return False
    return True


def _reasons(rows: Iterable[list[Any]], words: Mapping[str, str]) -> Iterable[OwnReason]:
    """Yield the reasons of the workbook's second sheet; each begins with its decision's word."""
    for row in rows:
        text, clause, asks = map(_text, row[:3])
        word, _, title = text.partition(": ")
        for decision in (code for code, each in words.items() if title and each == word):
            yield OwnReason(text, title, decision, clause, asks)


def _row(cells: list[str], entry: tuple[str, ...], words: Mapping[str, str], offered: Iterable[OwnReason]) -> WorkRow:
    decision = next((code for code, word in words.items() if word == entry[0]), "")
    reason = entry[1] if (entry[1], decision) in {(each.text, each.decision) for each in offered} else ""
    said = {"decision": decision, "reason": reason, "remark": entry[2]}
    return WorkRow(cells[0], tuple(cells[1:]), (said,) if any(entry) else ())


def _with_entry(content: bytes, key: str, entry: tuple[str, ...]) -> bytes:
    """Return the workbook with the three cells of a row filled in."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
    sheet = next(each for each in book.worksheets if each.title != MARK_SHEET)
    line = next(line for line in range(HEADER_ROW + 1, sheet.max_row + 1) if str(sheet.cell(line, 1).value) == key)
    for column, text in enumerate(entry, start=READ_CELLS + 1):
        write_text(sheet.cell(line, column), text)
    made = io.BytesIO()
    book.save(made)
    return repeatable(made.getvalue())


def _text(value: Any) -> str:  # noqa: ANN401 - of a cell
    from openpyxl.utils.escape import unescape

    return "" if value is None else unescape(str(value)).strip()
