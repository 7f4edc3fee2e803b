"""Who may review a row, in order: never the person itself, someone of their home, or, where set, a close colleague."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audit_kernel.canonical import canonical_json
from audit_kernel.catalog import resource_folder

if TYPE_CHECKING:
    from datetime import date

    from audit_kernel.review.candidates import Candidate
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

Tie = tuple[str, str, str]
WHOLE = 1 << 64


@dataclass(frozen=True)
class Closeness:
    """Who is too close to review whom.

    ties: reviewer, `employee` or `patient`, and id of someone of their household or family, with the day after the
        tie's last day. colleagues: reviewer and nearest colleague. is_known: whether any household or relation is.
    """

    ties: Mapping[Tie, date] = field(default_factory=dict)
    colleagues: frozenset[tuple[str, str]] = frozenset()
    is_known: bool = True

    def keeps_out(self, reviewer: str, row: Candidate) -> bool:
        """Say whether somebody may not review a row."""
        subjects = (("employee", row.employee_id), ("patient", row.patient_id))
        ends = (self.ties.get((reviewer, kind, subject)) for kind, subject in subjects)
        is_at_home = any(end is not None and end > row.first_day for end in ends)
        is_themselves = reviewer in (row.employee_id, row.patient_id)
        return is_themselves or is_at_home or (reviewer, row.employee_id) in self.colleagues


def closeness(site: Site, store: Store, first: date, last: date, rows: Iterable[Candidate]) -> Closeness:
    """Return who is too close to whom in a month, of everybody who could review a row."""
    named = {each.id for each in site.settings.review.reviewers}
    reviewers = sorted(named | {row.manager_id for row in rows if row.manager_id})
    asked = {"reviewer_ids": reviewers}
    tied = store.sql(_sql("close_people"), asked).to_pylist()
    colleagues = []
    if site.settings.review.exclude_nearest_colleagues:
        start_at, end_at = site.period(first, last)
        asked_of_month = {**asked, "start_at": start_at, "end_at": end_at}
        colleagues = store.sql(_sql("nearest_colleagues"), asked_of_month).to_pylist()
    known = "select exists (from households) or exists (from relations) as is_known order by 1"
    return Closeness(
        {(row["reviewer_id"], row["kind"], row["subject_id"]): row["valid_to"] for row in tied},
        frozenset((row["reviewer_id"], row["employee_id"]) for row in colleagues),
        bool(store.sql(known).column(0)[0].as_py()),
    )


def reviewers_of(site: Site, row: Candidate, close: Closeness) -> list[str]:
    """Return everybody who may review a row, the first first: the manager, then the named ones in their order."""
    review = site.settings.review
    asked = [each.id for each in review.reviewers]
    if row.manager_id and row.unit_id not in review.pool_units:
        asked.insert(0, row.manager_id)
    return [each for each in dict.fromkeys(asked) if not close.keeps_out(each, row)]


def is_double(row: Candidate, seed: str, percent: int) -> bool:
    """Say whether a row is reviewed twice: its place, a hash of its keys and the month's seed, lies within the share.

    A row's place never changes, so a larger share holds every row of a smaller one.
    """
    return int.from_bytes(_place(row, seed)[:8], "big") * 100 < percent * WHOLE


def second_of(row: Candidate, seed: str, others: Sequence[str]) -> str | None:
    """Return who reviews a row the second time: one of those who also may, so that none gets all; None without any."""
    return others[int.from_bytes(_place(row, seed)[8:16], "big") % len(others)] if others else None


def _place(row: Candidate, seed: str) -> bytes:
    return hashlib.sha256(canonical_json([seed, row.kind, *sorted(row.keys)])).digest()


def _sql(name: str) -> str:
    return (resource_folder("sql") / "review" / f"{name}.sql").read_text(encoding="utf-8")
