"""The evaluation of a year: decisions, measures and what followed, checks that found nothing, changed thresholds."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import Catalog
from audit_kernel.closing.counting import UNDECIDED
from audit_kernel.closing.page import agreement_objects, check_titles, decision_columns, unit_in_words
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.certificate_checks import value_in_words
from audit_kernel.evidence.display import DisplayObject, Heading, Links, PageInformation, Paragraph, Table, TableColumn
from audit_kernel.evidence.rendering import render_page
from audit_kernel.evidence.signatory import signatory_in_words
from audit_kernel.locale import format_date, format_month, format_number, translator
from audit_kernel.review.agreement import NOTHING, Agreement, from_plain
from audit_kernel.review_reasons import DECISIONS
from audit_kernel.yearly.overview import FILE as OVERVIEW
from audit_kernel.yearly.overview import bound_in_words, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit_kernel.site import Site
    from audit_kernel.thresholds import Threshold
    from audit_kernel.yearly.reading import Month, Year

FILE = "evaluation.html"
COUNTED = ("count", *DECISIONS, UNDECIDED)


def evaluation_page(site: Site, year: Year, language: str, breaks: Sequence[str] = ()) -> str:
    """Return the page as HTML; `breaks` say what is wrong with the site's journals."""
    _ = translator(language)
    title = _("Log control in {year}: evaluation").format(year=year.year)
    measured = {each["check"] for month in year.months for each in _measures_of(month)}
    decided = {row["check"] for month in year.months for row in month.facts.get("by_unit", [])}
    titles = check_titles(site, {*year.checks, *measured, *decided}, language)
    objects: list[DisplayObject] = [
        Heading(title, 1),
        Paragraph(summary(year, language), "summary"),
        *(Paragraph(text, "warning") for text in (*_lacking(year, language), *breaks)),
        Links([(_("Overview: twelve months, every check"), OVERVIEW)]),
        _months(year, language),
        Heading(_("Decisions")),
        _decisions(year, titles, language),
        Heading(_("How far reviewers agree")),
        *agreement_objects(_agreement(year), language),
        Heading(_("Measures, and what followed")),
        *_measures(year, titles, language),
        Heading(_("Checks that found nothing")),
        *_silent(year, titles, language),
        Heading(_("Thresholds that changed")),
        *_thresholds(site, year, language),
    ]
    return render_page(objects, PageInformation(title, language, "evaluation", site.settings.name))


def _lacking(year: Year, language: str) -> list[str]:
    """Say which months have no run, no closing, or a closing of an earlier run."""
    _ = translator(language)
    texts = (
        (
            _("Not controlled: {months}."),
            [month for month in year.months if month.no_answer.state == "not_run" and not month.bag],
        ),
        (_("Disposed of: {months}."), year.disposed),
        (_("Controlled but not closed: {months}."), [month for month in year.run if not month.closing]),
        (
            _("Run again after it was closed, so the decisions are of an earlier run: {months}."),
            [month for month in year.months if month.is_closed_over_other_run],
        ),
    )
    return [
        text.format(months=", ".join(format_month(month.first_day, language) for month in months))
        for text, months in texts
        if months
    ]


def _months(year: Year, language: str) -> Table:
    _ = translator(language)
    columns = [
        TableColumn("month", _("Month")),
        TableColumn("findings", _("Findings"), "integer", "end"),
        TableColumn("lacking", _("Checks without an answer"), "integer", "end"),
        TableColumn("unjustified", _("Unjustified"), "integer", "end"),
        TableColumn("undecided", _("Undecided"), "integer", "end"),
        TableColumn("bound", _("Random sample: unjustified at most"), "text", "end"),
        TableColumn("signed", _("Closed by")),
    ]
    rows = []
    for month in year.months:
        lacking = sum(cell.state in ("not_assessable", "failed") for cell in month.cells.values())
        figures = (month.n_findings, lacking) if month.bag else ()
        sums = _sums(month.facts.get("by_unit", []))
        counts = (sums["unjustified"], sums[UNDECIDED]) if month.closing else ()
        unsigned = month.no_answer.text(language) if month in year.disposed else _("not closed")
        rows.append(
            (
                format_month(month.first_day, language),
                *(_numbers(figures, language) or [month.no_answer.text(language)] * 2),
                *(_numbers(counts, language) or [""] * 2),
                bound_in_words(month, language),
                signatory_in_words(month.closing.asked["signed_by"], language) if month.closing else unsigned,
            )
        )
    return Table(_("The months"), columns, rows, len(rows), "", language)


def _agreement(year: Year) -> Agreement:
    """Return how far reviewers agreed over the year, from the closings; those made before there was any have none."""
    sealed = [month.facts["agreement"] for month in year.months if "agreement" in month.facts]
    return sum(map(from_plain, sealed), NOTHING)


