"""The words of cases: kinds of lines, steps, who is notified, what is open, the clock; in the reader's language."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from audit_kernel.cases import case as kinds
from audit_kernel.cases import deviation as parts
from audit_kernel.errors import ENGLISH, Phrase
from audit_kernel.locale import format_number, format_timestamp, translator

if TYPE_CHECKING:
    from audit_kernel.cases.case import Entry
    from audit_kernel.cases.deviation import Clock

SECONDS_IN_HOUR, SECONDS_IN_MINUTE = 3600, 60


def line_words(language: str) -> dict[str, str]:
    """Return what each kind of line is called."""
    _ = translator(language)
    return {
        kinds.OPENED: _("Case opened"),
        kinds.ABOUT: _("Is about others too"),
        kinds.NOTE: _("Case note"),
        kinds.CONVERSATION: _("Conversation"),
        kinds.EXPLANATION: _("The employee's explanation"),
        kinds.ATTACHED: _("Evidence added"),
        kinds.DECIDED: _("Decision"),
        kinds.DEVIATION: _("Deviation"),
        kinds.KNOWN: _("Breach known"),
        kinds.MEASURE: _("Measure"),
        kinds.NOTIFIED: _("Notified"),
        kinds.SHARED: _("May see the case from now on"),
        kinds.UNSHARED: _("May no longer see the case"),
        kinds.CLOSED: _("Case closed"),
        kinds.REOPENED: _("Case opened again"),
        kinds.EXPORTED: _("Exported"),
    }


def step_words(language: str) -> dict[str, str]:
    """Return the routine's four steps, and who is notified, and what else can be open."""
    _ = translator(language)
    steps = (_("Restore"), _("Remove the cause"), _("Prevent recurrence"), _("Document"))
    return {
        **dict(zip(parts.STEPS, steps, strict=True)),
        parts.AUTHORITY: _("The supervisory authority"),
        parts.PERSONS: _("The persons affected"),
        parts.POLICE: _("The police"),
        "decision": _("A decision"),
    }


def open_words(left: list[str], language: str) -> str:
    """Return the sentence for what is open; empty where nothing is."""
    if not left:
        return ""
    _ = translator(language)
    words = step_words(language)
    return _("Still open: {what}.").format(what="; ".join(words.get(each, each) for each in left))


def open_phrases(left: list[str]) -> tuple[Phrase, ...]:
    """Return what is open as phrases of an error."""
    words = step_words(ENGLISH)
    return tuple(Phrase(words.get(each, each)) for each in left)


def recipient_words(language: str) -> dict[str, str]:
    """Return whom an export is for."""
    _ = translator(language)
    return {
        "internal": _("internal"),
        "authority": _("the supervisory authority"),
        "employee": _("the employee"),
        "patient": _("the patient"),
        "police": _("the police"),
    }


def evidence_words(language: str) -> dict[str, str]:
    """Return what each kind of evidence is called."""
    _ = translator(language)
    return {"rows": _("rows of a report"), "file": _("file"), "run": _("sealed run"), "draft": _("draft of the form")}


def clock_words(clock: Clock | None, time_zone: str, language: str, now: datetime | None = None) -> str:
    """Return how the clock stands, in a sentence.

    Parameters
    ----------
    now: the present moment; None for a page that is read later: it then says how it stood when it was sealed.
    """
    _ = translator(language)
    if clock is None:
        return _("No breach is recorded as known, so no clock runs.")
    due = format_timestamp(clock.due_at, language, time_zone)
    if not clock.is_needed:
        return _("It was decided that the supervisory authority need not be notified.")
    if clock.answered_at is not None:
        at = format_timestamp(clock.answered_at, language, time_zone)
        text = _("The supervisory authority was notified at {at}, within the time that ended at {due}.")
        if clock.answered_at > clock.due_at:
            text = _("LATE: the supervisory authority was notified at {at}; the time ended at {due}.")
        return text.format(at=at, due=due)
    if now is None:
        return _("The supervisory authority is to be notified by {due}; when this was sealed it was not.").format(
            due=due
        )
    left = clock.left(now)
    text = _("The supervisory authority is to be notified by {due}: {left} left.")
    if left < timedelta(0):
        text = _(
            "OVERDUE: the supervisory authority was to be notified by {due}, {left} ago. Notify now, and say why late."
        )
    return text.format(due=due, left=hours_words(abs(left), language))


def hours_words(duration: timedelta, language: str) -> str:
    """Return a duration in whole hours and minutes."""
    _ = translator(language)
    hours, rest = divmod(int(duration.total_seconds()), SECONDS_IN_HOUR)
    text = _("{hours} h {minutes} min")
    return text.format(hours=format_number(hours, language), minutes=rest // SECONDS_IN_MINUTE)


def notified_words(entry: Entry, time_zone: str, language: str) -> str:
    """Return when and how somebody was notified, or why not."""
    _ = translator(language)
    if entry["not_needed"]:
        return _("Not notified: {reason}").format(reason=entry["not_needed"])
    at = format_timestamp(datetime.fromisoformat(entry["at"]), language, time_zone)
    return "; ".join(filter(None, [at, entry["how"], entry["reference"]]))


def measure_words(entry: Entry, language: str) -> str:
    """Return a measure with its step and when it was done."""
    _ = translator(language)
    state = _("done {day}").format(day=entry["done_on"]) if entry["done_on"] else _("planned")
    return f"{step_words(language)[entry['step']]}: {entry['text']} ({state})"
