"""The law as data: `parameters/legal_basis.yml`, cited by key."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import resource_folder
from audit_kernel.yaml_file import read_yaml

if TYPE_CHECKING:
    from audit_kernel.site import Site


@lru_cache
def _entries(path: Path) -> dict[str, Any]:
    entries: dict[str, Any] = read_yaml(path)
    return entries


def legal_basis(key: str, site: Site, language: str) -> str:
    """Return source and clause of one legal basis, empty where it is another country's law."""
    own = site.folder / "parameters" / "legal_basis.yml"
    entry = _entries(own if own.is_file() else resource_folder("parameters") / "legal_basis.yml")[key]
    if entry.get("country") not in (site.settings.country, "EU"):
        return ""
    source, clause = entry["source"], entry.get("clause", "")
    source = source[language] if isinstance(source, dict) else source
    return f"{source} {clause}".strip()
