"""The second reader of syslog: counts messages by their counts of octets, or by the lines that begin one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_kernel.sources.count import BYTE_ORDER_MARK, FileFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOCK = 4 << 20
OVERLAP = 16
BEGINNING = re.compile(rb"\n<[0-9]{1,3}>[0-9A-Z]")
COUNT = re.compile(rb"[ \t\r\n]*([0-9]+) ")


def count_syslog_frames(text: Path, progress: Callable[[int], None]) -> FileFacts | None:
    """Count the messages of a file of syslog frames; None where it holds none.

    What the counts do not lead to is left to the first reader to refuse.
    """
    with text.open("rb") as stream:
        mark = len(BYTE_ORDER_MARK) if stream.read(3) == BYTE_ORDER_MARK else 0
        stream.seek(mark)
        start = stream.read(1 << 16).lstrip(b"\r\n")
    if re.match(rb"[1-9][0-9]{0,8} <[0-9]{1,3}>", start):
        return FileFacts(n_records=_count_by_octets(text, mark, progress))
    if BEGINNING.match(b"\n" + start):
        return FileFacts(n_records=_count_by_lines(text, mark, progress))
    return None


def _count_by_octets(text: Path, place: int, progress: Callable[[int], None]) -> int:
    n_records = 0
    with text.open("rb") as stream:
        while True:
            stream.seek(place)
            found = COUNT.match(stream.read(1 << 12))
            if not found:
                return n_records
            n_records += 1
            progress(found.end() + int(found[1][:12]))
            place += found.end() + int(found[1][:12])


def _count_by_lines(text: Path, mark: int, progress: Callable[[int], None]) -> int:
    n_records, pending = 0, b"\n"
    with text.open("rb") as stream:
        stream.seek(mark)
        while block := stream.read(BLOCK):
            progress(len(block))
            data = pending + block
            n_records += sum(1 for found in BEGINNING.finditer(data) if found.end() > len(pending))
            pending = data[-OVERLAP:]
    return n_records
