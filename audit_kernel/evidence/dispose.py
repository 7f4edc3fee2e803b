"""Disposal of evidence: a record of each run that goes is sealed, then the runs go; the chain holds through it."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.canonical import canonical_json
from audit_kernel.closing.close import KIND as CLOSING
from audit_kernel.errors import VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.journals import journal_heads
from audit_kernel.evidence.key_ring import trusted_keys
from audit_kernel.evidence.restamp import record_run
from audit_kernel.evidence.restricted_run import restricted_problems
from audit_kernel.evidence.retention import EvidenceLine, evidence_lines, going, rule_of, sealed_runs
from audit_kernel.evidence.run import working_folder
from audit_kernel.evidence.seal import locked, reported
from audit_kernel.evidence.site_signing import authority_certificate, seal_for_site
from audit_kernel.evidence.verify import verify
from audit_kernel.files import sync_folder
from audit_kernel.journal import Journal
from audit_kernel.store.erase import JOURNAL, RECORD
from audit_kernel.store.retention import evidence_retention
from audit_kernel.use_log import operating_system_user, record_use

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from audit_kernel.evidence.retention import Rule, SealedRun
    from audit_kernel.site import Site

KIND = "evidence-disposal"


@dataclass(frozen=True)
class DisposedEvidence:
    """What became of one archive: the runs that went, those that stayed, and the new record (None: none was needed)."""

    archive: str
    record: Path | None
    went: tuple[str, ...]
    stayed: tuple[EvidenceLine, ...]


def plan_evidence_disposal(site: Site, today: date | None = None) -> list[EvidenceLine]:
    """Return the runs whose time is over and what keeps some of them. Nothing is changed.

    Parameters
    ----------
    today: the day to count to; this day when None.

    Raises
    ------
    UsageError: the settings name no disposal decision or no years, or fewer than the country's.
    JournalError, VerificationError: what is held, or what a run is, cannot be read.
    """
    return _planned(site, today, is_confirmed=False)[1]


def dispose_evidence(site: Site, today: date | None = None) -> list[DisposedEvidence]:
    """Dispose of the runs whose time is over, by a sealed record; finish what an interrupted disposal left.

    Returns
    -------
    list of DisposedEvidence: for `restricted/` and the archive, where there was anything.

    Raises
    ------
    UsageError, JournalError: as in `plan_evidence_disposal`; nothing was changed.
    VerificationError: an archive does not verify; nothing more goes.
    RunError, UnavailableError: it could not be written; run it again, it finishes.
    """
    rule, lines = _planned(site, today, is_confirmed=True)
    done = []
    for archive in (site.restricted_folder, site.archive_folder):  # a month's statement names its restricted run
        if not archive.is_dir() or not chain.bag_folders(archive):
            continue
        own = [line for line in lines if line.archive == archive.name]
        goes = going(own, archive.name)
        went = _remove_recorded(site, archive, goes)
        _require_whole(site, archive)
        new = [line for line in own if not line.kept_by and not line.is_recorded]
        record = _seal_record(site, archive, rule, new) if new else None
        went += _remove_recorded(site, archive, goes)
        stayed = tuple(line for line in own if line.kept_by)
        if went or stayed:
            done.append(DisposedEvidence(archive.name, record, tuple(went), stayed))
    return done


def _planned(site: Site, today: date | None, *, is_confirmed: bool) -> tuple[Rule, list[EvidenceLine]]:
    today = today or datetime.now(ZoneInfo(site.settings.time_zone)).date()
    rule = rule_of(site, today)
    record_use(site, rule.decision, "disposal", {"kind": "evidence", "confirmed": is_confirmed})
    return rule, evidence_lines(site, rule, today)


def _require_whole(site: Site, archive: Path) -> None:
    """Refuse an archive of which something was changed: a record would confirm it."""
    public, authority = site.keys_folder / keys.PUBLIC_NAME, authority_certificate(site)
    found = verify(archive, public, authority=authority)
    if archive == site.archive_folder:
        found = [*found, *restricted_problems(site, public, authority)]
    if any(each.is_failure for each in found):
        raise VerificationError(
            "The archive {archive!r} does not verify: nothing of it is disposed of.",
            "Run `audit-kernel verify` on it; restore what it names from a backup.",
            archive=str(archive),
        )


def _seal_record(site: Site, archive: Path, rule: Rule, lines: list[EvidenceLine]) -> Path:
    """Write the journal and seal the record; it names the runs and whoever disposes of them, nobody else."""
    now = datetime.now(UTC)
    name, predicate = record_run(site, KIND, now)
    trusted = trusted_keys(archive, keys.load_public(site.keys_folder))
    by_name = {run.record.name: run for run in sealed_runs(archive)}
    disposed = [_disposed(by_name[line.run], trusted, now) for line in lines]
    facts = {
        "decision": rule.decision,
        "decided_on": rule.decided_on,
        "evidence_years": rule.years,
        "cleared_years": rule.cleared_years,
        "legal_basis": list(evidence_retention(site).legal_basis),
        "user": operating_system_user(),
    }
    told = {"disposal": name, "kind": "evidence", "archive": archive.name, "runs": len(lines), **facts}
    Journal(site.journals_folder / JOURNAL).append(told)
    built = predicate["buildDefinition"]
    built["externalParameters"] |= facts
    built["internalParameters"] = {"journals": journal_heads(site)}
    runs = [
        {**asdict(run), "kept_until": line.until, "is_cleared": line.is_cleared, **_counts(by_name[line.run])}
        for run, line in zip(disposed, lines, strict=True)
    ]
    with working_folder(site) as working:
        payload = working / "payload"
        payload.mkdir()
        (payload / RECORD).write_bytes(canonical_json({**told, "runs": runs}))
        return seal_for_site(site, payload, archive, name, predicate, disposed=disposed)


def _disposed(run: SealedRun, trusted: tuple[keys.PublicKey, ...], now: datetime) -> chain.DisposedRun:
    """Return what the chain keeps of a run, read from the disk and verified once more."""
    folder = run.folder / run.record.name
    record, problems = check_bag(folder, *trusted)
    if record is None or problems:
        raise VerificationError(
            "The sealed run {name!r} was changed: it is not disposed of.",
            "Run `audit-kernel verify`; it names each changed file.",
            name=run.record.name,
        )
    return chain.DisposedRun(
        record.name,
        record.sequence,
        record.preceding,
        record.preceding_sha256,
        record.tagmanifest_sha256,
        bags.digest_of(folder / bags.MANIFEST),
        record.signed_by,
        run.kind,
        run.period,
        f"{now:%Y-%m-%d}",
    )


def _counts(run: SealedRun) -> dict[str, Any]:
    """Return what lives on of a run's answers: numbers by check, of no unit and nobody."""
    pages = [page for page in run.worked.get("pages", []) if page["facts"].get("room") == "checks"]
    facts = ("n_rows", "is_assessable")
    checks = [{"check": page["page"], **{name: page["facts"].get(name) for name in facts}} for page in pages]
    closed = run.worked[CLOSING] if run.kind == CLOSING else {}
    numbers = {name: count for name, count in closed.items() if name.startswith("n_")}
    return {"checks": checks, "closing": {**numbers, "by_check": _by_check(closed.get("by_unit", []))}}


