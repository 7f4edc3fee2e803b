"""Builds small event logs (EVTX), so that tests can damage them byte by byte."""

from __future__ import annotations

import struct
import zlib

CHUNK = 65536
FILE_TIME = 132_000_000_000_000_000


class Chunk:
    """Records of plain binary XML, without templates."""

    def __init__(self, first_record: int) -> None:
        self.data = bytearray(512)
        self.first = self.last = first_record
        self.n_records = 0
        self.first -= 1

    def add(self, *elements: tuple) -> None:
        """Add a record: (name, attributes, text or child elements) ..."""
        self.n_records += 1
        number = self.first + self.n_records
        start = len(self.data)
        self.data += struct.pack("<4sIQQ", b"**\0\0", 0, number, FILE_TIME)
        self.data += b"\x0f\x01\x01\x00"
        for element in elements:
            self._element(*element)
        self.data += b"\x00"
        self.data += bytes(-(len(self.data) - start + 4) % 8)
        size = len(self.data) - start + 4
        struct.pack_into("<I", self.data, start + 4, size)
        self.data += struct.pack("<I", size)

    def _name(self, name: str) -> None:
        self.data += struct.pack("<I", len(self.data) + 4)
        self.data += struct.pack("<IHH", 0, 0, len(name)) + name.encode("utf-16-le") + b"\0\0"

    def _text(self, text: str) -> None:
        written = text.encode("utf-16-le")
        self.data += struct.pack("<BBH", 0x05, 0x01, len(written) // 2) + written

    def _element(self, name: str, attributes: dict[str, str], content: str | list[tuple]) -> None:
        self.data += struct.pack("<BI", 0x41 if attributes else 0x01, 0)
        size_at = len(self.data) - 4
        self._name(name)
        if attributes:
            list_at = len(self.data)
            self.data += bytes(4)
            for number, (key, value) in enumerate(attributes.items(), start=1):
                self.data += b"\x46" if number < len(attributes) else b"\x06"
                self._name(key)
                self._text(value)
            struct.pack_into("<I", self.data, list_at, len(self.data) - list_at - 4)
        self.data += b"\x02"
        if isinstance(content, str):
            if content:
                self._text(content)
        else:
            for child in content:
                self._element(*child)
        self.data += b"\x04"
        struct.pack_into("<I", self.data, size_at, len(self.data) - size_at - 4)

    def whole(self) -> bytes:
        """Return the chunk with its header and checksums."""
        end, last = len(self.data), self.first + self.n_records
        chunk = self.data + bytes(CHUNK - end)
        first = self.first + 1
        struct.pack_into("<8sQQQQII", chunk, 0, b"ElfChnk\0", first, last, first, last, 128, 0)
        struct.pack_into("<I", chunk, 48, end)
        return seal_chunk(chunk)


def seal_chunk(chunk: bytearray) -> bytes:
    """Write a chunk's checksums anew."""
    end = struct.unpack_from("<I", chunk, 48)[0]
    struct.pack_into("<I", chunk, 52, zlib.crc32(chunk[512:end]))
    struct.pack_into("<I", chunk, 124, zlib.crc32(chunk[:120] + chunk[128:512]))
    return bytes(chunk)


def file_of(*chunks: bytes, flags: int = 0, n_chunks: int | None = None) -> bytes:
    """Return an event log of these chunks."""
    header = bytearray(4096)
    counted = len(chunks) if n_chunks is None else n_chunks
    struct.pack_into("<8sQQQIHHHH", header, 0, b"ElfFile\0", 0, max(counted - 1, 0), 1, 128, 1, 3, 4096, counted)
    struct.pack_into("<I", header, 120, flags)
    struct.pack_into("<I", header, 124, zlib.crc32(header[:120]))
    return bytes(header) + b"".join(chunks)


def event(number: int, record: int, data: dict[str, str], **system: str) -> tuple:
    """One event of the Security log, as an element."""
    provider = system.get("provider", "Microsoft-Windows-Security-Auditing")
    parts = [
        ("Provider", {"Name": provider}, ""),
        ("EventID", {}, str(number)),
        ("Keywords", {}, system.get("keywords", "0x8020000000000000")),
        ("TimeCreated", {"SystemTime": system.get("time", "2026-08-01T08:00:00.123456Z")}, ""),
        ("EventRecordID", {}, str(record)),
        ("Channel", {}, system.get("channel", "Security")),
        ("Computer", {}, "PC1.example.org"),
    ]
    named = [("Data", {"Name": name}, value) for name, value in data.items()]
    namespace = {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"}
    return ("Event", namespace, [("System", {}, parts), ("EventData", {}, named)])
