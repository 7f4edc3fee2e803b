"""How far a month's review has come, reviewer by reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel import decisions
from audit_kernel.evidence.month import month_days

if TYPE_CHECKING:
    from audit_kernel.site import Site


@dataclass(frozen=True)
class Progress:
    """One reviewer's rows of a month: how many there are, how many are open, and how the others were decided."""

    reviewer_id: str
    reviewer_name: str
    n_rows: int
    n_open: int
    n_justified: int
    n_unjustified: int
    n_follow_up: int


def progress(site: Site, month: str) -> list[Progress]:
    """Return the progress of each reviewer, by the lists made from the run that lists were made from last.

    Raises
    ------
    UsageError: it is no month.
    JournalError: the journal cannot be read, or its chain is broken.
    """
    month_days(month)
    out = decisions.lists(site, month)
    rows_of: dict[str, set[tuple[decisions.Subject, ...]]] = {}
    names: dict[str, str] = {}
    for entry in (each for each in out if each["run"] == out[-1]["run"]):
        reviewer = entry["reviewer_id"]
        names[reviewer] = entry["reviewer_name"]
        rows = {tuple((row["kind"], key) for key in row["keys"]) for row in entry["rows"]}
        rows_of.setdefault(reviewer, set()).update(rows)
    standing = decisions.decided(site, month)
    made = []
    for reviewer, rows in sorted(rows_of.items()):
        said = [standing[row[0]]["decision"] for row in rows if row[0] in standing]
        counts = (said.count("justified"), said.count("unjustified"), said.count("follow_up"))
        made.append(Progress(reviewer, names[reviewer], len(rows), len(rows) - len(said), *counts))
    return made
