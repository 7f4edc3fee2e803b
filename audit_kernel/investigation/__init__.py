"""The investigator's room: from a suspicion, step by step, through the three reports of the routine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.investigation.launch import start_lab

if TYPE_CHECKING:
    from audit_kernel.evidence.display import Paragraph
    from audit_kernel.investigation.page import InvestigationPage

__all__ = ["investigate", "start_lab"]


def investigate() -> InvestigationPage | Paragraph:
    """Return the investigator's page over the site that AUDIT_KERNEL_SITE names, or a paragraph that says why not."""
    # The page needs the extra `lab`; the command that starts the server must be able to say so without it.
    from audit_kernel.investigation.opening import open_page

    return open_page()
