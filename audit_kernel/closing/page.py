"""The page of a month's closing: what was decided, what the sample proves, what is open, what is done about it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import Catalog
from audit_kernel.closing.counting import RANDOM_SAMPLE, RISK_TARGETED, UNDECIDED
from audit_kernel.evidence import sample_words as words
from audit_kernel.evidence.certificate_checks import title_of
from audit_kernel.evidence.display import (
    DisplayObject,
    Facts,
    Heading,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
)
from audit_kernel.evidence.rendering import render_page
from audit_kernel.evidence.signatory import signatory_in_words
from audit_kernel.locale import format_month, format_number, translator
from audit_kernel.review.agreement import Agreement, agreement_in_words, from_plain, table_rows
from audit_kernel.review_reasons import DECISIONS, decision_words, review_reasons
from audit_kernel.sample_result import PartResult, SampleResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.site import Site

FILE = "closing.html"


def closing_page(
    site: Site,
    month: str,
    language: str,
    facts: Mapping[str, Any],
    asked: Mapping[str, Any],
    breaks: Sequence[str] = (),
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    facts: as `count_decisions` returns them.
    asked: what the closing was asked with: who signs, measures, why reviews are open, what it follows and why.
    breaks: what is wrong with the site's journals.
    """
    _ = translator(language)
    title = _("Closing of the log control for {month}").format(
        month=format_month(date.fromisoformat(f"{month}-01"), language)
    )
    objects: list[DisplayObject] = [
        Heading(title, 1),
        Paragraph(_summary(facts, language), "summary"),
        *(Paragraph(text, "warning") for text in (*_open(facts, asked, language), *_again(asked, language), *breaks)),
        Facts(_signed(site, asked, language)),
        Heading(_("What the random sample shows")),
        *(Paragraph(text) for text in _bound(facts, language)),
        *_decisions(site, facts, language),
        _managers(facts, language),
        Heading(_("How far reviewers agree")),
        *agreement_objects(from_plain(facts["agreement"]), language),
        Heading(_("Measures")),
        *_measures(site, asked, language),
        *(Paragraph(text, "method") for text in _only_counted(facts, language)),
    ]
    return render_page(objects, PageInformation(title, language, "closing", site.settings.name))


def check_titles(site: Site, names: set[str], language: str) -> dict[str, str]:
    """Return the titles of checks by their short names, and what the strata beside them are called."""
    _ = translator(language)
    catalog = Catalog(site.folder)
    own = {RANDOM_SAMPLE: _("Random sample"), RISK_TARGETED: _("Risk-targeted days"), "": _("All checks")}
    return {name: own.get(name) or title_of(catalog, f"checks/{name}", language) for name in names}


def decision_columns(language: str) -> list[TableColumn]:
    """Return the columns of numbers: all, each decision, undecided."""
    _ = translator(language)
    labels = {"count": _("All"), **decision_words(language), UNDECIDED: _("Undecided")}
    return [TableColumn(name, label, "integer", "end") for name, label in labels.items()]


def unit_in_words(row: Mapping[str, Any], language: str) -> str:
    """Return a unit's name with its id."""
    if not row["unit_id"]:
        _ = translator(language)
        return _("Unit not known")
    return f"{row['unit_name']} ({row['unit_id']})" if row["unit_name"] else str(row["unit_id"])


def result_of(sample: Mapping[str, Any]) -> SampleResult:
    """Return a sealed sample result as it was before it was sealed."""
    units = tuple(PartResult(**each) for each in sample["units"])
    return SampleResult(**{**sample, "total": PartResult(**sample["total"]), "units": units})


def _summary(facts: Mapping[str, Any], language: str) -> str:
    _ = translator(language)
    sums = {name: sum(row[name] for row in facts["by_unit"]) for name in DECISIONS}
    text = _(
        "{decided} of {count} findings and sampled days were decided: {justified} justified, {unjustified} unjustified,"
        " {follow_up} to follow up."
    )
    figures = {"decided": sum(sums.values()), "count": facts["n_subjects"], **sums}
    return text.format(**{name: format_number(count, language) for name, count in figures.items()})


def _open(facts: Mapping[str, Any], asked: Mapping[str, Any], language: str) -> list[str]:
    if not facts["n_undecided"]:
        return []
    _ = translator(language)
    text = _.plural(
        "{count} is still open, {unlisted} of them on no list. The reason given: {reason}",
        "{count} are still open, {unlisted} of them on no list. The reason given: {reason}",
        facts["n_undecided"],
    )
    figures = {"count": facts["n_undecided"], "unlisted": facts["n_unlisted"]}
    shown = {name: format_number(count, language) for name, count in figures.items()}
    return [text.format(reason=asked["open_reason"], **shown)]


