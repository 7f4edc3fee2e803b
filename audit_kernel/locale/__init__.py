"""Languages: translated texts, and numbers, dates and times as a reader of that language writes them.

Source texts are English. Code writes ``_ = translator(language)`` and ``_("text {name}").format(name=...)``;
the catalogues ``sv.po`` and ``nb.po`` beside this file are read at run time, so no compiled file can be stale.
"""

from __future__ import annotations

from audit_kernel.locale.formats import (
    day_name,
    format_boolean,
    format_date,
    format_decimal,
    format_month,
    format_number,
    format_percent,
    format_timestamp,
    month_name,
)
from audit_kernel.locale.translation import LANGUAGES, SOURCE_LANGUAGE, Translator, in_language, translator

__all__ = [
    "LANGUAGES",
    "SOURCE_LANGUAGE",
    "Translator",
    "day_name",
    "format_boolean",
    "format_date",
    "format_decimal",
    "format_month",
    "format_number",
    "format_percent",
    "format_timestamp",
    "in_language",
    "month_name",
    "translator",
]
