"""Copies files into a backup, each with its SHA-256 and mode; what the backup before holds already is hard-linked."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit_kernel.backup.folder import OWNER, PAYLOAD, backups_in, described, parse_list
from audit_kernel.evidence import bag as bags
from audit_kernel.files import BINARY, OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, sync_folder, write_all, write_new

Progress = Callable[[str, int, int], None]
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def quiet(_what: str, _done: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Previous:
    """The backup before: its folder, and SHA-256 by path in its payload."""

    folder: Path
    digests: Mapping[str, str] = field(default_factory=dict)


def previous_of(destination: Path, key: str) -> Previous | None:
    """Return the newest backup of the same site in a folder."""
    for folder in reversed(backups_in(destination)):
        found = described(folder)
        listed = parse_list((folder / bags.MANIFEST).read_bytes()) if found and found.key == key else None
        if listed:
            return Previous(folder, {path.removeprefix(f"{PAYLOAD}/"): digest for path, digest in listed.items()})
    return None


@dataclass
class Copying:
    """One backup being written.

    target: the folder `data` of the backup. Paths are relative to it, with `/` whatever the system.
    digests, modes: of what was copied so far; n_bytes, n_linked: bytes written, files linked.
    """

    target: Path
    previous: Previous | None = None
    progress: Progress = quiet
    digests: dict[str, str] = field(default_factory=dict)
    modes: dict[str, str] = field(default_factory=dict)
    n_bytes: int = 0
    n_linked: int = 0

    def add(self, path: str, source: Path, *, never_changes: bool = False) -> None:
        """Copy a file, or link it where the backup before holds the same.

        Parameters
        ----------
        never_changes: a file of this name and size is the same one, so it is not read again.

        Raises
        ------
        FileNotFoundError: it is there no more. OSError: it cannot be read or written.
        """
        found = source.lstat()
        known = self.previous.digests.get(path) if self.previous else None
        is_same = known is not None and (never_changes or bags.digest_of(source) == known)
        if not (is_same and self.link_unread(path, found.st_size)):
            self.digests[path], size = copied(source, self.place(path))
            self.n_bytes += size
        self.modes[path] = f"{stat.S_IMODE(found.st_mode) & OWNER:04o}"

    def link_unread(self, path: str, size: int) -> bool:
        """Link a file that never changes from the backup before, where that holds one of this size; tell whether."""
        old = self.previous.folder / PAYLOAD / path if self.previous and path in self.previous.digests else None
        if not old or not self.previous or _size(old) != size or not self._link(old, self.place(path)):
            return False
        self.digests[path], self.modes[path] = self.previous.digests[path], f"{OWNER_ONLY_FILE:04o}"
        self.n_linked += 1
        return True

    def add_bytes(self, path: str, content: bytes) -> None:
        """Write a file of the site as these bytes."""
        place = self.place(path)
        write_new(place, content)
        self.digests[path], self.modes[path] = hashlib.sha256(content).hexdigest(), f"{OWNER_ONLY_FILE:04o}"
        self.n_bytes += len(content)

    def add_made(self, path: str) -> None:
        """Take a file into the lists that was made in its place."""
        self.digests[path], self.modes[path] = bags.digest_of(self.target / path), f"{OWNER_ONLY_FILE:04o}"
        self.n_bytes += (self.target / path).stat().st_size

    def drop(self, path: str) -> None:
        """Take a file out again that the site has no more."""
        self.digests.pop(path)
        self.modes.pop(path)
        (self.target / path).unlink()

    def finish(self) -> None:
        """Remove what is in no list (locks of checks, empty folders), and sync the folders."""
        for place, folders, files in os.walk(self.target, topdown=False):
            here = Path(place)
            for name in files:
                if (here / name).relative_to(self.target).as_posix() not in self.digests:
                    (here / name).unlink()
            for name in folders:
                with contextlib.suppress(OSError):  # not empty
                    (here / name).rmdir()
            sync_folder(here)

    def place(self, path: str) -> Path:
        """Return where a file goes, its folders made and nothing in its place."""
        place = self.target / path
        for folder in reversed(place.relative_to(self.target).parents):
            (self.target / folder).mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        place.unlink(missing_ok=True)
        return place

    @staticmethod
    def _link(old: Path, new: Path) -> bool:
        try:
            new.hardlink_to(old)
        except OSError:  # a file system without hard links
            return False
        return not new.is_symlink()


def copied(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file, readable by its owner only, and sync it; return the SHA-256 and size of what was written.

    Raises
    ------
    FileNotFoundError: there is no source. FileExistsError: there is a target. OSError: a link, or a full disk.
    """
    digest, size = hashlib.sha256(), 0
    read_flags, new_flags = os.O_RDONLY | BINARY | NO_LINK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY
    with open(os.open(source, read_flags), "rb") as file:  # noqa: PTH123 - by descriptor
        new = os.open(target, new_flags, OWNER_ONLY_FILE)
        try:
            while chunk := file.read(bags.CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                write_all(new, chunk)
            os.fsync(new)
        finally:
            os.close(new)
    return digest.hexdigest(), size


def files_under(
    folder: Path, links: list[str], prefix: str = "", shut: list[str] | None = None
) -> Iterator[tuple[str, Path]]:
    """Yield (path, file) for each file of a folder, following no link; what is no plain file is named in `links`.

    Parameters
    ----------
    shut: takes the folders that cannot be read, which otherwise are an error.

    Raises
    ------
    PermissionError: a folder cannot be read.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except FileNotFoundError:
        return
    except PermissionError:
        if shut is None:
            raise
        shut.append(prefix)
        return
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from files_under(Path(entry.path), links, f"{path}/", shut)
        elif entry.is_file(follow_symlinks=False):
            yield path, Path(entry.path)
        else:
            links.append(path)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return -1
