"""Reminders: which reviewers have rows that are open longer than the settings allow, in words that may travel.

A reminder tells how many rows, of which month and since when; never about whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_kernel import decisions
from audit_kernel.alarm import send_mail
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.sealed_bag import bags_of
from audit_kernel.locale import format_date, format_month, format_number, translator
from audit_kernel.review.status import listed_rows, said_of
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_kernel.site import Site

CLOSING = "closing"


@dataclass(frozen=True)
class Reminder:
    """One reviewer's overdue rows of a month: how many rows there are, are open, are overdue, and were due first when.

    address: where it is sent; empty where it is printed.
    """

    month: str
    reviewer_id: str
    reviewer_name: str
    n_rows: int
    n_open: int
    n_overdue: int
    due_on: date
    address: str
    subject: str
    text: str


def overdue(site: Site, today: date, month: str = "") -> list[Reminder]:
    """Return what is overdue, by month and reviewer.

    Parameters
    ----------
    month: one month, closed or not; else every month with lists that is not closed.

    Raises
    ------
    UsageError: it is no month.
    JournalError: the journal cannot be read, or its chain is broken.
    """
    months = [month] if month else sorted({entry["month"] for entry in decisions.lists(site)})
    found = [each for one in months for each in _overdue_in(site, one, today)]
    closed = set() if month else {each.month for each in found if bags_of(site, each.month, CLOSING)}
    return [each for each in found if each.month not in closed]


def send_reminders(site: Site, found: Iterable[Reminder]) -> list[Reminder]:
    """Send those that have an address, and write down that they were sent; return them.

    Raises
    ------
    SettingsError, KeyFileError, UnavailableError: see `send_mail`; those before it were sent.
    JournalError: the journal cannot be written.
    """
    sent = [each for each in found if each.address]
    for each in sent:
        send_mail(site, each.address, each.subject, each.text)
        line = {"kind": decisions.REMINDED, "month": each.month, "reviewer_id": each.reviewer_id}
        decisions.journal(site).append({**line, "n_overdue": each.n_overdue, "user": operating_system_user()})
    return sent


def _overdue_in(site: Site, month: str, today: date) -> Iterable[Reminder]:
    allowed = timedelta(days=site.settings.review.days_to_decide)
    said, since = decisions.opinions(site, month), _out_since(site, month)
    for reviewer, (name, rows) in sorted(listed_rows(site, month).items()):
        still_open = [row for row in rows if not said_of(said, row)]
        due = [since[reviewer, row.subjects[0]] + allowed for row in still_open]
        late = [day for day in due if day < today]
        if late:
            counts = (len(rows), len(still_open), len(late))
            words = _words(site, month, name, counts, min(late))
            yield Reminder(month, reviewer, name, *counts, min(late), _address(site, reviewer), *words)


def _out_since(site: Site, month: str) -> dict[tuple[str, decisions.Subject], date]:
    """Return the local day on which each row first went out to a reviewer: a list made anew wins no time."""
    zone = ZoneInfo(site.settings.time_zone)
    found: dict[tuple[str, decisions.Subject], date] = {}
    for at, entry in decisions.sent(site, month):
        for row in entry["rows"]:
            for key in row["keys"]:
                found.setdefault((entry["reviewer_id"], (row["kind"], key)), at.astimezone(zone).date())
    return found


def _address(site: Site, reviewer: str) -> str:
    review = site.settings.review
    own = next((each.email for each in review.reviewers if each.id == reviewer), "")
    return own or review.reminders_to


def _words(site: Site, month: str, name: str, counts: tuple[int, int, int], due_on: date) -> tuple[str, str]:
    """Return subject and text in the site's language."""
    language = site.settings.language
    _ = translator(language)
    shown = format_month(date.fromisoformat(f"{month}-01"), language)
    subject = _("Review of the log control for {month}: rows are overdue").format(month=shown)
    n_rows, n_open, n_overdue = (format_number(count, language) for count in counts)
    how_many = _("{open} of the {rows} rows on your list are open; {overdue} were to be decided by {day}.")
    texts = (
        _("To {reviewer}").format(reviewer=harmless(name)),
        how_many.format(open=n_open, rows=n_rows, overdue=n_overdue, day=format_date(due_on, language)),
        _("Decide them on the page or in the workbook. If you cannot, say so to the person who runs the log control."),
    )
    return subject, "\n\n".join(texts)
