"""The supervisory authority's form for a breach, by country: `parameters/breach_forms.yml`, and how a case fills it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.legal_basis import refuse_unknown_clauses
from audit_kernel.site import Country
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Collection

    from audit_kernel.site import Site

FILE = "breach_forms.yml"


class Strict(BaseModel):
    """A part of a form; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormField(Strict):
    """One question of a form, and the answer of the case that goes there: see `breach_forms.yml`."""

    answer: str = Field(pattern=r"^[a-z][a-z_]{0,60}$")
    question: Texts
    is_optional: bool = False


class FormPart(Strict):
    """A part of a form under its own heading."""

    title: Texts
    fields: tuple[FormField, ...] = Field(min_length=1)


class BreachForm(Strict):
    """The form of one country's authority.

    hours: from when the breach is known until the authority is to be notified.
    source: where the authority itself asks, and when that was looked up.
    """

    country: Country
    authority: str
    title: Texts
    hours: int = Field(ge=1, le=1000)
    source: str
    legal_basis: tuple[str, ...] = Field(min_length=1)
    parts: tuple[FormPart, ...] = Field(min_length=1)


class _BreachForms(RootModel[tuple[BreachForm, ...]]):
    """The whole file."""


@dataclass(frozen=True)
class Filled:
    """One question with its answer; `is_missing` where there is none and one is needed."""

    part: str
    question: str
    answer: str
    text: str
    is_missing: bool


def breach_form(site: Site) -> BreachForm:
    """Return the form of the site's country.

    Raises
    ------
    SettingsError: the file is wrong, has no form or several for the country, or names a clause that `legal_basis.yml`
        lacks.
    """
    own = site.folder / "parameters" / FILE
    path = own if own.is_file() else resource_folder("parameters") / FILE
    country = site.settings.country
    found = [each for each in read_model(path, _BreachForms).root if each.country == country]
    if len(found) != 1:
        raise SettingsError(
            "{path}: one form is needed for country {country}, and there are {count}.",
            "Correct the file and try again.",
            path=path,
            country=country,
            count=len(found),
        )
    refuse_unknown_clauses(site, path, found[0].legal_basis)
    return found[0]


def questions(site: Site, language: str) -> dict[str, str]:
    """Return the question of each answer in the form of the site's country."""
    fields = [field for part in breach_form(site).parts for field in part.fields]
    return {field.answer: field.question.in_language(language) for field in fields}


def filled(form: BreachForm, answers: dict[str, str], language: str, needed: Collection[str] = ()) -> list[Filled]:
    """Return every question of a form with the answer that there is.

    Parameters
    ----------
    needed: answers that are optional in the form, but not now.

    Raises
    ------
    SettingsError: a question asks for an answer that no case has.
    """
    rows = []
    for part in form.parts:
        for each in part.fields:
            if each.answer not in answers:
                raise SettingsError(
                    "{file}: no case has an answer {answer!r}.",
                    "It has: {allowed}.",
                    file=FILE,
                    answer=each.answer,
                    allowed=", ".join(sorted(answers)),
                )
            text = answers[each.answer]
            is_missing = not text and (not each.is_optional or each.answer in needed)
            title, question = (texts.in_language(language) for texts in (part.title, each.question))
            rows.append(Filled(title, question, each.answer, text, is_missing))
    return rows
