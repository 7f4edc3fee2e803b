"""Who may have a log extract, whom it names and when it is due: `parameters/extracts.yml`, by country and sector."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.legal_basis import refuse_unknown_clauses
from audit_kernel.locale import format_date, translator
from audit_kernel.site import Country, Sector
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from audit_kernel.extract_journal import Extract
    from audit_kernel.site import Site

FILE = "extracts.yml"
MONTHS_IN_YEAR = 12
RecipientKind = Literal["patient", "representative", "next_of_kin"]


class Strict(BaseModel):
    """A part of the rules; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Due(Strict):
    """How long an answer may take, in calendar months or in days."""

    months: int = Field(default=0, ge=0, le=12)
    days: int = Field(default=0, ge=0, le=366)
    legal_basis: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Due:
        if bool(self.months) == bool(self.days):
            message = "months or days, one of them and above 0"
            raise ValueError(message)
        return self

    def after(self, day: date) -> date:
        """Return the last day; a month ends on the same day of the month, or on its last."""
        year, month = divmod(day.year * MONTHS_IN_YEAR + day.month - 1 + self.months, MONTHS_IN_YEAR)
        last = monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + timedelta(days=self.days)


class Recipient(Strict):
    """One who may have a patient's extract, and what must be seen and noted before."""

    proof: Texts | None = None
    is_after_death: bool = False
    legal_basis: tuple[str, ...] = ()


class ExtractRules(Strict):
    """The rules of one country and sector; `parameters/extracts.yml` explains each key."""

    country: Country
    sector: Sector
    who: Literal["name_and_title", "unit_and_role", "unit"]
    names_one: bool
    patients: Literal["masked", "shown"]
    legal_basis: tuple[str, ...] = ()
    due: Due
    recipients: dict[RecipientKind, Recipient]

    def clauses(self) -> Iterator[str]:
        """Yield every key of `legal_basis.yml` that the rules name."""
        yield from self.legal_basis
        yield from self.due.legal_basis
        for each in self.recipients.values():
            yield from each.legal_basis

    def refuse_answer_about(self, employee_id: str, hidden: Collection[str]) -> None:
        """Refuse to answer about one employee where the answer would name somebody whom extracts do not name.

        Raises
        ------
        UsageError: the rules allow none, or the employee is one of `hidden`, whom naming would endanger.
        """
        if employee_id in hidden:
            raise UsageError(
                "An answer about this employee would name somebody whom extracts do not name.",
                "Make the whole extract: it shows the employee by unit and role.",
            )
        if self.who != "name_and_title" and not self.names_one:
            raise UsageError(
                "The rules allow no answer about one employee here.",
                "The rules stand in parameters/extracts.yml; a site may have its own. Have a lawyer confirm them.",
            )


class _AllRules(RootModel[tuple[ExtractRules, ...]]):
    """The whole file."""


def recipient_words(language: str) -> dict[str, str]:
    """Return in words who an extract is for, by its code."""
    _ = translator(language)
    return {
        "patient": _("the patient"),
        "representative": _("a representative"),
        "next_of_kin": _("next of kin"),
        "employee": _("the employee"),
    }


def made_words(made: Extract, language: str) -> tuple[str, str]:
    """Return what is told of an extract that was made: for whom, when it is due, and what to do next."""
    _ = translator(language)
    due = format_date(date.fromisoformat(made.due), language)
    recipient = recipient_words(language)[made.recipient]
    return (
        _("The extract {id} for {recipient} is sealed; it is due on {day}.").format(
            id=made.extract_id, recipient=recipient, day=due
        ),
        _("When it is handed out, record it: audit-kernel extract handed-out {id} --to WHO").format(id=made.extract_id),
    )


def extract_rules(site: Site) -> ExtractRules:
    """Return the rules of the site's country and sector.

    Raises
    ------
    SettingsError: the file is wrong, has none or several for them, or names a clause that `legal_basis.yml` lacks.
    """
    own = site.folder / "parameters" / FILE
    path = own if own.is_file() else resource_folder("parameters") / FILE
    of_site = (site.settings.country, site.settings.sector)
    found = [each for each in read_model(path, _AllRules).root if (each.country, each.sector) == of_site]
    if len(found) != 1:
        raise SettingsError(
            "{path}: one entry is needed for country {country} and sector {sector}, and there are {count}.",
            "Correct the file and try again.",
            path=path,
            country=of_site[0],
            sector=of_site[1],
            count=len(found),
        )
    refuse_unknown_clauses(site, path, found[0].clauses())
    return found[0]
