"""The codes of the completeness queries in words."""

from __future__ import annotations

from audit_kernel.locale import translator


def completeness_words(column: str, language: str) -> dict[str, str]:
    """Return the words for each code of a column."""
    _ = translator(language)
    words = {
        "status": {
            "ok": _("as expected"),
            "low": _("too few rows"),
            "high": _("too many rows"),
            "silent": _("no rows"),
            "no_history": _("too little history"),
        },
        "kind_of_gap": {"gap": _("missing"), "restart": _("new numbering")},
        "kind_of_fault": {
            "backwards": _("the clock runs backwards"),
            "leap": _("the clock leaps"),
            "ahead": _("later than the file was taken in"),
        },
        "field": {
            "log_type": _("log type"),
            "table_name": _("table"),
            "message_type": _("message type"),
            "kind": _("kind of event"),
        },
    }
    return words[column]


def quarantine_reason(code: str, language: str) -> str:
    """Return why a record is in quarantine, as the terminal says it."""
    from rich.console import Console

    from audit_kernel.printing import Printer

    return Printer(Console(quiet=True), language).reason(code)
