"""Writes a finished month's review lists, one workbook a reviewer."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError
from audit_kernel.files import OWNER_ONLY_FOLDER, shared_modes, write_new
from audit_kernel.review.acting import acting_reviewer, purpose_of, refuse_reviewer
from audit_kernel.review.prepare import prepare_lists, send_out
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.use_log import record_use

if TYPE_CHECKING:
    from audit_kernel.review.lists import ReviewList
    from audit_kernel.review.prepare import Prepared
    from audit_kernel.site import Site

UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Exported:
    """One list as it was written."""

    path: Path
    reviewer_id: str
    reviewer_name: str
    n_rows: int
    list_id: str

    @classmethod
    def of(cls, made: ReviewList, path: Path) -> Exported:
        """Return a list that lies at a path."""
        return cls(path, made.reviewer_id, made.reviewer_name, len(made.rows), made.list_id)


def export_lists(site: Site, month: str, folder: Path, purpose: str = "") -> tuple[list[Exported], list[str]]:
    """Write the lists into a folder, readable by its owner only; return them and what the operator must know.

    A list that went out before, unchanged, keeps its id and its bytes.

    Raises
    ------
    UsageError: the month was not run, a file of another content has a list's name, or this user reviews.
    VerificationError, MonthIncompleteError, SettingsError, JournalError: see `prepare_lists`.
    """
    prepared = prepare_export(site, month, purpose)
    return _written(site, prepared.lists, folder), prepared.warnings


def prepare_export(site: Site, month: str, purpose: str = "") -> Prepared:
    """Make the lists that are to go out, after a line in the use log.

    Raises
    ------
    UsageError, VerificationError, MonthIncompleteError, SettingsError, JournalError: as `export_lists`.
    """
    purpose = purpose_of(site, month, purpose)
    refuse_reviewer(acting_reviewer(site, purpose))
    prepared = prepare_lists(site, month, purpose)
    n_rows = sum(len(made.rows) for made in prepared.lists)
    record_use(site, purpose, "export", {"month": month, "lists": len(prepared.lists), "rows": n_rows})
    return prepared


def _written(site: Site, made: list[ReviewList], folder: Path) -> list[Exported]:
    """Make each list known to the journal before its file is there."""
    folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    contents = {folder / file_name(each): (each, workbook_bytes(site, each)) for each in made}
    for path, (_each, content) in contents.items():
        if path.exists() and path.read_bytes() != content:
            raise UsageError(
                "{path} is there already and holds something else, perhaps a reviewer's answers.",
                "Name a new folder; nothing was written.",
                path=str(path),
            )
    written = []
    for path, (each, content) in contents.items():
        send_out(site, each)
        with contextlib.suppress(FileExistsError):  # the same bytes
            write_new(path, content, shared_modes(folder)[0])
        written.append(Exported.of(each, path))
    return written


def file_name(made: ReviewList) -> str:
    """Return the name of a list's file: month, reviewer as far as a file name can say it, and the list's id."""
    return f"{made.month}-{UNSAFE.sub('_', made.reviewer_id)[:40]}-{made.list_id}.xlsx"