def _again(asked: Mapping[str, Any], language: str) -> list[str]:
    if not asked["earlier"]:
        return []
    _ = translator(language)
    text = _("This month was closed before, in {run}. Why it is closed again: {reason}")
    return [text.format(run=asked["earlier"]["run"], reason=asked["again_reason"])]


def _signed(site: Site, asked: Mapping[str, Any], language: str) -> list[tuple[str, str]]:
    _ = translator(language)
    routine, lacking = site.settings.routine, _("not stated")
    return [
        (_("Signed off by"), signatory_in_words(asked["signed_by"], language)),
        (_("Closed run"), asked["month"]["run"]),
        (_("Its fingerprint (SHA-256)"), asked["month"]["tagmanifest_sha256"]),
        (_("Routine in force"), routine.name or lacking),
        (_("Version of the routine"), routine.version or lacking),
        (_("Person responsible"), routine.person_responsible or lacking),
    ]


def _bound(facts: Mapping[str, Any], language: str) -> list[str]:
    if not facts["sample"]:
        _ = translator(language)
        return [_("The month drew no random sample, so nothing is known of what no check found.")]
    return words.result_in_words(result_of(facts["sample"]), language)


def _decisions(site: Site, facts: Mapping[str, Any], language: str) -> list[DisplayObject]:
    _ = translator(language)
    titles = check_titles(site, {row["check"] for row in facts["by_unit"]}, language)
    numbers = decision_columns(language)
    rows = [
        (
            titles[row["check"]],
            unit_in_words(row, language),
            *(format_number(row[column.name], language) for column in numbers),
        )
        for row in facts["by_unit"]
    ]
    columns = [TableColumn("check", _("Check")), TableColumn("unit", _("Unit")), *numbers]
    reasons = {each.code: each.title.in_language(language) for each in review_reasons(site)}
    said = decision_words(language)
    given = [
        (reasons.get(row["reason"], row["reason"]), said[row["decision"]], format_number(row["count"], language))
        for row in facts["reasons"]
    ]
    labels = [
        TableColumn("reason", _("Reason")),
        TableColumn("decision", _("Decision")),
        TableColumn("count", _("Number"), "integer", "end"),
    ]
    return [
        Heading(_("Decisions")),
        Table(_("Decisions by check and unit"), columns, rows, len(rows), "", language),
        Table(_("Reasons given"), labels, given, len(given), "", language),
    ]


def _managers(facts: Mapping[str, Any], language: str) -> Table:
    _ = translator(language)
    columns = [
        TableColumn("reviewer", _("Reviewer")),
        TableColumn("rows", _("Rows on the lists"), "integer", "end"),
        TableColumn("open", _("Open"), "integer", "end"),
    ]
    rows = [
        (row["reviewer_name"], *(format_number(row[name], language) for name in ("n_rows", "n_open")))
        for row in facts["managers"]
    ]
    note = "" if rows else _("No list of this month has gone out.")
    return Table(_("Reviews still open, by manager"), columns, rows, len(rows), note, language)


def agreement_objects(found: Agreement, language: str) -> list[DisplayObject]:
    """Return the sentences of how far reviewers agree, and the table of both decisions."""
    _ = translator(language)
    texts: list[DisplayObject] = [Paragraph(text) for text in agreement_in_words(found, language)]
    if not found.n_both:
        return texts
    words = decision_words(language)
    columns = [
        TableColumn("first", _("First reviewer")),
        *(TableColumn(name, words[name], "integer", "end") for name in DECISIONS),
    ]
    rows = table_rows(found, language)
    return [
        *texts,
        Table(_("Rows by both decisions; the second reviewer's across"), columns, rows, len(rows), "", language),
    ]


def _measures(site: Site, asked: Mapping[str, Any], language: str) -> list[DisplayObject]:
    _ = translator(language)
    if not asked["measures"]:
        return [Paragraph(_("No measure was stated."))]
    titles = check_titles(site, {each["check"] for each in asked["measures"]}, language)
    rows = [(titles[each["check"]], each["text"]) for each in asked["measures"]]
    columns = [TableColumn("check", _("Check")), TableColumn("measure", _("Measure"))]
    return [Table(_("Measures taken"), columns, rows, len(rows), "", language)]


def _only_counted(facts: Mapping[str, Any], language: str) -> list[str]:
    _ = translator(language)
    texts = {
        "n_restricted": _.plural(
            "{count} finding is kept for the privacy officer: it is only counted here.",
            "{count} findings are kept for the privacy officer: they are only counted here.",
            facts["n_restricted"],
        ),
        "n_elsewhere": _.plural(
            "{count} decision is about something that the closed run does not show (kept apart, or of an earlier run):"
            " it is only counted here.",
            "{count} decisions are about something that the closed run does not show (kept apart, or of an earlier"
            " run): they are only counted here.",
            facts["n_elsewhere"],
        ),
    }
    return [text.format(count=format_number(facts[name], language)) for name, text in texts.items() if facts[name]]
