"""A finding of a sealed month, found by its number: whose it is, and its month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyarrow import parquet

from audit_kernel.errors import UsageError
from audit_kernel.evidence import chain
from audit_kernel.evidence.month import KIND, month_days
from audit_kernel.review.sealed_month import sealed_month, unmasked

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.site import Site

SHORTEST_NUMBER = 8
PEOPLE = ("employee_id", "patient_id")
READ = ("finding_id", *PEOPLE)
# What a finding of these checks counted is no access, so -141 may show nothing of it.
FIRST_REPORTS = {"blocked_searches": "blocked_searches", "searches_without_opening": "search_misuse"}


@dataclass(frozen=True)
class Finding:
    """Whom a finding is about, the days of its month (both included), and the report that shows its rows first."""

    finding_id: str
    report: str
    employee_id: str | None
    patient_id: str | None
    from_date: date
    to_date: date


def find_finding(site: Site, store: Any, number: str) -> Finding:  # noqa: ANN401 - an open store
    """Return the finding whose number begins so, from the newest sealed month that has it.

    Raises
    ------
    UsageError: the number is too short, no month's run has it, or it fits several.
    VerificationError: that run was changed after it was sealed.
    MonthIncompleteError: a notebook of that run failed.
    """
    wanted = number.strip().lower()
    if len(wanted) < SHORTEST_NUMBER:
        raise UsageError("{number!r} is no finding's number.", "Copy it from the month's page.", number=number)
    store.note("finding", {"finding_id": wanted})
    for month in _months(site):
        sealed = unmasked(site, sealed_month(site, month), store) if _holds(site, month, wanted) else None
        rows = {} if sealed is None else _rows(sealed.folder, wanted, sealed.table)
        if len(rows) > 1:
            raise UsageError(
                "{number!r} is the beginning of {count} findings' numbers.",
                "Copy more of it from the month's page.",
                number=number,
                count=len(rows),
            )
        for finding_id, row in rows.items():
            return Finding(finding_id, row["report"], row.get("employee_id"), row.get("patient_id"), *month_days(month))
    raise UsageError(
        "No sealed month has a finding {number!r}.", "Copy the number from the month's page.", number=number
    )


def _months(site: Site) -> list[str]:
    """Return the months that have a run, the newest first."""
    archive = site.archive_folder
    names = [folder.name for folder in chain.bag_folders(archive)] if archive.is_dir() else []
    return sorted({name.split(f"-{KIND}-")[0] for name in names if f"-{KIND}-" in name}, reverse=True)


def _holds(site: Site, month: str, wanted: str) -> bool:
    """Say whether any run of the month has it: only then is the newest one verified, which takes longer."""
    folders = [each for each in chain.bag_folders(site.archive_folder) if each.name.startswith(f"{month}-{KIND}-")]
    return any(_rows(folder, wanted) for folder in folders)


def _rows(
    folder: Path, wanted: str, table_of: Callable[[str], pa.Table | None] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the findings of a run whose number begins so: the row of each by its number."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((folder / "data" / "tables").glob("*.parquet")):
        names = parquet.read_schema(path).names
        if not set(READ) <= set(names):
            continue
        table = table_of(path.stem) if table_of else parquet.read_table(path, columns=list(READ))
        rows = table.select(list(READ)).to_pylist() if table is not None else []
        for row in (row for row in rows if str(row["finding_id"]).lower().startswith(wanted)):
            before = found.get(str(row["finding_id"]), {}).get("report", "activity")  # the ranked list holds it too
            found[str(row["finding_id"])] = {**row, "report": FIRST_REPORTS.get(path.stem, before)}
    return found
