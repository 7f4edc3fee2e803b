"""Numbers, dates and times by Babel (CLDR); the same bytes whatever the machine's locale and zone are."""

from __future__ import annotations

import datetime
from decimal import Decimal
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

from audit_kernel.locale.translation import checked_language, translator

# English is written the British way: 24 hours, day before month.
_LOCALE_NAMES = {"en": "en_GB", "sv": "sv", "nb": "nb"}
# Dates in tables are all of one length; ISO order in Swedish (SS-ISO 8601) and in English, dots in Norwegian.
_DATE_PATTERNS = {"en": "yyyy-MM-dd", "sv": "yyyy-MM-dd", "nb": "dd.MM.yyyy"}
_TIME_PATTERN = "HH:mm:ss"


@cache
def babel_locale(language: str) -> Locale:
    """Return the CLDR locale of a language."""
    return Locale.parse(_LOCALE_NAMES[checked_language(language)])


def format_number(value: int, language: str) -> str:
    """Write a whole number with the language's grouping: 12 345."""
    return numbers.format_decimal(int(value), format="#,##0", locale=babel_locale(language))


def format_decimal(value: Decimal | float, language: str, digits: int = 2) -> str:
    """Write a number with a fixed number of decimals, rounded half to even."""
    pattern = f"#,##0.{'0' * digits}" if digits else "#,##0"
    return numbers.format_decimal(Decimal(str(value)), format=pattern, locale=babel_locale(language))


def format_percent(value: Decimal | float, language: str, digits: int = 1) -> str:
    """Write a share (0 to 1) in per cent: 0.125 is 12.5 %."""
    sign = "%" if language == "en" else "\N{NO-BREAK SPACE}%"
    return format_decimal(Decimal(str(value)) * 100, language, digits) + sign


def format_date(value: datetime.date, language: str, *, long: bool = False) -> str:
    """Write a date, short for tables or long for sentences."""
    pattern = "long" if long else _DATE_PATTERNS[checked_language(language)]
    return dates.format_date(value, format=pattern, locale=babel_locale(language))


def format_month(value: datetime.date, language: str) -> str:
    """Write month and year: oktober 2026."""
    return dates.format_date(value, format="LLLL yyyy", locale=babel_locale(language))


def format_timestamp(value: datetime.datetime, language: str, time_zone: str) -> str:
    """Write a time in the reader's zone to the second.

    A time without an offset is UTC. The hour that occurs twice in autumn carries its offset, so that no two
    moments look the same.
    """
    aware = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
    local = aware.astimezone(ZoneInfo(time_zone))
    pattern = f"{_DATE_PATTERNS[checked_language(language)]} {_TIME_PATTERN}"
    # The wall time alone is handed on, so Babel needs no time zone of its own.
    text = dates.format_datetime(local.replace(tzinfo=None), format=pattern, tzinfo=None, locale=babel_locale(language))
    is_ambiguous = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    offset = f"{local:%z}"
    return f"{text} ({offset[:3]}:{offset[3:]})" if is_ambiguous else text


def format_boolean(value: bool, language: str) -> str:
    """Write yes or no."""
    _ = translator(language)
    return _("Yes") if value else _("No")


def day_name(weekday: int, language: str, width: Literal["wide", "abbreviated"] = "wide") -> str:
    """Name a weekday, 1 Monday to 7 Sunday."""
    return str(dates.get_day_names(width, "stand-alone", babel_locale(language))[weekday - 1]).rstrip(".")


def month_name(month: int, language: str, width: Literal["wide", "abbreviated"] = "abbreviated") -> str:
    """Name a month, 1 to 12."""
    return str(dates.get_month_names(width, "stand-alone", babel_locale(language))[month]).rstrip(".")
