"""What the trail says of a step: the way back, what was asked, and what to know before believing the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.evidence import coverage
from audit_kernel.investigation import content
from audit_kernel.investigation.ways import way_words
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.investigation.session import Answer
    from audit_kernel.query import Result


def step_view(answers: Sequence[Answer], purpose: str, language: str) -> dict[str, Any]:
    """Return what the trail shows of the last answer."""
    answer = answers[-1]
    description = answer.result.query.description
    return {
        "crumbs": [crumb(each, language) for each in answers],
        "title": description.title.in_language(language),
        "question": description.question.in_language(language),
        "facts": content.facts(answer.result, answer.step, purpose, language),
        "notices": [
            *coverage.notices(answer.lacking, language),
            *content.notices(answer.result, answer.step, language),
        ],
        "status": content.status(answer.result, answer.step, language),
        "texts": texts(language),
    }


def choice_view(found: Result, typed: str, purpose: str, language: str) -> dict[str, Any]:
    """Return what the trail shows where a name fits several persons."""
    _ = translator(language)
    description = found.query.description
    shown, matches = found.table.num_rows, int(found.table["n_matches"][0].as_py())
    more = _("{count} persons fit; the first {shown} are shown. Write more of the name.")
    values = {"count": format_number(matches, language), "shown": format_number(shown, language)}
    return {
        "crumbs": [_("Who is meant?")],
        "title": _("Who is meant?"),
        "question": description.question.in_language(language),
        "facts": [(_("Searched for"), typed), (_("Purpose"), purpose)],
        "notices": [more.format(**values)] if matches > shown else [],
        "status": _("{rows}. Choose one of them.").format(rows=content.n_rows_text(shown, language)),
        "texts": texts(language),
    }


def texts(language: str) -> dict[str, str]:
    """Return the names of the trail's parts."""
    _ = translator(language)
    return {"trail": _("Steps of the investigation"), "notices": _("What to know about these rows")}


def crumb(answer: Answer, language: str) -> str:
    """Return what a step is called on the way back: how it was come by, else its report."""
    if answer.step.way:
        return way_words(answer.step.way, language)
    return answer.result.query.description.title.in_language(language)


def reasons_said(reasons: Result | None, titles: Mapping[str, str], language: str) -> str:
    """Say which reasons could not be searched for, beside rows that show the others."""
    _ = translator(language)
    if reasons is None:
        return _("Reasons could not be searched for: the data that they need are missing.")
    lacking = [titles.get(name, name) for name, is_searchable in reasons.reasons_searched if not is_searchable]
    if not lacking:
        return _("Each row shows its best reason. Every reason could be searched for.")
    return _(
        "Each row shows its best reason. Not searchable here, for want of data where nothing else is said: {reasons}."
    ).format(reasons=", ".join(lacking))
