"""Review: a month's sample and findings as a list for each reviewer, in workbooks or on a page, back as decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit_kernel.evidence.display import Paragraph
    from audit_kernel.review.page import ReviewPage

__all__ = ["review"]


def review() -> ReviewPage | Paragraph:
    """Return the reviewer's page over the site that AUDIT_KERNEL_SITE names, or a paragraph that says why not."""
    # The page needs the extra `lab`.
    from audit_kernel.review.page import open_page

    return open_page()
