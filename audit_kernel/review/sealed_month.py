"""A finished month's sealed run, verified, and its result tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import MonthIncompleteError, UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.key_ring import trusted_keys
from audit_kernel.evidence.month import KIND, month_days

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

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
    """Return the newest run of a month.

    Raises
    ------
    UsageError: it is no month, or it has not been run.
    VerificationError: the run was changed after it was sealed.
    MonthIncompleteError: a notebook of it failed.
    KeyFileError: the site's public key is missing.
    """
    month_days(month)
    archive = site.archive_folder
    prefix = f"{month}-{KIND}-"
    runs = [run for run in (chain.archive_runs(archive) if archive.is_dir() else []) if run.name.startswith(prefix)]
    if not runs:
        raise UsageError(
            "The month {month} has no sealed run.", "Run it first: audit-kernel month {month}", month=month
        )
    folder = archive / runs[-1].name
    run, problems = check_bag(folder, *trusted_keys(archive, keys.load_public(site.keys_folder)))
    if run is None or any(each.is_failure for each in problems):
        raise VerificationError(
            "The sealed run {name!r} was changed: no list is made from it.",
            "Run `audit-kernel verify`; it names each changed file.",
            name=runs[-1].name,
        )
    definition: dict[str, Any] = json.loads((folder / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]
    failed = [each["page"] for each in definition["internalParameters"]["pages"] if not each["succeeded"]]
    if failed:
        raise MonthIncompleteError(
            "Not everything ran: {names} failed; the sealed pages say why.",
            "Remove the cause and run the month again; the failed run stays.",
            names=", ".join(failed),
        )
    return SealedMonth(month, folder, run.tagmanifest_sha256, str(definition["externalParameters"]["language"]))
