"""The texts and fields of the case's forms on the investigator's page, in the reader's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.cases import words
from audit_kernel.cases.breach_forms import questions
from audit_kernel.cases.deviation import FACTS, NOTIFIED_ONES, STEPS
from audit_kernel.cases.masks import RECIPIENTS
from audit_kernel.locale import translator
from audit_kernel.review_reasons import DECISIONS, decision_words, review_reasons
from audit_kernel.sealing.asking import must_ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.cases.case import Case
    from audit_kernel.site import Site

Field = dict[str, Any]
FORMS = ("add", "decide", "deviation", "measure", "notify", "share", "copy", "end")


def choice_texts(language: str, number: str) -> dict[str, Any]:
    """Return the form that opens a case; `number` stands in it."""
    _ = translator(language)
    hint = _("Needed for a new case, which is about those of this step.")
    return {
        "level": "h2",
        "title": _("The case"),
        "lead": _("Keep what you see in a case: each line stays, and what is added is sealed at that moment."),
        "submit": _("Open the case"),
        "actions": [["new", _("Begin a new case")]],
        "busy": _("Working …"),
        "fields": [
            {"name": "number", "type": "text", "label": _("Case number"), "value": number},
            {"name": "aim", "type": "text", "label": _("What it is to find out"), "hint": hint},
        ],
    }


def form_texts(site: Site, case: Case, language: str) -> dict[str, dict[str, Any]]:
    """Return each form of an open case, by the names of `FORMS`."""
    _ = translator(language)
    text = _("In your own words")
    about = [["", _("The whole case")], *([each.id, each.id] for each in case.subjects)]
    titles: Mapping[str, tuple[str, str, str, Sequence[tuple[str, str]]]] = {
        "add": (
            _("Add to the case"),
            _("What is on the screen is sealed with its question, all its rows and the state of the store."),
            _("Add this step as evidence"),
            [
                ("note", _("Add a note")),
                ("conversation", _("Add a conversation")),
                ("explanation", _("Add the employee's explanation")),
            ],
        ),
        "decide": (_("Decide"), _("Changing a decision adds a new one; the old one stays."), _("Save"), ()),
        "deviation": (
            _("Deviation: what is known"),
            _("One answer at a time. Count takes persons and records from the evidence added last."),
            _("Save"),
            [
                ("count", _("Count in the last evidence")),
                ("known", _("The breach is known now")),
                ("draft", _("Draft for the authority")),
            ],
        ),
        "measure": (_("Measure"), _("The routine's four steps. Without a day it is planned."), _("Save"), ()),
        "notify": (_("Notified"), _("Say how they were notified, or why they need not be."), _("Save"), ()),
        "share": (_("Who may see the case"), "", _("Let them see it"), [("ends", _("End it"))]),
        "copy": (
            _("A sealed copy"),
            _("For the employee, the patient and the police others are masked and free text is left out."),
            _("Seal a copy"),
            [("look", _("Has it come?"))] if must_ask(site, site.restricted_folder) else (),
        ),
        "end": (_("Close the case"), _("Say how it ended; and why, if something is still open."), _("Close"), ()),
    }
    fields: Mapping[str, list[Field]] = {
        "add": [_area("text", text), _line("who", _("With whom, or whose")), _day("on", _("On the day"))],
        "decide": [_list("about", _("About"), about), *_decision(site, language), _area("text", text)],
        "deviation": [_list("fact", _("Question"), _facts(site, language)), _area("value", _("Answer"))],
        "measure": [
            _list("step", _("Step"), _worded(words.step_words(language), STEPS)),
            _area("text", text),
            _day("done", _("Done on")),
        ],
        "notify": [
            _list("to", _("Who"), _worded(words.step_words(language), NOTIFIED_ONES)),
            {"name": "at", "type": "datetime-local", "label": _("When; now when left out"), "value": ""},
            _area("how", _("How, and what was said")),
            _line("reference", _("Their reference")),
            _area("not_needed", _("Why they need not be")),
        ],
        "share": [_line("user", _("User name in the operating system"))],
        "copy": [
            _list("recipient", _("For"), _worded(words.recipient_words(language), RECIPIENTS)),
            _list("person", _("Which person"), [["", _("The only one")], *about[1:]]),
        ],
        "end": [_area("outcome", _("How it ended")), _area("open_reason", _("Why something stays open"))],
    }
    return {name: _form(titles[name], fields[name], language) for name in FORMS}


def _form(
    told: tuple[str, str, str, Sequence[tuple[str, str]]], fields: Sequence[Field], language: str
) -> dict[str, Any]:
    title, lead, submit, actions = told
    shown = {"title": title, "lead": lead, "submit": submit, "actions": [list(each) for each in actions]}
    return {"level": "h3", "folded": True, "busy": translator(language)("Working …"), **shown, "fields": list(fields)}


def _line(name: str, label: str) -> Field:
    return {"name": name, "type": "text", "label": label, "value": ""}


def _area(name: str, label: str) -> Field:
    return {"name": name, "type": "textarea", "label": label, "value": ""}


def _day(name: str, label: str) -> Field:
    return {"name": name, "type": "date", "label": label, "value": ""}


def _list(name: str, label: str, options: Sequence[Sequence[str]]) -> Field:
    return {"name": name, "type": "select", "label": label, "options": [list(each) for each in options]}


def _worded(known: Mapping[str, str], names: Sequence[str]) -> list[list[str]]:
    return [[name, known[name][:1].upper() + known[name][1:]] for name in names]


def _decision(site: Site, language: str) -> list[Field]:
    _ = translator(language)
    reasons = [[each.code, each.title.in_language(language), each.decision] for each in review_reasons(site)]
    return [
        _list("decision", _("Decision"), _worded(decision_words(language), DECISIONS)),
        {**_list("reason", _("Reason"), reasons), "follows": "decision"},
    ]


def _facts(site: Site, language: str) -> list[list[str]]:
    return [[name, text] for name, text in questions(site, language).items() if name in FACTS]
