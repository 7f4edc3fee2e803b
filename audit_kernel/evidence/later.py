"""What comes after a month: pages made of sealed bags, sealed as a bag of their own that names those it rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.bag_inputs import copy_inputs
from audit_kernel.evidence.journals import journal_heads
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
    """
    with working_folder(site) as working:
        (working / "pages").mkdir()
        for name, html in pages.items():
            (working / "pages" / name).write_text(html, encoding="utf-8", newline="\n")
        copy_inputs(site, working / "inputs", ("parameters",))  # no SQL is run and no notebook
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
        return seal_for_site(site, working, site.archive_folder, plan.name, predicate, warn=told)
