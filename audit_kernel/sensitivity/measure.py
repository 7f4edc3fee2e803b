"""Asks the checks about the copy without and with the incidents, and keeps what they said for the page's questions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
import pyarrow as pa

from audit_kernel.errors import NotAssessableError
from audit_kernel.evidence.answers import RANKING
from audit_kernel.evidence.grounds import why_not_assessable
from audit_kernel.sensitivity.incidents import KINDS, Incident, draw
from audit_kernel.sensitivity.material import material
from audit_kernel.sensitivity.written import days_before, written
from audit_kernel.store.local_time import public_holidays

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from audit_kernel.catalog import Query
    from audit_kernel.sensitivity.copied_store import CopiedStore

FINDING = ("check_id", "finding_id", "employee_id", "patient_id")


@dataclass(frozen=True)
class Measured:
    """How many incidents there were: drawn, and lost because a log would not have written them so; employees in all."""

    n_incidents: int
    n_lost: int


def measure(
    store: CopiedStore,
    queries: Sequence[Query],
    days: tuple[date, date],
    seed: str,
    n_of_kind: int,
    language: str,
    progress: Callable[[str, int, int], None],
) -> Measured:
    """Ask the checks twice, and make the TEMP tables that `sensitivity` and `sensitivity_checks` read.

    Parameters
    ----------
    days: the month's first and last.
    seed: draws people, patients and moments.
    n_of_kind: incidents of each kind, where the data allow so many.

    Raises
    ------
    NotAssessableError: none of the checks is assessable in the month.
    """
    first, last = days
    period = {"from_date": first.isoformat(), "to_date": last.isoformat()}
    total = 2 * len(queries)
    without, why = _ask(store, queries, period, language, lambda name, done: progress(name, done, total))
    store.unexplained_days(first, last)  # the month's reasons are there, whatever the checks needed
    found = material(store, first, last, seed, n_of_kind * len(KINDS))
    draws = numpy.random.Generator(numpy.random.PCG64(int(hashlib.sha256(seed.encode()).hexdigest(), 16)))
    mark = f"incident-{secrets.token_hex(8)}"
    incidents = draw(found, draws, n_of_kind)
    holidays = frozenset(public_holidays(store.site.settings.country, first.year, last.year))
    rows = list(written(incidents, found, draws, mark, holidays))
    if rows:
        store.add("accesses", rows)
    kept = _resolved_as_meant(store, incidents, mark, days)
    if earlier := list(days_before(kept)):
        store.add("unexplained_days", earlier)
    again, _why = _ask(store, queries, period, language, lambda name, done: progress(name, len(queries) + done, total))
    store.keep_findings(list(again.values()))
    ranked = store.ask(store.catalog.query(RANKING, "reports"), period).table
    within = {
        row["finding_id"]
        for row in ranked.select(["finding_id", "is_within_budget"]).to_pylist()
        if row["is_within_budget"]
    }
    _keep(store, kept, without, again, within, why)
    return Measured(len(kept), len(incidents) - len(kept))


def _ask(
    store: CopiedStore,
    queries: Sequence[Query],
    period: Mapping[str, str],
    language: str,
    progress: Callable[[str, int], None],
) -> tuple[dict[str, pa.Table], dict[str, str]]:
    """Return the findings of each assessable check, and why the others are not assessable."""
    found, why, errors = {}, {}, []
    for place, query in enumerate(queries, start=1):
        try:
            found[query.name] = store.ask(query, period).table
        except NotAssessableError as error:
            why[query.name] = why_not_assessable(error, language)
            errors.append(error)
        progress(query.name, place)
    if errors and not found:
        raise errors[0]
    return found, why


def _resolved_as_meant(
    store: CopiedStore, incidents: Sequence[Incident], mark: str, days: tuple[date, date]
) -> list[Incident]:
    """Return the incidents whose rows name the employee and the patients meant; take the others' rows out again."""
    start_at, end_at = store.site.period(*days)
    seen = store.look("written", {"start_at": start_at, "end_at": end_at, "file_id": mark})
    of_incident: dict[int, list[dict[str, object]]] = {}
    for row in seen:
        of_incident.setdefault(int(str(row["event_id"]).split("-")[-2]), []).append(row)
    kept = []
    for incident in incidents:
        rows = of_incident.get(incident.number, [])
        patients = {row["resolved_patient_id"] for row in rows}
        is_as_meant = {row["resolved_employee_id"] for row in rows} == {incident.snooper.employee_id}
        if is_as_meant and patients == set(incident.patients) and not any(row["is_patient_unresolved"] for row in rows):
            kept.append(incident)
        elif rows:
            store.remove([str(row["event_id"]) for row in rows])
    return kept


def _keep(
    store: CopiedStore,
    incidents: Sequence[Incident],
    without: Mapping[str, pa.Table],
    again: Mapping[str, pa.Table],
    within: set[str],
    why: Mapping[str, str],
) -> None:
    """Make the TEMP tables: kinds, subjects of incidents, findings with and without, checks."""
    text, number, truth = pa.string(), pa.int64(), pa.bool_()
    n_of = {kind: sum(each.kind == kind for each in incidents) for kind in KINDS}
    kinds = [{"place": place, "kind": kind, "n_incidents": n_of[kind]} for place, kind in enumerate(KINDS, start=1)]
    subjects = [
        {
            "incident": each.number,
            "kind": each.kind,
            "employee_id": each.snooper.employee_id,
            "patient_id": patient,
        }
        for each in incidents
        for patient in each.patients
    ]
    findings = [
        {
            **row,
            "is_without": is_without,
            "is_with": not is_without,
            "is_within_budget": not is_without and row["finding_id"] in within,
        }
        for is_without, tables in ((True, without), (False, again))
        for table in tables.values()
        for row in table.select(FINDING).to_pylist()
    ]
    checks = [{"check_id": name, "why": why.get(name)} for name in sorted({*without, *why})]
    flags = ("is_without", "is_with", "is_within_budget")
    of_finding: list[tuple[str, pa.DataType]] = [(name, text) for name in FINDING]
    of_finding += [(name, truth) for name in flags]
    of_subject = [("incident", number), ("kind", text), ("employee_id", text), ("patient_id", text)]
    store.keep("incident_kinds", _table(kinds, [("place", number), ("kind", text), ("n_incidents", number)]))
    store.keep("incident_subjects", _table(subjects, of_subject))
    store.keep("trial_findings", _table(findings, of_finding))
    store.keep("trial_checks", _table(checks, [("check_id", text), ("why", text)]))


def _table(rows: list[dict[str, Any]], columns: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    return pa.Table.from_pylist(rows, pa.schema(list(columns)))
