"""Writes a finished month's review lists, one workbook a reviewer."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel import decisions
from audit_kernel.errors import UsageError
from audit_kernel.evidence.month import month_days
from audit_kernel.evidence.restricted import kept_apart
from audit_kernel.files import OWNER_ONLY_FOLDER, write_new
from audit_kernel.locale import format_number, translator
from audit_kernel.review.candidates import candidates, protected_patients, reviewer_of
from audit_kernel.review.lists import kind_words, make_lists, refuse_unreviewed
from audit_kernel.review.sealed_month import sealed_month, unmasked
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.store.reading import Store
from audit_kernel.use_log import operating_system_user, record_use

if TYPE_CHECKING:
    from audit_kernel.review.lists import ReviewList
    from audit_kernel.site import Site

UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Exported:
    """One list as it was written."""

    path: Path
    reviewer_id: str
    reviewer_name: str
    n_rows: int
    list_id: str


def export_lists(site: Site, month: str, folder: Path, purpose: str = "") -> tuple[list[Exported], list[str]]:
    """Write the lists into a folder, readable by its owner only; return them and what the operator must know.

    A list that went out before, unchanged, keeps its id and its bytes.

    Raises
    ------
    UsageError: the month was not run, or a file of another content has a list's name.
    VerificationError, MonthIncompleteError: the sealed run was changed, or a notebook of it failed.
    SettingsError: a row has nobody to review it, a reason is wrong, or findings are not ranked.
    JournalError: use log or journal cannot be written; nothing is shown.
    """
    sealed = sealed_month(site, month)
    _ = translator(sealed.language)
    first, last = month_days(month)
    purpose = purpose or _("review of {month}").format(month=month)
    with Store(site, purpose) as store:
        sealed = unmasked(site, sealed, store)
        rows = candidates(site, sealed, store, kind_words(sealed.language))
        apart = kept_apart(site, store, first, last)
        listed = [row for row in rows if row.kind == "sample" or not apart.holds(row.employee_id, row.patient_id)]
        found = [(reviewer_of(site, row), row) for row in listed]
        refuse_unreviewed(found, site)
        assigned = [(reviewer, row) for reviewer, row in found if reviewer is not None]
        named = {each.id: each.name for each in site.settings.review.reviewers if each.name}
        names = store.names("employee", {reviewer for reviewer, _row in assigned}) | named
        protected = protected_patients(store, first)
    warnings = []
    if left_out := len(rows) - len(listed):
        text = _.plural(
            "{count} row is left out: since the month was run it is kept for the privacy officer.",
            "{count} rows are left out: since the month was run they are kept for the privacy officer.",
            left_out,
        )
        warnings.append(text.format(count=format_number(left_out, sealed.language)))
    if not protected:
        warnings.append(_("No protected person is known: patient_flags holds none, so nobody is masked on the lists."))
    known = decisions.lists(site, month)
    made = make_lists(site, sealed, assigned, names, protected, known)
    if not made:
        warnings.append(_("The month has nothing to review: no random sample and no findings."))
    record_use(site, purpose, "export", {"month": month, "lists": len(made), "rows": len(listed)})
    return _written(site, made, folder, {each["list_id"] for each in known}), warnings


def _written(site: Site, made: list[ReviewList], folder: Path, known: set[str]) -> list[Exported]:
    """Make each list known to the journal before its file is there."""
    folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    contents = {folder / file_name(each): (each, workbook_bytes(site, each)) for each in made}
    for path, (_each, content) in contents.items():
        if path.exists() and path.read_bytes() != content:
            raise UsageError(
                "{path} is there already and holds something else, perhaps a reviewer's answers.",
                "Name a new folder; nothing was written.",
                path=str(path),
            )
    written = []
    for path, (each, content) in contents.items():
        if each.list_id not in known:
            decisions.journal(site).append({**each.entry(), "user": operating_system_user()})
        with contextlib.suppress(FileExistsError):  # the same bytes
            write_new(path, content)
        written.append(Exported(path, each.reviewer_id, each.reviewer_name, len(each.rows), each.list_id))
    return written


def file_name(made: ReviewList) -> str:
    """Return the name of a list's file: month, reviewer as far as a file name can say it, and the list's id."""
    return f"{made.month}-{UNSAFE.sub('_', made.reviewer_id)[:40]}-{made.list_id}.xlsx"
