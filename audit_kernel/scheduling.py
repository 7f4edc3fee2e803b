"""What starts `due` by itself: systemd units, a Task Scheduler entry, a line of a crontab.

Each starts `due` once a day; `due` decides whether there is anything to do, so a month that the machine slept through
is not skipped. systemd tries three times and then starts the alarm; the others leave both to `due` itself.
"""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from audit_kernel.errors import AuditKernelError
from audit_kernel.files import replace_whole
from audit_kernel.systemd_units import TRIES, checked_time, command, name_of, quoted, unit_files

if TYPE_CHECKING:
    from audit_kernel.site import Site

SYSTEM_UNITS = Path("/etc/systemd/system")
UNIT_MODE = 0o644  # nothing in them is secret
TASKS = "http://schemas.microsoft.com/windows/2004/02/mit/task"


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
