"""What a month's pages rest on, asked once of the pinned snapshot, and the two pages that are made last."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import JournalError
from audit_kernel.evidence import certificate, coverage, masked_run, restricted
from audit_kernel.evidence.answers import ANSWERS, answer_checks
from audit_kernel.evidence.display import Link
from audit_kernel.evidence.index import index_page
from audit_kernel.evidence.sample_run import FRAME, answer_sample
from audit_kernel.store.deliver import refused_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.masking import Mask
    from audit_kernel.evidence.restricted import KeptApart
    from audit_kernel.evidence.run import Plan
    from audit_kernel.sample_journal import Draw
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

INDEX = "index.html"


@dataclass(frozen=True)
class Drawn:
    """A month's first and last day, its seed, and its sample's draw where there is one."""

    first: date
    last: date
    seed: str
    draw: Draw | None = None

    @property
    def given(self) -> dict[str, str]:
        """The parameters that every notebook gets of those it declares."""
        return {"from_date": self.first.isoformat(), "to_date": self.last.isoformat(), "seed": self.seed}


@dataclass(frozen=True)
class Answers:
    """What was asked of the snapshot: what the logs lack, whose findings are kept apart, how many by check."""

    drawn: Drawn
    lacking: coverage.Lacking
    apart: KeptApart
    kept_back: Mapping[str, int]


def answer_month(
    store: Store, scheduled: Sequence[str], drawn: Drawn, apart: KeptApart, working: Path, mask: Mask | None = None
) -> Answers:
    """Ask all that the pages show, and keep the answers in the working folder; what is returned is masked."""
    lacking = coverage.coverage(store, {"from_date": drawn.first, "to_date": drawn.last})
    (working / ANSWERS).mkdir(mode=0o700)
    if drawn.draw:  # first, because its frame takes much of the memory until it is drawn from
        answer_sample(store, drawn.draw, drawn.given, working / ANSWERS)
        store.forget_steps(store.catalog.query(FRAME))
    kept_back = answer_checks(store, scheduled, drawn.given, working, apart)
    apart = masked_run.masked_apart(mask, replace(apart, n_findings=sum(kept_back.values())))
    apart.write(working)
    return Answers(replace(drawn, draw=masked_run.masked_draw(mask, drawn.draw)), lacking, apart, kept_back)


def write_front_pages(
    site: Site, plan: Plan, folder: Path, outcomes: Sequence[Outcome], answers: Answers, broken: Sequence[str]
) -> list[str]:
    """Write what is made last, of what became of the other pages: the certificate, and the index that opens it.

    Parameters
    ----------
    broken: what is wrong with the journals, and why days without a reason were not kept.

    Returns
    -------
    list: what the month lacks, a sentence each, as it stands on both pages.
    """
    language, zone, drawn = plan.language, site.settings.time_zone, answers.drawn
    refused: list[dict[str, Any]] = []
    with contextlib.suppress(JournalError):  # a broken journal stands among the breaks already
        refused = masked_run.masked_files(masked_run.mask_of(site, plan), refused_files(site))
    taken_in = masked_run.as_told(site, plan).deliveries
    warnings = [
        *restricted.told(answers.apart.n_findings, language),
        *broken,
        *coverage.serious(answers.lacking, language),
        *coverage.early_end(plan.deliveries, drawn.last, zone, language),
        *coverage.never_taken_in(refused, taken_in, zone, language),
    ]
    link = Link(certificate.title(plan.period, language), certificate.FILE)
    rests = certificate.Rests(drawn.first, drawn.last, answers.lacking, refused, drawn.draw)
    pages = {
        certificate.FILE: certificate.certificate_page(site, plan, outcomes, rests, warnings),
        INDEX: index_page(site, plan, outcomes, warnings, [link]),
    }
    for name, html in pages.items():
        (folder / name).write_text(html, encoding="utf-8", newline="\n")
    return warnings
