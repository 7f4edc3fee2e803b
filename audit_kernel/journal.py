"""Append-only, hash-chained JSON Lines: use log, review decisions, cases.

Each line is the RFC 8785 form of {at, entry, hash, previous, sequence}; `hash` is the SHA-256 of that form without
`hash` itself, `previous` the hash of the line before (64 zeros for the first).
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock

from audit_kernel.canonical import canonical_json, timestamp
from audit_kernel.errors import JournalError
from audit_kernel.files import BINARY, OWNER_ONLY_FILE, exact_mode, shared_modes, sync_folder, write_all
from audit_kernel.locale import translator

START = "0" * 64
WAIT_SECONDS = 60
CHUNK_BYTES = 65_536


def utc_now() -> datetime.datetime:
    """Return the present moment."""
    return datetime.datetime.now(datetime.UTC)


class Journal:
    """One journal file.

    Parameters
    ----------
    path: the file; it is made at the first entry, readable by its owner only (see `shared_modes`).
    now: gives the time of an entry.
    """

    def __init__(self, path: Path, now: Callable[[], datetime.datetime] = utc_now) -> None:
        self.path = Path(path)
        self._now = now

    def append(self, entry: Mapping[str, object], *, is_synced: bool = True) -> str:
        """Append one entry and return its hash; when this returns, the line is on the disk.

        With `is_synced` false it is the system's to write: no killed process loses it, a power failure may. The next
        synced line brings it to the disk with itself.

        A half-written last line, left by a crash, is moved to `<name>.torn` and an entry says so.

        Raises
        ------
        JournalError: the line could not be written, or the journal's last line is damaged.
        """
        with self._reported(), self._lock():
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | BINARY
            with open(os.open(self.path, flags, OWNER_ONLY_FILE), "r+b", buffering=0) as file:  # noqa: PTH123
                if file.seek(0, os.SEEK_END) == 0:
                    exact_mode(file.fileno(), shared_modes(self.path.parent)[0])
                    sync_folder(self.path.parent)
                self._mend(file)
                return self._write(file, entry, is_synced=is_synced)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield every line in order as {at, entry, hash, previous, sequence}; a half-written last line is left out.

        Raises
        ------
        JournalError: a line is damaged, or the chain is broken at it.
        """
        previous, sequence = START, 0
        for number, raw in enumerate(self._whole_lines(), start=1):
            line = parse_line(raw)
            if line is None or line["previous"] != previous or line["sequence"] != sequence + 1:
                raise self._damaged(number)
            previous, sequence = line["hash"], line["sequence"]
            yield line

    def head(self) -> str:
        """Return the hash of the last line; 64 zeros when there is none."""
        return self.position()[1]

    def position(self) -> tuple[int, str]:
        """Return sequence and hash of the last whole line, to be sealed into a month's statement."""
        if not self.path.exists():
            return 0, START
        with self._reported(), self.path.open("rb") as file:
            return self._last_line(file)

    def whole_lines(self) -> bytes:
        """Return all lines as they stand there now, without a half-written last one."""
        with self._reported(), self._lock():
            content = self.path.read_bytes()
        return content[: content.rfind(b"\n") + 1]

    def verify(self, sealed: Mapping[int, str] | None = None, language: str = "en") -> list[str]:
        """Return a sentence for every break; an empty list means that the journal is whole.

        Parameters
        ----------
        sealed: hashes by sequence as earlier statements recorded them: they show lines cut off the end.
        language: the reader's.
        """
        _ = translator(language)
        breaks: list[str] = []
        hashes: dict[int, str] = {}
        previous, sequence = START, 0
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(
                OSError
            ):  # nothing there yet, or a copy on a read-only medium has no writer to wait for
                self.path.stat()
                stack.enter_context(self._lock())
            lines, torn = list(self._whole_lines()), self._torn_bytes()
        for number, raw in enumerate(lines, start=1):
            line = parse_line(raw)
            if line is None:
                breaks.append(_("{file}, line {line}: the line was changed.").format(file=self.path.name, line=number))
                previous, sequence = "", sequence + 1  # the next line tells again where the chain stands
                continue
            if line["sequence"] != sequence + 1:
                breaks.append(
                    _("{file}, line {line}: number {found} stands where number {expected} belongs.").format(
                        file=self.path.name, line=number, found=line["sequence"], expected=sequence + 1
                    )
                )
            if previous and line["previous"] != previous:
                breaks.append(
                    _("{file}, line {line}: the line does not follow from the line before it.").format(
                        file=self.path.name, line=number
                    )
                )
            previous, sequence = line["hash"], line["sequence"]
            hashes[sequence] = previous
        if torn:
            breaks.append(
                _("{file}: the last line is half-written ({bytes} bytes); the next entry moves it aside.").format(
                    file=self.path.name, bytes=torn
                )
            )
        for number, digest in sorted((sealed or {}).items()):
            if number and hashes.get(number) != digest:
                breaks.append(
                    _("{file}: entry {number}, which sealed evidence names, is missing or was changed.").format(
                        file=self.path.name, number=number
                    )
                )
        return breaks

    def _write(self, file: io.FileIO, entry: Mapping[str, object], *, is_synced: bool = True) -> str:
        """Write and sync one line; a failure leaves the file as it was."""
        sequence, previous = self._last_line(file)
        body = {"sequence": sequence + 1, "previous": previous, "at": timestamp(self._now()), "entry": dict(entry)}
        try:
            digest = hashlib.sha256(canonical_json(body)).hexdigest()
            line = canonical_json({**body, "hash": digest}) + b"\n"
        except ValueError as error:
            raise JournalError(
                "An entry cannot be written to the journal {file!r}: {cause}.",
                "Use plain text, numbers and dates only.",
                file=self.path.name,
                cause=error,
            ) from error
        size = file.seek(0, os.SEEK_END)
        try:
            write_all(file.fileno(), line)
            if is_synced:
                os.fsync(file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(size)
            raise
        return digest

    def _mend(self, file: io.FileIO) -> None:
        """Move a half-written last line aside, or end it where it is whole but for its line end."""
        size = file.seek(0, os.SEEK_END)
        start = _start_of_tail(file, size)
        if start == size:
            return
        file.seek(start)
        tail = file.read(size - start) or b""
        line = parse_line(tail)
        if line is not None:
            sequence, previous = self._last_line(file)
            if (line["sequence"], line["previous"]) == (sequence + 1, previous):
                write_all(file.fileno(), b"\n")
                os.fsync(file.fileno())
                self._write(file, {"kind": "line_end_restored", "line": line["sequence"]})
                return
        aside = self.path.with_name(self.path.name + ".torn")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, OWNER_ONLY_FILE)
        try:
            write_all(descriptor, tail + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self.path.parent)
        file.truncate(start)
        os.fsync(file.fileno())
        moved = {"kind": "torn_line_moved", "bytes": len(tail), "sha256": hashlib.sha256(tail).hexdigest()}
        self._write(file, {**moved, "file": aside.name})

    def _last_line(self, file: io.FileIO | io.BufferedReader) -> tuple[int, str]:
        """Return sequence and hash of the last line that has its line end."""
        end = _start_of_tail(file, file.seek(0, os.SEEK_END))
        if end == 0:
            return 0, START
        start = _start_of_tail(file, end - 1)
        file.seek(start)
        line = parse_line((file.read(end - start) or b"").rstrip(b"\n"))
        if line is None:
            raise self._damaged(None)
        return line["sequence"], line["hash"]

    def _whole_lines(self) -> Iterator[bytes]:
        if not self.path.exists():
            return
        with self._reported(), self.path.open("rb") as file:
            for raw in file:
                if raw.endswith(b"\n"):
                    yield raw[:-1]

    def _torn_bytes(self) -> int:
        if not self.path.exists():
            return 0
        with self._reported(), self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            return size - _start_of_tail(file, size)

    def _lock(self) -> filelock.BaseFileLock:
        mode = shared_modes(self.path.parent)[0]  # without the folder, the lock would make it, readable by others
        return filelock.FileLock(f"{self.path}.lock", timeout=WAIT_SECONDS, mode=mode, poll_interval=0.01)

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn what the system says into a JournalError."""
        try:
            yield
        except filelock.Timeout as error:
            raise JournalError(
                "The journal {path!r} is in use by another program.",
                "Try again when it has ended.",
                path=str(self.path),
            ) from error
        except OSError as error:
            raise JournalError(
                "The journal {path!r} cannot be used: {cause}.",
                "Check the folder, its permissions and the free space.",
                path=str(self.path),
                cause=error.strerror or error,
            ) from error

    def _damaged(self, number: int | None) -> JournalError:
        if number is None:
            return JournalError(
                "The journal {path!r} is damaged: its last line does not fit the chain.",
                "Restore it from a backup; keep the damaged file as evidence.",
                path=str(self.path),
            )
        return JournalError(
            "The journal {path!r} is damaged: line {number} does not fit the chain.",
            "Restore it from a backup; keep the damaged file as evidence.",
            path=str(self.path),
            number=number,
        )


def parse_line(raw: bytes) -> dict[str, Any] | None:
    """Return a line's parts; None when a byte of it was changed."""
    try:
        line = json.loads(raw)
        if not isinstance(line, dict) or set(line) != {"at", "entry", "hash", "previous", "sequence"}:
            return None
        body = {key: value for key, value in line.items() if key != "hash"}
        is_whole = canonical_json(line) == raw and hashlib.sha256(canonical_json(body)).hexdigest() == line["hash"]
    except (ValueError, RecursionError):
        return None
    return line if is_whole else None


def _start_of_tail(file: io.FileIO | io.BufferedReader, end: int) -> int:
    """Return the place after the last line end before `end`."""
    while end > 0:
        start = max(0, end - CHUNK_BYTES)
        file.seek(start)
        chunk = file.read(end - start) or b""
        place = chunk.rfind(b"\n")
        if place >= 0:
            return start + place + 1
        end = start
    return 0
