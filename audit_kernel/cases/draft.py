"""The draft of a notification, in the questions of the country's authority: printed, and sealed into the case."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from audit_kernel.cases import words
from audit_kernel.cases.attach import attach_pages
from audit_kernel.cases.breach_forms import BreachForm, Filled, breach_form, filled
from audit_kernel.cases.deviation import (
    FACTS,
    MOMENTS,
    NOTIFIED_ONES,
    NUMBERS,
    Deviation,
    deviation_of,
    needed_answers,
)
from audit_kernel.cases.lines import writable
from audit_kernel.evidence.display import DisplayObject, Facts, Heading, PageInformation, Paragraph
from audit_kernel.evidence.rendering import render_page
from audit_kernel.legal_basis import legal_basis
from audit_kernel.locale import format_number, format_timestamp, translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.cases.case import Case
    from audit_kernel.site import Site

PAGE, CONTENT = "draft.html", "draft.json"


def make_draft(site: Site, number: str, language: str = "") -> tuple[Case, list[Filled]]:
    """Fill the form of the site's country from a case and seal the draft into it; return both.

    Raises
    ------
    SettingsError: the form is wrong.
    RunError, JournalError: as `lines.writable`.
    """
    language = language or site.settings.language
    form = breach_form(site)
    case = writable(site, number, "case_draft")
    rows = filled(form, answers(site, case, language), language, needed_answers(site, case))
    html = render_page(draft_objects(site, case, form, rows, language), _information(site, form, language))
    content = {"case": case.number, "authority": form.authority, "language": language, "source": form.source}
    fields = [{"answer": each.answer, "question": each.question, "text": each.text} for each in rows]
    text = json.dumps({**content, "fields": fields}, ensure_ascii=False, indent=1, sort_keys=True)
    missing = [each.answer for each in rows if each.is_missing]
    files = {PAGE: html.encode(), CONTENT: f"{text}\n".encode()}
    told = {"authority": form.authority, "language": language, "missing": missing}
    return attach_pages(site, case, form.title.in_language(language), files, told), rows


def answers(site: Site, case: Case, language: str) -> dict[str, str]:
    """Return every answer that a form can ask for, in words; empty where there is none."""
    _ = translator(language)
    zone, deviation = site.settings.time_zone, deviation_of(case)
    facts = deviation.facts
    found = {name: str(facts.get(name, "")) for name in FACTS}
    found |= {name: _moment(str(facts[name]), zone, language) for name in MOMENTS if facts.get(name)}
    found |= {name: _number(deviation, name, language) for name in NUMBERS if name in facts}
    routine = " ".join(filter(None, (case.routine["name"], case.routine["version"])))
    found["routine_version"] = found["routine_version"] or routine
    known = deviation.known["known_at"] if deviation.known else ""
    told = {f"{name}_told": deviation.notified.get(name) for name in NOTIFIED_ONES}
    return {
        **found,
        "controller": site.settings.name,
        "case_number": case.number,
        "known_at": _moment(known, zone, language) if known else "",
        "measures": "; ".join(words.measure_words(each, language) for each in deviation.measures),
        **{name: words.notified_words(each, zone, language) if each else "" for name, each in told.items()},
    }


def draft_objects(
    site: Site, case: Case, form: BreachForm, rows: Sequence[Filled], language: str
) -> list[DisplayObject]:
    """Return what the draft's page shows: what is missing first, then part by part."""
    _ = translator(language)
    deviation = deviation_of(case)
    clock = words.clock_words(deviation.clock(form.hours), site.settings.time_zone, language)
    shown: list[DisplayObject] = [Heading(form.title.in_language(language), 1), Paragraph(clock, "summary")]
    missing = [each.question for each in rows if each.is_missing]
    if missing:
        text = _.plural(
            "{count} question has no answer yet: {what}", "{count} questions have no answer yet: {what}", len(missing)
        )
        told = text.format(count=format_number(len(missing), language), what="; ".join(missing))
        shown.append(Paragraph(told, "warning"))
    if left := words.open_words(deviation.left_open(), language):
        shown.append(Paragraph(left, "warning"))
    for title in dict.fromkeys(each.part for each in rows):
        pairs = [(each.question, answer_words(each, language)) for each in rows if each.part == title]
        shown += [Heading(title), Facts(pairs)]
    laws = [" ".join(law) for key in form.legal_basis if (law := legal_basis(key, site, language))]
    note = _(
        "A draft for the authority's own form, not the form: compare the questions before you send. Source: {source}."
    )
    return [*shown, *(Paragraph(law, "method") for law in laws), Paragraph(note.format(source=form.source), "method")]


def answer_words(row: Filled, language: str) -> str:
    """Return an answer, or loudly that there is none."""
    _ = translator(language)
    return row.text or (_("MISSING") if row.is_missing else "\N{EN DASH}")


def _information(site: Site, form: BreachForm, language: str) -> PageInformation:
    return PageInformation(form.title.in_language(language), language, "draft", site.settings.name)


def _moment(text: str, zone: str, language: str) -> str:
    return format_timestamp(datetime.fromisoformat(text), language, zone)


def _number(deviation: Deviation, name: str, language: str) -> str:
    _ = translator(language)
    number = format_number(int(deviation.facts[name]), language)
    if not deviation.counted_from:
        return number
    return _("{number} (counted from evidence {evidence})").format(number=number, evidence=deviation.counted_from)
