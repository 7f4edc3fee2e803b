"""The people in open cases: findings about them are kept from the month's ordinary pages and lists.

A journal of its own says who put whom on the list and why. It names people, so only the site's owner can read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from audit_kernel.errors import UsageError
from audit_kernel.journal import Journal
from audit_kernel.store.reading import Store
from audit_kernel.use_log import checked_purpose, operating_system_user

if TYPE_CHECKING:
    from audit_kernel.site import Site

JOURNAL = "restricted.jsonl"
Kind = Literal["employee", "patient"]


@dataclass(frozen=True)
class Restriction:
    """One person on the list: kind (employee or patient), the site's id, why, by whom and since when (UTC)."""

    kind: str
    subject_id: str
    reason: str
    placed_by: str
    placed_at: str


def restrict(site: Site, kind: Kind, typed: str, reason: str) -> Restriction:
    """Put a person on the list, by the site's id or an identifier of any log.

    Raises
    ------
    UsageError: there is no reason, or the person is on it already.
    UnknownSubjectError: there is no such person, or several.
    JournalError: the line could not be written; nothing changed.
    """
    reason = checked_purpose(reason)
    with Store(site, reason) as store:
        subject_id = store.subject(kind, typed)
    if any((each.kind, each.subject_id) == (kind, subject_id) for each in restrictions(site)):
        raise UsageError("{typed!r} is on the list already.", "See it with: audit-kernel restrict show", typed=typed)
    return list_subject(site, kind, subject_id, reason)


def list_subject(site: Site, kind: Kind, subject_id: str, reason: str) -> Restriction:
    """Put somebody on the list whose id is known; one who is on it stays as before.

    Raises
    ------
    JournalError: the line could not be written; nothing changed.
    """
    if all((each.kind, each.subject_id) != (kind, subject_id) for each in restrictions(site)):
        _record(site, "restricted", kind, subject_id, reason)
    return next(each for each in restrictions(site) if (each.kind, each.subject_id) == (kind, subject_id))


def release(site: Site, kind: Kind, subject_id: str, reason: str) -> None:
    """Take a person off the list; what was kept apart stays where it was sealed.

    Raises
    ------
    UsageError: there is no reason, or the person is not on the list.
    JournalError: the line could not be written; nothing changed.
    """
    reason = checked_purpose(reason)
    if all((each.kind, each.subject_id) != (kind, subject_id) for each in restrictions(site)):
        raise UsageError(
            "{typed!r} is not on the list.",
            "See it with: audit-kernel restrict show. The site's own id is asked for here.",
            typed=subject_id,
        )
    _record(site, "released", kind, subject_id, reason)


def restrictions(site: Site) -> list[Restriction]:
    """Return who is on the list, in the order in which they were put on it.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    found: dict[tuple[str, str], Restriction] = {}
    for line in Journal(site.journals_folder / JOURNAL).entries():
        entry = line["entry"]
        if entry.get("did") not in {"restricted", "released"}:
            continue
        subject = (entry["subject"], entry["subject_id"])
        found.pop(subject, None)
        if entry["did"] == "restricted":
            found[subject] = Restriction(*subject, entry["reason"], entry["user"], line["at"])
    return list(found.values())


def _record(site: Site, did: str, kind: str, subject_id: str, reason: str) -> None:
    entry = {"did": did, "subject": kind, "subject_id": subject_id, "reason": reason, "user": operating_system_user()}
    Journal(site.journals_folder / JOURNAL).append(entry)
