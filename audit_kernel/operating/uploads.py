"""Files that the browser hands over, piece by piece, into the site's `logs` folder: readable by its owner only."""

from __future__ import annotations

import os
from pathlib import Path

from audit_kernel.errors import IntakeError, UsageError
from audit_kernel.evidence.harmless import harmless
from audit_kernel.files import BINARY, OWNER_ONLY_FILE, write_all

LONGEST_NAME = 150
MOST_LISTED = 500


class Upload:
    """One file on its way; it has its name once all of it came."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside: Path | None = None
        self._n_bytes = 0

    def add(self, name: str, offset: int, size: int, piece: bytes) -> Path | None:
        """Append a piece; return the file's path after the last one, else None.

        Raises
        ------
        UsageError: the name cannot be a file's, or there is a file of that name.
        IntakeError: a piece is missing, or the disk does not take it.
        """
        path = self._folder / checked_name(name)
        if path.exists():
            raise UsageError(
                "There is a file {name!r} in the folder logs already.",
                "It was not touched. Choose it in the list, or give the new file another name.",
                name=path.name,
            )
        try:
            if offset == 0:
                self.forget()
                self._aside, self._n_bytes = path.with_name(f".{path.name}.part"), 0
                self._aside.unlink(missing_ok=True)
            if self._aside is None or offset != self._n_bytes:
                raise IntakeError("{name!r} did not come over whole.", "Choose the file again.", name=path.name)
            descriptor = os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, OWNER_ONLY_FILE)
            try:
                write_all(descriptor, piece)
            finally:
                os.close(descriptor)
            self._n_bytes += len(piece)
            if self._n_bytes < size:
                return None
            self._aside.rename(path)
        except OSError as error:
            raise IntakeError(
                "{name!r} could not be written into the folder logs ({cause}).",
                "Check the disk's free space, or copy the file there yourself.",
                name=path.name,
                cause=error.strerror,
            ) from None
        self._aside = None
        return path

    def forget(self) -> None:
        """Remove what came of a file that did not come whole."""
        if self._aside is not None:
            self._aside.unlink(missing_ok=True)
            self._aside = None


def checked_name(name: str) -> str:
    """Return a file's name as the browser gave it.

    Raises
    ------
    UsageError: it is hidden, a path, too long, or holds characters that disguise it.
    """
    is_plain = name.isprintable() and harmless(name) == name and not set(name) & set('/\\:*?"<>|')
    if not is_plain or name.startswith(".") or not 0 < len(name) <= LONGEST_NAME:
        raise UsageError("The file's name cannot be used.", "Give it a name of letters, figures, dots and dashes.")
    return name


def waiting_files(folder: Path) -> list[Path]:
    """Return the files that lie in a folder, the newest first."""
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]
    return sorted(files, key=lambda path: (-path.stat().st_mtime, path.name))[:MOST_LISTED]
