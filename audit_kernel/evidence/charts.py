"""Charts as SVG: accesses per day, and by hour and weekday.

Altair describes, vl-convert draws. Nothing in a picture depends on the machine: every label is a mark of its own
at a computed place, in a font that vl-convert brings along, so no text is measured; and no time is parsed, because
positions are numbers. Titles come from queries, labels from CLDR: no log field is ever drawn.
"""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import altair
import vl_convert

from audit_kernel.evidence.figures import (
    HOURS,
    WEEKDAYS,
    hour_sentence,
    hour_table,
    spans_of,
    timeline_sentence,
    timeline_table,
)
from audit_kernel.evidence.objects import Chart, Table
from audit_kernel.evidence.svg import FONT, clean_svg
from audit_kernel.locale import day_name, format_number, month_name, translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow

TEXT, LABEL, GRID, AXIS, BAND, SERIES = "#1f2a30", "#55636b", "#dfe3e2", "#8b979c", "#edf0ef", "#17616e"
STEPS = ("#f6f7f5", "#d3e6e9", "#a0cbd2", "#66a8b3", "#2b7683", "#0c4653")
ON_LIGHT, ON_DARK = "#1f2a31", "#ffffff"
_FIRST_DARK_STEP = 4

_WIDTH, _HEIGHT = 640, 190
_PADDING = {"left": 64, "right": 16, "top": 14, "bottom": 40}
_DAILY_LABELS, _WEEKLY_LABELS, _MONTHLY_LABELS = 10, 62, 550
_WEEKEND_BANDS = 100
_MINIMUM_GAP = 34  # pixels between two labels of the time axis
_SATURDAY = 6

_CELL = 26
_SWATCH_STEP = 92
_LARGEST_WRITTEN = 999


def timeline(
    arrow: pyarrow.Table,
    language: str,
    title: str,
    description: str = "",
    period: tuple[datetime.date, datetime.date] | None = None,
) -> Chart:
    """Draw accesses per day as bars.

    Parameters
    ----------
    arrow: columns ``day`` (date) and ``n_accesses``; with ``n_days`` a row covers that many days from ``day``.
    period: first and last day to show; without it, those of the data. Days without a row are days without accesses.
    """
    _ = translator(language)
    spans = spans_of(arrow, period)
    if not spans:
        return empty_chart(title, description, language)
    figures = timeline_table(spans, language, title)
    first, last = spans[0][0], spans[-1][0] + datetime.timedelta(days=spans[-1][1] - 1)
    words = [description, timeline_sentence(spans, language)]
    has_bands = len(spans) <= _WEEKEND_BANDS and all(n_days == 1 for _day, n_days, _n in spans)
    if has_bands:
        words.append(_("Shaded: Saturdays and Sundays."))
    top, step = nice(max(n for _day, _n_days, n in spans))
    total_days = (last - first).days + 1
    x = axis(altair.X, "x", [0, total_days])
    y = axis(altair.Y, "y", [0, top])
    bars = [
        {"x": (day - first).days + 0.12, "x2": (day - first).days + n_days - 0.12, "y": n, "y2": 0}
        for day, n_days, n in spans
        if n
    ]
    bands = _weekends(first, total_days, top) if has_bands else []
    ticks = [
        {"x": 0, "x2": total_days, "y": value, "text": format_number(value, language)}
        for value in range(0, top + 1, step)
    ]
    labels = day_labels(first, total_days, language)
    layers = [
        data(bands).mark_rect(color=BAND).encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        data(ticks).mark_rule(color=GRID, strokeWidth=1).encode(x=x, x2="x2:Q", y=y),
        data(ticks)
        .mark_text(align="right", baseline="middle", color=LABEL)
        .encode(x=altair.value(-8), y=y, text="text:N"),
        data(bars).mark_rect(color=SERIES).encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        data(ticks[:1]).mark_rule(color=AXIS, strokeWidth=1).encode(x=x, x2="x2:Q", y=y),
        data(labels)
        .mark_tick(color=AXIS, orient="vertical", size=6, thickness=1)
        .encode(x=x, y=altair.value(_HEIGHT + 3)),
        data(labels)
        .mark_text(align="left", baseline="top", color=LABEL, dx=1)
        .encode(x=x, y=altair.value(_HEIGHT + 10), text="text:N"),
    ]
    return draw(layers, _WIDTH, _HEIGHT, title, " ".join(filter(None, words)), figures)


