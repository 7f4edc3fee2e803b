"""The first reader of EVTX: the library `evtx` turns each record into XML, which is read as any event's XML is."""

from __future__ import annotations

import mmap
import re
import struct
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources.formats import FoundRecord
from audit_kernel.sources.xml_records import parse_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.sources.prepare import PreparedFile

RECORD_NUMBER = re.compile(r"record number (\d{1,18})\b")
RECORD_MARK = b"\x2a\x2a\x00\x00"
LARGEST_RECORD = 64 << 10
REMEDY = Phrase("Nothing was taken in. Export the log again, with Event Viewer or `wevtutil epl`.")


def find_evtx_records(prepared: PreparedFile, names: frozenset[str]) -> Iterator[FoundRecord]:
    """Give the file's records in order; one that the library cannot read has its bytes, in hexadecimal, as its text.

    Raises
    ------
    DamagedFileError: a part of the file other than one record cannot be read.
    """
    import evtx

    try:
        records = evtx.PyEvtxParser(str(prepared.text), number_of_threads=1).records()
    except (OSError, RuntimeError):
        raise _damaged(prepared) from None
    number = 0
    while True:
        number += 1
        try:
            found = next(records) or {}
        except StopIteration:
            return
        except RuntimeError as error:
            failed = RECORD_NUMBER.search(str(error))
            if failed is None:
                raise _damaged(prepared) from None
            written = _bytes_of(prepared, int(failed[1])).hex()
            yield FoundRecord(number, number, written, failure="not_readable")
            continue
        text = str(found.get("data", ""))
        event = parse_record(text.encode("utf-8", errors="replace"), names)
        yield FoundRecord(number, number, text, event.node, event.failure)


def _damaged(prepared: PreparedFile) -> DamagedFileError:
    return DamagedFileError("{name} is a damaged event log.", REMEDY, name=prepared.name)


def _bytes_of(prepared: PreparedFile, record: int) -> bytes:
    """Return the record with this number as it stands in the file; empty where it is not found."""
    wanted = re.compile(re.escape(RECORD_MARK) + b"(.{4})" + re.escape(struct.pack("<Q", record)), re.DOTALL)
    with prepared.text.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = wanted.search(data)
        if found is None:
            return b""
        size = min(struct.unpack("<I", found[1])[0], LARGEST_RECORD)
        return data[found.start() : found.start() + size]
