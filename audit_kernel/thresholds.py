"""Thresholds are decisions: each with its value, reason, who approved it and since when."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from pathlib import Path

FILE = "thresholds.yml"


class Threshold(BaseModel):
    """One decision about one threshold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: int | Decimal | str
    unit: str = ""
    reason: Texts
    approved_by: str
    valid_from: date


class _Thresholds(RootModel[dict[str, tuple[Threshold, ...]]]):
    """The whole file."""


def thresholds_valid_on(day: date, site_folder: Path | None = None) -> dict[str, Threshold]:
    """Return each threshold's decision that was valid on a local day; a site's decisions come before the package's.

    Raises
    ------
    SettingsError: a file is wrong, or the site names a threshold that no query has.
    """
    package = read_model(resource_folder("parameters") / FILE, _Thresholds).root
    own_file = site_folder / "parameters" / FILE if site_folder else None
    own = read_model(own_file, _Thresholds).root if own_file and own_file.is_file() else {}
    if unknown := sorted(set(own) - set(package)):
        raise SettingsError(
            "{own_file}: unknown threshold {given!r}.",
            "There are: {allowed}.",
            own_file=own_file,
            given=unknown[0],
            allowed=", ".join(sorted(package)),
        )
    valid: dict[str, Threshold] = {}
    for name, decisions in package.items():
        candidates = [decision for decision in own.get(name, ()) if decision.valid_from <= day] or list(decisions)
        valid[name] = max(candidates, key=lambda decision: (decision.valid_from <= day, decision.valid_from))
    return valid
