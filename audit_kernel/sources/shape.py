"""The beginning of a delivered file, as a person sees it who opens it. Intake never guesses and uses none of this."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zstandard

from audit_kernel.errors import DamagedFileError
from audit_kernel.sources.encoding import CODECS, UTF16_MARKS
from audit_kernel.sources.prepare import check_readable, unreadable
from audit_kernel.sources.unpack import EXPORT_AGAIN

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.sources.definition import Encoding

START = 64 << 10
DELIMITERS = ";,|\t"
GZIP, ZIP, ZSTANDARD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Shape:
    """How a file seems to be written: encoding, delimiter and quote, the header's names and the first rows."""

    encoding: Encoding
    delimiter: str
    quote: str
    names: list[str]
    rows: list[list[str]]


def start_of(path: Path) -> bytes:
    """Return the file's first 64 KiB, unpacked where it is packed.

    Raises
    ------
    IntakeError: the path names no file, or one that cannot be read.
    DamagedFileError: it is empty, or packed and damaged.
    """
    name = repr(str(path))
    check_readable(path, name)
    try:
        with path.open("rb") as stream:
            start = stream.read(START)
            stream.seek(0)
            if start.startswith(GZIP):
                return gzip.GzipFile(fileobj=stream).read(START)
            if start.startswith(ZSTANDARD):
                return zstandard.ZstdDecompressor().stream_reader(stream).read(START)
            if start.startswith(ZIP):
                return _only_member(stream) or start
            return start
    except PermissionError:
        raise unreadable(name) from None
    except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError, zipfile.BadZipFile):
        raise DamagedFileError("{name} cannot be unpacked: it is damaged.", EXPORT_AGAIN, name=name) from None


def _only_member(stream: io.BufferedReader) -> bytes:
    """The beginning of a zip's one file; nothing where it holds several, as a workbook does."""
    with zipfile.ZipFile(stream) as packed:
        members = [member for member in packed.infolist() if not member.is_dir()]
        if len(members) != 1:
            return b""
        with packed.open(members[0]) as member:
            return member.read(START)


def shape_of(start: bytes) -> Shape | None:
    """Guess how a delimited text is written; None where the bytes are no text or no delimiter splits its lines."""
    encoding = guessed_encoding(start)
    if encoding is None:
        return None
    quote = "'" if start.lstrip(b"\xef\xbb\xbf")[:1] == b"'" else '"'
    found = []
    for delimiter in DELIMITERS:
        names, *rows = records_of(start, encoding, delimiter, quote) or [[]]
        if len(names) > 1:
            n_fitting = sum(len(row) == len(names) for row in rows)
            found.append((n_fitting, len(names), Shape(encoding, delimiter, quote, names, rows)))
    return max(found, key=lambda each: each[:2])[2] if found else None


def guessed_encoding(start: bytes) -> Encoding | None:
    """Name the first encoding in which the bytes are text; None for bytes that no text has."""
    if start.startswith(UTF16_MARKS):
        return "utf-16"
    if b"\0" in start:
        return None
    candidates: tuple[Encoding, ...] = ("utf-8", "windows-1252", "iso-8859-1")
    return next(encoding for encoding in candidates if decoded(start, encoding) is not None)


def decoded(start: bytes, encoding: Encoding) -> str | None:
    """Return the text without byte order mark and a cut last character; None where it is not in that encoding."""
    try:
        text = codecs.getincrementaldecoder(CODECS[encoding])("strict").decode(start)
    except UnicodeDecodeError:
        return None
    return text.removeprefix("\ufeff")


def records_of(start: bytes, encoding: Encoding, delimiter: str, quote: str) -> list[list[str]]:
    """Return the whole records of a file's beginning, the header first; empty where they cannot be read so."""
    text = decoded(start, encoding)
    if text is None:
        return []
    try:
        rows = list(
            csv.reader(
                io.StringIO(text, newline=""),
                delimiter=delimiter,
                quotechar=quote or None,
                quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            )
        )
    except csv.Error:
        return []
    # The last line may be cut where the beginning ends.
    return rows[:-1] if len(start) >= START and len(rows) > 1 else rows
