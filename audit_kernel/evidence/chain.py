"""The chain of runs in an archive: what each statement says of its place, and the signed head record."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from audit_kernel.canonical import canonical_json
from audit_kernel.evidence.bag import STATEMENT, TAG_MANIFEST, digest_of, is_run_name
from audit_kernel.evidence.signatures import PublicKey, Signer, check_signature
from audit_kernel.files import replace_whole

HEAD = "head.txt"
LOCK = ".lock"
WORK_PREFIX = ".work-"
DISPOSED_PREFIX = WORK_PREFIX + "disposed-"  # then the run's name: its folder on the way out
CHAIN_FIELD = "auditkernel_chain"  # SLSA names extension fields <vendor>_<name>
LEFTOVER = re.compile(r"\.(?:head\.txt|signing-key\.pub\.pem)\.[0-9a-f]{8}\.new")
LARGEST_HEAD = 10_000  # bytes


@dataclass(frozen=True)
class DisposedRun:
    """A run that is no more, as the run that records its disposal tells it.

    run, sequence, preceding, preceding_sha256, tagmanifest_sha256, signed_by: as in its `RunRecord`.
    manifest_sha256: of its manifest-sha256.txt, the list of its files.
    kind, period: of the run.
    disposed_on: the day of the record, ISO (UTC).
    """

    run: str
    sequence: int
    preceding: str | None
    preceding_sha256: str | None
    tagmanifest_sha256: str
    manifest_sha256: str
    signed_by: str
    kind: str
    period: str
    disposed_on: str

    @property
    def is_formed(self) -> bool:
        """Tell whether the values are of the types that they are read as."""
        optional = {"preceding", "preceding_sha256"}
        texts = [value for name, value in vars(self).items() if name != "sequence" and (name not in optional or value)]
        is_number = type(self.sequence) is int and self.sequence >= 1
        return is_number and all(isinstance(text, str) for text in texts) and is_run_name(self.run)

    def record(self, archive: str) -> RunRecord:
        """Return its place in the chain of the archive."""
        before = (self.preceding, self.preceding_sha256)
        return RunRecord(self.run, self.sequence, *before, self.tagmanifest_sha256, archive, signed_by=self.signed_by)


@dataclass(frozen=True)
class RunRecord:
    """A sealed run's place in the chain.

    name: the run, which is its folder's name.
    sequence: 1 for the archive's first run.
    preceding, preceding_sha256: the run before and the SHA-256 of its tagmanifest-sha256.txt; None for the first.
    tagmanifest_sha256: of this run, as it lies on the disk.
    archive: the archive's id, the same in all its runs.
    former_keys: the keys that signed the archive before this run's own, PEM.
    next_key: the key that signs from the next run on, where this run hands over to it, PEM.
    disposed: the runs whose disposal this run records.
    signed_by: fingerprint of the key that its signature was verified with; empty when nothing was verified.
    """

    name: str
    sequence: int
    preceding: str | None
    preceding_sha256: str | None
    tagmanifest_sha256: str
    archive: str
    former_keys: tuple[str, ...] = ()
    next_key: str = ""
    disposed: tuple[DisposedRun, ...] = ()
    signed_by: str = ""


@dataclass(frozen=True)
class HeadRecord:
    """The archive's last run; sequence 0 with empty texts before the first."""

    archive: str
    sequence: int
    run: str
    tagmanifest_sha256: str

    def line(self) -> bytes:
        """Return the signed line, line end included."""
        return canonical_json(vars(self)) + b"\n"

    def code(self) -> str:
        """Return a short code to file in the minutes: the place in the chain and 80 bits of the line's SHA-256."""
        letters = base64.b32encode(hashlib.sha256(self.line()).digest()[:10]).decode("ascii")
        return "-".join([str(self.sequence), *(letters[i : i + 4] for i in range(0, len(letters), 4))])


def archive_id(first_run: str, key_fingerprint: str) -> str:
    """Return the id of an archive that begins with this run and key."""
    return hashlib.sha256(canonical_json([key_fingerprint, first_run])).hexdigest()[:32]


def head_of(run: RunRecord) -> HeadRecord:
    """Return the head record that names this run as the last."""
    return HeadRecord(run.archive, run.sequence, run.name, run.tagmanifest_sha256)


