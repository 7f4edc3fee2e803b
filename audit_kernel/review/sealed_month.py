"""A finished month's sealed run, verified, and its result tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.errors import MonthIncompleteError, UsageError
from audit_kernel.evidence.month import KIND, month_days
from audit_kernel.evidence.sealed_bag import newest_bag, refuse_disposed

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.site import Site


@dataclass(frozen=True)
class SealedMonth:
    """A month's run: its folder, the SHA-256 of its tagmanifest-sha256.txt, and its language."""

    month: str
    folder: Path
    sha256: str
    language: str

    def table(self, name: str) -> pa.Table | None:
        """Return a result table, None where the run has none of that name."""
        import pyarrow.parquet

        path = self.folder / "data" / "tables" / f"{name}.parquet"
        return pyarrow.parquet.read_table(path) if path.is_file() else None


def sealed_month(site: Site, month: str) -> SealedMonth:
    """Return the newest run of a month; for what it raises see `finished_month`."""
    bag = finished_month(site, month)
    return SealedMonth(month, bag.folder, bag.sha256, bag.language)


def finished_month(site: Site, month: str) -> SealedBag:
    """Return the sealed bag of a month's newest run.

    Raises
    ------
    UsageError: it is no month, it has not been run, or its evidence was disposed of.
    VerificationError: the run was changed after it was sealed.
    MonthIncompleteError: a notebook of it failed.
    KeyFileError: the site's public key is missing.
    """
    month_days(month)
    bag = newest_bag(site, month, KIND)
    if bag is None:
        refuse_disposed(site, month)
        raise UsageError(
            "The month {month} has no sealed run.", "Run it first: audit-kernel month {month}", month=month
        )
    failed = [each["page"] for each in bag.worked["pages"] if not each["succeeded"]]
    if failed:
        raise MonthIncompleteError(
            "Not everything ran: {names} failed; the sealed pages say why.",
            "Remove the cause and run the month again; the failed run stays.",
            names=", ".join(failed),
        )
    return bag
