"""Words that the page shares with the command line."""

from __future__ import annotations

from rich.console import Console

from audit_kernel.locale import format_number, translator
from audit_kernel.printing import LONGEST_CELL, Printer


def quarantine_reason(code: str, language: str) -> str:
    """Return the words for a reason of the quarantine."""
    return Printer(Console(quiet=True), language).reason(code)


def shortened(text: str, language: str) -> str:
    """Cut a long record, with a mark."""
    if len(text) <= LONGEST_CELL:
        return text
    _ = translator(language)
    mark = _("{beginning} … ({length} characters in all)")
    return mark.format(beginning=text[:LONGEST_CELL], length=format_number(len(text), language))
