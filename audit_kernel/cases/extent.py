"""How many persons and records a deviation concerns, counted in evidence of its case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.cases.deviation import record_facts
from audit_kernel.cases.evidence import ROWS, of_number, rows_of
from audit_kernel.cases.lines import open_case
from audit_kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.cases.case import Case, Evidence
    from audit_kernel.site import Site


def record_counted(site: Site, number: str, evidence: int, facts: Mapping[str, Any] | None = None) -> Case:
    """Record how many persons and records are affected, counted in evidence, with other facts besides.

    Raises
    ------
    UsageError: there is no such evidence, or it has no rows with patients.
    VerificationError: it was changed after it was added.
    RunError, JournalError: as `record_facts`.
    """
    case = open_case(site, number, "case_count")
    counted = count_affected(site, case, of_number(case, evidence))
    return record_facts(site, number, {**(facts or {}), **counted}, evidence)


def count_affected(site: Site, case: Case, evidence: Evidence) -> dict[str, int]:
    """Return how many patients (`persons`) and rows of the log (`records`) there are in evidence.

    Raises
    ------
    UsageError: it has no rows with patients.
    VerificationError: it was changed.
    """
    rows = rows_of(site, case, evidence) if evidence.kind == ROWS else None
    if rows is None or "patient_id" not in rows.column_names:
        raise UsageError(
            "Evidence {number} has no rows with patients to count.",
            "Give --persons and --records.",
            number=evidence.number,
        )
    patients = {each for each in rows.column("patient_id").to_pylist() if each}
    is_counted = "n_accesses" in rows.column_names
    records = sum(each or 0 for each in rows.column("n_accesses").to_pylist()) if is_counted else rows.num_rows
    return {"persons": len(patients), "records": records}
