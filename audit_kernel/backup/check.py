"""Checks a backup before anything is restored from it: every list and every byte; what is not as listed is named.

A backup may come from anywhere: links, devices, paths that lead out of it and files that nothing lists are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.backup.copying import Progress, files_under, quiet
from audit_kernel.backup.folder import (
    DESCRIPTION,
    MODES,
    PAYLOAD,
    TAGS,
    Description,
    described,
    is_inside,
    parse_list,
)
from audit_kernel.errors import Phrase, UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.site import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MISSING = Phrase("it is missing")
CHANGED = Phrase("it was changed, or cut off")
EXTRA = Phrase("no list names it")
LINK = Phrase("it is a link or device")
OUTSIDE = Phrase("its path leads out of the backup")
UNREADABLE = Phrase("it cannot be read")
NO_LIST = Phrase("it is not as this program writes it")


@dataclass(frozen=True)
class Checked:
    """A backup that is whole: its description, SHA-256 and mode by path in the site's folder, and the bytes in all."""

    folder: Path
    description: Description
    digests: Mapping[str, str]
    modes: Mapping[str, int]
    n_bytes: int


def check_backup(backup: Path, progress: Progress = quiet) -> Checked:
    """Read a whole backup and return what it holds.

    Raises
    ------
    UsageError: there is none. VerificationError: it is not whole; the first file and what is wrong with it are named.
    """
    if not (backup / PAYLOAD).is_dir() and not (backup / bags.BAGIT).is_file():
        raise UsageError(
            "There is no backup at {backup!r}.",
            "Name one backup: a folder in the destination, such as 20261102T031500Z-3f2a.",
            backup=str(backup),
        )
    links: list[str] = []
    found = dict(files_under(backup, links))
    wrong = [(path, LINK) for path in links]
    if bags.TAG_MANIFEST not in found:
        raise _refused(backup, [*wrong, (bags.TAG_MANIFEST, MISSING)])
    tags = _listed(backup, bags.TAG_MANIFEST, wrong)
    manifest, modes = ({}, {}) if wrong else (_listed(backup, name, wrong) for name in (bags.MANIFEST, MODES))
    description = described(backup)
    if description is None:
        wrong.append((DESCRIPTION, NO_LIST))
    wrong += [(path, OUTSIDE) for path in manifest if not is_inside(path)]
    wrong += [(name, MISSING) for name in TAGS if name not in tags]
    if manifest.keys() != modes.keys() or f"{PAYLOAD}/{SETTINGS_FILE}" not in manifest:
        wrong.append((MODES, NO_LIST))
    if wrong or description is None:
        raise _refused(backup, wrong)
    listed = {**tags, **manifest}
    wrong += [(path, EXTRA) for path in sorted(found.keys() - listed.keys() - {bags.TAG_MANIFEST})]
    wrong += _changed(listed, found, progress)
    if wrong:
        raise _refused(backup, wrong)
    strip = len(PAYLOAD) + 1
    return Checked(
        backup,
        description,
        {path[strip:]: digest for path, digest in manifest.items()},
        {path[strip:]: int(mode, 8) for path, mode in modes.items()},
        sum(found[path].lstat().st_size for path in manifest),
    )


def _listed(backup: Path, name: str, wrong: list[tuple[str, Phrase]]) -> dict[str, str]:
    """Return a list's values by path, empty where it is none."""
    is_modes = name == MODES
    try:
        listed = parse_list((backup / name).read_bytes())
    except OSError:
        listed = None
    if not listed or any((len(value) == len("0600")) != is_modes for value in listed.values()):
        wrong.append((name, NO_LIST))
        return {}
    return listed


def _changed(listed: Mapping[str, str], found: Mapping[str, Path], progress: Progress) -> Iterator[tuple[str, Phrase]]:
    total = sum(path.lstat().st_size for path in found.values())
    done = 0
    for path, digest in listed.items():
        if path not in found:
            yield path, MISSING
            continue
        try:
            if bags.digest_of(found[path]) != digest:
                yield path, CHANGED
        except OSError:
            yield path, UNREADABLE
        done += found[path].lstat().st_size
        progress("SHA-256", done, total)


def _refused(backup: Path, wrong: list[tuple[str, Phrase]]) -> VerificationError:
    path, what = wrong[0]
    return VerificationError(
        "The backup {backup!r} is damaged: {file}: {what}. Files with which something is wrong: {count:,}.",
        "Nothing was restored. Take another backup, or bring this one again from where it was kept.",
        backup=str(backup),
        file=bags.shown(path),
        what=what,
        count=len(wrong),
    )


def changed_meanwhile(backup: Path, path: str) -> VerificationError:
    """Return the error of a file that changed after it was checked."""
    return _refused(backup, [(path, CHANGED)])
