"""What one user may see of a month's review: their own list, or as the operator every list and the rows to settle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel import decisions
from audit_kernel.review.acting import ANYBODY, acting_reviewer
from audit_kernel.review.deciding import rows_to_settle
from audit_kernel.review.prepare import prepare_lists, send_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.review.lists import ReviewList
    from audit_kernel.site import Site

Said = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A month's lists as far as this user may see them, and what the operator must know of them."""

    month: str
    purpose: str
    lists: tuple[ReviewList, ...]
    warnings: tuple[str, ...]
    is_operator: bool


@dataclass(frozen=True)
class WorkRow:
    """A row as the page shows it: the cells of the list, and what was said of it, oldest first.

    key: the row's number, or, where it is to be settled, its short name.
    """

    key: str
    cells: tuple[str, ...]
    said: tuple[Said, ...]
    first: tuple[Said, ...] = ()
    second: tuple[Said, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether decision, reason or free text is still to be given."""
        return not (self.said and all(self.said[-1][name] for name in ("decision", "reason", "remark")))


def open_work(site: Site, month: str, purpose: str) -> Work:
    """Return what this user may see of a month's review.

    Raises
    ------
    UsageError: the user is nobody's who reviews here, or the month was not run.
    VerificationError, MonthIncompleteError, SettingsError, JournalError: see `prepare_lists`.
    """
    acting = acting_reviewer(site, purpose)
    prepared = prepare_lists(site, month, purpose)
    visible = tuple(each for each in prepared.lists if acting in (ANYBODY, each.reviewer_id))
    is_operator = acting == ANYBODY
    return Work(month, purpose, visible, tuple(prepared.warnings) if is_operator else (), is_operator)


def hand_out(site: Site, made: ReviewList) -> list[WorkRow]:
    """Make a list known to the journal, as if it had gone out in a workbook, and return its rows.

    Raises
    ------
    JournalError: the journal cannot be read or written; nothing is shown.
    """
    send_out(site, made)
    said = decisions.opinions(site, made.month)
    rows = []
    for row in made.rows:
        of = said.get((row.kind, row.keys[0]), decisions.Opinions())
        rows.append(WorkRow(str(row.number), row.cells, tuple(of.of(is_second=row.is_second))))
    return rows


def open_counts(site: Site, lists: Sequence[ReviewList]) -> list[int]:
    """Return how many rows of each list are open.

    Raises
    ------
    JournalError: the journal cannot be read.
    """
    said = decisions.opinions(site, lists[0].month) if lists else {}

    def is_open(row: Any) -> bool:  # noqa: ANN401 - a ListRow
        of = said.get((row.kind, row.keys[0]))
        return of is None or not of.of(is_second=row.is_second)

    return [sum(map(is_open, each.rows)) for each in lists]


def settling(site: Site, work: Work) -> list[WorkRow]:
    """Return the rows about which two reviewers differ, or did until they were settled, as they stand on a list.

    Raises
    ------
    UsageError: this user reviews.
    JournalError: the journal cannot be read.
    """
    cells = {(row.kind, key): row.cells for made in work.lists for row in made.rows for key in row.keys}
    found = rows_to_settle(site, work.month, work.purpose)
    return [
        WorkRow(name, cells[subjects[0]], tuple(of.settled), tuple(of.first), tuple(of.second))
        for name, (subjects, of) in found.items()
        if subjects[0] in cells
    ]
