"""Times of CEF records: milliseconds since 1970, or the date formats of the CEF guide; and those of syslog headers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from audit_kernel.sources.conversions import EVENT_YEARS
from audit_kernel.sources.fhir_element import TIME, Element
from audit_kernel.sources.formats import BadValueError

MILLISECONDS = re.compile(r"[0-9]{1,18}")
# `MMM dd yyyy HH:mm:ss.SSS zzz`, the last two parts where they are written. Without a year a date is none.
DATE = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}) (\d{4}) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?: (\S+))?", flags=re.ASCII)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Abbreviations that mean one offset only; another one is not guessed at.
ZONES = {"UTC": "Z", "GMT": "Z", "Z": "Z", "CET": "+01:00", "CEST": "+02:00", "EET": "+02:00", "EEST": "+03:00"}
OFFSET = re.compile(r"(?:UTC|GMT)?([+-]\d\d):?(\d\d)", flags=re.ASCII)
# RFC 5424 6.2.3, behind the priority and version of a syslog header.
SYSLOG_TIME = re.compile(r"<\d{1,3}>\d{1,3} (\S+) ", flags=re.ASCII)


def cef_time(name: str, written: str) -> tuple[datetime, bool]:
    """Return a field's time as UTC and True, or as the local time it is and False where it has no offset.

    Raises
    ------
    BadValueError: it is no time, lacks its year, names a zone that is not known, or is outside 1990 to 2100.
    """
    if MILLISECONDS.fullmatch(written):
        return from_epoch(name, int(written)), True
    date = DATE.fullmatch(written)
    if date is None:
        return iso_time(name, written)
    if date[1] not in MONTHS:
        raise BadValueError(name, "not_a_time")
    fraction = f".{date[5]}" if date[5] else ""
    day = f"{date[3]}-{MONTHS.index(date[1]) + 1:02d}-{int(date[2]):02d}"
    return iso_time(name, f"{day}T{date[4]}{fraction}{_zone(name, date[6])}")


def header_time(transport: str) -> tuple[datetime, bool] | None:
    """Return the time of an RFC 5424 syslog header; an older one has no year and gives None."""
    found = SYSLOG_TIME.search(transport)
    if found is None or not TIME.fullmatch(found[1]):
        return None
    return iso_time("syslog", found[1])


def from_epoch(name: str, milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as UTC without offset.

    Raises
    ------
    BadValueError: outside 1990 to 2100; seconds taken for milliseconds are.
    """
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise BadValueError(name, "not_a_time") from None
    if not EVENT_YEARS[0] <= moment.year <= EVENT_YEARS[1]:
        raise BadValueError(name, "not_a_time")
    return moment.replace(tzinfo=None)


def iso_time(name: str, written: str) -> tuple[datetime, bool]:
    """Return a time of ISO 8601; errors as `cef_time`."""
    found = Element({name: written}).time(name)
    if found is None:
        raise BadValueError(name, "not_a_time")
    return found


def _zone(name: str, written: str | None) -> str:
    if written is None:
        return ""
    if offset := OFFSET.fullmatch(written):
        return f"{offset[1]}:{offset[2]}"
    if written not in ZONES:
        raise BadValueError(name, "not_a_time")
    return ZONES[written]
