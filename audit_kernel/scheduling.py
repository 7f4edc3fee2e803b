"""What starts `due` by itself: systemd units, a Task Scheduler entry, a line of a crontab.

Each starts `due` once a day; `due` decides whether there is anything to do, so a month that the machine slept through
is not skipped. systemd tries three times and then starts the alarm; the others leave both to `due` itself.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from audit_kernel.errors import AuditKernelError, UsageError
from audit_kernel.files import replace_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.site import Site

SYSTEM_UNITS = Path("/etc/systemd/system")
UNIT_MODE = 0o644  # nothing in them is secret
TRIES = 3
TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# A path that stands here cannot be written into the private folder that a service has in its place.
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - only compared
TASKS = "http://schemas.microsoft.com/windows/2004/02/mit/task"

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
            user=_owner(site.folder),
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


def _owner(folder: Path) -> str:
    import pwd

    number = folder.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def task_xml(site: Site, at: str) -> bytes:
    """Return the entry of the Windows Task Scheduler, in its schema 1.2."""
    program, *arguments = command(site, "due", "--tries", str(TRIES), "--alarm")
    user = getpass.getuser()
    domain = os.environ.get("USERDOMAIN", "")
    ET.register_namespace("", TASKS)
    task = ET.Element(f"{{{TASKS}}}Task", version="1.2")
    description = f"Log control of {site.settings.name}"
    for path, text in (
        ("RegistrationInfo/Description", "".join(c for c in description if c.isprintable())),
        ("Triggers/CalendarTrigger/StartBoundary", f"2026-01-01T{checked_time(at)}:00"),
        ("Triggers/CalendarTrigger/ScheduleByDay/DaysInterval", "1"),
        ("Principals/Principal/UserId", f"{domain}\\{user}" if domain else user),
        ("Principals/Principal/LogonType", "S4U"),  # runs when nobody is logged on, and stores no password
        ("Principals/Principal/RunLevel", "LeastPrivilege"),
        ("Settings/MultipleInstancesPolicy", "IgnoreNew"),
        ("Settings/DisallowStartIfOnBatteries", "false"),
        ("Settings/StopIfGoingOnBatteries", "false"),
        ("Settings/StartWhenAvailable", "true"),
        ("Settings/ExecutionTimeLimit", "PT20H"),
        ("Actions/Exec/Command", program),
        ("Actions/Exec/Arguments", subprocess.list2cmdline(arguments)),
    ):
        place = task
        for part in path.split("/"):
            tag = f"{{{TASKS}}}{part}"
            found = place.find(tag)
            place = ET.SubElement(place, tag) if found is None else found
        place.text = text
    return bytes(ET.tostring(task, encoding="utf-16", xml_declaration=True))


def crontab_line(site: Site, at: str) -> str:
    """Return a crontab's line; cron ends a command at `%` unless a backslash stands before it."""
    hour, minute = checked_time(at).split(":")
    words = shlex.join(command(site, "due", "--tries", str(TRIES), "--alarm"))
    if not words.isprintable():
        quoted([words])  # which refuses it
    return f"{int(minute)} {int(hour)} * * * {words.replace('%', chr(92) + '%')}"


def units_folder(*, is_user: bool) -> Path:
    """Return where units are installed."""
    own = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return own / "systemd" / "user" if is_user else SYSTEM_UNITS


def install(site: Site, at: str, folder: Path | None, *, is_user: bool) -> list[Path]:
    """Write the schedule and switch it on; return the files. With a folder they are only written there.

    Raises
    ------
    AuditKernelError: systemctl or schtasks is missing or refused.
    """
    if os.name == "nt":
        target = (folder or Path(tempfile.gettempdir())) / f"{name_of(site)}.xml"
        replace_whole(target, task_xml(site, at))
        if folder is None:
            _call(["schtasks", "/Create", "/F", "/TN", name_of(site), "/XML", str(target)])
        return [target]
    place = folder or units_folder(is_user=is_user)
    texts = unit_files(site, at, is_user=is_user)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            replace_whole(place / name, text.encode(), UNIT_MODE)
            (place / name).chmod(UNIT_MODE)  # whatever the umask says
    except OSError as error:
        raise AuditKernelError(
            "The units cannot be written to {folder!r} ({cause}).",
            "Run the command as root, or give --user; nothing is switched on.",
            folder=str(place),
            cause=error.strerror,
        ) from None
    if folder is None:
        _systemctl("daemon-reload", is_user=is_user)
        _systemctl("enable", "--now", f"{name_of(site)}.timer", is_user=is_user)
    return [place / name for name in texts]


def remove(site: Site, *, is_user: bool) -> list[Path]:
    """Switch the schedule off and remove it; return the files that went.

    Raises
    ------
    AuditKernelError: systemctl or schtasks is missing or refused.
    """
    if os.name == "nt":
        _call(["schtasks", "/Delete", "/F", "/TN", name_of(site)])
        return []
    files = installed(site, is_user=is_user)
    if files:
        _systemctl("disable", "--now", f"{name_of(site)}.timer", is_user=is_user)
        for path in files:
            path.unlink()
        _systemctl("daemon-reload", is_user=is_user)
    return files


def installed(site: Site, *, is_user: bool) -> list[Path]:
    """Return the units of the site that are there."""
    names = (f"{name_of(site)}{ending}" for ending in (".timer", ".service", "-alarm.service"))
    return [path for path in (units_folder(is_user=is_user) / name for name in names) if path.is_file()]


def _systemctl(*words: str, is_user: bool) -> None:
    _call(["systemctl", *(["--user"] if is_user else []), *words])


def _call(words: list[str]) -> None:
    try:
        done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, capture_output=True)
        cause = str(done.returncode)
    except OSError as error:
        cause = error.strerror or type(error).__name__
    if cause != "0":
        raise AuditKernelError(
            "The files are there, but `{command}` failed ({cause}).",
            "Run it by hand: it says why.",
            command=subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words),
            cause=cause,
        )