def _by_check(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return the closing's counts of each check, all units together."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        sums = found.setdefault(row["check"], {})
        for name, count in row.items():
            if isinstance(count, int):
                sums[name] = sums.get(name, 0) + count
    return found


def _remove_recorded(site: Site, archive: Path, goes: Collection[str]) -> list[str]:
    """Remove the runs that a sealed and verified record names, if they are to go; return their names.

    Each is first renamed in one step, so that a run is either whole or, for `verify`, no run any more.
    """
    trusted = trusted_keys(archive, keys.load_public(site.keys_folder))
    went: list[str] = []
    with reported(archive), locked(archive):
        told: dict[str, chain.DisposedRun] = {}
        for folder in chain.bag_folders(archive):
            unchecked = chain.read_run(folder)
            if unchecked and unchecked.disposed:
                run, problems = check_bag(folder, *trusted)
                if run and not problems:
                    told |= {gone.run: gone for gone in run.disposed if gone.sequence < run.sequence}
        for name, gone in told.items():
            run = chain.read_run(archive / name) if name in goes else None
            if run and run.tagmanifest_sha256 == gone.tagmanifest_sha256:
                (archive / name).rename(archive / f"{chain.DISPOSED_PREFIX}{name}")
        sync_folder(archive)
        for aside in sorted(archive.glob(f"{chain.DISPOSED_PREFIX}*")):
            name = aside.name.removeprefix(chain.DISPOSED_PREFIX)
            if name in told:
                if (copy := site.copies_folder / name).is_dir():  # that somebody had asked for
                    shutil.rmtree(copy)
                shutil.rmtree(aside)
                went.append(name)
        sync_folder(archive)
    return went
