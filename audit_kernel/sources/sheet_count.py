"""The second reader of workbooks: counts filled rows and cells in the sheets' bytes, without an XML parser."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

BLOCK = 1 << 20
START = 4 << 10
SHEET = re.compile(rb"<(?:\w+:)?worksheet[\s>]")
ROW = re.compile(rb"<(?:\w+:)?row(?=[\s/>])(?:[^>]*/>|[^>]*>(.*?)</(?:\w+:)?row\s*>)", re.DOTALL)
CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])(?:[^>]*/>|[^>]*>(.*?)</(?:\w+:)?c\s*>)", re.DOTALL)
VALUE = re.compile(rb"<(?:\w+:)?(?:v(?:\s[^>]*)?>[^<]|is(?=[\s/>]))")
FORMULA = re.compile(rb"<(?:\w+:)?f(?=[\s/>])")
LAST_ROW_END = re.compile(rb".*(?:</(?:\w+:)?row\s*>)", re.DOTALL)


@dataclass
class SheetFacts:
    """What one sheet holds: rows and cells with a value, and the first row (as counted) of a formula without one."""

    n_rows: int = 0
    n_cells: int = 0
    n_seen: int = 0
    row_without_value: int = 0


def count_sheets(path: Path) -> list[SheetFacts]:
    """Count each sheet of a workbook; call it on one whose XML is known to be well formed."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for part in archive.namelist():
            with archive.open(part) as stream:
                start = stream.read(START)
                if SHEET.search(start):
                    found.append(_count(start, stream))
    return found


def _count(start: bytes, stream: IO[bytes]) -> SheetFacts:
    facts = SheetFacts()
    for rows in _whole_rows(start, stream):
        for row in ROW.finditer(rows):
            facts.n_seen += 1
            bodies = [cell[1] or b"" for cell in CELL.finditer(row[1] or b"")]
            has_value = [VALUE.search(body) is not None for body in bodies]
            facts.n_rows += any(has_value)
            facts.n_cells += sum(has_value)
            if not facts.row_without_value and any(
                FORMULA.search(body) and not filled for body, filled in zip(bodies, has_value, strict=True)
            ):
                facts.row_without_value = facts.n_seen
    return facts


def _whole_rows(start: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """Give the bytes in pieces that end with a row."""
    pending = start
    while block := stream.read(BLOCK):
        pending += block
        if whole := LAST_ROW_END.match(pending):
            yield whole[0]
            pending = pending[whole.end() :]
    yield pending