def hour_map(arrow: pyarrow.Table, language: str, title: str, description: str = "") -> Chart:
    """Draw accesses by weekday and hour as a map of shaded cells, each with its number.

    ``arrow`` has the columns ``local_weekday`` (1 Monday to 7), ``local_hour`` (0 to 23) and ``n_accesses``.
    """
    counts = {
        (int(row["local_weekday"]), int(row["local_hour"])): int(row["n_accesses"])
        for row in arrow.to_pylist()
        if row["local_weekday"] is not None and row["local_hour"] is not None
    }
    if not any(counts.values()):
        return empty_chart(title, description, language)
    limits = step_limits(max(counts.values()))
    cells = [
        _cell(weekday, hour, counts.get((weekday, hour), 0), limits, language)
        for weekday in range(1, 8)
        for hour in range(24)
    ]
    x = axis(altair.X, "x", [0, HOURS])
    y = axis(altair.Y, "y", [WEEKDAYS, 0])
    days = [{"y": weekday - 0.5, "text": day_name(weekday, language)} for weekday in range(1, 8)]
    hours = [{"x": hour + 0.5, "text": f"{hour:02d}"} for hour in range(HOURS)]
    written = [cell for cell in cells if cell["text"]]
    layers = [
        *(
            data([cell for cell in cells if cell["step"] == step])
            .mark_rect(color=color)
            .encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
            for step, color in enumerate(STEPS)
        ),
        *(
            data([cell for cell in written if (cell["step"] >= _FIRST_DARK_STEP) == is_dark])
            .mark_text(color=color, fontSize=10, align="center", baseline="middle")
            .encode(x=axis(altair.X, "cx", [0, HOURS]), y=axis(altair.Y, "cy", [WEEKDAYS, 0]), text="text:N")
            for is_dark, color in ((False, ON_LIGHT), (True, ON_DARK))
        ),
        data(days)
        .mark_text(align="right", baseline="middle", color=LABEL)
        .encode(x=altair.value(-8), y=y, text="text:N"),
        data(hours)
        .mark_text(color=LABEL, align="center", baseline="middle")
        .encode(x=x, y=altair.value(WEEKDAYS * _CELL + 12), text="text:N"),
        *legend(limits, language, WEEKDAYS * _CELL + 34),
    ]
    figures = hour_table(counts, language, title)
    words = " ".join(filter(None, [description, hour_sentence(counts, language)]))
    return draw(layers, HOURS * _CELL, WEEKDAYS * _CELL, title, words, figures, bottom=62, left=80)


def draw(
    layers: list[Any],
    width: int,
    height: int,
    title: str,
    description: str,
    figures: Table,
    **wider: int,
) -> Chart:
    """Draw layers as a chart of this size in pixels; `wider` has paddings other than the usual, by side."""
    padding = _PADDING | wider
    chart = altair.layer(*layers).properties(
        width=width, height=height, padding=padding, autosize=altair.AutoSizeParams(type="none")
    )
    chart = chart.configure(font=FONT, background="transparent").configure_view(stroke=None, fill=None)
    chart = chart.configure_text(font=FONT, fontSize=12).configure_axis(labelFont=FONT, titleFont=FONT)
    svg = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version="6.4")
    return Chart(title, description, clean_svg(svg, title=title, description=description), figures)


def empty_chart(title: str, description: str, language: str) -> Chart:
    """Say in place of a picture that there is nothing to draw."""
    _ = translator(language)
    words = _("No accesses in the period.")
    line = data([{"x": 0, "text": words}])
    layer = line.mark_text(align="left", baseline="middle", color=LABEL).encode(
        x=altair.value(0), y=altair.value(12), text="text:N"
    )
    figures = Table(title, [], [], 0, words, language)
    return draw([layer], _WIDTH, 24, title, " ".join(filter(None, [description, words])), figures)


def data(values: list[dict[str, Any]]) -> altair.Chart:
    """Make a chart's layer from rows."""
    return altair.Chart(altair.InlineData(values=values))


def axis(channel: Any, name: str, domain: Sequence[float]) -> Any:  # noqa: ANN401 - altair's two channels
    """Place by numbers, without an axis of its own."""
    return channel(f"{name}:Q", scale=altair.Scale(domain=list(domain), nice=False, zero=False), axis=None)


