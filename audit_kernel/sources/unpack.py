"""Unpacks a delivered file: gzip (RFC 1952), Zstandard (RFC 8878), zip with one file; told by its first bytes.

Streamed into an owner-only file, a little at a time: whatever a packed file claims, it fills neither memory nor disk.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from audit_kernel.errors import DamagedFileError, IntakeError, Phrase
from audit_kernel.sources.encoding import BLOCK, create_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import IO, BinaryIO

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
GZIP_WINDOW = 31  # zlib's own number for "a gzip member"
# A block of 4 bytes may stand for 128 KiB: so much at a time stays below 64 MiB.
ZSTANDARD_BLOCK = 2 << 10
# Below this size no file is a bomb, however well it packs.
ALWAYS_ALLOWED = 64 << 20
IS_ENCRYPTED = 0x1
WORKBOOK_PARTS = frozenset(["[Content_Types].xml", "xl/workbook.xml"])
EXPORT_AGAIN = Phrase("Nothing was taken in. Export the file again.")


@dataclass(frozen=True)
class UnpackingLimits:
    """How far a packed file may expand: to how many bytes, and to how many times its own size."""

    largest: int = 20 * 10**9
    ratio: int = 500

    def check(self, n_bytes: int, n_packed: int, name: str) -> None:
        """Refuse a file that has expanded too far.

        Raises
        ------
        IntakeError: more than `largest` bytes, or more than `ratio` times its size.
        """
        if n_bytes > self.largest:
            raise IntakeError(
                "{name} expands to more than {largest:,} bytes.",
                "Nothing was taken in. If it is an honest log, raise `intake.largest_unpacked` in settings.yml.",
                name=name,
                largest=self.largest,
            )
        if n_bytes > max(ALWAYS_ALLOWED, self.ratio * n_packed):
            raise IntakeError(
                "{name} expands to more than {ratio:,} times its size.",
                "Nothing was taken in. If it is an honest log, raise `intake.largest_ratio` in settings.yml.",
                name=name,
                ratio=self.ratio,
            )


def unpack(path: Path, temporary: Path, name: str, limits: UnpackingLimits) -> Path:
    """Return the path of the plain bytes: the file itself, or an owner-only copy in `temporary`.

    A workbook (xlsx) is a zip of many files and stays as it is.

    Raises
    ------
    DamagedFileError: the packed file is cut short or damaged, encrypted, or a zip of no or several files.
    IntakeError: it expands beyond the limits.
    """
    with path.open("rb") as stream:
        mark = stream.read(4)
    blocks: Callable[[BinaryIO, str], Iterator[bytes]]
    if mark.startswith(GZIP):
        blocks, packing = _gzip, "gzip"
    elif mark == ZSTANDARD:
        blocks, packing = _zstandard, "Zstandard"
    elif mark in (ZIP, EMPTY_ZIP) and not is_workbook(path):
        blocks, packing = _zip, "zip"
    elif mark == OLD_OFFICE:
        raise DamagedFileError(
            "{name} is a workbook with a password, or of a kind that Excel wrote until 2003.",
            "Nothing was taken in. Save it as .xlsx without a password, or export the log as CSV.",
            name=name,
        )
    else:
        return path
    plain = create_private(temporary)
    try:
        n_bytes, n_packed = 0, path.stat().st_size
        with path.open("rb") as stream, plain.open("wb") as target:
            for block in blocks(stream, name):
                n_bytes += len(block)
                limits.check(n_bytes, n_packed, name)
                target.write(block)
    except (EOFError, RuntimeError, ValueError, lzma.LZMAError, zipfile.BadZipFile, zlib.error):
        plain.unlink()
        raise DamagedFileError(
            "{name} is packed with {packing} and cut short or damaged.", EXPORT_AGAIN, name=name, packing=packing
        ) from None
    except BaseException:
        plain.unlink()
        raise
    if not n_bytes:
        plain.unlink()
        raise DamagedFileError("{name} is empty.", EXPORT_AGAIN, name=name)
    return plain


def is_workbook(path: Path) -> bool:
    """Say whether a file is a workbook of Excel's kind (Office Open XML): a zip with a workbook in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return WORKBOOK_PARTS.issubset(archive.namelist())
    except (zipfile.BadZipFile, RuntimeError, ValueError):
        return False


def _gzip(stream: BinaryIO, _: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    while pending := stream.read(BLOCK):
        while pending:
            if unpacker.eof:  # a gzip file may hold several members
                unpacker = zlib.decompressobj(GZIP_WINDOW)
            yield unpacker.decompress(pending, BLOCK)
            pending = unpacker.unconsumed_tail or unpacker.unused_data
    yield unpacker.flush()
    if not unpacker.eof:
        raise EOFError


def _zstandard(stream: BinaryIO, _: str) -> Iterator[bytes]:
    import zstandard

    unpacker = zstandard.ZstdDecompressor().decompressobj()
    try:
        while pending := stream.read(ZSTANDARD_BLOCK):
            while pending:
                if unpacker.eof:  # and a Zstandard file several frames
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
                yield unpacker.decompress(pending)
                pending = unpacker.unused_data if unpacker.eof else b""
    except zstandard.ZstdError:
        raise EOFError from None
    if not unpacker.eof:
        raise EOFError


def _zip(stream: BinaryIO, name: str) -> Iterator[bytes]:
    with zipfile.ZipFile(stream) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            _refuse_zip(Phrase("{name} is a zip with {count} files in it; one is allowed."), name, count=len(members))
        if members[0].flag_bits & IS_ENCRYPTED:
            _refuse_zip(Phrase("{name} is a zip with a password."), name)
        with archive.open(members[0]) as member:  # its name is never used
            while block := _read(member):
                yield block


def _read(member: IO[bytes]) -> bytes:
    try:
        return member.read(BLOCK)
    except OSError as error:
        if error.errno is None:  # bzip2's way to say that the data are damaged
            raise EOFError from None
        raise


def _refuse_zip(problem: Phrase, name: str, **values: object) -> NoReturn:
    raise DamagedFileError(
        problem, "Nothing was taken in. Unpack it, and take in the log files one by one.", name=name, **values
    )
