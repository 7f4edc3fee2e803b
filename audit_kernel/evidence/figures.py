"""What charts say in words and figures: the rows behind a picture, its table and its sentence."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from audit_kernel.evidence.objects import Table, TableColumn
from audit_kernel.locale import day_name, format_date, format_number, translator

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow

Span = tuple[datetime.date, int, int]
_ONE_DAY = datetime.timedelta(days=1)
HOURS, WEEKDAYS = 24, 7


def spans_of(arrow: pyarrow.Table, period: tuple[datetime.date, datetime.date] | None) -> list[Span]:
    """Return (first day, number of days, accesses) in order; days that have no row become spans of 0."""
    has_lengths = "n_days" in arrow.column_names
    rows = sorted(
        (row["day"], int(row["n_days"]) if has_lengths else 1, int(row["n_accesses"]))
        for row in arrow.to_pylist()
        if row["day"] is not None
    )
    if not rows and period is None:
        return []
    day, last = period or (rows[0][0], rows[-1][0] + _ONE_DAY * (rows[-1][1] - 1))
    usual = max((n_days for _day, n_days, _n in rows), default=1)
    spans: list[Span] = []
    for start, n_days, n_accesses in [*rows, (last + _ONE_DAY, 0, 0)]:
        while day < start:
            length = min(usual, (start - day).days)
            spans.append((day, length, 0))
            day += _ONE_DAY * length
        if n_days:
            spans.append((start, n_days, n_accesses))
            day = start + _ONE_DAY * n_days
    return spans


def timeline_sentence(spans: list[Span], language: str) -> str:
    """Say what the timeline shows: its span, the sum, the highest bar, the days without any."""
    _ = translator(language)
    total = sum(n for _day, _n_days, n in spans)
    last_day, last_length, _n = spans[-1]
    first_text = format_date(spans[0][0], language, long=True)
    last_text = format_date(last_day + _ONE_DAY * (last_length - 1), language, long=True)
    sentence = _("{first} to {last}: {total} accesses.").format(
        first=first_text, last=last_text, total=format_number(total, language)
    )
    if not total:
        return sentence
    highest = max(spans, key=lambda span: span[2])
    day, number = format_date(highest[0], language, long=True), format_number(highest[2], language)
    if any(n_days > 1 for _day, n_days, _n in spans):
        return f"{sentence} " + _("Most in the days from {day}: {number}.").format(day=day, number=number)
    n_empty = sum(1 for _day, _n_days, n in spans if not n)
    days = _.plural("{number} day without any.", "{number} days without any.", n_empty)
    return f"{sentence} " + " ".join(
        [
            _("Most on {day}: {number}.").format(day=day, number=number),
            days.format(number=format_number(n_empty, language)),
        ]
    )


def timeline_table(spans: list[Span], language: str, title: str) -> Table:
    """Return the timeline's figures, one row a bar."""
    _ = translator(language)
    is_daily = all(n_days == 1 for _day, n_days, _n in spans)
    second = TableColumn("weekday", _("Weekday")) if is_daily else TableColumn("n_days", _("Days"), "integer", "end")
    rows = [
        (
            format_date(day, language),
            day_name(day.isoweekday(), language) if is_daily else format_number(n_days, language),
            format_number(n, language),
        )
        for day, n_days, n in spans
    ]
    first = TableColumn("day", _("Day") if is_daily else _("From"), "date")
    return Table(
        title,
        [first, second, TableColumn("n_accesses", _("Accesses"), "integer", "end")],
        rows,
        len(rows),
        "",
        language,
    )


def hour_sentence(counts: Mapping[tuple[int, int], int], language: str) -> str:
    """Say what the map shows: the sum and the busiest hour."""
    _ = translator(language)
    (weekday, hour), number = max(counts.items(), key=lambda item: (item[1], -item[0][0], -item[0][1]))
    return _("{total} accesses. Most on {weekday} between {start} and {end}: {number}.").format(
        total=format_number(sum(counts.values()), language),
        weekday=day_name(weekday, language),
        start=f"{hour:02d}",
        end=f"{(hour + 1) % HOURS:02d}",
        number=format_number(number, language),
    )


def hour_table(counts: Mapping[tuple[int, int], int], language: str, title: str) -> Table:
    """Return the map's figures, one row an hour, one column a weekday."""
    _ = translator(language)
    days = range(1, WEEKDAYS + 1)
    columns = [
        TableColumn("local_hour", _("Hour")),
        *(TableColumn(f"weekday_{weekday}", day_name(weekday, language), "integer", "end") for weekday in days),
    ]
    rows = [
        (
            f"{hour:02d}\N{EN DASH}{hour + 1:02d}",
            *(format_number(counts.get((weekday, hour), 0), language) for weekday in days),
        )
        for hour in range(HOURS)
    ]
    return Table(title, columns, rows, len(rows), "", language)
