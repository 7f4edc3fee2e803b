"""Thresholds are decisions: each with its value, reason, who approved it and since when."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.yaml_file import Texts, read_model, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
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


_TRIED: ContextVar[Mapping[str, Threshold] | None] = ContextVar("tried", default=None)


@contextmanager
def tried(decisions: Mapping[str, Threshold]) -> Iterator[None]:
    """Let these decisions count, all of them and whatever the day, for what is asked meanwhile: a preview's."""
    token = _TRIED.set(decisions)
    try:
        yield
    finally:
        _TRIED.reset(token)


def thresholds_valid_on(day: date, site_folder: Path | None = None) -> dict[str, Threshold]:
    """Return each threshold's decision that was valid on a local day; a site's decisions come before the package's.

    Raises
    ------
    SettingsError: a file is wrong, or the site names a threshold that no query has.
    """
    if (trial := _TRIED.get()) is not None:
        return dict(trial)
    package = read_model(resource_folder("parameters") / FILE, _Thresholds).root
    own_file = site_folder / "parameters" / FILE if site_folder else None
    known = {**dict.fromkeys(_named_by_own_queries(site_folder) if site_folder else (), ()), **package}
    own = read_decisions(own_file, known) if own_file and own_file.is_file() else {}
    return _valid(day, known, own)


def thresholds_sealed(inputs: Path, day: date) -> dict[str, Threshold]:
    """Return each threshold's decision that was valid on a day, from the inputs that a sealed run holds.

    Raises
    ------
    SettingsError: a file of them is wrong.
    """
    package = read_model(inputs / "parameters" / FILE, _Thresholds).root
    own_file = inputs / "site" / "parameters" / FILE
    own = read_model(own_file, _Thresholds).root if own_file.is_file() else {}
    return _valid(day, {**dict.fromkeys(own, ()), **package}, own)


def _valid(
    day: date, known: Mapping[str, tuple[Threshold, ...]], own: Mapping[str, tuple[Threshold, ...]]
) -> dict[str, Threshold]:
    """Return what was valid on a day: the site's own decisions, else those known."""
    valid: dict[str, Threshold] = {}
    for name, decisions_of_name in known.items():
        candidates = [each for each in own.get(name, ()) if each.valid_from <= day] or list(decisions_of_name)
        if candidates:  # else a query that needs it says so itself
            valid[name] = max(candidates, key=lambda decision: (decision.valid_from <= day, decision.valid_from))
    return valid


def read_decisions(path: Path, known: Collection[str]) -> dict[str, tuple[Threshold, ...]]:
    """Return the decisions of a site's file, by threshold.

    Raises
    ------
    SettingsError: the file is wrong, or names a threshold that is not among the known ones.
    """
    own = read_model(path, _Thresholds).root
    if unknown := sorted(set(own) - set(known)):
        raise SettingsError(
            "{own_file}: unknown threshold {given!r}.",
            "There are: {allowed}.",
            own_file=path,
            given=unknown[0],
            allowed=", ".join(sorted(known)),
        )
    return own


def decision(valid: Mapping[str, Threshold], threshold: str, query: str) -> Threshold:
    """Return the decision that a query asks for.

    Raises
    ------
    SettingsError: nobody has decided it.
    """
    if threshold not in valid:
        raise SettingsError(
            "{query} names the threshold {given!r}, which nobody has decided.",
            "Write it into the site's parameters/thresholds.yml: docs/adding-a-check.md shows how.",
            query=query,
            given=threshold,
        )
    return valid[threshold]


def _named_by_own_queries(site_folder: Path) -> set[str]:
    """Return the thresholds that the site's own checks, reports and reasons name."""
    named = set()
    for path in sorted((site_folder / "sql").glob("*/*.yml")):
        described = read_yaml(path)
        parameters = described.get("parameters") if isinstance(described, dict) else None
        for each in parameters.values() if isinstance(parameters, dict) else ():
            if isinstance(each, dict) and isinstance(each.get("threshold"), str):
                named.add(each["threshold"])
    return named
