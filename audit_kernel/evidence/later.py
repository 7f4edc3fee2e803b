"""What comes after a month: pages made of sealed bags, sealed as a bag of their own that names those it rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.bag_inputs import copy_inputs
from audit_kernel.evidence.journals import journal_heads
from audit_kernel.evidence.masked_run import copy_masked_site
from audit_kernel.evidence.run import BUILD_TYPE, BUILDER, Plan, identified, versions, working_folder
from audit_kernel.evidence.seal import provenance
from audit_kernel.evidence.site_signing import seal_for_site, unstamped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from audit_kernel.evidence.sealed_bag import SealedBag
    from audit_kernel.site import Site


def seal_pages(
    site: Site,
    plan: Plan,
    pages: Mapping[str, str],
    rests_on: Iterable[SealedBag],
    facts: Mapping[str, Any],
    breaks: Iterable[str] = (),
    warn: Callable[[str], None] | None = None,
    *,
    archive: Path | None = None,
    fill: Callable[[Path], None] | None = None,
) -> Path:
    """Seal pages as one bag of the site's archive; return the bag's folder.

    Parameters
    ----------
    plan: kind, period, purpose, language and what was asked; it has no notebooks.
    pages: HTML by file name.
    rests_on: the bags that they were made of.
    facts: what the pages show, for whoever reads the statement by program; it stands there under the plan's kind.
    breaks: what is wrong with the site's journals.
    warn: told when the time authority gave no stamp.
    archive: where it is sealed instead of the site's archive.
    fill: writes what else goes into the bag's `data/`.
    """
    with working_folder(site) as working:
        payload = working / "payload"
        (payload / "pages").mkdir(parents=True)
        for name, html in pages.items():
            (payload / "pages" / name).write_text(html, encoding="utf-8", newline="\n")
        if fill:
            fill(payload)
        copy_inputs(site, payload / "inputs", ("parameters",))  # no SQL is run and no notebook
        if plan.scope:
            copy_masked_site(site, plan.scope, payload / "inputs")
        predicate = provenance(
            build_type=BUILD_TYPE,
            builder_id=BUILDER,
            builder_version=versions(),
            started_at=plan.started_at,
            finished_at=datetime.now(UTC),
            external_parameters={**identified(site, plan), **plan.parameters},
            internal_parameters={
                "snapshot": plan.snapshot,
                "journals": journal_heads(site),
                "journal_breaks": list(breaks),
                "pages": [],
                plan.kind: facts,
            },
            dependencies=[{"name": bag.name, "digest": {"sha256": bag.sha256}} for bag in rests_on],
            invocation_id=plan.run_id,
        )
        told = unstamped(plan.language, warn) if warn else None
        return seal_for_site(site, payload, archive or site.archive_folder, plan.name, predicate, warn=told)
