"""Who sits at the keyboard, by the operating system's word: one reviewer with one list, or the site's operator."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_kernel.errors import UsageError
from audit_kernel.locale import translator
from audit_kernel.store.catalogue import exists
from audit_kernel.store.dated import dated_sql
from audit_kernel.store.deliver import reading
from audit_kernel.systemd_units import owner_of
from audit_kernel.use_log import operating_system_user, record_use

if TYPE_CHECKING:
    from audit_kernel.site import Site

OPERATING_SYSTEM = "operating_system"
ANYBODY = ""
MAPPED = """
    select identifier, id
    from ({identifiers}) as identifiers
    where
        kind = 'employee' and system = $system and ($user is null or identifier = $user)
        and valid_from <= $today and valid_to > $today
    order by identifier, id
"""


def purpose_of(site: Site, month: str, purpose: str = "") -> str:
    """Return the purpose that was given, else that a month is reviewed."""
    _ = translator(site.settings.language)
    return purpose or _("review of {month}").format(month=month)


def acting_reviewer(site: Site, purpose: str) -> str:
    """Return the reviewer whose list alone this user may see and fill in; `ANYBODY` for the operator.

    In this order: whom `review.reviewers[].user` names; the owner of the site's folder, who is the operator; the
    employee whom the setting `use_log.users`, or the reference data `identifiers` of the system `operating_system`,
    names. A log's user names do not count: they say nothing about this machine. Where the system knows no owners, as
    Windows, its rights on the folder decide who gets here, and who is not mapped is the operator.

    Raises
    ------
    UsageError: the user is none of them, or the reference data name two employees.
    JournalError: the use log cannot be written.
    StoreError: the store cannot be read.
    """
    user = operating_system_user()
    for each in site.settings.review.reviewers:
        if each.user == user:
            return each.id
    if not hasattr(os, "getuid") or site.folder.stat().st_uid == os.getuid():
        return ANYBODY
    if known := site.settings.use_log.employees.get(user):
        return known
    if identified := _identified(site, purpose, user).get(user):
        return identified
    raise UsageError(
        "The user {user!r} is nobody's who reviews here.",
        "Name the user in settings.yml under `review: reviewers:`, or in the reference data `identifiers` with the"
        " system operating_system; or let the site's owner do it.",
        user=user,
    )


def acting_users(site: Site, purpose: str) -> dict[str, str]:
    """Return the reviewer whom each known user acts as, the users that settings name first; nobody is the operator.

    Raises
    ------
    JournalError: the use log cannot be written.
    StoreError: the store cannot be read.
    """
    found = {each.user: each.id for each in site.settings.review.reviewers if each.user}
    operator = owner_of(site.folder)
    others = (site.settings.use_log.employees, _identified(site, purpose) if exists(site) else {})
    for user, employee in ((user, employee) for source in others for user, employee in source.items()):
        if user != operator:
            found.setdefault(user, employee)
    return found


def _identified(site: Site, purpose: str, user: str | None = None) -> dict[str, str]:
    """Return the one employee whom the reference data name for a user, or for each; no user who is two of them."""
    record_use(site, purpose, "reviewer", {})
    asked = {"system": OPERATING_SYSTEM, "user": user, "today": datetime.now(ZoneInfo(site.settings.time_zone)).date()}
    with reading(site) as connection:
        rows = connection.execute(MAPPED.format(identifiers=dated_sql("identifiers")), asked).fetchall()
    counts = Counter(name for name, _employee in rows)
    return {name: str(employee) for name, employee in rows if counts[name] == 1}


def refuse_others_list(acting: str, reviewer_id: str) -> None:
    """Refuse another reviewer's list.

    Raises
    ------
    UsageError: this user reviews, and the list is not theirs.
    """
    if acting not in (ANYBODY, reviewer_id):
        raise UsageError(
            "This list is another reviewer's.", "Only one's own list can be seen and decided; the site's owner may all."
        )


def refuse_reviewer(acting: str) -> None:
    """Refuse what only the operator may do.

    Raises
    ------
    UsageError: this user reviews.
    """
    if acting != ANYBODY:
        raise UsageError(
            "A reviewer sees and decides their own list only.",
            "Let the site's owner do this; who is not named as `user` of a reviewer is none.",
        )
