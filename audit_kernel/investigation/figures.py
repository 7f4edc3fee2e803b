"""Charts of the page as Vega-Lite specifications: dates and counts only, no text from any log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.locale import day_name, translator

if TYPE_CHECKING:
    from datetime import date

    import pyarrow

INK = "#17616e"
SHADES = ["#e6f0f1", "#a0cbd2", "#66a8b3", "#2b7683", "#0c4653"]
FEW = 5
BRUSH = "brush"
DATE_PATTERNS = {"en": "%-d %b", "sv": "%-d/%-m", "nb": "%-d.%-m."}
LOOK: dict[str, Any] = {
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "gridColor": "#e3e6ea"},
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "title": {"anchor": "start", "fontSize": 14, "fontWeight": 600},
}


def _figure(title: str, description: str, rows: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "title": title,
        "description": description,
        "background": "white",
        "padding": 8,
        "config": LOOK,
        "data": {"values": rows},
        **rest,
    }


def _total(table: pyarrow.Table) -> int:
    return sum(row["n_accesses"] for row in table.to_pylist())


def _legend_values(rows: list[dict[str, Any]]) -> dict[str, list[int]]:
    # Vega would write 0, 0.5 and 1 as 0, 1 and 1; it finds good values itself where there are more.
    largest = max((row["n"] for row in rows), default=0)
    return {"values": list(range(largest + 1))} if largest <= FEW else {}


def timeline(table: pyarrow.Table, from_date: date, to_date: date, language: str) -> dict[str, Any]:
    """Return accesses per day over the whole period asked for. Columns: day, n_accesses."""
    _ = translator(language)
    rows = [{"day": row["day"].isoformat(), "n": int(row["n_accesses"])} for row in table.to_pylist()]
    description = _("{total} accesses on {days} days").format(total=_total(table), days=len(rows))
    limits = [{"year": day.year, "month": day.month, "date": day.day, "utc": True} for day in (from_date, to_date)]
    return _figure(
        _("Accesses per day"),
        description,
        rows,
        width=440,
        height=168,
        params=[{"name": BRUSH, "select": {"type": "interval", "encodings": ["x"]}}],
        mark={"type": "bar", "color": INK, "tooltip": True},
        encoding={
            "x": {
                "field": "day",
                "type": "temporal",
                "timeUnit": "utcyearmonthdate",
                "scale": {"domain": limits},
                "axis": {"format": DATE_PATTERNS[language], "title": None, "grid": False, "labelOverlap": True},
            },
            "y": {"field": "n", "type": "quantitative", "axis": {"title": None, "tickMinStep": 1, "format": "d"}},
        },
    )


def hour_map(table: pyarrow.Table, language: str) -> dict[str, Any]:
    """Return accesses per weekday and hour. Columns: local_weekday (1 Monday), local_hour, n_accesses."""
    _ = translator(language)
    days = [day_name(number, language) for number in range(1, 8)]
    rows = [
        {
            "day": days[int(row["local_weekday"]) - 1],
            "hour": int(row["local_hour"]),
            "n": int(row["n_accesses"]),
        }
        for row in table.to_pylist()
    ]
    description = _("{total} accesses by weekday and hour").format(total=_total(table))
    return _figure(
        _("Accesses by weekday and hour"),
        description,
        rows,
        width=440,
        height=168,
        mark={"type": "rect", "tooltip": True},
        encoding={
            "x": {
                "field": "hour",
                "type": "ordinal",
                "scale": {"domain": list(range(24))},
                "axis": {"title": _("Hour"), "labelAngle": 0, "values": list(range(0, 24, 3))},
            },
            "y": {"field": "day", "type": "ordinal", "scale": {"domain": days}, "axis": {"title": None}},
            "color": {
                "field": "n",
                "type": "quantitative",
                "scale": {"range": SHADES, "domainMin": 0},
                "legend": {"title": _("Accesses"), "format": "d", **_legend_values(rows)},
            },
        },
    )
