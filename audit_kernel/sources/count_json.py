"""The second reader of FHIR files: counts records by brackets and lines alone, without decoding any JSON."""

from __future__ import annotations

import mmap
import re
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources.count import BYTE_ORDER_MARK, FileFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK = 8 << 20
LONGEST_LINE = 256 << 20
REMEDY = Phrase("Nothing was taken in. Export the file again.")
TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
BLANK_LINE = re.compile(rb"^[ \t\r]*\n", re.MULTILINE)
BUNDLE_KEY = b'"resourceType"'
BUNDLE = b'"Bundle"'
ENTRIES = b'"entry"'


def count_json_records(text: Path, name: str, progress: Callable[[int], None]) -> FileFacts:
    """Count the records of a UTF-8 file: lines of NDJSON, entries of a Bundle, elements of a list, or one resource.

    Raises
    ------
    DamagedFileError: the file holds no record.
    """
    with text.open("rb") as stream:
        first = _first_line(stream.readline(LONGEST_LINE).removeprefix(BYTE_ORDER_MARK), stream.readline)
    n_lines, longest = count_lines(text, progress)
    n_records = n_lines
    if n_lines == 1 or not _is_whole(first):
        in_document = _count_document(text)
        n_records = n_lines if in_document is None else in_document
    if not n_records:
        raise DamagedFileError("{name} holds no record.", REMEDY, name=name)
    return FileFacts(n_records=n_records, longest_record=longest)


def _first_line(line: bytes, read_line: Callable[[], bytes]) -> bytes:
    """Return the first line that is not blank."""
    while line and not line.strip():
        line = read_line()
    return line


def _is_whole(line: bytes) -> bool:
    """Say whether a line holds one whole object: its brackets close at its end and not before."""
    depth = 0
    closed = False
    for token in _tokens(line):
        if closed:
            return False
        depth += (token in b"{[") - (token in b"}]") if len(token) == 1 else 0
        closed = depth == 0
    return closed and line.lstrip().startswith(b"{")


def _tokens(data: bytes | mmap.mmap) -> Iterator[bytes]:
    for match in TOKEN.finditer(data):
        yield match[0]


def count_lines(text: Path, progress: Callable[[int], None]) -> tuple[int, int]:
    """Count the lines that are not blank; return how many, and an upper bound of the longest one's bytes."""
    n_records = longest = 0
    pending = b""
    with text.open("rb") as stream:
        if stream.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
            stream.seek(0)
        while block := stream.read(BLOCK):
            progress(len(block))
            whole, feed, rest = block.rpartition(b"\n")
            if feed:
                lines = pending + whole + feed
                n_records += lines.count(b"\n") - len(BLANK_LINE.findall(lines))
                longest = max(longest, len(lines))
                pending = rest
            else:
                pending += rest
    return n_records + bool(pending.strip()), max(longest, len(pending))


def _count_document(text: Path) -> int | None:
    """Count the records of one JSON document; None if the file is no single document."""
    with text.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _walk(data)


def _walk(data: mmap.mmap) -> int | None:
    stack: list[bytes] = []
    key = b""
    n_entries = n_values = 0
    is_bundle = False
    expects_value = True
    for token in _tokens(data):
        if token == BYTE_ORDER_MARK:
            continue
        if token in (b"}", b"]"):
            if not stack:
                return None
            stack.pop()
            expects_value = False
        elif token == b":":
            expects_value = True
        elif token == b",":
            expects_value = bool(stack) and stack[-1] == b"["
            key = key if len(stack) > 1 else b""
        elif stack and stack[-1] == b"{" and not expects_value:
            key = token if len(stack) == 1 else key
        else:
            n_values += not stack
            n_entries += stack == [b"["] or (stack == [b"{", b"["] and key == ENTRIES)
            is_bundle = is_bundle or (stack == [b"{"] and key == BUNDLE_KEY and token == BUNDLE)
            expects_value = token == b"["
            if token in (b"{", b"["):
                stack.append(token)
                is_list = token == b"[" and len(stack) == 1
                is_bundle = is_bundle or is_list
    if stack or n_values != 1:
        return None
    return n_entries if is_bundle else 1
