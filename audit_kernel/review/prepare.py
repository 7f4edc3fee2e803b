"""Makes a finished month's review lists, one a reviewer, and says what the operator must know of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel import decisions
from audit_kernel.evidence.month import month_days
from audit_kernel.evidence.restricted import kept_apart
from audit_kernel.locale import format_number, translator
from audit_kernel.review.candidates import candidates, protected_patients
from audit_kernel.review.lists import Assigned, kind_words, make_lists, refuse_unreviewed
from audit_kernel.review.sealed_month import sealed_month, unmasked
from audit_kernel.review.who import closeness, is_double, reviewers_of, second_of
from audit_kernel.store.reading import Store
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_kernel.review.candidates import Candidate
    from audit_kernel.review.lists import ReviewList
    from audit_kernel.site import Site


@dataclass(frozen=True)
class Prepared:
    """A month's lists and what the operator must know of them."""

    lists: list[ReviewList]
    warnings: list[str]


def prepare_lists(site: Site, month: str, purpose: str = "") -> Prepared:
    """Make the lists of a month's newest sealed run; nothing goes out yet.

    Raises
    ------
    UsageError: the month was not run.
    VerificationError, MonthIncompleteError: the sealed run was changed, or a notebook of it failed.
    SettingsError: a row has nobody to review it, a reason is wrong, or findings are not ranked.
    JournalError: use log or journal cannot be read or written; nothing is shown.
    """
    sealed = sealed_month(site, month)
    _ = translator(sealed.language)
    first, last = month_days(month)
    with Store(site, purpose or _("review of {month}").format(month=month)) as store:
        sealed = unmasked(site, sealed, store)
        rows = candidates(site, sealed, store, kind_words(sealed.language))
        apart = kept_apart(site, store, first, last)
        listed = [row for row in rows if row.kind == "sample" or not apart.holds(row.employee_id, row.patient_id)]
        close = closeness(site, store, first, last, listed)
        found = [(row, reviewers_of(site, row, close)) for row in listed]
        refuse_unreviewed([reviewers for _row, reviewers in found], site)
        assigned, n_alone = _assigned(site, found, sealed.seed)
        named = {each.id: each.name for each in site.settings.review.reviewers if each.name}
        names = store.names("employee", {each.reviewer_id for each in assigned}) | named
        protected = protected_patients(store, first)
    made = make_lists(site, sealed, assigned, names, protected, decisions.lists(site, month))
    texts = (
        _left_out(len(rows) - len(listed), sealed.language),
        _alone(n_alone, sealed.language),
        ""
        if protected
        else _("No protected person is known: patient_flags holds none, so nobody is masked on the lists."),
        ""
        if close.is_known
        else _("No household or relation is known, so nobody is kept from reviewing their own family."),
        "" if made else _("The month has nothing to review: no random sample and no findings."),
    )
    return Prepared(made, [text for text in texts if text])


def send_out(site: Site, made: ReviewList) -> None:
    """Make a list known to the journal; one that is known already stays as it is.

    Raises
    ------
    JournalError: the journal cannot be read or written.
    """
    if made.list_id not in {entry["list_id"] for entry in decisions.lists(site, made.month)}:
        decisions.journal(site).append({**made.entry(), "user": operating_system_user()})


def _assigned(site: Site, found: Iterable[tuple[Candidate, Sequence[str]]], seed: str) -> tuple[list[Assigned], int]:
    """Return who reviews which row, the second reviewer at the same place, and for how many rows there is no second."""
    assigned, n_alone = [], 0
    for row, (reviewer, *others) in found:
        assigned.append(Assigned(reviewer, row))
        if is_double(row, seed, site.settings.review.double_share):
            second = second_of(row, seed, others)
            assigned += [Assigned(second, row, is_second=True)] if second else []
            n_alone += second is None
    return assigned, n_alone


def _left_out(count: int, language: str) -> str:
    _ = translator(language)
    text = _.plural(
        "{count} row is left out: since the month was run it is kept for the privacy officer.",
        "{count} rows are left out: since the month was run they are kept for the privacy officer.",
        count,
    )
    return text.format(count=format_number(count, language)) if count else ""


def _alone(count: int, language: str) -> str:
    _ = translator(language)
    text = _.plural(
        "{count} row should be reviewed twice and has one reviewer only: name another in settings.yml.",
        "{count} rows should be reviewed twice and have one reviewer only: name another in settings.yml.",
        count,
    )
    return text.format(count=format_number(count, language)) if count else ""
