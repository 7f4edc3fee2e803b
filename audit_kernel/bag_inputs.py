"""Everything a run depends on goes into its bag: settings, parameters, SQL, notebooks, template."""

from __future__ import annotations

import hashlib
import shutil
from functools import cache
from typing import TYPE_CHECKING

from audit_kernel.canonical import canonical_json
from audit_kernel.catalog import Catalog, resource_folder
from audit_kernel.evidence.bag import digest_of
from audit_kernel.site import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_kernel.site import Site

KINDS = ("*.sql", "*.yml", "*.ipynb", "*.j2", "*.css", "*.html")


FOLDERS = ("sql", "parameters", "notebooks")


def copy_inputs(site: Site, target: Path, folders: Sequence[str] = FOLDERS) -> dict[str, str]:
    """Copy the package's and the site's inputs under `target`; return SHA-256 by query, hexadecimal."""
    for name in folders:
        _copy(resource_folder(name), target / name)
        _copy(site.folder / name, target / "site" / name)
    _copy(resource_folder("evidence"), target / "template")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(site.folder / SETTINGS_FILE, target / SETTINGS_FILE)
    return sql_hashes(site)


def sql_hashes(site: Site) -> dict[str, str]:
    """Return SHA-256 by query, hexadecimal."""
    hashes = {name: query.sql_hash for name, query in Catalog(site.folder).queries.items()}
    for room in ("model", "reference"):
        for path in sorted((resource_folder("sql") / room).glob("*.sql")):
            hashes[f"{room}/{path.stem}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashes


@cache
def program_hash() -> str:
    """Return one SHA-256 over the program's own modules and translations, by path: a version says less."""
    package = resource_folder("evidence").parent
    found = {path for kind in ("*.py", "*.po") for path in package.rglob(kind)}
    digests = {path.relative_to(package).as_posix(): digest_of(path) for path in sorted(found)}
    return hashlib.sha256(canonical_json(digests)).hexdigest()


def fingerprints(site: Site) -> tuple[str, str]:
    """Return one SHA-256 over all SQL, one over all parameters with `settings.yml`; docs/archive.md says how."""
    digests = {SETTINGS_FILE: digest_of(site.folder / SETTINGS_FILE)}
    for folder, prefix in ((resource_folder("parameters"), ""), (site.folder / "parameters", "site/")):
        for path in texts(folder):
            digests[f"{prefix}parameters/{path.relative_to(folder).as_posix()}"] = digest_of(path)
    sql, parameters = (hashlib.sha256(canonical_json(each)).hexdigest() for each in (sql_hashes(site), digests))
    return sql, parameters


def _copy(source: Path, target: Path) -> None:
    """Copy text inputs only: an investigator's saved notebook with outputs is no input of a run."""
    for path in texts(source):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def texts(source: Path) -> list[Path]:
    """Return the text inputs below a folder, in order."""
    found = {path for kind in KINDS for path in source.rglob(kind)}
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)