def _decisions(year: Year, titles: dict[str, str], language: str) -> Table:
    """Show each check and unit over the year, from the closings."""
    _ = translator(language)
    sums: dict[tuple[str, str], Counter[str]] = {}
    units: dict[str, dict[str, Any]] = {}
    for row in (row for month in year.months for row in month.facts.get("by_unit", [])):
        units[row["unit_id"]] = row
        sums.setdefault((row["check"], row["unit_id"]), Counter()).update({name: row[name] for name in COUNTED})
    rows = [
        (titles[check], unit_in_words(units[unit], language), *_numbers((counts[name] for name in COUNTED), language))
        for (check, unit), counts in sorted(sums.items(), key=lambda pair: (titles[pair[0][0]], pair[0]))
    ]
    columns = [TableColumn("check", _("Check")), TableColumn("unit", _("Unit")), *decision_columns(language)]
    return Table(_("Decisions by check and unit, all closings of the year"), columns, rows, len(rows), "", language)


def _measures_of(month: Month) -> list[dict[str, str]]:
    found: list[dict[str, str]] = month.closing.asked["measures"] if month.closing else []
    return found


def _measures(year: Year, titles: dict[str, str], language: str) -> list[DisplayObject]:
    """Show each measure with the findings of its check in the months up to it and after it."""
    _ = translator(language)
    rows = []
    for place, month in enumerate(year.months):
        for each in _measures_of(month):
            series = [_findings(other, each["check"], language) for other in year.months[: year.last_run]]
            before, after = ", ".join(series[: place + 1]), ", ".join(series[place + 1 :])
            rows.append((format_month(month.first_day, language), titles[each["check"]], each["text"], before, after))
    if not rows:
        return [Paragraph(_("No closing of the year states a measure."))]
    labels = (_("Month"), _("Check"), _("Measure"), _("Findings, January to that month"), _("Findings, after it"))
    columns = [TableColumn(f"c{number}", label) for number, label in enumerate(labels)]
    text = _("One number a month. It shows what followed a measure, not that the measure caused it.")
    return [Table(_("Measures taken"), columns, rows, len(rows), text, language)]


def _findings(month: Month, check: str, language: str) -> str:
    if check:
        return month.cell(check).text(language)
    return format_number(month.n_findings, language) if month.bag else month.no_answer.text(language)


def _silent(year: Year, titles: dict[str, str], language: str) -> list[DisplayObject]:
    """Show the checks that never found anything, and in how many months they could look."""
    _ = translator(language)
    rows, blind = [], []
    for name in year.checks:
        answers = [month.cell(name) for month in year.months]
        n_looked = sum(each.state in ("found", "none") for each in answers)
        if not n_looked:
            blind.append(titles[name])
        elif not any(each.number for each in answers):
            n_not = sum(each.state in ("not_assessable", "failed") for each in answers)
            rows.append((titles[name], *_numbers((n_looked, n_not), language)))
    columns = [
        TableColumn("check", _("Check")),
        TableColumn("looked", _("Months in which it looked"), "integer", "end"),
        TableColumn("not", _("Months without an answer"), "integer", "end"),
    ]
    note = _("Ask of each whether there was nothing, or whether the check or its threshold cannot see it.")
    shown: list[DisplayObject] = [
        Table(_("Found nothing in any month"), columns, rows, len(rows), note if rows else "", language)
    ]
    if blind:
        text = _("Without an answer in every month: {titles}. Nothing is known of what they ask.")
        shown.append(Paragraph(text.format(titles=", ".join(blind)), "warning"))
    return shown


def _thresholds(site: Site, year: Year, language: str) -> list[DisplayObject]:
    """Show each decision that differs from the one of the run before, as the runs' sealed inputs have them."""
    _ = translator(language)
    changes = [
        (month, name, before.thresholds.get(name), month.thresholds.get(name))
        for before, month in pairwise(year.run)
        for name in sorted({*before.thresholds, *month.thresholds})
        if before.thresholds.get(name) != month.thresholds.get(name)
    ]
    if not changes:
        return [Paragraph(_("No threshold changed between the year's runs."))]
    labels = _labels(site, {name for _month, name, _old, _new in changes}, language)
    rows = [
        (
            format_month(month.first_day, language),
            labels.get(name, name),
            _value(old, language),
            _value(new, language),
            new.reason.in_language(language) if new else "",
            f"{new.approved_by}, {format_date(new.valid_from, language)}" if new else "",
        )
        for month, name, old, new in changes
    ]
    headings = (_("First run with it"), _("Threshold"), _("Before"), _("After"), _("Reason"), _("Approved by, since"))
    columns = [TableColumn(f"c{number}", label) for number, label in enumerate(headings)]
    return [Table(_("Changes"), columns, rows, len(rows), "", language)]


def _labels(site: Site, names: Iterable[str], language: str) -> dict[str, str]:
    """Return what the queries call these thresholds."""
    found: dict[str, str] = {}
    wanted = set(names)
    for query in Catalog(site.folder).queries.values():
        try:
            parameters = query.description.parameters.values()
        except AuditKernelError:
            continue
        for each in parameters:
            if each.threshold in wanted and each.label:
                found.setdefault(each.threshold, each.label.in_language(language))
    return found


def _value(decision: Threshold | None, language: str) -> str:
    return value_in_words(decision, language) if decision else ""


def _sums(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update({name: row[name] for name in COUNTED})
    return total


def _numbers(counts: Iterable[int], language: str) -> list[str]:
    return [format_number(count, language) for count in counts]