def nice(highest: int) -> tuple[int, int]:
    """Return the axis' top and the step between its lines: 1, 2 or 5 times a power of ten, at most five lines."""
    step = 1
    while highest > 4 * step:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return max(step, -(-highest // step) * step), step


def _weekends(first: datetime.date, total_days: int, top: int) -> list[dict[str, Any]]:
    days = [day for day in range(total_days) if (first + datetime.timedelta(days=day)).isoweekday() >= _SATURDAY]
    return [{"x": day, "x2": day + 1, "y": 0, "y2": top} for day in days]


def day_labels(first: datetime.date, total_days: int, language: str) -> list[dict[str, Any]]:
    """Label each day, Monday, month or year, whichever leaves room."""
    days = [first + datetime.timedelta(days=offset) for offset in range(total_days)]
    if total_days <= _DAILY_LABELS:
        chosen = [(day, _day_and_month(day, language)) for day in days]
    elif total_days <= _WEEKLY_LABELS:
        chosen = [(day, _day_and_month(day, language)) for day in days if day.isoweekday() == 1]
    elif total_days <= _MONTHLY_LABELS:
        chosen = [
            (day, _month(day, language, is_first=day == days[0])) for day in days if day.day == 1 or day == days[0]
        ]
    else:
        chosen = [(day, str(day.year)) for day in days if (day.month, day.day) == (1, 1) or day == days[0]]
    labels = [((day - first).days, text) for day, text in chosen]
    gap = _MINIMUM_GAP * total_days / _WIDTH
    # Of two labels too close to each other the later one begins the full month or year: it stays.
    crowded = {before for (before, _text), (after, _next) in pairwise(labels) if after - before < gap}
    return [{"x": x, "text": text} for x, text in labels if x not in crowded and x < total_days - gap / 2]


def _day_and_month(day: datetime.date, language: str) -> str:
    separator = ". " if language == "nb" else " "
    return f"{day.day}{separator}{month_name(day.month, language)}"


def _month(day: datetime.date, language: str, *, is_first: bool) -> str:
    name = month_name(day.month, language)
    return f"{name} {day.year}" if is_first or day.month == 1 else name


def step_limits(highest: int) -> list[int]:
    """Return the highest number of each shade from the lightest on; every shade covers equally many numbers."""
    n_steps = min(len(STEPS) - 1, highest)
    width = -(-highest // n_steps)
    return [min(width * (step + 1), highest) for step in range(n_steps) if width * step < highest]


def _cell(weekday: int, hour: int, count: int, limits: list[int], language: str) -> dict[str, Any]:
    step = next((shade(position, limits) for position, limit in enumerate(limits) if count <= limit), 0) if count else 0
    is_written = count > 0 and limits[-1] <= _LARGEST_WRITTEN
    return {
        "x": hour + 0.03,
        "x2": hour + 0.97,
        "y": weekday - 1 + 0.03,
        "y2": weekday - 0.03,
        "cx": hour + 0.5,
        "cy": weekday - 0.5,
        "step": step,
        "text": format_number(count, language) if is_written else "",
    }


def shade(position: int, limits: list[int]) -> int:
    """Spread few shades over the whole scale, so the highest number is always darkest."""
    return len(STEPS) - len(limits) + position


def legend(limits: list[int], language: str, top: int, start: int = 0, step: int = _SWATCH_STEP) -> list[Any]:
    """Draw the shades with the numbers they stand for, `top` pixels down and every `step` pixels from `start`."""
    starts = [1, *(limit + 1 for limit in limits[:-1])]
    texts = ["0"] + [
        format_number(start, language)
        if start == end
        else f"{format_number(start, language)}\N{EN DASH}{format_number(end, language)}"
        for start, end in zip(starts, limits, strict=True)
    ]
    colors = [STEPS[0], *(STEPS[shade(position, limits)] for position in range(len(limits)))]
    layers = []
    for position, (text, color) in enumerate(zip(texts, colors, strict=True)):
        left = start + position * step
        entry = data([{"text": text}])
        layers.append(
            entry.mark_rect(color=color, stroke=AXIS, strokeWidth=0.5).encode(
                x=altair.value(left), x2=altair.value(left + 16), y=altair.value(top), y2=altair.value(top + 14)
            )
        )
        layers.append(
            entry.mark_text(align="left", baseline="middle", color=LABEL).encode(
                x=altair.value(left + 22), y=altair.value(top + 7), text="text:N"
            )
        )
    return layers
