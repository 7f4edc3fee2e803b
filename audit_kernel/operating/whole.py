"""A page as one widget over a site: what the pages for operators, reviewers and auditors share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import ipywidgets

from audit_kernel import open_site
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.display import Paragraph
from audit_kernel.operating.desk import Desk


class WholePage(ipywidgets.VBox):  # type: ignore[misc] # it publishes no types
    """The page as one widget; `parts` stand below one another."""

    def __init__(self, parts: Sequence[ipywidgets.Widget]) -> None:
        super().__init__(list(parts))
        self.add_class("ak-page")

    def __repr__(self) -> str:
        """Name the page only: its state would be written into the notebook."""
        return f"<{type(self).__name__}>"


Made = TypeVar("Made", bound=WholePage)


def over_site(make: Callable[[Desk], Made]) -> Made | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    try:
        site = open_site()
    except AuditKernelError as error:
        return Paragraph(f"{error.problem} {error.remedy}", tone="warning")
    return make(Desk(site, datetime.now(ZoneInfo(site.settings.time_zone)).date()))
