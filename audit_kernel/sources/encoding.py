"""Strict decoding: a file is read by the first declared encoding that fits all of it, and refused where none does."""

from __future__ import annotations

import codecs
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audit_kernel.sources.definition import Encoding

BLOCK = 1 << 20
CODECS: dict[Encoding, str] = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "iso-8859-1": "iso-8859-1",
    "windows-1252": "cp1252",
}
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def create_private(folder: Path) -> Path:
    """Create an empty file with a name of its own that only its owner can read."""
    handle, path = tempfile.mkstemp(dir=folder, suffix=".txt")
    os.close(handle)
    return Path(path)


def as_utf8(
    plain: Path, encodings: Sequence[Encoding], temporary: Path, name: str, progress: Callable[[int], None]
) -> tuple[Path, Encoding]:
    """Return the path of the file's text as UTF-8, and the encoding that it has.

    A file that already is UTF-8 stays where it is; another is written anew into `temporary`.

    Raises
    ------
    DamagedFileError: no declared encoding fits; names the line where the first one failed.
    """
    failed_lines: list[int] = []
    for encoding in _candidates(plain, encodings):
        text = plain if encoding == "utf-8" else create_private(temporary)
        failed_line, is_damaged = _decode(plain, encoding, text, progress)
        if failed_line is None:
            return text, encoding
        failed_lines.append(failed_line)
        if is_damaged:
            break
    if not failed_lines:
        raise DamagedFileError(
            "{name} is not in a declared encoding, {encodings}.",
            "Export it again, or declare its encoding in the source's mapping.",
            name=name,
            encodings=" / ".join(encodings),
        )
    raise DamagedFileError(
        "{name} is not in a declared encoding, {encodings} (line {line}).",
        "Export it again, or declare its encoding in the source's mapping.",
        name=name,
        encodings=" / ".join(encodings),
        line=failed_lines[0],
    )


def _candidates(plain: Path, encodings: Sequence[Encoding]) -> list[Encoding]:
    """Narrow the declared encodings down by the byte order mark: a file that has one says what it is."""
    with plain.open("rb") as stream:
        start = stream.read(len(codecs.BOM_UTF8))
    if start == codecs.BOM_UTF8:
        return [encoding for encoding in encodings if encoding == "utf-8"]
    if start.startswith(UTF16_MARKS):
        return [encoding for encoding in encodings if encoding == "utf-16"]
    return [encoding for encoding in encodings if encoding != "utf-16"]


def _decode(plain: Path, encoding: Encoding, text: Path, progress: Callable[[int], None]) -> tuple[int | None, bool]:
    """Decode the whole file; write it to `text` where that is another file.

    Returns the line that cannot be decoded, or None, and whether it is damaged UTF-8: with valid multibyte characters
    before the failure it can be nothing else, and read as one byte a character every name in it would be garbled.
    """
    decoder = codecs.getincrementaldecoder(CODECS[encoding])("strict")
    n_lines = 1
    has_multibyte = False
    with ExitStack() as files:
        stream = files.enter_context(plain.open("rb"))
        target = files.enter_context(text.open("wb")) if text != plain else None
        while True:
            block = stream.read(BLOCK)
            pending = decoder.getstate()[0]
            if block and not target and not pending and block.isascii():
                n_lines += block.count(b"\n")  # most of most logs: nothing to decode
                progress(len(block))
                continue
            try:
                decoded = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = (pending + block)[: error.start]
                line = n_lines + good.count(b"\n")
                break
            has_multibyte = has_multibyte or not decoded.isascii()
            n_lines += decoded.count("\n")
            if target:
                target.write(decoded.encode("utf-8"))
            if not block:
                return None, False
            progress(len(block))
    if text != plain:
        text.unlink()
    return line, encoding == "utf-8" and (has_multibyte or not good.isascii())
