"""The first reader of EVTX: another process turns each record into XML, which is read as any event's XML is."""

from __future__ import annotations

import json
import mmap
import re
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources import evtx_worker
from audit_kernel.sources.formats import FoundRecord
from audit_kernel.sources.xml_records import parse_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.sources.prepare import PreparedFile

RECORD_MARK = b"\x2a\x2a\x00\x00"
LARGEST_RECORD = 64 << 10
SECONDS = 60.0
REMEDY = Phrase("Nothing was taken in. Export the log again, with Event Viewer or `wevtutil epl`.")


def find_evtx_records(prepared: PreparedFile, names: frozenset[str]) -> Iterator[FoundRecord]:
    """Give the file's records in order; one that the library cannot read has its bytes, in hexadecimal, as its text.

    Raises
    ------
    DamagedFileError: a part of the file other than one record cannot be read, or not in a minute.
    """
    for number, found in enumerate(_lines(prepared), start=1):
        if isinstance(found, int):
            yield FoundRecord(number, number, _bytes_of(prepared, found).hex(), failure="not_readable")
            continue
        event = parse_record(found.encode("utf-8", errors="replace"), names)
        yield FoundRecord(number, number, found, event.node, event.failure)


def _lines(prepared: PreparedFile) -> Iterator[str | int]:
    """Give what the other process writes: a record's XML, or the number of one that cannot be read."""
    # No shell, and -I: nothing of the current folder or the environment is imported.
    command = [sys.executable, "-I", evtx_worker.__file__, str(prepared.text), str(SECONDS)]
    is_whole = False
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    ) as worker:
        try:
            for line in worker.stdout or ():
                if not line.endswith(b"\n"):  # the process ended within it
                    break
                found: str | int | bool = json.loads(line)
                is_whole = found is True
                if not is_whole:
                    yield found
        finally:
            worker.kill()
    if not is_whole:
        raise DamagedFileError("{name} is a damaged event log.", REMEDY, name=prepared.name)


def _bytes_of(prepared: PreparedFile, record: int) -> bytes:
    """Return the record with this number as it stands in the file; empty where it is not found."""
    wanted = re.compile(re.escape(RECORD_MARK) + b"(.{4})" + re.escape(struct.pack("<Q", record)), re.DOTALL)
    with prepared.text.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = wanted.search(data)
        if found is None:
            return b""
        size = min(struct.unpack("<I", found[1])[0], LARGEST_RECORD)
        return data[found.start() : found.start() + size]
