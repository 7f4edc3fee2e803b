"""Findings kept for the privacy officer: about people in open cases, and, where a site says so, about managers.

They appear on no ordinary page, table or list of the month; a second run with the same id, sealed in the folder
`restricted/`, an archive of its own, holds them. The ordinary run says how many there are, over all checks, and names
that run's fingerprint, so that none can be lost without a trace.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audit_kernel.catalog import resource_folder
from audit_kernel.files import write_new
from audit_kernel.locale import format_number, translator
from audit_kernel.restriction import restrictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from audit_kernel.evidence.run_file import RunFile
    from audit_kernel.query import Result
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

    Holds = Callable[[str | None, str | None], bool]

RESTRICTED = "restricted"
TARGETED = "targeted"
FILE = "kept_apart.json"
IDENTIFIERS = "select distinct identifier from {kind}_identifiers where {kind}_id in (select unnest($ids)) order by 1"


@dataclass(frozen=True)
class KeptApart:
    """Whose rows are kept apart, by every identifier of theirs, and how many findings these were in the month."""

    employee_id: frozenset[str] = frozenset()
    patient_id: frozenset[str] = frozenset()
    n_findings: int = 0

    def split(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Return the rows for the ordinary pages, and those for the privacy officer; one without people is for both."""
        columns = [name for name in ("employee_id", "patient_id") if name in table.column_names]
        if not columns:
            return table, table
        rows = table.select(columns).to_pylist()
        held = [self.holds(row.get("employee_id"), row.get("patient_id")) for row in rows]
        apart = pa.array(held, pa.bool_())
        return table.filter(pa.compute.invert(apart)), table.filter(apart)

    def holds(self, employee_id: str | None, patient_id: str | None) -> bool:
        """Say whether a row about them is kept apart."""
        return employee_id in self.employee_id or patient_id in self.patient_id

    def write(self, working: Path) -> None:
        """Write it for the run's notebooks, readable by its owner only."""
        names = {name: sorted(getattr(self, name)) for name in ("employee_id", "patient_id")}
        write_new(working / FILE, json.dumps({**names, "n_findings": self.n_findings}).encode())


def kept_apart(site: Site, store: Store, first: date, last: date) -> KeptApart:
    """Return whose findings a month keeps apart: people on the list, and managers where the settings say so.

    Raises
    ------
    JournalError: the list cannot be read; nothing may be shown then.
    """
    listed = restrictions(site)
    found: dict[str, set[str]] = {
        kind: {each.subject_id for each in listed if each.kind == kind} for kind in ("employee", "patient")
    }
    if site.settings.review.restrict_reporting_line:
        text = (resource_folder("sql") / "review" / "reporting_line.sql").read_text(encoding="utf-8")
        managers = store.sql(text, {"first_date": first, "last_date": last}).column(0).to_pylist()
        found["employee"] |= {*map(str, managers), *(each.id for each in site.settings.review.reviewers)}
    for kind, ids in found.items():
        if ids:
            ids |= {*map(str, store.sql(IDENTIFIERS.format(kind=kind), {"ids": sorted(ids)}).column(0).to_pylist())}
    return KeptApart(frozenset(found["employee"]), frozenset(found["patient"]))


def part_of_run(result: Result, run: RunFile) -> Result:
    """Return the rows of a check, or of days picked for their risk, that this run may show.

    A restricted run shows those alone that others leave out. The random sample is nobody's choice and stays whole.
    """
    is_asked_for = result.query.room == "checks" or result.query.name == TARGETED
    if not run.kept_apart or not is_asked_for:
        return result
    ordinary, apart = read_apart(run).split(result.table)
    return replace(result, table=apart if run.shows_restricted else ordinary)


def notice(run: RunFile, language: str) -> list[str]:
    """Return what a page says of the rows that it leaves out, or of being the page that holds them."""
    _ = translator(language)
    if run.shows_restricted:
        return [_("Restricted: this page holds only what is kept for the privacy officer.")]
    if run.kept_apart and read_apart(run).n_findings:
        return [_("What is kept for the privacy officer is not on this page; the index says how many findings of all.")]
    return []


def told(n_findings: int, language: str) -> list[str]:
    """Return the sentence for the index: how many findings of all checks together, nothing where there are none."""
    _ = translator(language)
    if not n_findings:
        return []
    text = _.plural(
        "{count} finding is kept for the privacy officer and stands on no page or list here.",
        "{count} findings are kept for the privacy officer and stand on no page or list here.",
        n_findings,
    )
    return [text.format(count=format_number(n_findings, language))]


def read_apart(run: RunFile) -> KeptApart:
    """Return whose rows the run keeps apart; in a masked run by pseudonym."""
    content: dict[str, Any] = json.loads(Path(run.kept_apart).read_text(encoding="utf-8"))
    ids = (frozenset(content["employee_id"]), frozenset(content["patient_id"]))
    return KeptApart(*ids, content["n_findings"])
