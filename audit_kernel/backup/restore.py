"""Restores a site from a backup: all of it is verified first, and the restored site is verified again.

Everything is readable by its owner only, whatever groups could read before; the settings are written last, so that a
half restore is no site.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.backup.check import Checked, changed_meanwhile, check_backup
from audit_kernel.backup.copying import Progress, copied, quiet
from audit_kernel.backup.folder import CATALOGUE, OWNER, PAYLOAD, backups_in, described
from audit_kernel.backup.make import problems_of
from audit_kernel.backup.store_copy import copied_site, rows_of
from audit_kernel.errors import RunError, UsageError
from audit_kernel.files import OWNER_ONLY_FOLDER, sync_folder
from audit_kernel.locale import translator
from audit_kernel.settings_file import write_settings
from audit_kernel.site import PRIVATE_FOLDERS, SETTINGS_FILE, SITE_ADDITIONS, Site
from audit_kernel.store.connection import OWNER_ONLY_MASK
from audit_kernel.use_log import record_use

if TYPE_CHECKING:
    from audit_kernel.backup.folder import Description

PURPOSE = "restore"
ASIDE = ".restoring"


@dataclass(frozen=True)
class Restored:
    """What was restored, or with no site only verified.

    newer: names of later backups of the same site that lie beside this one.
    problems: what is wrong with the restored site; those of the description were there before.
    """

    site: Site | None
    description: Description
    n_files: int
    n_bytes: int
    newer: tuple[str, ...]
    problems: tuple[str, ...] = ()


def restore(backup: Path, folder: Path | None, progress: Progress = quiet) -> Restored:
    """Verify a backup, then restore it into an empty folder; without a folder verify only.

    Raises
    ------
    UsageError: there is no backup, or the folder is not empty; nothing was changed.
    VerificationError: the backup is damaged; nothing was changed.
    RunError: the folder cannot be written; empty it and try again.
    """
    backup = backup.resolve()
    if folder is not None:
        refuse_used(folder)
    checked = check_backup(backup, progress)
    newer = tuple(
        each.name
        for each in backups_in(backup.parent)
        if each.name > backup.name and (said := described(each)) and said.key == checked.description.key
    )
    numbers = (len(checked.digests), checked.n_bytes, newer)
    if folder is None:
        return Restored(None, checked.description, *numbers)
    old_mask = os.umask(OWNER_ONLY_MASK)
    try:
        site = _written(checked, folder.resolve(), progress)
    except OSError as error:
        raise RunError(
            "The folder {folder!r} cannot be written: {cause}.",
            "Empty it, check its permissions and the free space, and restore again. The backup is as it was.",
            folder=str(folder),
            cause=error.strerror or type(error).__name__,
        ) from error
    finally:
        os.umask(old_mask)
    said = checked.description
    told = {"backup": backup.name, "taken_at": said.taken_at, "snapshot": str(said.snapshot)}
    record_use(site, PURPOSE, "restore", told)
    return Restored(site, said, *numbers, tuple(_problems(site, said)))


def refuse_used(folder: Path) -> None:
    """Refuse a folder that is not empty.

    Raises
    ------
    UsageError
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "{folder!r} is not an empty folder.", "Name a new folder; nothing was changed.", folder=str(folder)
        )


def _written(checked: Checked, folder: Path, progress: Progress) -> Site:
    folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    folder.chmod(OWNER_ONLY_FOLDER)
    aside = folder / ASIDE
    aside.mkdir(mode=OWNER_ONLY_FOLDER)
    for name in (*PRIVATE_FOLDERS, *SITE_ADDITIONS):
        (folder / name).mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    done = 0
    for path, digest in checked.digests.items():
        place = (aside if path == SETTINGS_FILE else folder) / path
        for parent in reversed(Path(path).parents[:-1]):
            (folder / parent).mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        found, size = copied(checked.folder / PAYLOAD / path, place)
        if found != digest:
            raise changed_meanwhile(checked.folder, path)
        place.chmod(checked.modes[path] & OWNER)
        done += size
        progress(checked.folder.name, done, checked.n_bytes)
    if not checked.description.is_own_place:  # else the site would write into a store that may still be there
        write_settings(copied_site(Site(aside), aside))
    for place_name, _folders, _files in os.walk(folder):
        sync_folder(Path(place_name))
    (aside / SETTINGS_FILE).replace(folder / SETTINGS_FILE)
    aside.rmdir()
    sync_folder(folder)
    return Site(folder)


def _problems(site: Site, said: Description) -> list[str]:
    """Return what `verify` finds in the restored site, and whether its store answers as the backed-up one did."""
    _ = translator(site.settings.language)
    problems = problems_of(site, site.settings.language)
    if said.snapshot is not None and (site.live_folder / CATALOGUE).is_file():
        with tempfile.TemporaryDirectory(dir=site.temporary_folder) as temporary:
            rows = rows_of(site, Path(temporary))
        differing = sorted(name for name in {*rows, *said.rows} if rows.get(name) != said.rows.get(name))
        problems += [_("The restored store has other rows in {table}.").format(table=name) for name in differing]
    return problems
