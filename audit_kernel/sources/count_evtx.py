"""The second reader of EVTX: counts records from the bytes of its chunks alone ([MS-EVEN6] and libevtx's description).

A file is a header of 4 KiB and chunks of 64 KiB; each has checksums of its header and of its records.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources.count import FileFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARK = b"ElfFile\x00"
CHUNK_MARK = b"ElfChnk\x00"
RECORD_MARK = b"\x2a\x2a\x00\x00"
HEADER, CHUNK, CHUNK_HEADER = 4096, 65536, 512
SMALLEST_RECORD = 28
IS_OPEN = 0x1
REMEDY = Phrase("Nothing was taken in. Export the log again, with Event Viewer or `wevtutil epl`.")


def count_evtx_records(path: Path, name: str, progress: Callable[[int], None]) -> FileFacts:
    """Count the records of an event log.

    Raises
    ------
    DamagedFileError: copied while Windows had it open, cut short, a checksum that does not fit, a record missing, or no
        record at all.
    """
    n_records = n_chunks = number = 0
    with path.open("rb") as stream:
        header = stream.read(HEADER)
        if len(header) < HEADER or zlib.crc32(header[:120]) != struct.unpack_from("<I", header, 124)[0]:
            raise DamagedFileError("{name} is a damaged event log: its header is.", REMEDY, name=name)
        if struct.unpack_from("<I", header, 120)[0] & IS_OPEN:
            raise DamagedFileError("{name} was copied while Windows was writing to it.", REMEDY, name=name)
        while chunk := stream.read(CHUNK):
            number += 1
            progress(len(chunk))
            if len(chunk) < CHUNK:
                raise DamagedFileError("{name} is an event log that is cut short.", REMEDY, name=name)
            if not any(chunk):
                continue  # space that Windows has reserved
            found = _count(chunk)
            if found is None:
                raise DamagedFileError(
                    "{name} is a damaged event log: its part {number} of 64 KiB is.", REMEDY, name=name, number=number
                )
            n_chunks, n_records = n_chunks + 1, n_records + found
    # The header counts in 16 bits.
    if n_chunks < struct.unpack_from("<H", header, 42)[0]:
        raise DamagedFileError("{name} is an event log that is cut short.", REMEDY, name=name)
    if not n_records:
        raise DamagedFileError("{name} holds no record.", REMEDY, name=name)
    return FileFacts(n_records=n_records)


def _count(chunk: bytes) -> int | None:
    """Return the records of a chunk; None where it is damaged."""
    end, records_sum = struct.unpack_from("<II", chunk, 48)
    header_sum = struct.unpack_from("<I", chunk, 124)[0]
    if (
        not chunk.startswith(CHUNK_MARK)
        or not CHUNK_HEADER <= end <= CHUNK
        or zlib.crc32(chunk[:120] + chunk[128:CHUNK_HEADER]) != header_sum
        or zlib.crc32(chunk[CHUNK_HEADER:end]) != records_sum
    ):
        return None
    place, n_records = CHUNK_HEADER, 0
    while place < end:
        if chunk[place : place + 4] != RECORD_MARK or place + SMALLEST_RECORD > end:
            return None
        size = struct.unpack_from("<I", chunk, place + 4)[0]
        if not SMALLEST_RECORD <= size <= end - place or struct.unpack_from("<I", chunk, place + size - 4)[0] != size:
            return None
        place, n_records = place + size, n_records + 1
    first, last = struct.unpack_from("<QQ", chunk, 8)
    return n_records if last - first + 1 == n_records or not n_records else None
