"""What a sealed run was made with, laid out so that it can be made again: site, journals as of then, and the program.

The program's Python is the one that runs; its SQL, notebooks, parameters and template are the sealed ones. What the
site has changed since then is not used.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.bag_inputs import FOLDERS, KINDS, copy_inputs
from audit_kernel.catalog import resource_folder
from audit_kernel.errors import JournalError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.files import write_new
from audit_kernel.journal import START, parse_line
from audit_kernel.site import OWNER_ONLY, SETTINGS_FILE
from audit_kernel.use_log import FILE as USE_LOG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from audit_kernel.site import Site

INPUTS = "data/inputs/"
PACKAGE = "audit_kernel"
# What no run uses, and what stands in the sealed copy.
LEFT_OUT = ("demo", "labextensions", *FOLDERS)


@dataclass(frozen=True)
class Inputs:
    """Folders made of a bag's inputs: `site` for :class:`Site`, `path` to stand first where modules are looked for."""

    site: Path
    path: Path


def sealed_copy(bag: Path, digests: Mapping[str, str], target: Path) -> Path:
    """Copy a bag's inputs, and hold the copy against the statement.

    Parameters
    ----------
    digests: SHA-256 by path in the bag, of the verified statement.

    Raises
    ------
    VerificationError: a file differs, is missing, or was added.
    """
    shutil.copytree(bag / INPUTS, target, copy_function=shutil.copyfile)
    wanted = {path.removeprefix(INPUTS): digest for path, digest in digests.items() if path.startswith(INPUTS)}
    found = {path: bags.digest_of(file) for path, file in bags.read_tree(target).files.items()}
    changed = sorted(path for path in {*wanted, *found} if wanted.get(path) != found.get(path))
    if changed or not wanted:
        raise VerificationError(
            "The sealed inputs of {run!r} changed while they were read: {files}.",
            "Run `audit-kernel verify`; nothing was made from them.",
            run=bag.name,
            files=", ".join(changed),
        )
    return target


def lay_out(copy: Path, target: Path) -> Inputs:
    """Lay a copy of sealed inputs out as a site's folder and as a package."""
    inputs = Inputs(target / "site", target / "path")
    package = inputs.path / PACKAGE
    installed = resource_folder("evidence").parent
    # with their compiled forms, which fit since a copy keeps its time
    shutil.copytree(installed, package, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for kind in KINDS:
        for path in (package / "evidence").rglob(kind):
            path.unlink()
    shutil.copytree(copy / "template", package / "evidence", dirs_exist_ok=True)
    for name in FOLDERS:
        shutil.copytree(copy / name, package / name)
        own = copy / "site" / name
        (inputs.site / name).mkdir(parents=True)
        if own.is_dir():
            shutil.copytree(own, inputs.site / name, dirs_exist_ok=True)
    shutil.copyfile(copy / SETTINGS_FILE, inputs.site / SETTINGS_FILE)
    return inputs


def copy_journals(site: Site, heads: Mapping[str, Any], target: Path) -> None:
    """Copy the site's journals as they were when a run was sealed: up to the line that its statement names.

    The use log, which no page is made of, is left out.

    Raises
    ------
    JournalError: that line is missing or was changed.
    """
    target.mkdir(mode=OWNER_ONLY)
    for name, head in heads.items():
        if name == USE_LOG or "/" in name or "\\" in name:
            continue
        path = site.journals_folder / name
        lines = path.read_bytes().splitlines(keepends=True)[: head["sequence"]] if path.is_file() else []
        last = parse_line(lines[-1].rstrip(b"\n")) if lines else None
        if (last["hash"] if last else START) != head["hash"]:
            raise JournalError(
                "The journal {file!r} does not hold the line {number} that the sealed run names.",
                "Run `audit-kernel verify`; restore the journal from a backup.",
                file=name,
                number=head["sequence"],
            )
        write_new(target / name, b"".join(lines))


def changed_here(site: Site, copy: Path, working: Path) -> list[str]:
    """Return the inputs that are others here today than in the sealed copy, by their path below `data/inputs`."""
    here = working / "inputs_here"
    copy_inputs(site, here)
    now, then = (
        {path: bags.digest_of(file) for path, file in bags.read_tree(folder).files.items()} for folder in (here, copy)
    )
    return sorted(path for path in {*now, *then} if now.get(path) != then.get(path))
