"""What a run left in its bag, as the evaluation needs it: findings as reviews, the ranking, shares, accesses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

CHANCE_PART = 2  # of explained_share: pairs made by chance
ALERTING = ("breach", "anomaly")


@dataclass(frozen=True, slots=True)
class Review:
    """One entry of a list: what a reviewer is asked to look at. `values`: what its sentence names, as texts."""

    check: str
    stream: str
    employee_id: str
    patient_id: str
    first_at: datetime | None
    last_at: datetime | None
    reviewer_id: str = "-"
    is_within_budget: bool = True
    severity: int = 0
    reason_code: str = ""
    values: frozenset[str] = frozenset()


def tables(site: Path, run: str) -> Path:
    """Return the folder of the tables of the newest run of that name (`2026-10-monthly`, say).

    Raises
    ------
    FileNotFoundError: there is none.
    """
    bags = sorted((site / "archive").glob(f"{run}-*"))
    if not bags:
        raise FileNotFoundError(run)
    return bags[-1] / "data" / "tables"


def findings(folder: Path, checks: Iterable[str]) -> dict[str, pa.Table]:
    """Return each check's findings; a check that was not assessable left none."""
    found = {name: folder / f"{name}.parquet" for name in checks}
    return {name: pyarrow.parquet.read_table(path) for name, path in found.items() if path.is_file()}


def reviews(ranked: pa.Table, of_checks: Mapping[str, pa.Table]) -> list[Review]:
    """Return the ranked list, each entry with its check and the values of its sentence, found by its key."""
    known = {
        row["finding_id"]: (name, row)
        for name, table in of_checks.items()
        for row in table.select(["finding_id", "reason_code", "reason_values"]).to_pylist()
    }
    listed = []
    for row in ranked.to_pylist():
        name, finding = known[row["finding_id"]]
        listed.append(
            review(
                name,
                {**row, "reason_code": finding["reason_code"], "reason_values": finding["reason_values"]},
            )
        )
    return listed


def review(check: str, row: Mapping[str, Any]) -> Review:
    """Return a finding, or its place in the ranking, as a review."""
    return Review(
        check=check,
        stream=row["stream"],
        employee_id=row["employee_id"] or "",
        patient_id=row["patient_id"] or "",
        first_at=row["first_at"],
        last_at=row["last_at"],
        reviewer_id=row.get("reviewer_id") or "-",
        is_within_budget=row.get("is_within_budget", True),
        severity=row.get("severity") or 0,
        reason_code=row.get("reason_code") or "",
        values=_texts(row.get("reason_values")),
    )


def chance_share(share: pa.Table) -> tuple[int, int]:
    """Return pairs made by chance, and those that the reasons would excuse."""
    row = next(row for row in share.to_pylist() if row["part"] == CHANCE_PART)
    return int(row["n_accesses"]), int(row["n_explained"])


def _texts(values: Any) -> frozenset[str]:  # noqa: ANN401 - a struct, or its JSON as the archive has it
    if isinstance(values, str):
        values = json.loads(values)
    return frozenset(str(each) for each in (values or {}).values() if each is not None)
