"""A workbook's sheet as the mapping's delimited text: from there it goes the strict way of every delimited file.

Office Open XML (ISO/IEC 29500), read by openpyxl; cached values only, no formula is computed. A date or time is written
in its column's `format`; one that the format cannot hold whole is written as ISO 8601 and fails there, by itself.
"""

from __future__ import annotations

import csv
import re
import warnings
import zipfile
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn

from audit_kernel.errors import DamagedFileError, IntakeError, Phrase
from audit_kernel.sources.encoding import BLOCK, create_private
from audit_kernel.sources.sheet_count import count_sheets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from audit_kernel.sources.columns import ColumnMapping
    from audit_kernel.sources.definition import DelimitedLayout
    from audit_kernel.sources.unpack import UnpackingLimits

LARGEST_STRINGS = 512 << 20
LAST_ROW = 1_048_576
STRINGS = "sharedStrings.xml"
# No workbook of an honest program declares a document type, or is in another encoding than UTF-8.
FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)|\0", re.IGNORECASE)
LEADING_ZEROS = re.compile("0+")
REMEDY = Phrase("Nothing was taken in. Correct it in Excel, or export the log as CSV.")


def sheet_as_text(
    plain: Path, layout: DelimitedLayout, temporary: Path, name: str, limits: UnpackingLimits
) -> tuple[Path, int]:
    """Write the one sheet that holds data as UTF-8 text, its first filled row as the header.

    Returns
    -------
    tuple: the text's path in `temporary`, and the records that an independent count of the sheet's bytes gives.

    Raises
    ------
    DamagedFileError: no workbook, a forbidden document type, several sheets with data, a cell with an error or with a
        formula without its value, a cell that the mapping's delimited text cannot hold; names row and column number.
    IntakeError: it expands beyond the limits.
    """
    check_parts(plain, name, limits)
    text = create_private(temporary)
    try:
        n_written, n_cells = _write(plain, text, layout, name)
        sheets = [sheet for sheet in count_sheets(plain) if sheet.n_rows]
        if row := next((sheet.row_without_value for sheet in sheets if sheet.row_without_value), 0):
            _refuse(Phrase("{name}, row {row}: a formula has no stored value."), name, row=row)
        if sum(sheet.n_cells for sheet in sheets) != n_cells:
            _refuse(Phrase("{name}: not every cell could be read, or one stands twice or out of order."), name)
    except BaseException:
        text.unlink()
        raise
    return text, sum(sheet.n_rows for sheet in sheets) - (n_written > 0)


def _refuse(problem: Phrase, name: str, **values: object) -> NoReturn:
    raise DamagedFileError(problem, REMEDY, name=name, **values)


def check_parts(plain: Path, name: str, limits: UnpackingLimits) -> None:
    """Read every part once: what it expands to, its checksum, and that no XML declares a document type.

    Raises
    ------
    DamagedFileError, IntakeError: as `sheet_as_text`.
    """
    n_packed, n_bytes = plain.stat().st_size, 0
    with damage_refused(name), zipfile.ZipFile(plain) as archive:
        for part in archive.infolist():
            n_part, tail = 0, b""
            is_xml = part.filename.lower().endswith((".xml", ".rels"))
            with archive.open(part) as stream:
                while block := stream.read(BLOCK):
                    n_part += len(block)
                    limits.check(n_bytes + n_part, n_packed, name)
                    if is_xml and FORBIDDEN.search(tail + block):
                        _refuse(Phrase("{name} holds XML with a document type or in another encoding."), name)
                    tail = block[-16:]
            n_bytes += n_part
            if part.filename.endswith(STRINGS) and n_part > LARGEST_STRINGS:
                _refuse(Phrase("{name} holds more than 512 MiB of text."), name)


@contextmanager
def damage_refused(name: str) -> Iterator[None]:
    """Turn whatever a damaged workbook raises into one sentence."""
    try:
        yield
    except (IntakeError, OSError, csv.Error):
        raise
    except Exception:  # noqa: BLE001 - openpyxl lets any error out that a damaged part may cause
        raise DamagedFileError("{name} is a workbook that is damaged or has a password.", REMEDY, name=name) from None


