"""Local time: which UTC offset holds when, and which local hours occur twice or never.

Both offsets around a change are compared: a round trip through UTC finds the skipped hour of spring only.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import holidays

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
BEGINNING, END = datetime(1, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001 - bounds of naive timestamps


def offset_changes(zone: ZoneInfo, first_year: int, last_year: int) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Yield each change in the years given: UTC instant (naive), offset before, offset after."""
    instant = datetime(first_year, 1, 1, tzinfo=UTC) - 2 * DAY
    end = datetime(last_year, 12, 31, tzinfo=UTC) + 2 * DAY
    before = offset_at(zone, instant)
    while instant < end:
        after = offset_at(zone, instant + DAY)
        if after != before:
            yield _moment_of_change(zone, instant, before).replace(tzinfo=None), before, after
        instant, before = instant + DAY, after


def offset_at(zone: ZoneInfo, instant: datetime) -> timedelta:
    """Return the zone's offset from UTC at an instant."""
    return instant.astimezone(zone).utcoffset() or timedelta()


def _moment_of_change(zone: ZoneInfo, earlier: datetime, before: timedelta) -> datetime:
    """Halve the day after `earlier` until the second is found at which `before` ends."""
    low, high = 0, int(DAY.total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(zone, earlier + middle * SECOND) == before else (low, middle)
    return earlier + high * SECOND


def zone_offsets(time_zone: str, first_year: int, last_year: int) -> list[tuple[object, ...]]:
    """Return spans of local time: (local_from, local_to, utc_from, utc_to, offset in seconds, time_flag).

    A skipped or repeated hour is a span of its own with the offset valid before the change. `utc_from` and `utc_to` are
    None for it: a UTC instant always has exactly one local time.
    """
    zone = ZoneInfo(time_zone)
    offset = offset_at(zone, datetime(first_year, 1, 1, tzinfo=UTC) - 2 * DAY)
    spans: list[tuple[object, ...]] = []
    local_from, utc_from = BEGINNING, BEGINNING
    for instant, before, after in offset_changes(zone, first_year, last_year):
        odd_from, odd_to = instant + min(before, after), instant + max(before, after)
        flag = "nonexistent" if after > before else "ambiguous"
        spans.append((local_from, odd_from, utc_from, instant, int(before.total_seconds()), "ok"))
        spans.append((odd_from, odd_to, None, None, int(before.total_seconds()), flag))
        local_from, utc_from, offset = odd_to, instant, after
    spans.append((local_from, END, utc_from, END, int(offset.total_seconds()), "ok"))
    return spans


def create_zone_tables(
    connection: duckdb.DuckDBPyConnection, time_zone: str, country: str, first_year: int, last_year: int
) -> None:
    """Create TEMP tables `zone_offsets` and `public_holidays` for the years of one file."""
    connection.execute(
        "create or replace temp table zone_offsets (local_from timestamp, local_to timestamp, utc_from timestamp,"
        " utc_to timestamp, offset_seconds integer, time_flag varchar)"
    )
    connection.executemany(
        "insert into zone_offsets values (?, ?, ?, ?, ?, ?)", zone_offsets(time_zone, first_year, last_year)
    )
    connection.execute("create or replace temp table public_holidays (holiday_date date)")
    days = public_holidays(country, first_year, last_year)
    connection.executemany("insert into public_holidays values (?)", [(day,) for day in days] or [(None,)])


def public_holidays(country: str, first_year: int, last_year: int) -> list[date]:
    """Return the public holidays of these years, ascending."""
    days: set[date] = set(holidays.country_holidays(country, years=range(first_year, last_year + 1), observed=False))
    return sorted(days)
