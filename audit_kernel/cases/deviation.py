"""The deviation of a case: what happened, the clock from when a breach was known, measures, who was notified.

Sources: GDPR art. 33 (72 hours, what a notification says, that everything is documented) and 34 (the persons); the
routine's four steps: restore, remove the cause, prevent recurrence, document.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from audit_kernel.canonical import timestamp
from audit_kernel.cases import case as kinds
from audit_kernel.cases import lines
from audit_kernel.cases.breach_forms import breach_form
from audit_kernel.errors import UsageError
from audit_kernel.journal import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.cases.case import Case, Entry
    from audit_kernel.site import Site

TEXTS = (
    "what", "how", "cause", "breach", "discovered_how", "persons_categories", "relation", "data_categories",
    "whereabouts", "consequences", "severity", "internal_report", "routine_version", "contact",
    "data_protection_officer", "organisation", "processor", "other_countries", "late_reason",
)  # fmt: skip
MOMENTS = ("discovered", "began", "ended")
NUMBERS = ("persons", "records")
FACTS = (*TEXTS, *MOMENTS, *NUMBERS)
STEPS = ("restore", "remove_cause", "prevent_recurrence", "document")
AUTHORITY, PERSONS, POLICE = "authority", "persons", "police"
NOTIFIED_ONES = (AUTHORITY, PERSONS, POLICE)
State = Literal["running", "overdue", "in_time", "late", "not_needed"]


@dataclass(frozen=True)
class Clock:
    """The time to notify the authority; all times UTC.

    Attributes
    ----------
    known_at: when the breach was recorded as known; due_at: so many hours later.
    answered_at: when the authority was notified, or when it was decided that it need not be; None while it runs.
    is_needed: whether the authority was, or is to be, notified.
    """

    known_at: datetime
    due_at: datetime
    answered_at: datetime | None = None
    is_needed: bool = True

    def left(self, now: datetime) -> timedelta:
        """Return what is left, negative when it is overdue; nothing more runs once it is answered."""
        return self.due_at - (self.answered_at or now)

    def state(self, now: datetime) -> State:
        """Say how it stands."""
        if not self.is_needed:
            return "not_needed"
        if self.answered_at is None:
            return "running" if now <= self.due_at else "overdue"
        return "in_time" if self.answered_at <= self.due_at else "late"


@dataclass(frozen=True)
class Deviation:
    """A case's deviation: the newest of each fact, and every line behind it.

    Attributes
    ----------
    facts: by name, see `FACTS`; moments as UTC ISO text, numbers as whole numbers; empty where nothing was recorded.
    counted_from: the number of the evidence that persons and records were counted from; 0 where they were given.
    known: the line that says since when the breach is known; None before.
    measures: each line of a measure; notified: the newest line for the authority, the persons, the police.
    """

    facts: Mapping[str, Any]
    counted_from: int
    known: Entry | None
    measures: tuple[Entry, ...]
    notified: Mapping[str, Entry]

    @property
    def is_recorded(self) -> bool:
        """Whether anything of a deviation was recorded."""
        return bool(self.facts or self.known or self.measures or self.notified)

    def clock(self, hours: int) -> Clock | None:
        """Return the clock; None before the breach is known."""
        if self.known is None:
            return None
        known_at = datetime.fromisoformat(self.known["known_at"])
        told = self.notified.get(AUTHORITY)
        moment = datetime.fromisoformat(told["at"]) if told and told["at"] else None
        decided = datetime.fromisoformat(told.at) if told and not moment else None
        return Clock(known_at, known_at + timedelta(hours=hours), moment or decided, not decided)

    def left_open(self) -> list[str]:
        """Return what a deviation still lacks, as codes: authority, persons, and the routine's steps."""
        if not self.is_recorded:
            return []
        taken = {entry["step"] for entry in self.measures if entry["done_on"]}
        left = [name for name in (AUTHORITY, PERSONS) if self.known and name not in self.notified]
        return [*left, *(step for step in STEPS if step not in taken)]


def deviation_of(case: Case) -> Deviation:
    """Return the deviation of a case as its lines have it; an empty one where nothing was recorded."""
    facts: dict[str, Any] = {}
    counted_from = 0
    for entry in case.of_kind(kinds.DEVIATION):
        facts |= entry["facts"]
        if set(entry["facts"]) & set(NUMBERS):
            counted_from = entry["counted_from"] or 0
    known = case.of_kind(kinds.KNOWN)
    notified = {entry["to"]: entry for entry in case.of_kind(kinds.NOTIFIED)}
    return Deviation(facts, counted_from, known[-1] if known else None, tuple(case.of_kind(kinds.MEASURE)), notified)


def record_facts(site: Site, number: str, facts: Mapping[str, Any], counted_from: int = 0) -> Case:
    """Record facts of the deviation; what was recorded before stays in its line.

    Parameters
    ----------
    facts: by name, see `FACTS`; a moment as local ISO text or one with an offset, a number as digits.
    counted_from: the number of the evidence that persons and records were counted from.

    Raises
    ------
    UsageError: a name is unknown, a value is empty or wrong, or nothing is given.
    RunError, JournalError: as `lines.writable`.
    """
    unknown = sorted(set(facts) - set(FACTS))
    if unknown or not facts:
        raise UsageError(
            "A deviation has no fact {typed!r}.",
            "It has: {allowed}.",
            typed=unknown[0] if unknown else "",
            allowed=", ".join(sorted(FACTS)),
        )
    checked = {name: _checked(site, name, value) for name, value in facts.items()}
    case = lines.writable(site, number, "case_deviation")
    return lines.added(case, kinds.DEVIATION, {"facts": checked, "counted_from": counted_from})


