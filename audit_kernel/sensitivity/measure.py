"""Asks the checks about the copy without and with the incidents, and keeps what they said for the page's questions."""

from __future__ import annotations

import hashlib
import secrets
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


def measure(
    store: CopiedStore,
    queries: Sequence[Query],
    days: tuple[date, date],
    seed: str,
    n_of_kind: int,
    language: str,
    progress: Callable[[str, int, int], None],
) -> list[Incident]:
    """Ask the checks twice, and make the TEMP tables that `sensitivity` and `sensitivity_checks` read.

    Parameters
    ----------
    days: the month's first and last.
    seed: draws people, patients and moments.
    n_of_kind: incidents of each kind, where the data allow so many.

    Returns
    -------
    list of Incident: those drawn whose rows the logs would resolve to the people meant.

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
    _keep(store, kept, [each for each in incidents if each not in kept], without, again, within)
    checks = [(name, why.get(name)) for name in sorted({*without, *why})]
    store.keep("trial_checks", _table(checks, check_id=pa.string(), why=pa.string()))
    start_at, end_at = store.site.period(first, last)
    moment = pa.timestamp("us")
    trial: dict[str, pa.DataType] = {
        "start_at": moment,
        "end_at": moment,
        "seed": pa.string(),
        "incidents_of_kind": pa.int64(),
    }
    store.keep("trial", _table([(start_at, end_at, seed, n_of_kind)], **trial))
    return kept


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
    lost: Sequence[Incident],
    without: Mapping[str, pa.Table],
    again: Mapping[str, pa.Table],
    within: set[str],
) -> None:
    """Make the TEMP tables of kinds, of subjects of incidents, and of all findings, those without and those with."""
    kinds = [
        (place, kind, sum(each.kind == kind for each in incidents), sum(each.kind == kind for each in lost))
        for place, kind in enumerate(KINDS, start=1)
    ]
    subjects = [
        (each.number, each.kind, each.snooper.employee_id, patient) for each in incidents for patient in each.patients
    ]
    before, after = ({row[1]: row for table in tables.values() for row in _rows(table)} for tables in (without, again))
    findings = [
        (*row, name in before, name in after, name not in before, name not in after, name in within)
        for name, row in {**before, **after}.items()
    ]
    number, text, truth = pa.int64(), pa.string(), pa.bool_()
    store.keep("incident_kinds", _table(kinds, place=number, kind=text, n_incidents=number, n_lost=number))
    store.keep("incident_subjects", _table(subjects, incident=number, kind=text, employee_id=text, patient_id=text))
    flags = dict.fromkeys(("is_without", "is_with", "is_new", "is_gone", "is_within_budget"), truth)
    store.keep("trial_findings", _table(findings, **dict.fromkeys(FINDING, text), **flags))


def _rows(findings: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(findings.column(name).to_pylist() for name in FINDING), strict=True))


def _table(rows: Sequence[tuple[Any, ...]], **columns: pa.DataType) -> pa.Table:
    """Make a table of rows; a column is given as its name and type."""
    values = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pa.table([pa.array(each, kind) for each, kind in zip(values, columns.values(), strict=True)], list(columns))
