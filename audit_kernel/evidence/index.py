"""A month's index page: every control with its answer, zeros as loud as findings."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from audit_kernel.evidence.display import (
    DisplayObject,
    Facts,
    Heading,
    Link,
    Links,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
)
from audit_kernel.evidence.masked_run import as_told, official
from audit_kernel.evidence.masking import masked_notice
from audit_kernel.evidence.rendering import render_page
from audit_kernel.locale import format_month, format_number, format_timestamp, translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.objects import Tone
    from audit_kernel.evidence.run import Plan
    from audit_kernel.site import Site


def index_page(
    site: Site, plan: Plan, outcomes: Sequence[Outcome], warnings: Sequence[str] = (), first: Sequence[Link] = ()
) -> str:
    """Return the index page as HTML; `warnings` say what the month lacks, `first` links to what is not a notebook's."""
    _, plan = translator(plan.language), as_told(site, plan)
    month = format_month(date.fromisoformat(f"{plan.period}-01"), plan.language)
    title = _("Log control for {month}").format(month=month)
    information = PageInformation(title, plan.language, "index", site.settings.name)
    objects: list[DisplayObject] = [
        Heading(title, 1),
        Paragraph(summary(plan.language, outcomes), "summary"),
        *_warnings(plan.language, outcomes),
        *(Paragraph(text, "warning") for text in warnings),
        *([Paragraph(masked_notice(plan.language), "notice")] if plan.scope else []),
        Heading(_("The controls of the month"), 2),
        Links([*first, *(_link(plan.language, each) for each in outcomes)]),
        Heading(_("What the control rests on"), 2),
        _sources(site, plan),
        Facts(_facts(site, plan)),
    ]
    return render_page(objects, information)


def _link(language: str, outcome: Outcome) -> Link:
    """Return a page's link with its answer; one without an answer stands out, in colour and in words."""
    has_answer = outcome.succeeded and bool(outcome.facts.get("is_assessable"))
    reason = "" if has_answer else outcome.reason or str(outcome.facts.get("not_assessable", ""))
    tone: Tone = "plain" if has_answer else "warning"
    return Link(_title(outcome), f"{outcome.name}.html", answer(language, outcome), tone, reason)


def _title(outcome: Outcome) -> str:
    return str(outcome.facts.get("title", outcome.name))


def summary(language: str, outcomes: Sequence[Outcome]) -> str:
    """Return how many findings there are, and how many checks could be assessed."""
    _ = translator(language)
    assessed = [each for each in outcomes if _is_check(each) and each.succeeded and each.facts.get("is_assessable")]
    n_checks = len([each for each in outcomes if _is_check(each)])
    if n_checks and not assessed:
        return _("None of the {checks} checks could be assessed.").format(checks=format_number(n_checks, language))
    findings = sum(int(each.facts.get("n_rows", 0)) for each in assessed)
    text = _.plural(
        "{findings} finding. {assessed} of {checks} checks could be assessed.",
        "{findings} findings. {assessed} of {checks} checks could be assessed.",
        findings,
    )
    return text.format(
        findings=format_number(findings, language),
        assessed=format_number(len(assessed), language),
        checks=format_number(n_checks, language),
    )


def _warnings(language: str, outcomes: Sequence[Outcome]) -> list[Paragraph]:
    _ = translator(language)
    failed = [each.name for each in outcomes if not each.succeeded]
    if not failed:
        return []
    text = _("This month is incomplete: {names} failed. The control is not finished until they have run.")
    return [Paragraph(text.format(names=", ".join(failed)), "warning")]


def no_answer(language: str, outcome: Outcome) -> str:
    """Return in two words why a page has no answer; empty where it has one."""
    _ = translator(language)
    if not outcome.succeeded:
        return _("Failed")
    return "" if outcome.facts.get("is_assessable") else _("Not assessable")


def answer(language: str, outcome: Outcome) -> str:
    """Return what a page answered, in a few words; zeros as plainly as findings."""
    _ = translator(language)
    if unanswered := no_answer(language, outcome):
        return unanswered
    number = int(outcome.facts.get("n_rows", 0))
    if _is_check(outcome):
        text = _.plural(
            "{count} finding, {searched} rows examined", "{count} findings, {searched} rows examined", number
        )
    elif "n_use_questions" in outcome.facts:
        return _use_answer(language, outcome)
    elif "n_remarks" in outcome.facts:
        number = int(outcome.facts["n_remarks"])
        text = _.plural(
            "{count} day with remarks, {searched} rows examined",
            "{count} days with remarks, {searched} rows examined",
            number,
        )
    else:
        text = _.plural(
            "{count} row, {searched} accesses searched", "{count} rows, {searched} accesses searched", number
        )
    searched = format_number(int(outcome.facts.get("rows_searched", 0)), language)
    return text.format(count=format_number(number, language), searched=searched)


def _use_answer(language: str, outcome: Outcome) -> str:
    """Return how much people asked, and for how much of it there is no case number."""
    _ = translator(language)
    text = _.plural(
        "{count} question by people, {lines} lines of the use log read, {without} without a case number",
        "{count} questions by people, {lines} lines of the use log read, {without} without a case number",
        int(outcome.facts["n_use_questions"]),
    )
    figures = {"count": "n_use_questions", "lines": "n_use_lines", "without": "n_use_without_case"}
    return text.format(**{name: format_number(int(outcome.facts[key]), language) for name, key in figures.items()})


def _is_check(outcome: Outcome) -> bool:
    """Say whether it is a check; one that failed is known by the notebook that should have shown it."""
    return outcome.room == "checks"


def _sources(site: Site, plan: Plan) -> Table:
    _ = translator(plan.language)
    language = plan.language

    def number(value: int) -> str:
        return format_number(value, language)

    return Table(
        caption=_("Files taken in"),
        columns=[
            TableColumn("file", _("File")),
            TableColumn("source", _("Log")),
            TableColumn("read", _("Records read"), "integer", "end"),
            TableColumn("stored", _("Stored"), "integer", "end"),
            TableColumn("known", _("Already known"), "integer", "end"),
            TableColumn("quarantined", _("In quarantine"), "integer", "end"),
            TableColumn("last", _("Last event"), "timestamp"),
        ],
        rows=[
            (
                each.file_name,
                each.source_id,
                number(each.n_read),
                number(each.n_stored),
                number(each.n_known),
                number(each.n_quarantined),
                format_timestamp(each.last_at, language, site.settings.time_zone) if each.last_at else "",
            )
            for each in plan.deliveries
        ],
        n_rows=len(plan.deliveries),
        note="",
        language=language,
    )


def _facts(site: Site, plan: Plan) -> list[tuple[str, str]]:
    _ = translator(plan.language)
    routine = site.settings.routine
    facts = [
        (_("Organisation"), site.settings.name),
        (_("Purpose"), plan.purpose),
        (_("Snapshot of the store"), str(plan.snapshot)),
        (_("Seed of the sample"), str(plan.parameters.get("seed", ""))),
    ]
    if routine.name:
        text = _("{name}, version {version}, {person}")
        person = official(site, plan, routine.person_responsible)
        facts.append((_("Routine"), text.format(name=routine.name, version=routine.version, person=person)))
    return facts
