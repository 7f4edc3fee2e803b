"""A sealed bag read back: what its statement says, and its tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.disposed import disposed_runs
from audit_kernel.evidence.key_ring import trusted_keys

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.site import Site


@dataclass(frozen=True)
class SealedBag:
    """A bag: its folder, the SHA-256 of its tagmanifest-sha256.txt, its place in the chain and its statement.

    asked, worked: the statement's external and internal parameters.
    """

    folder: Path
    sha256: str
    sequence: int
    asked: dict[str, Any]
    worked: dict[str, Any]

    @property
    def name(self) -> str:
        """The run's name."""
        return self.folder.name

    @property
    def language(self) -> str:
        """The language of its pages."""
        return str(self.asked["language"])

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a result table; none where the bag has no table of that name."""
        import pyarrow.parquet

        path = self.folder / "data" / "tables" / f"{name}.parquet"
        found: pa.Table | None = pyarrow.parquet.read_table(path) if path.is_file() else None
        rows: list[dict[str, Any]] = found.to_pylist() if found is not None else []
        return rows

    def named(self) -> dict[str, str]:
        """Return how another statement names it."""
        return {"run": self.name, "tagmanifest_sha256": self.sha256}


def bags_of(site: Site, period: str, kind: str) -> list[SealedBag]:
    """Return the bags of a period and kind in the order they were sealed; whether they are whole is not asked here.

    Raises
    ------
    VerificationError: the statement of one cannot be read.
    """
    archive, found = site.archive_folder, []
    for folder in chain.bag_folders(archive) if archive.is_dir() else []:
        if not folder.name.startswith(f"{period}-{kind}-"):
            continue
        run = chain.read_run(folder)
        if run is None:
            raise changed(folder.name)
        definition = json.loads((folder / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]
        values = (definition["externalParameters"], definition["internalParameters"])
        found.append(SealedBag(folder, run.tagmanifest_sha256, run.sequence, *values))
    return sorted(found, key=lambda bag: bag.sequence)


def newest_bag(site: Site, period: str, kind: str) -> SealedBag | None:
    """Return the last bag of a period and kind, verified; None where there is none.

    Raises
    ------
    VerificationError: it was changed after it was sealed, or the statement of another cannot be read.
    KeyFileError: the site's public key is missing.
    """
    found = bags_of(site, period, kind)
    if not found:
        return None
    run, problems = check_bag(found[-1].folder, *trusted_keys(site.archive_folder, keys.load_public(site.keys_folder)))
    if run is None or run.name != found[-1].name or any(each.is_failure for each in problems):
        raise changed(found[-1].name)
    return found[-1]


def disposed_months(site: Site) -> dict[str, chain.DisposedRun]:
    """Return each month whose control was disposed of, by the record about its newest run."""
    gone = [each for each in disposed_runs(site.archive_folder).values() if each.kind == "monthly"]
    return {each.period: each for each in sorted(gone, key=lambda each: each.sequence)}


def refuse_disposed(site: Site, month: str) -> None:
    """Refuse a month whose evidence was disposed of.

    Raises
    ------
    UsageError: it was.
    """
    gone = disposed_months(site).get(month)
    if gone:
        raise UsageError(
            "The evidence of {month} was disposed of on {date}.",
            "The record of it stays in the archive: audit-kernel verify names it.",
            month=month,
            date=gone.disposed_on,
        )


def changed(names: str) -> VerificationError:
    """Return the error of a bag that is not as it was sealed."""
    return VerificationError(
        "The sealed run {name!r} was changed: nothing is made from it.",
        "Run `audit-kernel verify`; it names each changed file.",
        name=names,
    )
