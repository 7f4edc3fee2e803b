"""The log of access control: log-ins, refusals with their reason, server starts, log-outs, in the site's use log.

The Hub's own lines go to its standard error, which systemd hands to journald; with `use_log.syslog` in the site's
settings each line of the use log goes there too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from audit_kernel.site import Site
from audit_kernel.use_log import FILE, record_use

if TYPE_CHECKING:
    from pathlib import Path

PURPOSE = "access control"
LOGIN, LOGOUT, REFUSAL, SERVER_START = "login", "logout", "refusal", "server_start"


def record_access(site_folder: Path, activity: str, **details: object) -> None:
    """Append one line to the site's use log, before the person is let in.

    Parameters
    ----------
    activity: LOGIN, LOGOUT, REFUSAL or SERVER_START.
    details: who, with which device, in which roles, or the reason of a refusal.

    Raises
    ------
    JournalError: the line could not be written; the caller lets nobody in.
    SettingsError: the site cannot be read.
    """
    site = Site(site_folder)
    record_use(site, PURPOSE, activity, {key: value for key, value in details.items() if value})
    _give_to_owner(site)


def _give_to_owner(site: Site) -> None:
    """Leave the journal to the site's owner where root's Hub wrote its first line."""
    if os.geteuid() != 0:
        return
    owner = site.folder.stat()
    for name in (FILE, f"{FILE}.lock"):
        path = site.live_folder / site.journals_folder.name / name
        if path.exists() and path.stat().st_uid != owner.st_uid:
            os.chown(path, owner.st_uid, -1)  # the group is the folder's
