"""A log extract from the investigator's page: what the form may offer, and the extract made of its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.extract_rules import extract_rules, made_words, recipient_words
from audit_kernel.extracts import EMPLOYEE, Request, make_extract
from audit_kernel.sealing.asking import ask_for_extract, asked_words, must_ask

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from audit_kernel.site import Site


@dataclass(frozen=True)
class Choice:
    """Someone whom the rules here allow an extract: recipient's code, in words, what proof is asked for (or empty)."""

    recipient: str
    label: str
    proof: str


@dataclass(frozen=True)
class Made:
    """An extract as the page tells of it: its id, its sealed page, and sentences for the reader, warnings first.

    Where it was only asked for it has neither id nor page.
    """

    extract_id: str
    page: Path | None
    sentences: tuple[str, ...]


def choices(site: Site, language: str, *, is_of_employee: bool = False) -> list[Choice]:
    """Return who may have the extract of a patient, or of an employee, by the rules of the site.

    Raises
    ------
    SettingsError: the rules are wrong.
    """
    words = recipient_words(language)
    if is_of_employee:
        return [Choice(EMPLOYEE, words[EMPLOYEE], "")]
    rules = extract_rules(site).recipients
    return [
        Choice(code, words[code], rule.proof.in_language(language) if rule.proof else "")
        for code, rule in rules.items()
    ]


def extract_from_form(site: Site, purpose: str, values: Mapping[str, str], language: str = "") -> Made:
    """Make, seal and record the extract that a form asks for, as the command `extract` does, or ask the service to.

    Parameters
    ----------
    purpose: the page's own.
    values: patient, or employee alone for an employee's own extract; with both, the patient's extract answers about
        that employee only. from_date, to_date; recipient and proof, of a patient's; requested, today when empty.

    Raises
    ------
    UsageError, UnknownSubjectError, RunError, JournalError: see `extracts.make_extract`.
    """
    given = {name: text.strip() for name, text in values.items()}
    patient, employee = given.get("patient", ""), given.get("employee", "")
    days = given.get("from_date", ""), given.get("to_date", ""), purpose
    if patient:
        who = given.get("recipient", ""), given.get("proof", ""), given.get("requested", "")
        asked = Request(patient, *days, *who, employee, language)
    else:
        asked = Request(employee, *days, requested=given.get("requested", ""), language=language, kind="employee")
    if must_ask(site, site.archive_folder):
        ask_for_extract(site, asked)
        return Made("", None, (asked_words(language or site.settings.language),))
    run, made = make_extract(site, asked)
    return Made(made.extract_id, run.index, (*run.warnings, *made_words(made, language or site.settings.language)))
