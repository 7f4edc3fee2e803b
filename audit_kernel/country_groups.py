"""Which countries the GDPR treats alike, from when to when, and which are neighbours: `parameters/countries.yml`."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.yaml_file import read_model

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

FILE = "countries.yml"
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class CountryGroup(BaseModel):
    """Countries of one group over one time; `is_partial`: an adequacy decision that covers only some recipients."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Literal["eu", "eea", "adequate", "not_a_country"]
    countries: tuple[Country, ...]
    valid_from: date = FIRST
    valid_to: date = LAST
    is_partial: bool = False
    basis: str


class _Countries(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    groups: tuple[CountryGroup, ...]
    neighbours: dict[Country, tuple[Country, ...]]


def country_rows(site: Site) -> list[tuple[str, str, bool, date, date]]:
    """Return country, group, is_partial, valid_from and valid_to (half open) of each country that is in a group.

    Raises
    ------
    SettingsError: the file is wrong, or a country is in two groups on one day.
    """
    rows: list[tuple[str, str, bool, date, date]] = [
        (country, each.group, each.is_partial, each.valid_from, each.valid_to)
        for each in _read(site).groups
        for country in each.countries
    ]
    rows.sort(key=lambda row: (row[0], row[3]))
    for one, later in pairwise(rows):
        if one[0] == later[0] and later[3] < one[4]:
            raise SettingsError(
                "{path}: {country} is in two groups on {day}.",
                "Let the earlier one end on the day the later one begins.",
                path=_path(site),
                country=one[0],
                day=later[3],
            )
    return rows


def neighbour_rows(site: Site) -> list[tuple[str, str]]:
    """Return country and neighbour, each pair both ways.

    Raises
    ------
    SettingsError: the file is wrong.
    """
    pairs = {(one, other) for one, others in _read(site).neighbours.items() for other in others}
    return sorted(pairs | {(other, one) for one, other in pairs})


def _path(site: Site) -> Path:
    own = site.folder / "parameters" / FILE
    return own if own.is_file() else resource_folder("parameters") / FILE


def _read(site: Site) -> _Countries:
    return read_model(_path(site), _Countries)
