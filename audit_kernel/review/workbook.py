"""Writes a review list as a workbook (Office Open XML, ISO/IEC 29500) that a spreadsheet cannot be tricked by.

Every cell is text, so nothing is computed (CWE-1236); only decision, reason and free text can be filled in. The same
list gives the same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from audit_kernel.legal_basis import legal_basis
from audit_kernel.locale import translator
from audit_kernel.review.lists import cell_text, headings
from audit_kernel.review_reasons import DECISIONS, decision_words, review_reasons

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from audit_kernel.review.lists import ReviewList
    from audit_kernel.site import Site

MARK_SHEET = "audit-kernel"
MARKS = ("list_id", "month", "run_sha256")
HEADER_ROW = 4
WIDTHS = (6, 15, 26, 24, 24, 20, 10, 60, 16, 44, 50)
LONGEST_REMARK = 1000
# How the format writes characters that XML may not hold; text that only looks so is kept from being read as one.
ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
MOMENT = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def choices(site: Site, language: str) -> dict[str, tuple[str, str]]:
    """Return decision and code of each reason by the words that the reviewer chooses."""
    words = decision_words(language)
    return {
        f"{words[each.decision]}: {each.title.in_language(language)}": (each.decision, each.code)
        for each in review_reasons(site)
    }


def entry_headings(language: str) -> tuple[str, str, str]:
    """Return the headings of the three columns that the reviewer fills in."""
    _ = translator(language)
    return _("Decision"), _("Reason"), _("In your own words")


def workbook_bytes(site: Site, made: ReviewList) -> bytes:
    """Return the workbook of one list: the rows, the reasons with their clauses, and a hidden sheet that names it."""
    import openpyxl

    _ = translator(made.language)
    book = openpyxl.Workbook()
    book.properties.creator = "audit-kernel"
    sheet, reasons = book.worksheets[0], book.create_sheet(_("Reasons"))
    sheet.title = _("Review")
    _fill_rows(sheet, made, site)
    _fill_reasons(reasons, site, made.language)
    _offer_choices(sheet, reasons, made)
    marks = book.create_sheet(MARK_SHEET)
    for name in MARKS:
        marks.append([name, str(getattr(made, name))])
    for row in made.rows:
        marks.append([str(row.number), row.sha256[:16]])
    marks.sheet_state = "veryHidden"
    for each in book.worksheets:
        each.protection.sheet = True
    from openpyxl.workbook.protection import WorkbookProtection

    book.security = WorkbookProtection(lockStructure=True)
    content = io.BytesIO()
    book.save(content)
    return repeatable(content.getvalue())


def _fill_rows(sheet: Worksheet, made: ReviewList, site: Site) -> None:
    from openpyxl.utils import get_column_letter

    _ = translator(made.language)
    title = _("Review of log control {month}: {reviewer}")
    _write(sheet, 1, 1, title.format(month=made.month, reviewer=made.reviewer_name), is_bold=True)
    _write(sheet, 2, 1, site.settings.name)
    told = _(
        "Choose a decision and a reason for each row and write in your own words why; all three are needed."
        " Save the file under its name and send it back the way it came. It is confidential."
    )
    _write(sheet, 3, 1, told)
    labels = (_("No."), *headings(made.language), *entry_headings(made.language))
    for column, (label, width) in enumerate(zip(labels, WIDTHS, strict=True), start=1):
        _write(sheet, HEADER_ROW, column, label, is_bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in made.rows:
        for column, text in enumerate((str(row.number), *row.cells, "", "", ""), start=1):
            _write(sheet, HEADER_ROW + row.number, column, text, is_open=column > len(row.cells) + 1, is_wrapped=True)
    sheet.freeze_panes = f"A{HEADER_ROW + 1}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = _fit_to_width()
    sheet.print_title_rows = f"{HEADER_ROW}:{HEADER_ROW}"


def _fill_reasons(sheet: Worksheet, site: Site, language: str) -> None:
    from openpyxl.utils import get_column_letter

    _ = translator(language)
    for column, (label, width) in enumerate(
        ((_("Reason"), 60), (_("Legal basis"), 40), (_("What it asks"), 100), (_("Decision"), 16)), start=1
    ):
        _write(sheet, 1, column, label, is_bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = width
    for place, (text, each) in enumerate(zip(choices(site, language), review_reasons(site), strict=True), start=2):
        basis = legal_basis(each.legal_basis[site.settings.country], site, language) or ("", "")
        for column, cell in enumerate((text, *basis), start=1):
            _write(sheet, place, column, cell, is_wrapped=True)
    for place, decision in enumerate(DECISIONS, start=2):
        _write(sheet, place, 4, decision_words(language)[decision])
    sheet.freeze_panes = "A2"


def _offer_choices(sheet: Worksheet, reasons: Worksheet, made: ReviewList) -> None:
    """Offer decision and reason as lists to choose from, and limit the free text."""
    from openpyxl.worksheet.datavalidation import DataValidation

    _ = translator(made.language)
    first, last = HEADER_ROW + 1, HEADER_ROW + max(1, len(made.rows))
    ranges = (f"$D$2:$D${1 + len(DECISIONS)}", f"$A$2:$A${reasons.max_row}")
    for column, area in zip("IJ", ranges, strict=True):
        offered = DataValidation(type="list", formula1=f"'{reasons.title}'!{area}", allow_blank=True)
        offered.showErrorMessage = True
        offered.error = _("Choose one of the list.")
        offered.add(f"{column}{first}:{column}{last}")
        sheet.add_data_validation(offered)
    length = DataValidation(type="textLength", operator="lessThanOrEqual", formula1=str(LONGEST_REMARK))
    length.showErrorMessage = True
    length.error = _("At most {count} characters.").format(count=LONGEST_REMARK)
    length.add(f"K{first}:K{last}")
    sheet.add_data_validation(length)


def write_text(cell: Any, text: str) -> None:  # noqa: ANN401 - openpyxl's cell
    """Write a text into a cell, whatever it begins with."""
    cell.value = ESCAPE.sub("_x005F_", text) or None
    if cell.value is not None:
        cell.data_type = "s"


def _write(
    sheet: Worksheet,
    row: int,
    column: int,
    text: str,
    *,
    is_bold: bool = False,
    is_open: bool = False,
    is_wrapped: bool = False,
) -> None:
    """Write one cell as text, whatever it begins with."""
    from openpyxl.styles import Alignment, Font, PatternFill, Protection

    cell: Any = sheet.cell(row, column)
    write_text(cell, cell_text(text))
    cell.number_format = "@"
    cell.quotePrefix = True
    cell.alignment = Alignment(wrap_text=is_wrapped, vertical="top")
    cell.protection = Protection(locked=not is_open)
    if is_bold:
        cell.font = Font(bold=True)
    if is_open:
        cell.fill = PatternFill("solid", fgColor="FFF7D6")


def _fit_to_width() -> Any:  # noqa: ANN401 - openpyxl's own class
    from openpyxl.worksheet.properties import PageSetupProperties

    return PageSetupProperties(fitToPage=True)


def repeatable(content: bytes) -> bytes:
    """Write a workbook anew without the times at which it was made."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = MOMENT.sub(rb"\g<1>1980-01-01T00:00:00Z", part)
            new.writestr(zipfile.ZipInfo(name, LONG_AGO), part, zipfile.ZIP_DEFLATED)
    return made.getvalue()