def _write(plain: Path, text: Path, layout: DelimitedLayout, name: str) -> tuple[int, int]:
    """Write the filled rows; return how many, and how many cells have a value."""
    mappings = list(layout.columns.values())
    n_rows = n_cells = 0
    with text.open("w", encoding="utf-8", newline="") as target, damage_refused(name), _opened(plain) as workbook:
        writer = csv.writer(
            target,
            delimiter=layout.delimiter,
            quotechar=layout.quote or None,
            quoting=csv.QUOTE_ALL if layout.quote else csv.QUOTE_NONE,
            lineterminator="\n",
        )
        has_data = False
        for sheet in workbook.worksheets:
            sheet.reset_dimensions()  # what a sheet says of its own size may be wrong, and would cut it
            for number, row in enumerate(sheet.iter_rows(max_row=LAST_ROW), start=1):
                filled = [cell.value is not None for cell in row]
                if not any(filled):
                    continue
                if has_data:
                    _refuse(Phrase("{name} has more than one sheet with data."), name)
                values = [_cell(cell, mappings, place, number, name) for place, cell in enumerate(row)]
                last = len(filled) - filled[::-1].index(True)
                if n_rows:  # below the header a row's last cells may be empty
                    last = max(last, len(mappings))
                values = (values + [""] * len(mappings))[:last]
                try:
                    writer.writerow(values)
                except csv.Error:
                    _refuse(Phrase("{name}, row {row}: a cell holds the mapping's delimiter."), name, row=number)
                n_rows, n_cells = n_rows + 1, n_cells + sum(filled)
            has_data = n_rows > 0
    return n_rows, n_cells


@contextmanager
def _opened(plain: Path) -> Iterator[Workbook]:
    import openpyxl

    with warnings.catch_warnings(), plain.open("rb") as stream:
        warnings.simplefilter("ignore")  # of features that hold no data: print settings, drop-down lists
        workbook = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        try:
            yield workbook
        finally:
            workbook.close()


def _cell(cell: Any, mappings: Sequence[ColumnMapping], place: int, row: int, name: str) -> str:  # noqa: ANN401 - openpyxl's cells have no common type
    """Return a cell's value as text."""
    if cell.value is None:
        return ""
    if cell.data_type == "e":
        _refuse(Phrase("{name}, row {row}, column {column}: the cell holds an error."), name, row=row, column=place + 1)
    wanted = mappings[place].format if place < len(mappings) else ""
    return _as_text(cell.value, wanted, cell.number_format)


def _as_text(value: object, wanted: str, number_format: str) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, timedelta) and timedelta() <= value < timedelta(days=1):
        value = (datetime(1900, 1, 1) + value).time()  # noqa: DTZ001 - a workbook has no zones
    if isinstance(value, datetime | time):
        return _moment(value, wanted)
    if isinstance(value, int | float):
        # Excel keeps 15 digits; a format of zeros is how an id or postal code shows its own.
        digits = str(value) if isinstance(value, int) else f"{Decimal(f'{value:.15g}'):f}"
        return digits.zfill(len(number_format)) if LEADING_ZEROS.fullmatch(number_format or "") else digits
    from openpyxl.utils.escape import unescape

    return unescape(str(value))  # `_x0007_` is how the format writes what XML may not hold


def _moment(value: datetime | time, wanted: str) -> str:
    """A date or time in the column's format; ISO 8601 where that would lose a part of it."""
    milliseconds = value.microsecond // 1000
    layout = wanted.replace("%-", "%").replace("%g", f"{milliseconds:03d}")
    if layout:
        text = value.strftime(layout)
        try:
            back = datetime.strptime(text, layout)  # noqa: DTZ007 - a workbook has no zones
        except ValueError:
            return value.isoformat()
        if "%g" in wanted:
            back = back.replace(microsecond=milliseconds * 1000)
        if value in (back, back.time()):
            return text
    return value.isoformat()
