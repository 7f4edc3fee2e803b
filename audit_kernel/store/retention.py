"""How long logs are kept at least, as data: `parameters/retention.yml`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import UsageError
from audit_kernel.yaml_file import read_model

if TYPE_CHECKING:
    from audit_kernel.site import Site


class EvidenceRetention(BaseModel):
    """The fewest years that a site may keep evidence, and months whose findings were all cleared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_years: int = Field(default=0, ge=0, le=100)
    cleared_minimum_years: int = Field(default=0, ge=0, le=100)
    legal_basis: tuple[str, ...] = ()


class Retention(BaseModel):
    """A country's minimum in years, and the clauses that it rests on; `evidence`: of sealed runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    minimum_years: int = Field(ge=0, le=100)
    legal_basis: tuple[str, ...] = ()
    evidence: EvidenceRetention = EvidenceRetention()


class _Retentions(RootModel[dict[str, Retention]]):
    """The whole file, by country."""


def retention(site: Site) -> Retention:
    """Return the rule of the site's country; a site's own file may lengthen the years, never shorten them."""
    return max(_rules(site), key=lambda rule: rule.minimum_years)


def evidence_retention(site: Site) -> EvidenceRetention:
    """Return what the site's country asks of evidence, each number the highest that a file gives."""
    rules = [rule.evidence for rule in _rules(site)]
    highest = {name: max(getattr(each, name) for each in rules) for name in ("minimum_years", "cleared_minimum_years")}
    return EvidenceRetention(**highest, legal_basis=rules[-1].legal_basis or rules[0].legal_basis)


def _rules(site: Site) -> list[Retention]:
    files = [resource_folder("parameters") / "retention.yml", site.folder / "parameters" / "retention.yml"]
    rules = [read_model(path, _Retentions).root for path in files if path.is_file()]
    country = site.settings.country
    return [each[country] for each in rules if country in each]


def refuse_young(site: Site, before: date, today: date | None = None) -> None:
    """Refuse a date that would dispose of logs younger than the minimum.

    Parameters
    ----------
    today: the day to count back from; this day when None.

    Raises
    ------
    UsageError: names the newest date that is allowed.
    """
    today = today or datetime.now(UTC).date()
    years = retention(site).minimum_years
    last_day = 28 if (today.month, today.day) == (2, 29) else today.day
    newest = date(today.year - years, today.month, last_day)
    if before > newest:
        raise UsageError(
            "Logs are kept at least {years} years: nothing from {newest} or later may go.",
            "Give --before {newest} or an earlier date. Nothing was changed.",
            years=years,
            newest=newest,
        )
