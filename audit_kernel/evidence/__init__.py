"""Evidence: pages, runs, seals and their verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit_kernel.evidence.page import Page

__all__ = ["open_page"]


def open_page(name: str, *, run: str, language: str, **parameters: Any) -> Page:  # noqa: ANN401 - the notebook's parameters
    """Open one page of a run; see `audit_kernel.evidence.page.Page`."""
    from audit_kernel.evidence.page import Page

    return Page(name, run, language, parameters)
