"""The calendar of completeness: one cell for each log and day, its status in shade and mark, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import altair

from audit_kernel.evidence.charts import AXIS, LABEL, ON_DARK, ON_LIGHT, STEPS, axis, data, day_labels, draw
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.objects import Chart, Table, TableColumn
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

_WIDTH, _ROW, _LEFT, _SWATCH_WIDTH = 640, 26, 190, 270
_LONGEST_LABEL = 23
_MOST_MARKED_DAYS = 62  # more days leave no room for a mark in a cell
_LEGEND_COLUMNS = 3
DARK = 4  # shades from here on carry white marks
REMARKS = ("n_missing_numbers", "n_restarts", "n_clock_faults", "n_quarantined", "n_conflicts", "n_odd_hours")


@dataclass(frozen=True)
class Status:
    """How a day is drawn: shade (0 the lightest), mark, words."""

    step: int
    mark: str
    words: str


def statuses(language: str) -> dict[str, Status]:
    """Return each status of a day in the order of the legend; `remark` is a day as expected with something to see."""
    _ = translator(language)
    return {
        "ok": Status(1, "", _("as expected")),
        "remark": Status(1, "\N{BULLET}", _("as expected, with remarks")),
        "no_history": Status(0, "?", _("too little history")),
        "high": Status(2, "\N{UPWARDS ARROW}", _("too many rows")),
        "low": Status(4, "\N{DOWNWARDS ARROW}", _("too few rows")),
        "silent": Status(5, "\N{MULTIPLICATION SIGN}", _("no rows")),
    }


def has_remark(row: Mapping[str, Any]) -> bool:
    """Say whether numbers are missing, clocks are wrong, or records could not be read or placed."""
    return any(row[name] for name in REMARKS)


def calendar(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], language: str, title: str, description: str
) -> Chart:
    """Draw the rows of `completeness`, one line for each log.

    Parameters
    ----------
    rows: as `completeness` returns them, at least one.
    names: each log's name by its `source_id`.
    """
    drawn = statuses(language)
    logs = sorted({row["source_id"] for row in rows})
    first, last = min(row["local_date"] for row in rows), max(row["local_date"] for row in rows)
    n_days = (last - first).days + 1
    cells = [_cell(row, first, logs.index(row["source_id"]), drawn, n_days) for row in rows]
    x, y = axis(altair.X, "x", [0, n_days]), axis(altair.Y, "y", [len(logs), 0])
    height = len(logs) * _ROW
    labels = [{"y": place + 0.5, "text": _short(names.get(log, log))} for place, log in enumerate(logs)]
    layers = [
        *(
            data([cell for cell in cells if cell["step"] == step])
            .mark_rect(color=STEPS[step], stroke=AXIS, strokeWidth=0.5)
            .encode(x=x, x2="x2:Q", y=y, y2="y2:Q")
            for step in sorted({cell["step"] for cell in cells})
        ),
        *_marks(cells, n_days, len(logs)),
        data(labels)
        .mark_text(align="right", baseline="middle", color=LABEL)
        .encode(x=altair.value(-8), y=y, text="text:N"),
        data(day_labels(first, n_days, language))
        .mark_text(align="left", baseline="top", color=LABEL)
        .encode(x=x, y=altair.value(height + 6), text="text:N"),
        *_legend(drawn, height + 36),
    ]
    n_lines = -(-len(drawn) // _LEGEND_COLUMNS)
    words = " ".join([description, sentence(rows, language)])
    figures = _figures(rows, logs, names, language, title)
    return draw(layers, _WIDTH, height, title, words, figures, bottom=44 + 22 * n_lines, left=_LEFT)


def sentence(rows: Sequence[Mapping[str, Any]], language: str) -> str:
    """Say how many days have which status, over all logs."""
    _ = translator(language)
    counts = {name: sum(1 for row in rows if row["status"] == name) for name in ("silent", "low", "high", "no_history")}
    texts = {
        "silent": _.plural("{count} day without any rows.", "{count} days without any rows.", counts["silent"]),
        "low": _.plural("{count} day with too few rows.", "{count} days with too few rows.", counts["low"]),
        "high": _.plural("{count} day with too many rows.", "{count} days with too many rows.", counts["high"]),
        "no_history": _.plural(
            "Of {count} day there is too little history to say how many rows to expect.",
            "Of {count} days there is too little history to say how many rows to expect.",
            counts["no_history"],
        ),
    }
    said = [text.format(count=format_number(counts[name], language)) for name, text in texts.items() if counts[name]]
    return " ".join(said) or _("Every day has as many rows as expected.")


def _cell(row: Mapping[str, Any], first: date, line: int, drawn: Mapping[str, Status], n_days: int) -> dict[str, Any]:
    status = drawn["remark" if row["status"] == "ok" and has_remark(row) else row["status"]]
    place = (row["local_date"] - first).days
    gap = 0.04 if n_days <= _MOST_MARKED_DAYS else 0
    return {
        "x": place + gap, "x2": place + 1 - gap, "y": line + 0.08, "y2": line + 0.92,
        "cx": place + 0.5, "cy": line + 0.5, "step": status.step, "text": status.mark,
    }  # fmt: skip


def _marks(cells: Iterable[Mapping[str, Any]], n_days: int, n_logs: int) -> list[Any]:
    if n_days > _MOST_MARKED_DAYS:
        return []
    marked = [dict(cell) for cell in cells if cell["text"]]
    return [
        data(found)
        .mark_text(color=color, fontSize=13, align="center", baseline="middle")
        .encode(x=axis(altair.X, "cx", [0, n_days]), y=axis(altair.Y, "cy", [n_logs, 0]), text="text:N")
        for is_dark, color in ((False, ON_LIGHT), (True, ON_DARK))
        if (found := [cell for cell in marked if (cell["step"] >= DARK) == is_dark])
    ]


def _legend(drawn: Mapping[str, Status], top: int) -> list[Any]:
    layers = []
    for place, status in enumerate(drawn.values()):
        left, line = (place % _LEGEND_COLUMNS) * _SWATCH_WIDTH - _LEFT + 8, top + 22 * (place // _LEGEND_COLUMNS)
        entry = data([{"text": status.words, "mark": status.mark}])
        at_line = altair.value(line + 8)
        layers += [
            entry.mark_rect(color=STEPS[status.step], stroke=AXIS, strokeWidth=0.5).encode(
                x=altair.value(left), x2=altair.value(left + 16), y=altair.value(line), y2=altair.value(line + 16)
            ),
            entry.mark_text(
                align="center", baseline="middle", color=ON_DARK if status.step >= DARK else ON_LIGHT
            ).encode(x=altair.value(left + 8), y=at_line, text="mark:N"),
            entry.mark_text(align="left", baseline="middle", color=LABEL).encode(
                x=altair.value(left + 23), y=at_line, text="text:N"
            ),
        ]
    return layers


def _figures(
    rows: Sequence[Mapping[str, Any]], logs: Sequence[str], names: Mapping[str, str], language: str, title: str
) -> Table:
    """Return how many days of each log have which status."""
    _ = translator(language)
    drawn = {name: status for name, status in statuses(language).items() if name != "remark"}
    columns = [
        TableColumn("log", _("Log")),
        *(TableColumn(name, status.words, "integer", "end") for name, status in drawn.items()),
    ]
    lines = [
        (
            names.get(log, log),
            *(
                format_number(sum(1 for row in rows if (row["source_id"], row["status"]) == (log, name)), language)
                for name in drawn
            ),
        )
        for log in logs
    ]
    return Table(title, columns, lines, len(lines), "", language)


def _short(text: str) -> str:
    plain = harmless(text)
    return plain if len(plain) <= _LONGEST_LABEL else f"{plain[: _LONGEST_LABEL - 1]}\N{HORIZONTAL ELLIPSIS}"
