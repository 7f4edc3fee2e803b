"""Local time: which UTC offset holds when, and which local hours occur twice or never.

Both offsets around a change are compared: a round trip through UTC finds the skipped hour of spring only.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import holidays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


class Span(NamedTuple):
    """A stretch of local time with one offset."""

    local_from: datetime
    local_to: datetime
    utc_from: datetime | None
    utc_to: datetime | None
    offset_seconds: int
    time_flag: str


def zone_offsets(time_zone: str, first_year: int, last_year: int) -> list[Span]:
    """Return the spans of local time in these years.

    A skipped or repeated hour is a span of its own with the offset valid before the change. `utc_from` and `utc_to` are
    None for it: a UTC instant always has exactly one local time.
    """
    zone = ZoneInfo(time_zone)
    offset = offset_at(zone, datetime(first_year, 1, 1, tzinfo=UTC) - 2 * DAY)
    spans: list[Span] = []
    local_from, utc_from = BEGINNING, BEGINNING
    for instant, before, after in offset_changes(zone, first_year, last_year):
        odd_from, odd_to = instant + min(before, after), instant + max(before, after)
        flag = "nonexistent" if after > before else "ambiguous"
        spans.append(Span(local_from, odd_from, utc_from, instant, int(before.total_seconds()), "ok"))
        spans.append(Span(odd_from, odd_to, None, None, int(before.total_seconds()), flag))
        local_from, utc_from, offset = odd_to, instant, after
    spans.append(Span(local_from, END, utc_from, END, int(offset.total_seconds()), "ok"))
    return spans


def create_local_time_macros(
    connection: duckdb.DuckDBPyConnection, time_zone: str, country: str, first: datetime, last: datetime
) -> None:
    """Create TEMP macros for the times between `first` and `last`, UTC or local: local_to_utc(moment),
    utc_to_local(moment), local_time_flag(moment) as in `zone_offsets`, is_public_holiday(day).

    Two or three branches computed in passing cost a third of a join on ranges.
    """  # noqa: D205 - the macros are the summary
    spans = [
        span
        for span in zone_offsets(time_zone, first.year, last.year)
        if span.local_to > first - DAY and span.local_from < last + DAY
    ]
    certain = [span for span in spans if span.utc_to is not None]
    to_utc = [(span.local_to, f"moment - interval '{span.offset_seconds}' second") for span in spans]
    to_local = [(span.utc_to, f"moment + interval '{span.offset_seconds}' second") for span in certain]
    flags = [(span.local_to, f"'{span.time_flag}'") for span in spans]
    days = ", ".join(f"date '{day}'" for day in public_holidays(country, first.year, last.year)) or "null"
    for macro in (
        f"local_to_utc(moment) as {_cases(to_utc)}",
        f"utc_to_local(moment) as {_cases(to_local)}",
        f"local_time_flag(moment) as {_cases(flags)}",
        f"is_public_holiday(day) as coalesce(day in ({days}), false)",
    ):
        connection.execute(f"create or replace temp macro {macro}")


def _cases(branches: Sequence[tuple[datetime | None, str]]) -> str:
    """SQL that takes the first branch whose end lies after the moment, and the last one without asking."""
    *first, (_end, last) = branches
    if not first:
        return last
    whens = " ".join(f"when moment < '{end}'::timestamp then {text}" for end, text in first)
    return f"case {whens} else {last} end"


def public_holidays(country: str, first_year: int, last_year: int) -> list[date]:
    """Return the country's public holidays of these years, in order."""
    return sorted(set(holidays.country_holidays(country, years=range(first_year, last_year + 1), observed=False)))


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