def record_known(site: Site, number: str, at: str = "", reason: str = "") -> Case:
    """Record since when the breach is known: from that moment the clock runs.

    Parameters
    ----------
    at: local ISO text or one with an offset; now when empty.
    reason: why another moment holds than the one recorded before.

    Raises
    ------
    UsageError: the moment is none or lies ahead, or it was recorded before and no reason is given.
    RunError, JournalError: as `lines.writable`.
    """
    moment = past_moment(site, at)
    case = lines.writable(site, number, "case_known")
    if case.of_kind(kinds.KNOWN) and not reason.strip():
        raise UsageError(
            "It is recorded already since when the breach is known.",
            "Say with --reason why another moment holds; both stay.",
        )
    return lines.added(case, kinds.KNOWN, {"known_at": moment, "reason": reason.strip()})


def record_measure(site: Site, number: str, step: str, text: str, done_on: str = "") -> Case:
    """Record a measure in one of the routine's four steps.

    Parameters
    ----------
    done_on: the day on which it was done, ISO; empty while it is planned.

    Raises
    ------
    UsageError: the step or day is none, or the text is empty.
    RunError, JournalError: as `lines.writable`.
    """
    if step not in STEPS:
        raise UsageError("{typed!r} is no step.", "Give one of {allowed}.", typed=step, allowed=", ".join(STEPS))
    if done_on:
        past_moment(site, done_on)
    if not text.strip():
        raise UsageError("Nothing was given for {name}.", "Say it in words.", name=step)
    case = lines.writable(site, number, "case_measure")
    return lines.added(case, kinds.MEASURE, {"step": step, "text": text, "done_on": done_on[:10]})


def record_notified(
    site: Site, number: str, to: str, *, at: str = "", how: str = "", reference: str = "", not_needed: str = ""
) -> Case:
    """Record that the authority, the persons or the police were notified, or why they need not be.

    Parameters
    ----------
    at: local ISO text or one with an offset; now when empty. how: by which way, and what was said.
    not_needed: why nobody is notified; then neither moment nor way is given.

    Raises
    ------
    UsageError: nobody of that name is notified, the moment is none or lies ahead, or neither way nor reason is given.
    RunError, JournalError: as `lines.writable`.
    """
    if to not in NOTIFIED_ONES:
        raise UsageError(
            "{typed!r} is nobody who is notified.", "Give one of {allowed}.", typed=to, allowed=", ".join(NOTIFIED_ONES)
        )
    if bool(how.strip()) == bool(not_needed.strip()) or (not_needed.strip() and at):
        raise UsageError(
            "Either it is said how they were notified, or why they need not be.",
            "Give --how with --at, or --not-needed with the reason.",
        )
    moment = "" if not_needed.strip() else past_moment(site, at)
    case = lines.writable(site, number, "case_notify")
    told = {"to": to, "at": moment, "how": how.strip(), "reference": reference.strip()}
    return lines.added(case, kinds.NOTIFIED, {**told, "not_needed": not_needed.strip()})


def clock_of(site: Site, case: Case) -> Clock | None:
    """Return the clock of a case by the rules of the site's country; None before a breach is known."""
    return deviation_of(case).clock(breach_form(site).hours)


def needed_answers(site: Site, case: Case) -> frozenset[str]:
    """Return the answers that are optional in a form but needed now: why the notification comes late."""
    clock = clock_of(site, case)
    is_late = clock is not None and clock.state(utc_now()) in {"overdue", "late"}
    return frozenset({"late_reason"} if is_late else ())


def past_moment(site: Site, typed: str) -> str:
    """Return a moment as UTC ISO text; without an offset it is local to the site, a day alone is its beginning.

    Raises
    ------
    UsageError: it is no moment, or lies ahead.
    """
    now = utc_now()
    try:
        moment = datetime.fromisoformat(typed) if typed else now
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(site.settings.time_zone))
        text = timestamp(moment)
        is_past = moment <= now
    except (ValueError, OverflowError):  # the first and last days of the calendar have no UTC
        text, is_past = "", False
    if not is_past:
        raise UsageError(
            "{typed!r} is no moment that can have been.",
            "Give it as 2026-11-02T14:30, in the site's local time, and not after now.",
            typed=typed,
        )
    return text


def _checked(site: Site, name: str, value: Any) -> str | int:  # noqa: ANN401 - text, or a number that was counted
    if name in MOMENTS:
        return past_moment(site, str(value))
    text = str(value).strip()
    if name in NUMBERS:
        if not (text.isascii() and text.isdigit()):
            raise UsageError("{name} is a whole number, not {typed!r}.", "Give digits alone.", name=name, typed=text)
        return int(text)
    if not text:
        raise UsageError("Nothing was given for {name}.", "Say it in words.", name=name)
    return text
