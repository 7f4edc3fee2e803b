"""The operator's room: take files in, describe a new log, see what came in, run a month; without a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit_kernel.evidence.display import Paragraph
    from audit_kernel.operating.page import OperatingPage

__all__ = ["operate"]


def operate() -> OperatingPage | Paragraph:
    """Return the operator's page over the site that AUDIT_KERNEL_SITE names, or a paragraph that says why not."""
    # The page needs the extra `lab`.
    from audit_kernel.operating.page import open_page

    return open_page()
