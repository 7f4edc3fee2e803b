"""The overview of a year: twelve months, the checks down, one cell each, and each check's trend as a line."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import altair

from audit_kernel.closing.page import check_titles, result_of
from audit_kernel.evidence import sample_words as words
from audit_kernel.evidence.charts import AXIS, GRID, LABEL, ON_DARK, SERIES, STEPS, TEXT, axis, data, draw
from audit_kernel.evidence.display import DisplayObject, Heading, Links, PageInformation, Paragraph, Table, TableColumn
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.rendering import render_page
from audit_kernel.locale import format_number, month_name, translator
from audit_kernel.yearly.reading import MONTHS, Cell, Month, Year

if TYPE_CHECKING:
    from audit_kernel.evidence.objects import Chart
    from audit_kernel.site import Site

FILE, OTHER = "overview.html", "evaluation.html"
LONGEST_TITLE = 46
_LEFT, _CELL, _ROW, _TREND, _GAP = 290, 38, 24, 120, 14
_SIGNS = {
    "not_assessable": "?",
    "failed": "\N{MULTIPLICATION SIGN}",
    "not_run": "\N{EN DASH}",
    "not_over": "\N{MIDDLE DOT}",
    "disposed": "/",
}


def overview_page(site: Site, year: Year, language: str) -> str:
    """Return the page as HTML."""
    _ = translator(language)
    title = _("Log control in {year}: overview").format(year=year.year)
    titles = check_titles(site, set(year.checks), language)
    links = [(_("Evaluation of the year"), OTHER)]
    objects: list[DisplayObject] = [
        Heading(title, 1),
        Paragraph(summary(year, language), "summary"),
        overview_chart(year, titles, language),
        _table(year, titles, language),
        Links(links),
        Paragraph(
            _(
                "A number is how many findings the check had in the month's newest run: 0 means that it looked and"
                " found none. Not assessable: the month's logs or reference data did not let it look. Not run: the"
                " month has no run, or its schedule did not have the check. Disposed of: the month was run, and its"
                " evidence went when its time was over. Findings kept for the privacy officer are not among the checks'"
                " numbers."
            ),
            "method",
        ),
    ]
    return render_page(objects, PageInformation(title, language, "overview", site.settings.name))


def summary(year: Year, language: str) -> str:
    """Return how many months were controlled and closed, and how many findings there were."""
    _ = translator(language)
    text = _(
        "{run} of 12 months were controlled and {closed} closed. {findings} findings in all, and {restricted} kept for"
        " the privacy officer."
    )
    figures = {
        "run": len(year.run),
        "closed": sum(month.closing is not None for month in year.months),
        "findings": sum(month.n_findings for month in year.months),
        "restricted": sum(month.n_restricted for month in year.months),
    }
    told = text.format(**{name: format_number(count, language) for name, count in figures.items()})
    if year.disposed:
        gone = _("Months whose evidence was disposed of: {count}.")
        told += " " + gone.format(count=format_number(len(year.disposed), language))
    return told


def overview_chart(year: Year, titles: dict[str, str], language: str) -> Chart:
    """Draw a cell for each check and month, told apart by sign and frame and not by colour alone, and trend lines."""
    _ = translator(language)
    cells, segments, points, labels = [], [], [], []
    for place, check in enumerate(year.checks):
        answers = [month.cell(check) for month in year.months]
        labels.append({"y": place + 0.5, "text": _shortened(titles[check])})
        cells += [_drawn(column, place, answer, language) for column, answer in enumerate(answers)]
        line = _trend(answers, place)
        segments += [{**a, "x2": b["x"], "y2": b["y"]} for a, b in pairwise(line) if b["month"] == a["month"] + 1]
        points += line
    width, height = MONTHS * _CELL + _GAP + _TREND, max(1, len(year.checks)) * _ROW
    rows = [max(1, len(year.checks)), 0]
    x, y = axis(altair.X, "x", [0, width]), axis(altair.Y, "y", rows)
    months = [{"x": (n - 0.5) * _CELL, "text": month_name(n, language)} for n in range(1, MONTHS + 1)]
    bases = [{"x": MONTHS * _CELL + _GAP, "x2": width, "y": place + 0.9} for place in range(len(year.checks))]
    layers = [
        data([each for each in cells if each["state"] == "found"])
        .mark_rect(color=STEPS[-1])
        .encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        data([each for each in cells if each["state"] in ("none", "not_assessable", "failed")])
        .mark_rect(color=STEPS[0], stroke=AXIS, strokeWidth=1)
        .encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        *(
            data([each for each in cells if (each["state"] == "found") == is_dark])
            .mark_text(color=color, fontSize=11, align="center", baseline="middle")
            .encode(x=axis(altair.X, "cx", [0, width]), y=axis(altair.Y, "cy", rows), text="text:N")
            for is_dark, color in ((True, ON_DARK), (False, TEXT))
        ),
        data(labels)
        .mark_text(align="right", baseline="middle", color=LABEL, fontSize=11)
        .encode(x=altair.value(-8), y=y, text="text:N"),
        data(months)
        .mark_text(align="center", baseline="bottom", color=LABEL, fontSize=11)
        .encode(x=x, y=altair.value(-5), text="text:N"),
        data(bases).mark_rule(color=GRID, strokeWidth=1).encode(x=x, x2="x2:Q", y=y),
        data(segments).mark_rule(color=SERIES, strokeWidth=1.5).encode(x=x, x2="x2:Q", y=y, y2="y2:Q"),
        data(points)
        .mark_rect(color=SERIES)
        .encode(
            x=axis(altair.X, "px", [0, width]),
            x2="px2:Q",
            y=axis(altair.Y, "py", rows),
            y2="py2:Q",
        ),
    ]
    title = _("Findings of each check, month by month")
    description = _(
        "Dark with a number: findings. Framed 0: none. Framed ?: not assessable. Framed \N{MULTIPLICATION SIGN}:"
        " failed. \N{EN DASH}: not run. \N{MIDDLE DOT}: not over. /: disposed of. The line at the right is the number"
        " of findings from month to month, each check on its own scale; it breaks where a month was not assessed. The"
        " table below has the same."
    )
    empty = Table(title, [], [], 0, "", language)
    return draw(layers, width, height, title, description, empty, bottom=12, left=_LEFT, top=24)


def _drawn(column: int, row: int, answer: Cell, language: str) -> dict[str, Any]:
    return {
        "x": column * _CELL + 1.5,
        "x2": (column + 1) * _CELL - 1.5,
        "y": row + 0.08,
        "y2": row + 0.92,
        "cx": (column + 0.5) * _CELL,
        "cy": row + 0.5,
        "state": answer.state,
        "text": _SIGNS.get(answer.state) or format_number(answer.number, language),
    }


def _trend(answers: list[Cell], row: int) -> list[dict[str, float]]:
    """Return the line's points: months with an answer, each check on a scale of its own."""
    highest = max((answer.number for answer in answers), default=0) or 1
    start, step = MONTHS * _CELL + _GAP + 4, (_TREND - 8) / (MONTHS - 1)
    points = []
    for month, answer in enumerate(answers):
        if answer.state in ("found", "none"):
            x, y = start + month * step, row + 0.9 - 0.65 * answer.number / highest
            points.append(
                {"month": month, "x": x, "y": y, "px": x - 1.5, "px2": x + 1.5, "py": y - 0.07, "py2": y + 0.07}
            )
    return points


