"""The chart of a check, as its `.yml` describes it: bars for each row or each group of rows, or a map of two columns.

Labels come from the log: they are cut, and what could do harm in a picture is taken out where it is drawn.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import altair

from audit_kernel.evidence.charts import (
    AXIS,
    GRID,
    LABEL,
    ON_DARK,
    ON_LIGHT,
    SERIES,
    STEPS,
    axis,
    data,
    draw,
    legend,
    nice,
    shade,
    step_limits,
)
from audit_kernel.evidence.display import code_in_words, format_value
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.objects import Chart, Table, TableColumn
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow

    from audit_kernel.catalog import Column
    from audit_kernel.chart_description import ChartDescription

    Label = Callable[[str, Any], str]

MOST_BARS, MOST_CELLS = 25, 24
LONGEST_LABEL, LONGEST_KEY = 26, 7
_WIDTH, _BAR, _CELL = 480, 20, 22
_LEFT, _RIGHT, _LINE, _SWATCH_STEP = 190, 30, 14, 108  # the last number of an axis reaches beyond it
_FIRST_DARK_STEP, _LARGEST_WRITTEN = 4, 999


def check_chart(
    arrow: pyarrow.Table,
    chart: ChartDescription,
    columns: Mapping[str, Column],
    language: str,
    title: str,
    names: Mapping[str, str],
) -> Chart:
    """Draw a check's chart.

    Parameters
    ----------
    arrow: the rows of the part that the chart is of.
    columns: what the part's columns mean, by name.
    names: what stands in the picture beside an id, such as a unit's name.
    """

    def label(column: str, value: Any) -> str:  # noqa: ANN401 - one value of any SQL type
        known = columns[column]
        text = code_in_words(column, known, value, language) or format_value(value, known.type, language, "UTC")
        if known.type == "id" and (name := names.get(str(value))):
            text = f"{text} {name}"
        return _cut(text, LONGEST_LABEL)

    make = _bars if chart.kind == "bars" else _heat
    return make(arrow, chart, columns, language, title, label)


def _bars(
    arrow: pyarrow.Table,
    chart: ChartDescription,
    columns: Mapping[str, Column],
    language: str,
    title: str,
    label: Label,
) -> Chart:
    """Draw a bar for each row, or for each value of `x` how many rows have it; within it, dark, `of_which`."""
    _ = translator(language)
    labels = [label(chart.x, value) for value in arrow.column(chart.x).to_pylist()]
    if chart.value:
        numbers = [int(value or 0) for value in arrow.column(chart.value).to_pylist()]
        parts = [int(value or 0) for value in arrow.column(chart.of_which).to_pylist()] if chart.of_which else numbers
        rows = list(zip(labels, numbers, parts, strict=True))
    else:
        rows = [(text, number, number) for text, number in sorted(Counter(labels).items())]
    counted = columns[chart.value].label.in_language(language) if chart.value else _("Findings")
    heads = [columns[chart.x].label.in_language(language), counted]
    total = sum(number for _text, number, _part in rows)
    words = _("{counted} by {category}: {total} in all.").format(
        counted=counted, category=heads[0].lower(), total=format_number(total, language)
    )
    if chart.of_which:
        heads.append(columns[chart.of_which].label.in_language(language))
        words += " " + _("Dark: {part}.").format(part=heads[2].lower())
    drawn = rows
    if len(rows) > MOST_BARS:
        least = sorted((number for _text, number, _part in rows), reverse=True)[MOST_BARS - 1]
        drawn = [row for row in rows if row[1] >= least][:MOST_BARS]
        words += " " + _largest(len(drawn), len(rows), language)
    kinds = [_column(place, head) for place, head in enumerate(heads)]
    cells = [[text, *(format_number(each, language) for each in row[: len(heads) - 1])] for text, *row in drawn]
    figures = Table(title, kinds, [tuple(row) for row in cells], len(cells), "", language)
    if not total:
        return _nothing(title, words, figures)
    top, step = nice(max(number for _text, number, _part in drawn))
    x, y = axis(altair.X, "x", [0, top]), axis(altair.Y, "y", [len(drawn), 0])
    height = len(drawn) * _BAR
    ticks = [{"x": value, "text": format_number(value, language)} for value in range(0, top + 1, step)]
    bars = [
        {"x": 0, "whole": number, "part": part, "y": place + 0.15, "y2": place + 0.85}
        for place, (_text, number, part) in enumerate(drawn)
    ]
    beside = [{"y": place + 0.5, "text": text} for place, (text, _number, _part) in enumerate(drawn)]
    layers = [
        data(ticks).mark_rule(color=GRID, strokeWidth=1).encode(x=x),
        *([data(bars).mark_rect(color=STEPS[2]).encode(x=x, x2="whole:Q", y=y, y2="y2:Q")] if chart.of_which else []),
        data(bars).mark_rect(color=SERIES).encode(x=x, x2="part:Q", y=y, y2="y2:Q"),
        _texts(beside, altair.value(-8), y, align="right"),
        _texts(ticks, x, altair.value(height + 12), align="center"),
    ]
    return draw(layers, _WIDTH, height, title, words, figures, left=_LEFT, right=_RIGHT)


def _heat(
    arrow: pyarrow.Table,
    chart: ChartDescription,
    columns: Mapping[str, Column],
    language: str,
    title: str,
    label: Label,
) -> Chart:
    """Draw a cell for each pair of `y` and `x`, the darker the larger `value`; the largest rows and columns only."""
    _ = translator(language)
    keys = [arrow.column(name).to_pylist() for name in (chart.y, chart.x, chart.value)]
    cells = [(row, column, int(value or 0)) for row, column, value in zip(*keys, strict=True) if value]
    heads = [columns[name].label.in_language(language) for name in (chart.y, chart.x, chart.value)]
    words = _("{counted} by {category} and {other}: {total} in all.").format(
        counted=heads[2],
        category=heads[0].lower(),
        other=heads[1].lower(),
        total=format_number(sum(value for _row, _column, value in cells), language),
    )
    down, across = (_largest_keys(cells, place) for place in (0, 1))
    drawn = [cell for cell in cells if cell[0] in down and cell[1] in across]
    down, across = (_largest_keys(drawn, place) for place in (0, 1))
    if len(drawn) < len(cells):
        words += " " + _largest(len(drawn), len(cells), language)
    kinds = [_column(place, head, n_labels=2) for place, head in enumerate(heads)]
    rows = [(label(chart.y, row), label(chart.x, column), format_number(n, language)) for row, column, n in drawn]
    figures = Table(title, kinds, rows, len(rows), "", language)
    if not drawn:
        return _nothing(title, words, figures)
    limits = step_limits(max(value for _row, _column, value in drawn))
    marks = [_cell(down[row], across[column], value, limits, language) for row, column, value in drawn]
    width, height = max(len(across) * _CELL, _WIDTH), len(down) * _CELL
    x, y = axis(altair.X, "x", [0, len(across)]), axis(altair.Y, "y", [len(down), 0])
    middle = {"x": axis(altair.X, "cx", [0, len(across)]), "y": axis(altair.Y, "cy", [len(down), 0])}
    layers = [
        data([{"x": 0, "x2": len(across), "y": 0, "y2": len(down)}])
        .mark_rect(color=STEPS[0], stroke=AXIS, strokeWidth=0.5)
        .encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        *(
            data([mark for mark in marks if mark["step"] == step])
            .mark_rect(color=color)
            .encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
            for step, color in enumerate(STEPS)
        ),
        *(
            data([mark for mark in marks if (mark["step"] >= _FIRST_DARK_STEP) == is_dark])
            .mark_text(color=color, fontSize=10, align="center", baseline="middle")
            .encode(**middle, text="text:N")
            for is_dark, color in ((False, ON_LIGHT), (True, ON_DARK))
        ),
        _texts([{"y": place + 0.5, "text": label(chart.y, key)} for key, place in down.items()], altair.value(-8), y),
        *(
            # Two lines by turns: a label is wider than a cell, and no text of a picture may be turned.
            _texts(
                [
                    {"x": place + 0.5, "text": _cut(format_value(key, "text", language, "UTC"), LONGEST_KEY)}
                    for key, place in across.items()
                    if place % 2 == line
                ],
                x,
                altair.value(height + 12 + line * _LINE),
                align="center",
            )
            for line in (0, 1)
        ),
        *legend(limits, language, height + 4 * _LINE, 8 - _LEFT, _SWATCH_STEP),
    ]
    return draw(layers, width, height, title, words, figures, bottom=6 * _LINE, left=_LEFT)


def _cut(text: str, longest: int) -> str:
    shown = harmless(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"


def _cell(row: int, column: int, value: int, limits: list[int], language: str) -> dict[str, Any]:
    position = next(place for place, limit in enumerate(limits) if value <= limit)
    return {
        "x": column + 0.03,
        "x2": column + 0.97,
        "y": row + 0.03,
        "y2": row + 0.97,
        "cx": column + 0.5,
        "cy": row + 0.5,
        "step": shade(position, limits),
        "text": format_number(value, language) if limits[-1] <= _LARGEST_WRITTEN else "",
    }


def _largest_keys(cells: list[tuple[Any, Any, int]], place: int) -> dict[Any, int]:
    """Return the keys with the largest sums, each with its place; they keep the order of the rows."""
    sums: Counter[Any] = Counter()
    for cell in cells:
        sums[cell[place]] += cell[2]
    largest = {key for key, _sum in sorted(sums.items(), key=lambda each: (-each[1], str(each[0])))[:MOST_CELLS]}
    return {key: number for number, key in enumerate(sorted(largest, key=lambda key: (isinstance(key, str), key)))}


def _texts(rows: list[dict[str, Any]], x: Any, y: Any, align: Any = "right") -> Any:  # noqa: ANN401 - altair's
    mark = data(rows).mark_text(align=align, baseline="middle", color=LABEL)
    return mark.encode(x=x, y=y, text="text:N")


def _column(place: int, head: str, n_labels: int = 1) -> TableColumn:
    is_number = place >= n_labels
    return TableColumn(f"column_{place}", head, "integer" if is_number else "text", "end" if is_number else "start")


def _largest(drawn: int, total: int, language: str) -> str:
    _ = translator(language)
    return _("The largest are drawn, {drawn} of {total}; all of them stand in the table.").format(
        drawn=format_number(drawn, language), total=format_number(total, language)
    )


def _nothing(title: str, words: str, figures: Table) -> Chart:
    line = data([{"text": words}]).mark_text(align="left", baseline="middle", color=LABEL)
    return draw([line.encode(x=altair.value(0), y=altair.value(12), text="text:N")], _WIDTH, 24, title, words, figures)
