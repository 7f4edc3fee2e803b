"""The use log: who looked at whose data, when and why. It is written before any row is returned."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.errors import UsageError
from audit_kernel.journal import Journal
from audit_kernel.system_log import send

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from audit_kernel.site import Site

FILE = "use_log.jsonl"
OWN_UNITS = """
    select distinct unit_id from unit_assignments
    where employee_id = $employee and valid_from <= $today and valid_to > $today
    order by unit_id
"""
SHORTEST_PURPOSE = 3
ANSWERED = "answered"
LOGIN_UID = Path("/proc/self/loginuid")
NOBODY = 2**32 - 1  # a process that no login began
SUBJECTS = ("patient_id", "employee_id")
# What the system log is told: of own SQL no text, of those asked about only how many. The journal has the rest.
TOLD = ("user", "through", "login", "employee", "units", "activity", "control", "rows", "question", "purpose")
# Of access control, which is about no patient: who with which device, in which roles, refused why and how often.
TOLD_OF_ACCESS = (
    "who",
    "roles",
    "device",
    "device_serial",
    "serial",
    "address",
    "subject",
    "verify",
    "reason",
    "count",
)
ACCESS_CONTROL = "access control"


def operating_system_user() -> str:
    """Return who runs this process by the operating system's word, not by an environment variable."""
    if os.name == "nt":  # GetUserName through the C library
        return os.getlogin()
    return user_name(os.getuid())


def login_user() -> str | None:
    """Return who logged in, by the Linux kernel's word, which sudo does not change; None where it knows nobody."""
    try:
        number = int(LOGIN_UID.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if number == NOBODY else user_name(number)


def acting_user(site: Site) -> dict[str, str]:
    """Return as whom a line is written: who runs the program, or who asked the service to, and then through whom."""
    user = operating_system_user()
    return {"user": site.asked_by, "through": user} if site.asked_by else {"user": user}


def user_name(number: int) -> str:
    """Return the name of an account, and `uid N` where it has none."""
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


def checked_purpose(purpose: str | None) -> str:
    """Return the purpose without outer blanks.

    Raises
    ------
    UsageError: there is none.
    """
    text = (purpose or "").strip()
    if len(text) < SHORTEST_PURPOSE:
        raise UsageError(
            "No purpose was given: nothing is shown without one.",
            'Give a case number or a reason, for example "sak 2026/17" or "monthly control".',
        )
    return text


def employee_of_user(site: Site) -> str | None:
    """Return who the user is by the site's settings, the one who logged in first; None where they do not say."""
    known = site.use_log.employees
    if site.asked_by:
        return known.get(site.asked_by)
    return known.get(login_user() or "") or known.get(operating_system_user())


def units_of_user(connection: duckdb.DuckDBPyConnection, site: Site) -> list[str] | None:
    """Return the units where the user works today; None where the settings or the staff data do not say."""
    employee = employee_of_user(site)
    if employee is None:
        return None
    today = datetime.now(ZoneInfo(site.settings.time_zone)).date()
    rows = connection.execute(OWN_UNITS, {"employee": employee, "today": today}).fetchall()
    return [unit for (unit,) in rows] or None


def record_use(
    site: Site,
    purpose: str,
    activity: str,
    details: Mapping[str, Any],
    *,
    units: Sequence[str] | None = None,
    is_question: bool = False,
) -> str:
    """Append one line: who, of which units, when, which query, whose data, why; return its hash.

    Parameters
    ----------
    units: where the user works now; None where that is not known.
    is_question: `record_answer` follows, and brings this line to the disk with its own before anything is shown.

    Raises
    ------
    UsageError: the purpose is empty.
    JournalError: the line could not be written, here or in the system log; the caller must return nothing.
    """
    login = None if site.asked_by else login_user()
    who = {**acting_user(site), "login": login, "employee": employee_of_user(site), "units": units}
    entry = {**who, "purpose": checked_purpose(purpose), "activity": activity, **details}
    return _written(site, entry, is_synced=not is_question)


def record_answer(site: Site, purpose: str, question: str, rows: int) -> None:
    """Append how many rows answer a question, before they are handed out.

    Parameters
    ----------
    purpose, question: what the question was asked for, and its line's hash.

    Raises
    ------
    JournalError: as `record_use`.
    """
    told = {"purpose": checked_purpose(purpose), "question": question, "rows": rows}
    _written(site, {**acting_user(site), **told, "activity": ANSWERED})


def plain_details(value: Any) -> Any:  # noqa: ANN401 - whatever a caller asked with, as JSON
    """Return what was asked with, made of texts, lists and yes or no."""
    if isinstance(value, dict):
        return {str(key): plain_details(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_details(each) for each in value]
    return value if value is None or isinstance(value, bool | str) else str(value)


def _written(site: Site, entry: Mapping[str, Any], *, is_synced: bool = True) -> str:
    journal = Journal(site.live_folder / site.journals_folder.name / FILE)
    digest = journal.append(entry, is_synced=is_synced)
    if site.use_log.syslog:
        about = entry.get("about") or {}
        n_people = sum(len(each) if isinstance(each, list) else 1 for each in about.values())
        names = TOLD + TOLD_OF_ACCESS if entry["purpose"] == ACCESS_CONTROL else TOLD
        told = {"hash": digest, **{name: entry.get(name) for name in names}, "people": n_people or None}
        if entry["activity"] == "report":  # a query of the catalogue; one's own SQL may quote a name
            told["query"] = entry.get("query")
        send(site.use_log.syslog, told)
    return digest