def _shortened(title: str) -> str:
    text = harmless(title)
    return text if len(text) <= LONGEST_TITLE else f"{text[: LONGEST_TITLE - 1]}\N{HORIZONTAL ELLIPSIS}"


def _table(year: Year, titles: dict[str, str], language: str) -> Table:
    _ = translator(language)
    columns = [
        TableColumn("check", _("Check")),
        *(TableColumn(f"m{n}", month_name(n, language), "text", "end") for n in range(1, MONTHS + 1)),
    ]
    rows = [(titles[name], *(month.cell(name).text(language) for month in year.months)) for name in year.checks]
    restricted = (_number(month, month.n_restricted, language) for month in year.months)
    rows += [
        (_("Kept for the privacy officer, all checks"), *restricted),
        (_("Random sample: unjustified at most"), *(bound_in_words(month, language) for month in year.months)),
    ]
    return Table(_("The same as a table"), columns, rows, len(rows), "", language)


def _number(month: Month, count: int, language: str) -> str:
    return format_number(count, language) if month.bag else month.no_answer.text(language)


def bound_in_words(month: Month, language: str) -> str:
    """Return the closing's upper bound as a share; without a closing nothing is known."""
    _ = translator(language)
    if not month.bag:
        return month.no_answer.text(language)
    if not month.closing:
        return _("not closed")
    sample = month.facts["sample"]
    return words.upper_rate(result_of(sample).total, language) if sample else _("no sample")
