"""The systemd units that start `due` each day, try three times, and then start the alarm."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.site import Site

TRIES = 3
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# A path that stands here cannot be written into the private folder that a service has in its place.
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - only compared

TIMER = """\
[Unit]
Description={description}

[Timer]
OnCalendar=*-*-* {at}:00
Persistent=true

[Install]
WantedBy=timers.target
"""
# 3 tries of at most 6 hours and the pauses between them are over before the next day's first one.
SERVICE = """\
[Unit]
Description={description}
StartLimitIntervalSec=23h
StartLimitBurst={tries}
OnFailure={name}-alarm.service

[Service]
Type=oneshot
ExecStart={due}
TimeoutStartSec=6h
Restart=on-failure
RestartSec=15min
RestartPreventExitStatus=2
{hardening}"""
ALARM = """\
[Unit]
Description={description}

[Service]
Type=oneshot
ExecStart={alarm}
TimeoutStartSec=5min
{hardening}"""
# Of any service; the pages' charts are drawn by a compiler at run time, so memory may be made executable.
ANY_USER = """\
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
"""
SYSTEM_ONLY = """\
User={user}
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writable}
PrivateTmp={private_tmp}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictNamespaces=yes
CapabilityBoundingSet=
"""


def name_of(site: Site) -> str:
    """Return what the units of a site are called: several sites may be on one machine."""
    slug = re.sub(r"[^a-z0-9]+", "-", site.folder.name.lower()).strip("-")[:40]
    digest = hashlib.sha256(str(site.folder).encode()).hexdigest()[:8]
    return "-".join(part for part in ("audit-kernel", slug, digest) if part)


def command(site: Site, name: str, *options: str) -> list[str]:
    """Return a command line of this very installation, as words."""
    return [sys.executable, "-P", "-m", "audit_kernel.cli", name, *options, "--site", str(site.folder)]


def checked_time(text: str) -> str:
    """Return a time of day.

    Raises
    ------
    UsageError: it is none.
    """
    if not TIME.fullmatch(text):
        raise UsageError("{text!r} is not a time of day.", "Give hours and minutes, for example 03:15.", text=text)
    return text


def quoted(words: Sequence[str], *, is_command: bool = False) -> str:
    """Return words as systemd reads them back: blanks, quotes, backslashes, `%`, and `$` in a command.

    It takes a program whose path holds a quote or a backslash for a mistake, however it is written.

    Raises
    ------
    UsageError: a path holds what no unit can.
    """
    if not all(word.isprintable() for word in words) or (is_command and set(words[0]) & set("$\\\"'")):
        raise UsageError(
            "The folder's or the program's path holds characters that no unit can name.",
            "Move it to a path of plain characters.",
        )
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") for word in words]
    return " ".join(f'"{word.replace("$", "$$") if is_command else word}"' for word in escaped)


def unit_files(site: Site, at: str, *, is_user: bool) -> dict[str, str]:
    """Return the text of timer, service and alarm by file name.

    Parameters
    ----------
    at: time of day.
    is_user: for the user's own systemd; else for the machine's, as the owner of the site's folder.
    """
    name, hardening = name_of(site), ANY_USER
    if not is_user:
        store = site.settings.store
        files = site.folder if store.is_object_store else site.folder / store.files
        writable = [str(site.folder)] if files.is_relative_to(site.folder) else [str(site.folder), str(files)]
        is_temporary = any(site.folder.is_relative_to(folder) for folder in TEMPORARY)
        writable += map(str, TEMPORARY) if is_temporary else ()  # kernels put their sockets there
        hardening = ANY_USER + SYSTEM_ONLY.format(
            user=owner_of(site.folder),
            writable=quoted(writable),
            private_tmp="no" if is_temporary else "yes",
        )
    filled = {
        "name": name,
        "at": checked_time(at),
        "tries": TRIES,
        "description": "Log control of " + "".join(c for c in site.settings.name if c.isprintable()).replace("%", "%%"),
        "due": quoted(command(site, "due"), is_command=True),
        "alarm": quoted(command(site, "alarm"), is_command=True),
        "hardening": hardening,
    }
    texts = {".timer": TIMER, ".service": SERVICE, "-alarm.service": ALARM}
    return {f"{name}{ending}": text.format(**filled) for ending, text in texts.items()}


def owner_of(folder: Path) -> str:
    """Return the name of the account that a folder belongs to, its number where it has none."""
    import pwd

    number = folder.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
