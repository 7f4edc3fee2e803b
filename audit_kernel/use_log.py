"""The use log: who looked at whose data, when and why. It is written before any row is returned."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import UsageError
from audit_kernel.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.site import Site

FILE = "use_log.jsonl"
SHORTEST_PURPOSE = 3


def operating_system_user() -> str:
    """Return who runs this process by the operating system's word, not by an environment variable."""
    try:
        import pwd
    except ImportError:  # Windows: GetUserName through the C library
        return os.getlogin()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


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


def record_use(site: Site, purpose: str, activity: str, details: Mapping[str, Any]) -> None:
    """Append one line: who, when, which query, whose data, why.

    Raises
    ------
    UsageError: the purpose is empty.
    JournalError: the line could not be written; the caller must return nothing.
    """
    entry = {"user": operating_system_user(), "purpose": checked_purpose(purpose), "activity": activity, **details}
    Journal(site.live_folder / site.journals_folder.name / FILE).append(entry)
