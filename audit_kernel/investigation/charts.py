"""The page's two charts: made once, and given new specifications; the timeline's brush says which days it covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.investigation import figures

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from audit_kernel.investigation.session import Answer

# Vega draws SVG, which can be enlarged and read; its menu would lead to an editor in the outside world.
OPTIONS = {"actions": False, "renderer": "svg", "mode": "vega-lite"}
MILLISECONDS = 1000
ENDS = 2


def plain_chart() -> Any:  # noqa: ANN401 - altair's own widget, here and below
    """Return an empty chart."""
    import altair

    altair.JupyterChart.enable_offline()
    return altair.JupyterChart(None, embed_options=OPTIONS)  # type: ignore[arg-type]


def brushed_chart(on_brush: Callable[[date, date], None]) -> Any:  # noqa: ANN401
    """Return an empty chart that hands on the first and last day of its interval selection.

    Altair listens to the selections of the chart it was made with; specifications set afterwards name the same one.
    """
    import altair

    altair.JupyterChart.enable_offline()
    brush = altair.selection_interval(name=figures.BRUSH, encodings=["x"])
    chart = altair.JupyterChart(altair.Chart({"values": []}).mark_bar().add_params(brush), embed_options=OPTIONS)
    chart.spec = None  # type: ignore[assignment]

    def changed(change: dict[str, Any]) -> None:
        days = days_of(change["new"].value)
        if days is not None:
            on_brush(*days)

    chart.selections.observe(changed, [figures.BRUSH])
    return chart


def days_of(selected: Any) -> tuple[date, date] | None:  # noqa: ANN401 - what a browser sent
    """Return first and last day of a selection, a mapping of a field to two times in milliseconds since 1970 (UTC)."""
    ends = next(iter(selected.values()), None) if isinstance(selected, dict) else None
    if not isinstance(ends, list) or len(ends) != ENDS or not all(isinstance(each, int | float) for each in ends):
        return None
    try:  # the last millisecond belongs to the day before, where the brush ends at midnight
        first, last = (datetime.fromtimestamp(each / MILLISECONDS, UTC) for each in (min(ends), max(ends) - 1))
    except (ValueError, OverflowError, OSError):
        return None
    return first.date(), max(first, last).date()


def specifications(answer: Answer, language: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the timeline's and the hour map's specification of a step that has both."""
    if answer.timeline is None or answer.hour_map is None:
        return {}, {}
    step = answer.step
    timeline = figures.timeline(answer.timeline.table, step.from_date, step.to_date, language)
    return timeline, figures.hour_map(answer.hour_map.table, language)
