"""Makes a year's two pages of its sealed bags, and seals them as a bag of their own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.evidence.later import seal_pages
from audit_kernel.evidence.month import journal_breaks
from audit_kernel.evidence.run import Plan
from audit_kernel.locale import translator
from audit_kernel.yearly import evaluation, overview
from audit_kernel.yearly.reading import read_year

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from audit_kernel.site import Site

KIND = "year"


@dataclass(frozen=True)
class YearRun:
    """A year's bag, its two pages, and the facts that its statement holds."""

    bag: Path
    evaluation: Path
    overview: Path
    facts: dict[str, Any]
    warnings: tuple[str, ...] = ()


def run_year(site: Site, year: str, language: str = "", today: date | None = None) -> YearRun:
    """Make a year's evaluation and overview; for `today` and what it raises see `read_year`."""
    began = datetime.now(UTC)
    read = read_year(site, year, today or began.astimezone(ZoneInfo(site.settings.time_zone)).date())
    language = language or site.settings.language
    breaks = journal_breaks(site, language)
    pages = {
        evaluation.FILE: evaluation.evaluation_page(site, read, language, breaks),
        overview.FILE: overview.overview_page(site, read, language),
    }
    facts = {
        "months": [
            {
                "month": month.month,
                "run": month.bag.name if month.bag else None,
                "closing": month.closing.name if month.closing else None,
                "disposed_on": month.disposed_on or None,
                "checks": {name: asdict(cell) for name, cell in month.cells.items()},
            }
            for month in read.months
        ]
    }
    snapshot = max(int(month.bag.worked["snapshot"]) for month in read.run if month.bag)
    _ = translator(language)
    purpose = _("evaluation of the year")
    plan = Plan(KIND, year, purpose, language, snapshot, [], [], {}, began)
    unstamped: list[str] = []
    bag = seal_pages(site, plan, pages, read.bags, facts, breaks, unstamped.append)
    folder = bag / "data" / "pages"
    return YearRun(bag, folder / evaluation.FILE, folder / overview.FILE, facts, (*breaks, *unstamped))
