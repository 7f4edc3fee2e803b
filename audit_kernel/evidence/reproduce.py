"""Makes a sealed run again over the same snapshot, inputs and parameters, and compares it with what was sealed.

Files are compared by the SHA-256 of the signed statement: the sealed pages and tables need not be there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audit_kernel.bag_inputs import program_hash
from audit_kernel.errors import RunError, UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import keys
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.key_ring import trusted_keys
from audit_kernel.evidence.repeat import Order, Repeated
from audit_kernel.evidence.run import BUILD_TYPE, versions, working_folder
from audit_kernel.evidence.sealed_inputs import Inputs, changed_here, copy_journals, lay_out, sealed_copy
from audit_kernel.files import write_new
from audit_kernel.store.connection import while_reading
from audit_kernel.store.deliver import reading
from audit_kernel.store.tables import LAKE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.site import Site

MADE = ("data/pages", "data/tables", "data/notebooks")
UNREAD = {"file_missing", "unreadable", "folder_extra"}
NOTEBOOKS = "data/notebooks/"
NOT_MADE_AGAIN = {"sensitivity"}  # it puts incidents into a copy of the store in memory
DIFFERS, LACKING, ADDED = "differs", "lacking", "added"


@dataclass(frozen=True)
class Difference:
    """One file that is not as sealed: `differs`, `lacking` here, or `added` here.

    reason: why its page could not be made, where that is so.
    rows: of a table, in the sealed one and here, where both can be read.
    """

    file: str
    what: str
    reason: str = ""
    rows: tuple[int, int] | None = None


@dataclass(frozen=True)
class Disposed:
    """Why the snapshot is gone: the local day, the disposal and its kind; all empty where no record says why."""

    day: date | None = None
    disposal: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Reproduction:
    """What became of it.

    n_compared: files and notebooks that were compared.
    unread: sealed files that could not be read, and were compared by the statement's SHA-256.
    not_compared: executed notebooks of which the statement holds no SHA-256.
    versions: package, version sealed and version here, of each that differs; empty for one that is not there.
    is_other_program: the program's own files differ from those that sealed it.
    is_other_store: the store's ledger at that snapshot names other files.
    changed_inputs: what the site or the program has changed since; the sealed ones were used.
    disposed: set where the snapshot is gone.
    """

    run: str
    n_compared: int = 0
    differences: tuple[Difference, ...] = ()
    unread: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    versions: tuple[tuple[str, str, str], ...] = ()
    is_other_program: bool = False
    is_other_store: bool = False
    changed_inputs: tuple[str, ...] = ()
    disposed: Disposed | None = None

    @property
    def is_identical(self) -> bool:
        """Whether it was made again, and every file that is compared has the sealed SHA-256."""
        return self.disposed is None and not self.differences


@dataclass(frozen=True)
class _Sealed:
    """A verified bag: folder, run's name, SHA-256 by path, its statement's parameters, versions, begin and end."""

    folder: Path
    name: str
    digests: Mapping[str, str]
    asked: dict[str, Any]
    worked: dict[str, Any]
    dependencies: list[list[str]]
    versions: Mapping[str, str]
    started_at: str
    finished_at: datetime
    unread: tuple[str, ...]


def reproduce(site: Site, bag: str, purpose: str = "", threads: int | None = None) -> Reproduction:
    """Make a run again and compare; nothing is sealed, kept or journalled but the use of the store.

    Parameters
    ----------
    bag: the run's folder, or its name in the site's archive.
    purpose: for the use log; `reproduce NAME` when empty.
    threads: threads of each query.

    Raises
    ------
    UsageError: there is no such run.
    VerificationError: it was changed after it was sealed.
    RunError: a run of its kind is not made again, or it could not be.
    JournalError, StoreError: a journal no longer holds what it held, or the store cannot be read.
    """
    sealed = _verified(site, _found(site, bag))
    run = sealed.name
    if gone := _disposed(site, sealed):
        return Reproduction(run, unread=sealed.unread, disposed=gone)
    with working_folder(site) as working:
        copy = sealed_copy(sealed.folder, sealed.digests, working / "sealed")
        inputs = lay_out(copy, working / "again")
        copy_journals(site, sealed.worked["journals"], inputs.site / site.journals_folder.name)
        order = Order(
            site=str(inputs.site),
            live=str(site.folder),
            program=str(inputs.path),
            working=str(working),
            asked=sealed.asked,
            worked=sealed.worked,
            dependencies=sealed.dependencies,
            started_at=sealed.started_at,
            opened_for=purpose or f"reproduce {run}",
            threads=threads,
        )
        made = _carried_out(order, inputs, working)
        if made.error:
            raise RunError("The run {run!r} could not be made again. {reason}", run=run, reason=made.error)
        n_compared, differences = _compared(sealed, made)
        then, now = sealed.versions, versions()
        return Reproduction(
            run,
            n_compared,
            differences,
            sealed.unread,
            tuple(page for page in made.outputs if page not in _outputs(sealed)),
            tuple((name, then.get(name, ""), now.get(name, "")) for name in _differing(then, now)),
            is_other_program=sealed.worked.get("program_sha256", "") != program_hash(),
            is_other_store=made.is_other_store,
            changed_inputs=tuple(changed_here(site, copy, working)),
        )


def _found(site: Site, bag: str) -> Path:
    places = [Path(bag), site.archive_folder / bag, site.restricted_folder / bag]
    for place in places:
        if (place / bags.STATEMENT).is_file():
            return place.resolve()
    raise UsageError("There is no sealed run {bag!r}.", "Give its folder, or its name in the site's archive.", bag=bag)


def _verified(site: Site, folder: Path) -> _Sealed:
    """Return what a bag says of itself, once all but its pages, tables and notebooks is seen to be as sealed."""
    run, problems = check_bag(folder, *trusted_keys(site.archive_folder, keys.load_public(site.keys_folder)))
    unread = [each for each in problems if each.code in UNREAD and each.file.startswith(MADE)]
    wrong = sorted({each.file for each in problems if each.is_failure and each not in unread})
    if wrong or run is None:
        raise VerificationError(
            "The sealed run {name!r} was changed, so it is not made again: {files}.",
            "Run `audit-kernel verify`; it says what is wrong with each file.",
            name=folder.name,
            files=", ".join(wrong) or bags.STATEMENT,
        )
    statement = json.loads((folder / bags.STATEMENT).read_bytes())
    definition, details = statement["predicate"]["buildDefinition"], statement["predicate"]["runDetails"]
    asked = definition["externalParameters"]
    if definition["buildType"] != BUILD_TYPE or not asked.get("notebooks") or asked["kind"] in NOT_MADE_AGAIN:
        raise RunError(
            "The run {name!r} is not made again: months and single reports are, which rest on the store's snapshot"
            " alone.",
            "A closing or a year is made of sealed runs and journals, a trial of a copy in memory; records and keys"
            " state what was done. `audit-kernel verify` checks them all.",
            name=folder.name,
        )
    if asked.get("identity_scope"):
        raise RunError(
            "The run {name!r} is masked, so it is not made again: it holds none of the inputs that could name people.",
            "Ask the site for the same run in full, and make that one again.",
            name=folder.name,
        )
    return _Sealed(
        folder,
        run.name,
        {each["name"]: each["digest"]["sha256"] for each in statement["subject"]},
        asked,
        definition["internalParameters"],
        [[each["name"], each["digest"]["sha256"]] for each in definition["resolvedDependencies"]],
        details["builder"]["version"],
        details["metadata"]["startedOn"],
        datetime.fromisoformat(details["metadata"]["finishedOn"]),
        tuple(sorted(each.file for each in unread)),
    )


def _disposed(site: Site, sealed: _Sealed) -> Disposed | None:
    """Return why the snapshot is gone; None while it is there. A disposal leaves the newest snapshot only."""
    known = f"select 1 from __ducklake_metadata_{LAKE}.ducklake_snapshot where snapshot_id = ?"
    first = (
        f"select disposed_at, disposal_id, kind from {LAKE}.disposals where n_rows > 0 and disposed_at >= ?"
        " order by disposed_at, disposal_id limit 1"
    )
    ended = sealed.finished_at.astimezone(UTC).replace(tzinfo=None)
    with reading(site) as connection, while_reading(site):
        if connection.execute(known, [sealed.worked["snapshot"]]).fetchone():
            return None
        row = connection.execute(first, [ended]).fetchone()
    if row is None:
        return Disposed()
    moment, disposal, kind = row
    zone = ZoneInfo(site.settings.time_zone)
    return Disposed(moment.replace(tzinfo=UTC).astimezone(zone).date(), disposal, kind)


def _carried_out(order: Order, inputs: Inputs, working: Path) -> Repeated:
    """Let a process of its own make the run again, with the sealed program files before the installed ones."""
    path, answer = working / "order.json", working / "repeated.json"
    write_new(path, json.dumps(asdict(order)).encode())
    first = os.pathsep.join([str(inputs.path), *(each for each in sys.path if each)])
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "audit_kernel.evidence.repeat", str(path), str(answer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": first},
    )
    try:
        code = process.wait()
    finally:
        process.communicate()  # closing its input ends it, should this process be stopped
    if not answer.is_file():
        raise RunError(
            "The process that made the run again ended without an answer (exit code {code}).",
            "Try again; if it happens twice, there is too little memory or disk space.",
            code=code,
        )
    return Repeated(**json.loads(answer.read_text(encoding="utf-8")))


def _compared(sealed: _Sealed, made: Repeated) -> tuple[int, tuple[Difference, ...]]:
    """Return how many files and notebooks were compared, and those that differ."""
    then = {path: digest for path, digest in sealed.digests.items() if path.startswith(("data/pages/", "data/tables/"))}
    then |= {path: digest for path, digest in sealed.digests.items() if path.count("/") == 1 and path != bags.STATEMENT}
    now = {path: digest for path, digest in made.files.items() if not path.startswith(NOTEBOOKS)}
    outputs = _outputs(sealed)
    then |= {f"{NOTEBOOKS}{page}.ipynb": digest for page, digest in outputs.items()}
    now |= {f"{NOTEBOOKS}{page}.ipynb": digest for page, digest in made.outputs.items() if page in outputs}
    differences = []
    for path in _differing(then, now):
        what = DIFFERS if path in then and path in now else LACKING if path in then else ADDED
        reason = made.failed.get(Path(path).stem, "") if not path.startswith("data/tables/") else ""
        differences.append(Difference(path, what, reason, _rows(sealed.folder, Path(made.folder), path)))
    return len(then.keys() | now.keys()), tuple(differences)


def _outputs(sealed: _Sealed) -> dict[str, str]:
    """Return SHA-256 of each notebook's outputs by page, as far as the statement holds it."""
    pages = sealed.worked["pages"]
    return {each["page"]: each["outputs_sha256"] for each in pages if "outputs_sha256" in each}


def _rows(sealed: Path, made: Path, path: str) -> tuple[int, int] | None:
    """Return a table's rows, sealed and here; None for other files, and where one of the two cannot be read."""
    if not path.endswith(".parquet"):
        return None
    import pyarrow
    from pyarrow.parquet import read_metadata

    try:
        return read_metadata(sealed / path).num_rows, read_metadata(made / path.removeprefix("data/")).num_rows
    except (OSError, pyarrow.ArrowException):
        return None


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
