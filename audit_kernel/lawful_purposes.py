"""The purposes that a log may state and that are lawful without being care of one's own patient, by country."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.yaml_file import read_model

if TYPE_CHECKING:
    from audit_kernel.site import Site

FILE = "lawful_purposes.yml"


class LawfulPurpose(BaseModel):
    """One purpose: the log's text or code, how much it supports, where it is lawful and by which clause."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: str
    strength: Literal[1, 2]
    countries: tuple[str, ...]
    legal_basis: str


class _LawfulPurposes(RootModel[tuple[LawfulPurpose, ...]]):
    """The whole file."""


def purpose_rows(site: Site) -> list[tuple[object, ...]]:
    """Return purpose (lower case) and strength of each purpose that is lawful in the site's country.

    Raises
    ------
    SettingsError: the file is wrong.
    """
    own = site.folder / "parameters" / FILE
    listed = read_model(own if own.is_file() else resource_folder("parameters") / FILE, _LawfulPurposes).root
    strengths = {
        each.purpose.strip().lower(): each.strength for each in listed if site.settings.country in each.countries
    }
    return sorted(strengths.items())
