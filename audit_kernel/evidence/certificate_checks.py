"""The certificate's table of checks: question, law, thresholds with who approved them, rows examined, answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.catalog import Catalog
from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.display import DisplayObject, Paragraph, Table, TableColumn, format_value
from audit_kernel.evidence.grounds import unit_in_words
from audit_kernel.evidence.index import no_answer
from audit_kernel.evidence.masked_run import mask_of
from audit_kernel.evidence.masking import Mask
from audit_kernel.legal_basis import legal_basis
from audit_kernel.locale import format_date, format_number, translator
from audit_kernel.parameters import PERIOD, decided_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from audit_kernel.catalog import Query
    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.run import Plan
    from audit_kernel.site import Site
    from audit_kernel.thresholds import Threshold

OWN_DECISION = "audit-kernel"


@dataclass(frozen=True)
class _Check:
    """One check as the certificate shows it; `decisions` are (label, value, who approved, since when)."""

    title: str
    question: str
    laws: tuple[str, ...]
    decisions: tuple[tuple[str, str, str, str], ...]
    outcome: Outcome


def checks(site: Site, plan: Plan, outcomes: Mapping[str, Outcome]) -> list[DisplayObject]:
    """Return the table of the month's checks and what belongs to it.

    Below stand the laws, why some checks have no answer, which checks of the program are not switched on, and how many
    thresholds nobody here has decided.
    """
    catalog = Catalog(site.folder)
    asked = [each for each in plan.notebooks if each[1].startswith("checks/") and each[0] in outcomes]
    mask = mask_of(site, plan)
    found = [_check(site, catalog, name, given, outcomes[page], plan.language, mask) for page, name, given in asked]
    laws = {law: number for number, law in enumerate(dict.fromkeys(law for each in found for law in each.laws), 1)}
    _ = translator(plan.language)
    labels = [
        TableColumn("check", _("Check")),
        TableColumn("question", _("Question")),
        TableColumn("thresholds", _("Thresholds (approved by, since)")),
        TableColumn("law", _("Law")),
        TableColumn("examined", _("Rows examined"), "integer", "end"),
        TableColumn("answer", _("Answer"), "text", "end"),
    ]
    rows = [
        (
            each.title,
            each.question,
            thresholds_in_words(each.decisions),
            ", ".join(str(laws[law]) for law in each.laws),
            _examined(each.outcome, plan.language),
            answer(each.outcome, plan.language),
        )
        for each in found
    ]
    shown: list[DisplayObject] = [Table(_("Checks"), labels, rows, len(rows), "", plan.language)]
    if laws:
        texts = "; ".join(f"{number} {law}" for law, number in laws.items())
        shown.append(Paragraph(_("Law: {texts}").format(texts=texts), "method"))
    not_asked = sorted({name for name in catalog.queries if name.startswith("checks/")} - {each[1] for each in asked})
    remarks = [*_unanswered(found, plan.language), *_undecided(found, plan.language)]
    if not_asked:
        titles = ", ".join(title_of(catalog, name, plan.language) for name in not_asked)
        remarks.append(_("Not switched on, so not controlled: {titles}.").format(titles=titles))
    return [*shown, *(Paragraph(text, "notice") for text in remarks)]


def answer(outcome: Outcome, language: str) -> str:
    """Return what a check answered: zeros as plainly as findings."""
    if unanswered := no_answer(language, outcome):
        return unanswered
    number = int(outcome.facts.get("n_rows", 0))
    text = translator(language).plural("{count} finding", "{count} findings", number)
    return text.format(count=format_number(number, language))


def title_of(catalog: Catalog, name: str, language: str) -> str:
    """Return a check's title; its name where its description cannot be read."""
    try:
        return catalog.query(name).description.title.in_language(language)
    except AuditKernelError:
        return name.rpartition("/")[2]


def thresholds_in_words(decisions: Iterable[tuple[str, str, str, str]]) -> str:
    """Return labels and values, those of one approval together: `A 5; B 10 (K. Berg, 2026-01-01)`."""
    of_approval: dict[tuple[str, str], list[str]] = {}
    for label, value, approved_by, since in decisions:
        of_approval.setdefault((approved_by, since), []).append(f"{label}: {value}")
    return " · ".join(f"{'; '.join(each)} ({', '.join(approval)})" for approval, each in of_approval.items())


def _check(
    site: Site,
    catalog: Catalog,
    name: str,
    given: Mapping[str, Any],
    outcome: Outcome,
    language: str,
    mask: Mask | None,
) -> _Check:
    """Describe a check; one whose description or threshold is wrong has failed, and its own page says why."""
    try:
        query = catalog.query(name)
        question = query.description.question.in_language(language)
        laws = tuple(law for key in query.description.legal_basis if (law := _law(key, site, language)))
        decisions = _decisions(site, query, given, language, mask)
        return _Check(title_of(catalog, name, language), question, laws, decisions, outcome)
    except AuditKernelError:
        return _Check(title_of(catalog, name, language), "", (), (), outcome)


def _law(key: str, site: Site, language: str) -> str:
    """Return source and clause, empty for another country's law; a key that is not known stands for itself."""
    try:
        found = legal_basis(key, site, language)
    except KeyError:
        return key
    return found[0] if found else ""


def _decisions(
    site: Site, query: Query, given: Mapping[str, Any], language: str, mask: Mask | None
) -> tuple[tuple[str, str, str, str], ...]:
    period = {key: value for key, value in given.items() if key in PERIOD}
    _values, used, _day = decided_values(site, query, period)
    parameters = query.description.parameters
    used = {name: mask.decided(name, each) for name, each in used.items()} if mask else used
    return tuple(
        (
            label.in_language(language) if (label := parameters[name].label) else name,
            value_in_words(each, language),
            each.approved_by,
            format_date(each.valid_from, language),
        )
        for name, each in used.items()
    )


def value_in_words(decision: Threshold, language: str) -> str:
    """Return a threshold's value with its unit; a list with commas."""
    value = format_value(decision.value, "text", language, "").replace(";", ", ")
    return f"{value} {unit_in_words(decision.unit, language)}".strip()


def _examined(outcome: Outcome, language: str) -> str:
    if no_answer(language, outcome):
        return ""
    return format_number(int(outcome.facts.get("rows_searched", 0)), language)


def _unanswered(found: Sequence[_Check], language: str) -> list[str]:
    """Return why checks have no answer, those with one reason together."""
    _ = translator(language)
    titles: dict[str, list[str]] = {}
    for each in found:
        reason = each.outcome.reason or str(each.outcome.facts.get("not_assessable", ""))
        if no_answer(language, each.outcome):
            titles.setdefault(reason, []).append(each.title)
    return [
        _("No answer: {titles}. {reason}").format(titles=", ".join(names), reason=reason)
        for reason, names in titles.items()
    ]


def _undecided(found: Sequence[_Check], language: str) -> list[str]:
    """Say how many thresholds are the program's own proposals, which nobody at the site has decided."""
    own = {decision for each in found for decision in each.decisions if decision[2] == OWN_DECISION}
    if not own:
        return []
    text = translator(language).plural(
        "{count} threshold is the program's own proposal (audit-kernel): nobody here has decided it.",
        "{count} thresholds are the program's own proposals (audit-kernel): nobody here has decided them.",
        len(own),
    )
    return [text.format(count=format_number(len(own), language))]
