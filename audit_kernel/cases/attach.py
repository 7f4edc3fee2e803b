"""Adds evidence to a case, sealed at that moment: rows with query and snapshot, a file, a sealed run of the archive."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import stat
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.canonical import canonical_json, timestamp
from audit_kernel.cases import case as kinds
from audit_kernel.cases import lines
from audit_kernel.cases.evidence import DRAFT, FILE, ROWS, RUN, TABLE
from audit_kernel.errors import RunError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import keys
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.coverage import coverage, notices
from audit_kernel.evidence.key_ring import trusted_keys
from audit_kernel.evidence.sealed_bag import changed
from audit_kernel.evidence.tables import write_tables
from audit_kernel.files import OWNER_ONLY_FOLDER, shared_modes, sync_folder, write_new
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audit_kernel.cases.case import Case
    from audit_kernel.query import Result
    from audit_kernel.site import Site

DESCRIPTION, COPY = "sealed.json", "file"
ENDING = re.compile(r"\.[a-z0-9]{1,8}")


def attach_report(site: Site, number: str, name: str, parameters: Mapping[str, Any], why: str = "") -> Case:
    """Ask a report and seal its answer into the case.

    Parameters
    ----------
    name, parameters: as for `Store.report`. why: what it is to show.

    Raises
    ------
    ParameterError, UnknownSubjectError, NotAssessableError: as `Store.report`; nothing is added.
    RunError, JournalError: as `lines.writable`.
    """
    case = lines.writable(site, number, "case_attach")
    with Store(site, case.number) as store:
        result = store.report(name, **parameters)
        lacks = notices(coverage(store, result.parameters), site.settings.language)
        return attach_result(site, number, result, store.snapshot, why, lacks)


def attach_result(
    site: Site, number: str, result: Result, snapshot: int, why: str = "", lacks: Sequence[str] = ()
) -> Case:
    """Seal an answer that there is into the case: all its rows, the query's text, what it was asked with.

    Parameters
    ----------
    snapshot: of the store that answered (`Store.snapshot`).
    lacks: what the period's logs lack, a sentence each.

    Raises
    ------
    RunError, JournalError: as `lines.writable`.
    """
    case = lines.writable(site, number, "case_attach")
    query = result.query
    name = f"{query.room}/{query.name}"
    told = {
        "query": name,
        "sql_sha256": query.sql_hash,
        "snapshot": snapshot,
        "parameters": dict(result.parameters),
        "n_rows": result.table.num_rows,
        "n_searched": result.rows_searched,
        "n_unresolved": result.rows_unresolved,
        "lacks": list(lacks),
    }
    thresholds = {key: each.model_dump(mode="json") for key, each in result.thresholds.items()}
    versions = {package: version(package) for package in ("audit-kernel", "duckdb", "pyarrow")}

    def fill(folder: Path) -> None:
        write_tables(result.table, folder, TABLE)
        write_new(folder / "query.sql", query.sql.encode())
        for step, text in query.steps:
            write_new(folder / f"{step}.step.sql", text.encode())
        write_new(folder / "query.yml", query.path.with_suffix(".yml").read_bytes())

    return _attach(site, case, ROWS, name, fill, told, why, {"thresholds": thresholds, "versions": versions})


def attach_file(site: Site, number: str, path: Path, why: str = "") -> Case:
    """Copy a file into the case, a scanned letter for instance; its own name stands in the line.

    Raises
    ------
    UsageError: there is no such file.
    RunError, JournalError: as `lines.writable`.
    """
    if not path.is_file():
        raise UsageError("There is no file {path!r}.", "Name one file; pack a folder first.", path=str(path))
    case = lines.writable(site, number, "case_attach")
    ending = path.suffix.lower() if ENDING.fullmatch(path.suffix.lower()) else ""
    copy = f"{COPY}{ending}"
    told = {"file": copy, "size": path.stat().st_size}
    return _attach(site, case, FILE, path.name, lambda folder: _copied(path, folder / copy), told, why)


def attach_run(site: Site, number: str, name: str, why: str = "") -> Case:
    """Name a sealed run of the archive, or of `restricted/`, as evidence, after verifying it.

    Parameters
    ----------
    name: the run's, or the path of its folder.

    Raises
    ------
    UsageError: there is no such run.
    VerificationError: it was changed after it was sealed.
    RunError, JournalError: as `lines.writable`.
    """
    run = Path(name).name
    places = [site.archive_folder, site.restricted_folder]
    archive = next((place for place in places if bags.is_run_name(run) and (place / run / bags.BAGIT).is_file()), None)
    if archive is None:
        raise UsageError(
            "There is no sealed run {name!r} in the archive.", "Give its name, as the archive has it.", name=name
        )
    case = lines.writable(site, number, "case_attach")
    record, problems = check_bag(archive / run, *trusted_keys(archive, keys.load_public(site.keys_folder)))
    if record is None or record.name != run or any(each.is_failure for each in problems):
        raise changed(run)
    line = {"id": run, "kind": RUN, "title": run, "sha256": record.tagmanifest_sha256, "archive": archive.name}
    return lines.added(case, kinds.ATTACHED, {**line, "why": why.strip()})


def attach_pages(site: Site, case: Case, title: str, files: Mapping[str, bytes], told: Mapping[str, Any]) -> Case:
    """Seal pages of the program's own into the case: the draft of a form.

    Raises
    ------
    JournalError: the line could not be written.
    """

    def fill(folder: Path) -> None:
        for name, content in files.items():
            write_new(folder / name, content)

    return _attach(site, case, DRAFT, title, fill, dict(told), "")


def _attach(
    site: Site,
    case: Case,
    kind: str,
    title: str,
    fill: Callable[[Path], None],
    told: Mapping[str, Any],
    why: str,
    more: Mapping[str, Any] | None = None,
) -> Case:
    """Write a folder aside, sync it, rename it into place, then add the line that names its manifest's hash."""
    now = datetime.now(UTC)
    evidence_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    line = {"id": evidence_id, "kind": kind, "title": title, **told, "why": why.strip()}
    home = site.cases_folder / case.name
    aside = home / f".{evidence_id}.new"
    try:
        site.cases_folder.mkdir(mode=OWNER_ONLY_FOLDER, exist_ok=True)
        file_mode, folder_mode = shared_modes(site.cases_folder)
        file_mode &= ~stat.S_IWGRP  # nobody changes what is sealed
        for folder in (home, aside):
            if not folder.is_dir():
                folder.mkdir(mode=OWNER_ONLY_FOLDER)
                folder.chmod(folder_mode)
        fill(aside)
        described = {"case": case.number, "at": timestamp(now), **line, **(more or {})}
        write_new(aside / DESCRIPTION, canonical_json(described) + b"\n")
        digests = {}
        for name, path in bags.read_tree(aside).files.items():
            path.chmod(file_mode)
            _sync(path)
            digests[name] = bags.digest_of(path)
        manifest = bags.manifest_text(digests)
        write_new(aside / bags.MANIFEST, manifest, file_mode)
        sync_folder(aside)
        aside.rename(home / evidence_id)
        sync_folder(home)
    except OSError as error:
        raise RunError(
            "The folder {folder!r} cannot be written: {cause}.",
            "Check the folder, its permissions and the free space; nothing was added to the case.",
            folder=str(home),
            cause=error.strerror or type(error).__name__,
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return lines.added(case, kinds.ATTACHED, {**line, "sha256": hashlib.sha256(manifest).hexdigest()})


def _copied(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("xb") as written:
        shutil.copyfileobj(read, written)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
