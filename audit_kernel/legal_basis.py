"""The law as data: `parameters/legal_basis.yml`, cited by key."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, RootModel

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_kernel.site import Site


class LegalBasis(BaseModel):
    """One clause: country, source, clause and what it asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    country: Literal["SE", "NO", "EU"]
    source: str | Texts
    clause: str = ""
    asks: Texts


class _LegalBasis(RootModel[dict[str, LegalBasis]]):
    """The whole file."""


@lru_cache
def legal_bases(path: Path) -> dict[str, LegalBasis]:
    """Return every clause of one file by its key."""
    return read_model(path, _LegalBasis).root


def legal_basis(key: str, site: Site, language: str) -> tuple[str, str] | None:
    """Return source with clause, and what it asks; None where it is another country's law."""
    own = site.folder / "parameters" / "legal_basis.yml"
    entry = legal_bases(own if own.is_file() else resource_folder("parameters") / "legal_basis.yml")[key]
    if entry.country not in (site.settings.country, "EU"):
        return None
    source = entry.source if isinstance(entry.source, str) else entry.source.in_language(language)
    return f"{source} {entry.clause}".strip(), entry.asks.in_language(language)


def refuse_unknown_clauses(site: Site, path: Path, keys: Iterable[str]) -> None:
    """Refuse a file of rules that names a clause which `legal_basis.yml` lacks.

    Raises
    ------
    SettingsError: names the file and the first such clause.
    """
    for key in keys:
        try:
            legal_basis(key, site, "en")
        except KeyError:
            raise SettingsError(
                "{path}: the clause {key!r} is not in legal_basis.yml.",
                "Correct the file and try again.",
                path=path,
                key=key,
            ) from None
