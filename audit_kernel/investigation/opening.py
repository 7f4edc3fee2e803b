"""Opens the investigator's page over a site: its store, its archive, its reasons, and the finding asked for."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from audit_kernel import open_site, open_store
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.display import Paragraph
from audit_kernel.investigation.launch import FINDING_VARIABLE
from audit_kernel.investigation.page import InvestigationPage
from audit_kernel.investigation.reasons import reason_titles

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.investigation.finding import Finding
    from audit_kernel.investigation.session import Answer, Store
    from audit_kernel.site import Site

# The form is on the screen by then, and nobody has typed a purpose yet.
SECONDS_UNTIL_CHARTS = 0.5
# Enough for a page of rows; on two cores they stand 0.4 s sooner, and charts 0.2 s later.
SECONDS_UNTIL_DRAWN = 0.2


def _found(site: Site, store: Store, number: str) -> Finding:
    from audit_kernel.investigation.finding import find_finding  # what reads sealed months takes long to import

    return find_finding(site, store, number)


def _with_panels(site: Site, page: InvestigationPage) -> Callable[[Answer], None]:
    """Return what puts the case and the log extract below the first step that is shown."""

    def follow(answer: Answer) -> None:
        # what seals takes long to import
        from audit_kernel.cases.panel import CasePanel
        from audit_kernel.investigation.extract_panel import ExtractPanel

        if not page.panel.children:
            asked = site, site.settings.language, page.session
            page.panel.children = [CasePanel(*asked, lambda: page.answers), ExtractPanel(*asked)]
        for panel in page.panel.children:
            panel.follow(answer)

    return follow


_opened: list[InvestigationPage] = []


def open_page() -> InvestigationPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    for page in _opened:
        page.close_store()
    _opened.clear()
    try:
        site = open_site()
    except AuditKernelError as error:
        return Paragraph(f"{error.problem} {error.remedy}", tone="warning")
    settings = site.settings
    page = InvestigationPage(
        lambda purpose: open_store(site, purpose),
        settings.language,
        settings.time_zone,
        datetime.now(ZoneInfo(settings.time_zone)).date(),
        find=lambda store, number: _found(site, store, number),
        reason_titles=cache(lambda: reason_titles(site, settings.language)),
        finding=os.environ.get(FINDING_VARIABLE, ""),
        drawing_seconds=SECONDS_UNTIL_DRAWN,
    )
    page.on_answer = _with_panels(site, page)
    _opened.append(page)
    with suppress(RuntimeError):  # no loop runs outside a kernel; the charts are then made when they are needed
        asyncio.get_running_loop().call_later(SECONDS_UNTIL_CHARTS, page.prepare_charts)
    return page
