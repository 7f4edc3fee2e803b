"""Files that survive a crash: written whole, synced, renamed into place."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

OWNER_ONLY_FILE = 0o600
OWNER_ONLY_FOLDER = 0o700
BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends without it


def shared_modes(folder: Path) -> tuple[int, int]:
    """Return the modes of a new file and of a new folder in `folder`: the owner's alone, unless the folder says so.

    It says so by the set-group-ID bit together with its group's own right to read, or to read and write, which root
    gives on purpose (`serve accounts`); neither a umask nor a copy of a site ever does. Where nobody may remove what is
    another's (the sticky bit), that holds in new folders too.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    group = mode & stat.S_IRWXG if mode & stat.S_ISGID and mode & stat.S_IRGRP else 0
    kept = group | stat.S_ISGID | mode & stat.S_ISVTX if group else 0
    return OWNER_ONLY_FILE | group & ~stat.S_IXGRP, OWNER_ONLY_FOLDER | kept


def exact_mode(descriptor: int, mode: int) -> None:
    """Give an open file this mode, whatever the umask took from it (Windows has no such call and no such modes)."""
    if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        os.fchmod(descriptor, mode)


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
        exact_mode(descriptor, mode)
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
