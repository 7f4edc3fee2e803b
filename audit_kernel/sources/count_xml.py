"""The second reader of XML: counts records by the bytes of their tags alone, without parsing any XML.

A `<` stands in well-formed XML nowhere but in tags, comments, CDATA sections and processing instructions, so the tags
of records are found by their name once the other three are passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources.count import FileFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK = 4 << 20
LONGEST_PENDING = 64 << 20
LONGEST_NAME = 1 << 10
OTHERS = rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)"
PREFIX = rb"""(?:[^\s<>/:"'=!?]++:)?"""
REST_OF_TAG = rb"""(?=[\s/>])(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>?"""
ENDS = (b">", b"-->", b"]]>", b"?>")


def count_xml_records(
    text: Path, name: str, progress: Callable[[int], None], names: frozenset[str], *, nests: bool = False
) -> FileFacts:
    """Count the elements of these local names.

    Parameters
    ----------
    nests: an element of these names within another one is part of it.

    Raises
    ------
    DamagedFileError: the file holds none, or a comment, section or tag of more than 64 MiB.
    """
    listed = b"|".join(sorted(each.encode() for each in names))
    token = re.compile(OTHERS + rb"|<(/?)" + PREFIX + rb"(" + listed + rb")" + REST_OF_TAG, re.DOTALL)
    n_records = level = 0
    within = b""
    for is_end, element, is_empty in _tags(text, name, progress, token):
        if not is_end and not (nests and level):
            n_records += 1
            within = element
        if nests and element == within and not is_empty:
            level = max(level + (-1 if is_end else 1), 0)
    if not n_records:
        raise DamagedFileError(
            "{name} holds no record.", Phrase("Nothing was taken in. Export the file again."), name=name
        )
    return FileFacts(n_records=n_records)


def _tags(
    text: Path, name: str, progress: Callable[[int], None], token: re.Pattern[bytes]
) -> Iterator[tuple[bool, bytes, bool]]:
    """Give the tags of records: whether it is an end tag, its local name, whether it is both start and end."""
    pending = b""
    with text.open("rb") as stream:
        while True:
            block = stream.read(BLOCK)
            progress(len(block))
            data = pending + block
            done = 0
            for match in token.finditer(data):
                found = match[0]
                if block and match.end() == len(data) and not found.endswith(_end_of(found)):
                    break
                done = match.end()
                if match[2]:
                    yield bool(match[1]), match[2], found.endswith(b"/>")
            else:
                tail = data.rfind(b"<", done)
                done = tail if tail >= 0 and len(data) - tail < LONGEST_NAME else len(data)
            if not block:
                return
            pending = data[done:]
            if len(pending) > LONGEST_PENDING:
                raise DamagedFileError(
                    "{name} is damaged: something in it begins and does not end.",
                    Phrase("Nothing was taken in. Export the file again."),
                    name=name,
                )


def _end_of(found: bytes) -> bytes:
    if found.startswith(b"<!--"):
        return ENDS[1]
    if found.startswith(b"<!"):
        return ENDS[2]
    return ENDS[3] if found.startswith(b"<?") else ENDS[0]
