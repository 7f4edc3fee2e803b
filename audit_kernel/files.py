"""Files that survive a crash: written whole, synced, renamed into place."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

OWNER_ONLY_FILE = 0o600
OWNER_ONLY_FOLDER = 0o700
BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends without it


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable (Windows has no such call and needs none)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte: one call to the system may take fewer."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def write_new(path: Path, content: bytes, mode: int = OWNER_ONLY_FILE) -> None:
    """Write a file that must not exist yet, and sync it.

    Raises
    ------
    FileExistsError, OSError
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, mode)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_whole(path: Path, content: bytes, mode: int = OWNER_ONLY_FILE) -> None:
    """Replace a file in one step: readers see the old content or the new, never a part."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        write_new(aside, content, mode)
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
