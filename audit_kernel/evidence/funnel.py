"""The funnel of a check: a point for each person, how much work to the right, how often something upwards.

Limits are exact (Poisson), around the rate of all. A point is named by the employee's id, and only outside them.
"""

from __future__ import annotations

from math import ceil, log10
from typing import TYPE_CHECKING, Any

import altair

from audit_kernel.evidence.charts import AXIS, GRID, LABEL, SERIES, TEXT, axis, data, draw, empty_chart
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.objects import Chart, Table, TableColumn
from audit_kernel.locale import format_decimal, format_number, translator
from audit_kernel.shrinkage import funnel_limits, most_by_chance

if TYPE_CHECKING:
    import pyarrow

TAILS = (0.025, 0.001)
_WIDTH, _HEIGHT = 640, 260
_STEPS = 240
_LONGEST_LABEL = 12
_ROOM = 1.12


def funnel(
    arrow: pyarrow.Table, language: str, title: str, description: str = "", marked: frozenset[str] = frozenset()
) -> Chart:
    """Draw people by exposure and rate.

    Parameters
    ----------
    arrow: columns ``employee_id``, ``n_unaccounted`` and ``exposure``; rows without an exposure are no people.
    marked: ids of people whom the check found; they are drawn darker.
    """
    _ = translator(language)
    people = [
        (str(row["employee_id"]), int(row["n_unaccounted"]), float(row["exposure"]))
        for row in arrow.select(["employee_id", "n_unaccounted", "exposure"]).to_pylist()
        if row["exposure"]
    ]
    if not people:
        return empty_chart(title, description, language)
    mean = sum(count for _who, count, _exposure in people) / sum(exposure for _who, _count, exposure in people)
    widest = ceil(max(exposure for _who, _count, exposure in people) * _ROOM)
    top, step = _scale(max(*(count / exposure for _who, count, exposure in people), 2 * mean))
    x, y = axis(altair.X, "x", [0, widest]), axis(altair.Y, "y", [0, top])
    points = [
        {"x": exposure, "y": count / exposure, "text": harmless(who[:_LONGEST_LABEL]), "is_marked": who in marked}
        for who, count, exposure in people
    ]  # fmt: skip
    most = most_by_chance([exposure for _who, _count, exposure in people], mean, TAILS[1])
    outside = [count > limit for (_who, count, _exposure), limit in zip(people, most, strict=True)]
    labels = [point for point, is_outside in zip(points, outside, strict=True) if point["is_marked"] or is_outside]
    marks = [{"y": value, "x": 0, "x2": widest, "text": _rate(value, language)} for value in _ticks(top, step)]
    across = _ticks(float(widest), max(1.0, _scale(widest)[1]))
    layers = [
        data(marks).mark_rule(color=GRID, strokeWidth=1).encode(x=x, x2="x2:Q", y=y),
        data(marks)
        .mark_text(align="right", baseline="middle", color=LABEL)
        .encode(x=altair.value(-8), y=y, text="text:N"),
        *(
            data(curve).mark_line(color=AXIS, strokeWidth=width, interpolate="linear").encode(x=x, y=y)
            for tail, width in zip(TAILS, (1, 1.5), strict=True)
            for curve in _limits(mean, tail, float(widest), top)
        ),
        data([{"x": 0, "x2": widest, "y": mean}]).mark_rule(color=LABEL, strokeWidth=1).encode(x=x, x2="x2:Q", y=y),
        *(
            data(_apart([point for point in points if point["is_marked"] == is_marked], widest, top))
            .mark_point(color=color, filled=True, opacity=1, size=size)
            .encode(x=x, y=y)
            for is_marked, color, size in ((False, SERIES, 24), (True, TEXT, 60))
        ),
        data(labels)
        .mark_text(align="left", baseline="bottom", color=TEXT, dx=5, dy=-3, fontSize=11)
        .encode(x=x, y=y, text="text:N"),
        data([{"x": value, "text": format_number(int(value), language)} for value in across])
        .mark_text(align="center", baseline="top", color=LABEL)
        .encode(x=x, y=altair.value(_HEIGHT + 8), text="text:N"),
    ]
    words = _(
        "{people} people. Across: shifts of usual work. Upwards: doses a shift that nobody accounts for; all together"
        " {rate}. Lines: what chance explains in 95 and in 99.8 of 100 such people. Outside the outer line: {outside}."
    ).format(
        people=format_number(len(people), language),
        rate=_rate(mean, language),
        outside=format_number(sum(outside), language),
    )
    described = " ".join(filter(None, [description, words]))
    return draw(layers, _WIDTH, _HEIGHT, title, described, _figures(people, most, language, title), bottom=44)


def _figures(people: list[tuple[str, int, float]], most: list[int], language: str, title: str) -> Table:
    """Return the points as a table, the highest rate first."""
    _ = translator(language)
    columns = [
        TableColumn("employee_id", _("Employee"), "id"),
        TableColumn("exposure", _("Shifts of usual work"), "decimal", "end"),
        TableColumn("n_unaccounted", _("Doses not accounted for"), "integer", "end"),
        TableColumn("limit", _("At most by chance (99.8 %)"), "integer", "end"),
    ]
    rows = [
        (
            who,
            _rate(exposure, language),
            format_number(count, language),
            format_number(limit, language),
        )
        for (who, count, exposure), limit in sorted(
            zip(people, most, strict=True), key=lambda each: (-each[0][1] / each[0][2], each[0][0])
        )
    ]
    return Table(title, columns, rows, len(rows), "", language)


def _apart(points: list[dict[str, Any]], widest: float, top: float) -> list[dict[str, Any]]:
    """Return the points without those that lie on another: thousands of people share some hundred places."""
    places = {(round(4 * _WIDTH * each["x"] / widest), round(4 * _HEIGHT * each["y"] / top)): each for each in points}
    return [{"x": each["x"], "y": each["y"]} for each in places.values()]


def _limits(mean: float, tail: float, widest: float, top: float) -> list[list[dict[str, Any]]]:
    """Return the upper and the lower limit as rates over the exposure, where they lie within the picture."""
    exposures = [widest * place / _STEPS for place in range(1, _STEPS + 1)]
    curves: list[list[dict[str, Any]]] = [[], []]
    for exposure in exposures:
        lowest, highest = funnel_limits(exposure, mean, tail)
        for curve, count in zip(curves, (highest, lowest), strict=True):
            if 0 < count <= top * exposure:
                curve.append({"x": exposure, "y": count / exposure})
    return [curve for curve in curves if curve]


def _scale(highest: float) -> tuple[float, float]:
    """Return the top of an axis and the step between its lines: 1, 2 or 5 times a power of ten, at most five."""
    power = 10.0 ** (ceil(log10(highest)) - 1) if highest > 0 else 0.1
    step = next(factor * power for factor in (0.2, 0.5, 1, 2, 5, 10) if highest <= 5 * factor * power)
    return max(1, ceil(highest / step - 1e-9)) * step, step


def _ticks(top: float, step: float) -> list[float]:
    return [round(step * place, 6) for place in range(round(top // step) + 1) if step * place <= top + 1e-9]


def _rate(value: float, language: str) -> str:
    return format_decimal(round(value, 2), language)
