"""The folder that backups are made in: where it may lie, one backup at a time, and what a killed one left."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import filelock

from audit_kernel.backup.folder import LOCK, WORK_PREFIX
from audit_kernel.errors import RunError, UnavailableError, UsageError
from audit_kernel.files import OWNER_ONLY_FILE, OWNER_ONLY_FOLDER
from audit_kernel.store.catalogue import files_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from audit_kernel.site import Site


def refuse_own_folder(site: Site, destination: Path) -> None:
    """Refuse a folder in the site, or where its store's files lie.

    Raises
    ------
    UsageError: it is one.
    """
    if destination.is_relative_to(site.live_folder) or destination.is_relative_to(files_address(site)):
        raise UsageError(
            "The backup would lie in the site's own folder.",
            "Name a folder on another disk, better on another machine.",
        )


@contextlib.contextmanager
def opened(destination: Path) -> Iterator[None]:
    """Make the folder where it is missing, hold its lock, and clear what a killed backup left.

    Raises
    ------
    RunError: it cannot be written, then or while the caller writes. UnavailableError: another backup is being made.
    """
    try:
        destination.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        with filelock.FileLock(destination / LOCK, timeout=0, mode=OWNER_ONLY_FILE):
            for left in destination.glob(f"{WORK_PREFIX}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
    except filelock.Timeout as error:
        if error.lock_file != str(destination / LOCK):
            raise
        raise UnavailableError(
            "Another backup is being made in {destination!r}.",
            "Try again when it has ended.",
            destination=str(destination),
        ) from error
    except OSError as error:
        raise RunError(
            "The backup in {destination!r} could not be written: {cause}.",
            "Nothing of it was kept. Check the folder, its permissions and the free space.",
            destination=str(destination),
            cause=": ".join(str(each) for each in (error.strerror or type(error).__name__, error.filename) if each),
        ) from error
