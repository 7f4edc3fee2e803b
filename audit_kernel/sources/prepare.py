"""Prepares one delivered file without a database: what it is, its hash, its text as UTF-8, its number of records."""

from __future__ import annotations

import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit_kernel.errors import DamagedFileError, IntakeError
from audit_kernel.sources.count import FileFacts, count_records
from audit_kernel.sources.encoding import BLOCK, as_utf8
from audit_kernel.sources.formats import Format, reader
from audit_kernel.sources.header import check_header
from audit_kernel.sources.sheet import sheet_as_text
from audit_kernel.sources.unpack import EXPORT_AGAIN, UnpackingLimits, is_workbook, unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit_kernel.sources.definition import DelimitedLayout

    Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PreparedFile:
    """A file that can be staged.

    file_id: SHA-256 of the file as delivered. n_bytes: its size. text: path of its text in UTF-8 (the file itself, or a
    copy in the temporary folder). facts: what the second reader counted. name: how messages name it.
    columns: those of the mapping that a delimited file has.
    """

    path: Path
    file_id: str
    n_bytes: int
    text: Path
    encoding: str
    facts: FileFacts
    name: str
    columns: tuple[str, ...] = ()
    _state: tuple[int, int, int] = field(repr=False, default=(0, 0, 0))

    @property
    def n_records(self) -> int:
        """Records as the second reader counted them."""
        return self.facts.n_records

    def check_unchanged(self) -> None:
        """Raise DamagedFileError if the file was written to since it was hashed."""
        if _state_of(self.path) != self._state:
            raise DamagedFileError(
                "{name} was changed while it was being read.",
                "Nothing was taken in. Wait until the export is finished and try again.",
                name=self.name,
            )

    def remove_copies(self) -> None:
        """Delete the copy in the temporary folder, if there is one."""
        if self.text != self.path:
            self.text.unlink(missing_ok=True)


def prepare(
    path: Path,
    source: DelimitedLayout,
    temporary: Path,
    progress: Progress | None = None,
    limits: UnpackingLimits | None = None,
) -> PreparedFile:
    """Check and hash one file, unpack it, bring its text into UTF-8 and count its records.

    Parameters
    ----------
    temporary: an owner-only folder for unpacked and transcoded copies.
    progress: called with bytes done and bytes to do, over all passes.
    limits: how far a packed file may expand; the settings' defaults where it is left out.

    Raises
    ------
    IntakeError: the path names no file, or one that cannot be read.
    DamagedFileError: empty, cut short, not in a declared encoding, another header, a broken structure.
    """
    name = repr(str(path))
    state = check_readable(path, name)
    n_bytes = state[0]
    report = _Progress(progress, n_bytes)
    try:
        with ThreadPoolExecutor(max_workers=1) as beside:
            hashed = beside.submit(_hash, path, report)
            form = _format_of(source)
            limits = limits or UnpackingLimits()
            plain = unpack(path, temporary, name, limits)
            text, encoding, columns, facts = _text(plain, source, form, temporary, name, report, limits)
            if plain not in (text, path):
                plain.unlink()
            file_id = hashed.result()
    except PermissionError:
        raise unreadable(name) from None
    except OSError as error:
        raise IntakeError(
            "{name} could not be prepared ({cause}).",
            "Nothing was taken in. Check the disk's free space.",
            name=name,
            cause=error.strerror,
        ) from None
    prepared = PreparedFile(path, file_id, n_bytes, text, encoding, facts, name, columns, state)
    prepared.check_unchanged()
    report.finish()
    return prepared


def check_readable(path: Path, name: str) -> tuple[int, int, int]:
    """Return the file's size, time and inode; raise IntakeError where it is no file that can be read."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise IntakeError("There is no file {name}.", "Check the path.", name=name) from None
    except (OSError, ValueError):
        raise unreadable(name) from None
    if stat.S_ISDIR(mode):
        raise IntakeError("{name} is a folder.", "Name the files in it, for example with FOLDER/*.csv.", name=name)
    if not stat.S_ISREG(mode):
        raise IntakeError("{name} is not an ordinary file.", "Save the export to a file first.", name=name)
    state = _state_of(path)
    if state[0] == 0:
        raise DamagedFileError("{name} is empty.", EXPORT_AGAIN, name=name)
    return state


def unreadable(name: str) -> IntakeError:
    """The error of a file that the operating system does not let us read."""
    return IntakeError("{name} cannot be read.", "Check the file's permissions.", name=name)


def _state_of(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino


def _hash(path: Path, report: _Progress) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            report.add(len(block))
    return digest.hexdigest()


def _format_of(source: DelimitedLayout) -> Format | None:
    """The reader of a source that is not delimited; reference data always is."""
    name = getattr(source, "format", "delimited")
    return None if name == "delimited" else reader(name)


def _text(
    plain: Path,
    source: DelimitedLayout,
    form: Format | None,
    temporary: Path,
    name: str,
    report: _Progress,
    limits: UnpackingLimits,
) -> tuple[Path, str, tuple[str, ...], FileFacts]:
    """Return the path of the file's text, its encoding, its columns, and what the second reader counts in it."""
    if form is None and is_workbook(plain):
        text, n_records = sheet_as_text(plain, source, temporary, name, limits)
        columns, facts = _count(text, source, name, report)
        if facts.n_records != n_records:
            raise IntakeError(
                "{name}: the reader found {n_read:,} records, an independent count {n_counted:,}.",
                "Nothing was stored. Report the file's layout, not its content.",
                name=name,
                n_read=facts.n_records,
                n_counted=n_records,
            )
        return text, "xlsx", columns, facts
    with plain.open("rb") as stream:
        is_binary = form and form.binary_mark and stream.read(len(form.binary_mark)) == form.binary_mark
    text, encoding = plain, "binary"
    if not is_binary:
        text, encoding = as_utf8(plain, source.encodings, temporary, name, report.add)
    return text, encoding, *(((), form.count(text, name, report.add)) if form else _count(text, source, name, report))


def _count(text: Path, source: DelimitedLayout, name: str, report: _Progress) -> tuple[tuple[str, ...], FileFacts]:
    columns = check_header(text, source, name)
    facts = count_records(text, source.delimiter, source.quote, len(columns), name, report.add)
    if facts.n_records == 0:
        raise DamagedFileError("{name} has a header and no record below it.", EXPORT_AGAIN, name=name)
    return columns, facts


class _Progress:
    """Adds up the bytes of the three passes: hash, decode, count."""

    def __init__(self, callback: Progress | None, n_bytes: int) -> None:
        self.callback = callback
        self.total = 3 * n_bytes
        self.done = 0

    def add(self, n_bytes: int) -> None:
        self.done = min(self.done + n_bytes, self.total)
        if self.callback:
            self.callback(self.done, self.total)

    def finish(self) -> None:
        self.add(self.total)
