"""A new time stamp over a whole archive: a run that names all runs before it, stamped by the authority of today."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.journals import journal_heads
from audit_kernel.evidence.run import BUILDER, working_folder
from audit_kernel.evidence.seal import provenance
from audit_kernel.evidence.site_signing import authority_certificate, seal_for_site
from audit_kernel.evidence.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

KIND = "timestamps"
BUILD_TYPE = "urn:audit-kernel:timestamps:v1"


def restamp(site: Site) -> list[Path]:
    """Seal and stamp, in the archive and in `restricted/`, a run that names every run before it; return the bags.

    Raises
    ------
    UsageError: the site names no time authority, or nothing is sealed yet.
    VerificationError: an archive does not verify; a stamp would confirm what somebody changed.
    UnavailableError: the authority gave no stamp; nothing was sealed.
    """
    if not site.settings.timestamp.is_used:
        raise UsageError(
            "The site names no time authority.", "Set `timestamp.address` in settings.yml; docs/operating.md says how."
        )
    archives = [each for each in (site.archive_folder, site.restricted_folder) if has_runs(each)]
    if not archives:
        raise UsageError("Nothing is sealed yet, so there is nothing to stamp.", "Run a month first.")
    return [_restamp(site, archive) for archive in archives]


def has_runs(archive: Path) -> bool:
    """Tell whether anything is sealed in an archive."""
    return archive.is_dir() and bool(chain.bag_folders(archive))


def record_run(site: Site, kind: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return name and SLSA predicate of a run that holds a record about the archive itself."""
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    predicate = provenance(
        build_type=BUILD_TYPE,
        builder_id=BUILDER,
        started_at=now,
        finished_at=now,
        external_parameters={"kind": kind, "site": site.settings.name, "country": site.settings.country},
        internal_parameters={"journals": journal_heads(site)},
        invocation_id=run_id,
    )
    return f"{now:%Y-%m}-{kind}-{run_id}", predicate


def _restamp(site: Site, archive: Path) -> Path:
    certificates = authority_certificate(site)
    if any(each.is_failure for each in verify(archive, site.keys_folder / keys.PUBLIC_NAME, authority=certificates)):
        raise VerificationError(
            "The archive {archive!r} does not verify: it is not stamped.",
            "Run `audit-kernel verify` on it; restore what it names from a backup.",
            archive=str(archive),
        )
    now = datetime.now(UTC)
    name, predicate = record_run(site, KIND, now)
    runs = [
        {
            "run": run.name,
            "sequence": run.sequence,
            "tagmanifest_sha256": run.tagmanifest_sha256,
            "signature_sha256": bags.digest_of(archive / run.name / (bags.TAG_MANIFEST + bags.SIGNATURE)),
            "is_stamped": (archive / run.name / bags.STAMP).is_file(),
        }
        for run in chain.archive_runs(archive)
    ]
    with working_folder(site) as working:
        payload = working / "payload"
        payload.mkdir()
        (payload / "runs.json").write_bytes(canonical_json(runs))
        if certificates.is_file():  # those that the stamps before were checked with; without them none comes about
            (payload / "authority.pem").write_bytes(certificates.read_bytes())
        return seal_for_site(site, payload, archive, name, predicate, must_stamp=True)
