"""Everything a run depends on goes into its bag: settings, parameters, SQL, notebooks, template."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from audit_kernel.catalog import Catalog, resource_folder
from audit_kernel.site import SETTINGS_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

KINDS = ("*.sql", "*.yml", "*.ipynb", "*.j2", "*.css", "*.html")


def copy_inputs(site: Site, target: Path) -> dict[str, str]:
    """Copy the package's and the site's inputs under `target`; return SHA-256 by query, hexadecimal."""
    for name in ("sql", "parameters", "notebooks"):
        _copy(resource_folder(name), target / name)
        _copy(site.folder / name, target / "site" / name)
    _copy(resource_folder("evidence"), target / "template")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(site.folder / SETTINGS_FILE, target / SETTINGS_FILE)
    hashes = {name: query.sql_hash for name, query in Catalog(site.folder).queries.items()}
    for room in ("model", "reference"):
        for path in sorted((resource_folder("sql") / room).glob("*.sql")):
            hashes[f"{room}/{path.stem}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashes


def _copy(source: Path, target: Path) -> None:
    """Copy text inputs only: an investigator's saved notebook with outputs is no input of a run."""
    for kind in KINDS:
        for path in sorted(source.rglob(kind)):
            if ".ipynb_checkpoints" in path.parts:
                continue
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
