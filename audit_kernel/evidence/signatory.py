"""Who ran, approved or signed: name, title and date, one text as it is given on the command line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_kernel.errors import UsageError
from audit_kernel.locale import format_date

if TYPE_CHECKING:
    from datetime import datetime

    from audit_kernel.site import Site

PARTS = 3


def signatories(site: Site, run_by: str, approved_by: str, began: datetime) -> dict[str, str]:
    """Return who runs and who approved a month; who runs it is the settings' where nobody was named.

    Raises
    ------
    UsageError: see `checked_signatory`.
    """
    if not run_by and site.settings.routine.run_by:
        run_by = f"{site.settings.routine.run_by}, {began.astimezone(ZoneInfo(site.settings.time_zone)):%Y-%m-%d}"
    return {"run_by": checked_signatory(run_by), "approved_by": checked_signatory(approved_by)}


def checked_signatory(text: str) -> str:
    """Return `NAME, TITLE, YYYY-MM-DD` with single spaces; empty stays empty.

    Raises
    ------
    UsageError: a part is missing, or the date is none.
    """
    if not text.strip():
        return ""
    parts = [" ".join(each.split()) for each in text.rsplit(",", PARTS - 1)]
    try:
        is_whole = len(parts) == PARTS and all(parts) and date.fromisoformat(parts[-1]).isoformat() == parts[-1]
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError(
            "{given!r} does not say who: name, title and date are needed.",
            "Give them with commas between, for example 'Kari Lie, privacy officer, 2026-11-02'.",
            given=text,
        )
    return ", ".join(parts)


def signatory_in_words(text: str, language: str) -> str:
    """Return a checked signatory with the date as a reader of the language writes it."""
    who, _comma, day = text.rpartition(", ")
    return f"{who}, {format_date(date.fromisoformat(day), language)}" if text else ""
