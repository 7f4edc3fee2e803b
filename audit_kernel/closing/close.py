"""Closes a month: counts its decisions over the sealed run, and seals them with a signature by name and title."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.closing.counting import count_decisions
from audit_kernel.closing.page import FILE, closing_page
from audit_kernel.errors import RunError
from audit_kernel.evidence.later import seal_pages
from audit_kernel.evidence.month import journal_breaks
from audit_kernel.evidence.run import Plan
from audit_kernel.evidence.sealed_bag import newest_bag
from audit_kernel.evidence.signatory import checked_signatory
from audit_kernel.locale import translator
from audit_kernel.review.sealed_month import finished_month

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.site import Site

KIND = "closing"


@dataclass(frozen=True)
class Closing:
    """A closing: its bag, its page, and the facts that its statement holds."""

    bag: Path
    page: Path
    facts: dict[str, Any]
    warnings: tuple[str, ...] = ()


def close_month(
    site: Site,
    month: str,
    signed_by: str,
    title: str,
    measures: Sequence[str] = (),
    *,
    open_reason: str = "",
    again: str = "",
    language: str = "",
) -> Closing:
    """Close a month over its newest sealed run.

    Parameters
    ----------
    signed_by, title: who signs it off; the date is today's at the site.
    measures: each a sentence, or `CHECK: sentence`, where the year then shows what followed.
    open_reason: why it is closed although something is undecided.
    again: why it is closed once more; the new closing names the earlier one.

    Raises
    ------
    UsageError: it is no month, it has not been run, or name or title is missing.
    MonthIncompleteError: a notebook of the run failed.
    VerificationError: the run, or the earlier closing, was changed.
    RunError: something is undecided and no reason is given, or the month is closed already and no reason is given.
    JournalError: the journal of decisions cannot be read.
    """
    bag = finished_month(site, month)
    earlier = newest_bag(site, month, KIND)
    language = language or bag.language
    began = datetime.now(UTC)
    day = began.astimezone(ZoneInfo(site.settings.time_zone)).date()
    signed = checked_signatory(f"{signed_by.replace(',', ' ')}, {title.replace(',', ' ')}, {day.isoformat()}")
    facts = count_decisions(site, bag)
    _refuse_without_reason(facts["n_undecided"], earlier, open_reason.strip(), again.strip())
    asked = {
        "month": bag.named(),
        "signed_by": signed,
        "measures": [_measure(text, bag) for text in measures if text.strip()],
        "open_reason": open_reason.strip(),
        "earlier": earlier.named() if earlier else None,
        "again_reason": again.strip(),
    }
    breaks = journal_breaks(site, language)
    _ = translator(language)
    purpose = _("closing of the month")
    snapshot = int(bag.worked["snapshot"])
    plan = Plan(KIND, month, purpose, language, snapshot, [], [], asked, began)
    pages = {FILE: closing_page(site, month, language, facts, asked, breaks)}
    rests_on: Iterable[SealedBag] = [bag, *([earlier] if earlier else [])]
    unstamped: list[str] = []
    sealed = seal_pages(site, plan, pages, rests_on, facts, breaks, unstamped.append)
    return Closing(sealed, sealed / "data" / "pages" / FILE, facts, (*breaks, *unstamped))


def _refuse_without_reason(n_undecided: int, earlier: SealedBag | None, open_reason: str, again: str) -> None:
    if earlier and not again:
        raise RunError(
            "The month is closed already, in {run}.",
            "Say why with --again; the new closing names the earlier one, and both stay.",
            run=earlier.name,
        )
    if n_undecided and not open_reason:
        raise RunError(
            "{count} findings and sampled days are undecided.",
            "Take the review lists in first, or say with --open-reason why the month is closed all the same.",
            count=n_undecided,
        )


def _measure(text: str, bag: SealedBag) -> dict[str, str]:
    """Return a measure with the check it is about; empty where it names none of the run's."""
    check, colon, rest = text.partition(":")
    pages = {page["page"] for page in bag.worked["pages"] if page["facts"].get("room") == "checks"}
    is_named = bool(colon) and check.strip() in pages
    return {"check": check.strip() if is_named else "", "text": rest.strip() if is_named else text.strip()}
