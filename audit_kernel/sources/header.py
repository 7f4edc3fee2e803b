"""The header of a delimited file, compared with the mapping by name before anything else is read."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.sources.definition import DelimitedLayout

LONGEST_HEADER = 1 << 20
REMEDY = Phrase(
    "Nothing was taken in. Export the file with the columns of the mapping, or write a mapping for this layout."
)


def check_header(text: Path, layout: DelimitedLayout, name: str) -> tuple[str, ...]:
    """Compare the first line with the mapping's columns; return those that the file has, in its order.

    Raises
    ------
    DamagedFileError: a column is missing, extra, swapped or renamed, or the delimiter is another; names the file and
        the column that the mapping expects, never what stands there instead.
    """
    found = _header(text, layout, name)
    expected = [column for column, mapping in layout.columns.items() if not mapping.optional or column in found]
    if len(expected) == 1:  # a blank line is told from a record by its delimiter
        expected = list(layout.columns)
    if found == expected:
        return tuple(expected)
    raise _difference(expected, found, layout.delimiter, name)


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
        raise DamagedFileError("{name}, line 1: the header cannot be read.", REMEDY, name=name) from None


def _difference(expected: list[str], found: list[str], delimiter: str, name: str) -> DamagedFileError:
    """Say in one sentence how the header differs."""
    missing = [column for column in expected if column not in found]
    n_extra = len([column for column in found if column not in expected])
    count = len(expected)
    if len(found) <= 1 < count:
        return DamagedFileError(
            "{name}, line 1: the columns are not separated by {delimiter!r}.", REMEDY, name=name, delimiter=delimiter
        )
    if not missing and not n_extra and len(found) == count:
        place = next(i for i, column in enumerate(expected) if found[i] != column)
        return DamagedFileError(
            "{name}, line 1: the columns are swapped; column {place} should be {column!r}.",
            REMEDY,
            name=name,
            place=place + 1,
            column=expected[place],
        )
    if missing and len(found) == count:
        return DamagedFileError(
            "{name}, line 1: column {place} should be called {column!r} and has another name.",
            REMEDY,
            name=name,
            place=expected.index(missing[0]) + 1,
            column=missing[0],
        )
    if missing:
        return DamagedFileError("{name}, line 1: column {column!r} is missing.", REMEDY, name=name, column=missing[0])
    if len(set(found)) != len(found):
        return DamagedFileError(
            "{name}, line 1: a column stands twice; {count} columns are expected.", REMEDY, name=name, count=count
        )
    place = next(i for i, column in enumerate(found) if column not in expected)
    return DamagedFileError(
        "{name}, line 1: column {place} is not in the mapping; {count} columns are expected.",
        REMEDY,
        name=name,
        place=place + 1,
        count=count,
    )