def follows(run: RunRecord, head: HeadRecord) -> bool:
    """Tell whether a run is the next one after the head."""
    before = (head.run, head.tagmanifest_sha256) if head.sequence else (None, None)
    is_next = (run.preceding, run.preceding_sha256) == before and run.sequence == head.sequence + 1
    return is_next and run.archive == head.archive


def write_head(archive: Path, head: HeadRecord, key: Signer) -> None:
    """Replace the head record in one step."""
    line = head.line()
    replace_whole(archive / HEAD, line + base64.b64encode(key.sign(line)) + b"\n")


def read_head(archive: Path, *trusted: PublicKey) -> HeadRecord | None:
    """Return the head record; None when it is missing.

    Raises
    ------
    ValueError: a byte of it was changed, or none of the trusted keys signed it.
    """
    path = archive / HEAD
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        content = file.read(LARGEST_HEAD)
    first, _, second = content.partition(b"\n")
    try:
        signature = base64.b64decode(second.strip(b"\n"), validate=True)
        _check_any(trusted, signature, first + b"\n")
        head = HeadRecord(**json.loads(first))
        written = head.line() + base64.b64encode(signature) + b"\n"
    except (InvalidSignature, ValueError, TypeError) as error:
        message = "not signed by this key"
        raise ValueError(message) from error
    if written != content:  # base64 has spare bits that a signature does not cover
        message = "not written by this program"
        raise ValueError(message)
    return head


def _check_any(trusted: tuple[PublicKey, ...], signature: bytes, content: bytes) -> None:
    for key in trusted:
        with contextlib.suppress(InvalidSignature):
            check_signature(key, signature, content)
            return
    raise InvalidSignature


def read_run(bag: Path) -> RunRecord | None:
    """Return what a bag says of its place in the chain; None when that cannot be read. Nothing is verified."""
    try:
        statement = json.loads((bag / STATEMENT).read_bytes())
        return parse_run(statement, digest_of(bag / TAG_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None


def parse_run(statement: Any, tagmanifest_sha256: str) -> RunRecord | None:  # noqa: ANN401 - any JSON
    """Return the chain part of a statement; None when it has none of the right form."""
    try:
        chain = statement["predicate"][CHAIN_FIELD]
        before = chain["preceding"] or {"run": None, "tagmanifest_sha256": None}
        run = RunRecord(
            chain["run"],
            chain["sequence"],
            before["run"],
            before["tagmanifest_sha256"],
            tagmanifest_sha256,
            chain["archive"],
            tuple(chain.get("former_keys", ())),
            chain.get("next_key", ""),
            tuple(DisposedRun(**each) for each in chain.get("disposed", ())),
        )
    except (KeyError, TypeError, AttributeError):
        return None
    texts = [run.name, run.archive, run.preceding or "", run.preceding_sha256 or "", run.next_key, *run.former_keys]
    is_formed = type(run.sequence) is int and run.sequence >= 1 and all(isinstance(text, str) for text in texts)
    is_formed = is_formed and all(each.is_formed for each in run.disposed)
    return run if is_formed and (run.preceding is None) == (run.sequence == 1) else None


def is_leftover(name: str) -> bool:
    """Tell whether an interrupted sealing leaves files or folders of this name in the archive."""
    return name.startswith(WORK_PREFIX) or bool(LEFTOVER.fullmatch(name))


def is_locked(archive: Path) -> bool:
    """Tell whether a sealing holds the archive's lock now; the lock file is only read, never made or emptied."""
    try:
        import fcntl
    except ImportError:  # Windows: an open lock cannot be read, which tells the same
        return not os.access(archive / LOCK, os.R_OK)
    try:
        with (archive / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def bag_folders(archive: Path) -> list[Path]:
    """Return the folders that are runs by their name, sorted."""
    return sorted(p for p in archive.iterdir() if p.is_dir() and not p.is_symlink() and is_run_name(p.name))


def archive_runs(archive: Path) -> list[RunRecord]:
    """Return the archive's runs in the order they were sealed; nothing is verified here, see `verify`."""
    runs = [read_run(folder) for folder in bag_folders(archive)]
    return sorted((run for run in runs if run), key=lambda run: (run.sequence, run.name))
