"""The header of a delimited file, compared with the mapping by name before anything else is read."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.sources.definition import DelimitedLayout

LONGEST_HEADER = 1 << 20
REMEDY = "Nothing was taken in. Export the file with the columns of the mapping, or write a mapping for this layout."


def check_header(text: Path, layout: DelimitedLayout, name: str) -> None:
    """Compare the first line with the mapping's columns.

    Raises
    ------
    DamagedFileError: a column is missing, extra, swapped or renamed, or the delimiter is another; names the file and
        the column that the mapping expects, never what stands there instead.
    """
    expected = list(layout.columns)
    found = _header(text, layout, name)
    if found == expected:
        return
    problem = _difference(expected, found, layout.delimiter)
    raise DamagedFileError(f"{name}, line 1: {problem}.", REMEDY)


def _header(text: Path, layout: DelimitedLayout, name: str) -> list[str]:
    with text.open("rb") as stream:
        line = stream.readline(LONGEST_HEADER).decode("utf-8-sig", errors="replace").rstrip("\r\n")
    try:
        reader = csv.reader(
            [line],
            delimiter=layout.delimiter,
            quotechar=layout.quote or None,
            quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
            strict=True,
        )
        return next(reader, [])
    except csv.Error:
        raise DamagedFileError(f"{name}, line 1: the header cannot be read.", REMEDY) from None


def _difference(expected: list[str], found: list[str], delimiter: str) -> str:
    """Say in one sentence how the header differs."""
    missing = [column for column in expected if column not in found]
    n_extra = len([column for column in found if column not in expected])
    if len(found) <= 1 < len(expected):
        return f"the columns are not separated by {delimiter!r}"
    if not missing and not n_extra and len(found) == len(expected):
        place = next(i for i, column in enumerate(expected) if found[i] != column)
        return f"the columns are swapped; column {place + 1} should be {expected[place]!r}"
    if missing and len(found) == len(expected):
        place = expected.index(missing[0])
        return f"column {place + 1} should be called {expected[place]!r} and has another name"
    if missing:
        return f"column {missing[0]!r} is missing"
    if len(set(found)) != len(found):
        return f"a column stands twice; {len(expected)} columns are expected"
    place = next(i for i, column in enumerate(found) if column not in expected)
    return f"column {place + 1} is not in the mapping; {len(expected)} columns are expected"
