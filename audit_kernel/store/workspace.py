"""Private folders for the copies one command makes; what a killed command left is cleared by the next."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from audit_kernel.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.site import Site

PREFIX, RUN = "intake-", "run-"
IN_USE = "in-use.lock"
OWNER_ONLY_FILE = 0o600


@contextmanager
def workspace(site: Site, prefix: str = PREFIX) -> Iterator[Path]:
    """Give a folder that is deleted at the end: logs lie in it unpacked in plain text, or a run's pages (`RUN`).

    Raises
    ------
    StoreError: the site's temporary folder cannot be written.
    """
    try:
        with FileLock(site.temporary_folder / "workspaces.lock", mode=OWNER_ONLY_FILE):
            _clear_abandoned(site.temporary_folder)
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=site.temporary_folder))
            in_use = FileLock(folder / IN_USE, mode=OWNER_ONLY_FILE)
            in_use.acquire()
    except OSError as error:
        raise StoreError(
            "The folder {folder!r} cannot be written ({cause}).",
            "Nothing was changed. Check free disk space and the folder's permissions.",
            folder=str(site.temporary_folder),
            cause=error.strerror,
        ) from None
    try:
        yield folder
    finally:
        in_use.release()
        shutil.rmtree(folder, ignore_errors=True)


def _clear_abandoned(temporary: Path) -> None:
    """Delete the folders whose command has ended: the operating system gave up its lock."""
    for folder in (*temporary.glob(f"{PREFIX}*"), *temporary.glob(f"{RUN}*")):
        in_use = FileLock(folder / IN_USE, mode=OWNER_ONLY_FILE)
        try:
            in_use.acquire(timeout=0)
        except (Timeout, OSError):
            continue
        in_use.release()
        shutil.rmtree(folder, ignore_errors=True)
