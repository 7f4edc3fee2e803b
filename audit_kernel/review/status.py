"""How far a month's review has come, reviewer by reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_kernel import decisions
from audit_kernel.evidence.month import month_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.site import Site


class Row(NamedTuple):
    """A row of a list: what is decided together, and whether another reviewer decides first."""

    subjects: tuple[decisions.Subject, ...]
    is_second: bool


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
    said = decisions.opinions(site, month)
    made = []
    for reviewer, (name, rows) in sorted(listed_rows(site, month).items()):
        given = [of[-1]["decision"] for row in rows if (of := said_of(said, row))]
        counts = (given.count("justified"), given.count("unjustified"), given.count("follow_up"))
        made.append(Progress(reviewer, name, len(rows), len(rows) - len(given), *counts))
    return made


def listed_rows(site: Site, month: str) -> dict[str, tuple[str, set[Row]]]:
    """Return each reviewer's name and rows, of the run that lists were made from last.

    Raises
    ------
    UsageError: it is no month.
    JournalError: the journal cannot be read, or its chain is broken.
    """
    month_days(month)
    out = decisions.lists(site, month)
    found: dict[str, tuple[str, set[Row]]] = {}
    for entry in (each for each in out if each["run"] == out[-1]["run"]):
        rows = {
            Row(tuple((row["kind"], key) for key in row["keys"]), bool(row.get("is_second"))) for row in entry["rows"]
        }
        earlier = found.get(entry["reviewer_id"], ("", set()))[1]
        found[entry["reviewer_id"]] = (entry["reviewer_name"], earlier | rows)
    return found


def said_of(said: Mapping[decisions.Subject, decisions.Opinions], row: Row) -> list[dict[str, Any]]:
    """Return what a row's reviewer said of it, oldest first."""
    of = said.get(row.subjects[0])
    return of.of(is_second=row.is_second) if of else []
