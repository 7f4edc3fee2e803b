"""Sealing: a finished working folder becomes one signed BagIt bag, the next link of the archive's chain."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from audit_kernel.canonical import plain
from audit_kernel.errors import KeyFileError, RunError, UnavailableError, VerificationError
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence import statement as statements
from audit_kernel.evidence.bag_build import Countersign, build, checked_payload
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.statement import provenance
from audit_kernel.files import OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, replace_whole, sync_folder

__all__ = ["KeyChange", "locked", "provenance", "repair_head", "reported", "seal"]

WORK_PREFIX = chain.WORK_PREFIX + "seal-"
WAIT_SECONDS = 600


@dataclass(frozen=True)
class KeyChange:
    """What a run says of a change of keys: to which key it hands over, or from which it takes over."""

    following: keys.PublicKey | None = None
    former: keys.PublicKey | None = None


def seal(
    working: Path,
    archive: Path,
    name: str,
    statement: Mapping[str, Any],
    private_key: keys.Signer,
    public_key_pem: bytes | str,
    *,
    countersign: Countersign | None = None,
    change: KeyChange | None = None,
    disposed: Sequence[chain.DisposedRun] = (),
) -> Path:
    """Seal the files in `working` (which stays as it is) as the run `name`; return the bag's folder.

    Parameters
    ----------
    statement: the SLSA provenance predicate, see `statement.provenance`; the chain's fields are added here.
    countersign: returns more tag files, given the manifest and its signature: a CAdES signature, a time stamp.
    change: this run hands the archive over to another key, or takes it over.
    disposed: the runs whose disposal this run records.

    Raises
    ------
    UsageError: a name that cannot stand in a bag, a link, or an incomplete statement.
    KeyFileError: the keys are not a pair, or not the key that the archive was begun with.
    RunError: the run exists already, or the bag could not be written.
    VerificationError: the archive's chain is broken; nothing is sealed upon it.
    """
    predicate = plain(statement)
    date = statements.checked_date(predicate)
    payload = checked_payload(working, name)
    public_pem = _checked_pair(private_key, public_key_pem)
    with reported(archive):
        archive.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        with locked(archive):
            _clear_stale_work(archive)
            _check_archive_key(archive, keys.public_pem(change.former) if change and change.former else public_pem)
            head = _recovered_head(archive, private_key, change.former if change else None)
            if head is None:
                fingerprint = keys.fingerprint(private_key.public_key())
                head = chain.HeadRecord(chain.archive_id(name, fingerprint), 0, "", "")
                chain.write_head(archive, head, private_key)
            final = archive / name
            if os.path.lexists(final):
                raise RunError(
                    "The archive holds a run named {name!r} already.",
                    "A sealed run is never overwritten: run it again under a new run id.",
                    name=name,
                )
            before = {"run": head.run, "tagmanifest_sha256": head.tagmanifest_sha256} if head.sequence else None
            place = {"run": name, "sequence": head.sequence + 1, "preceding": before, "archive": head.archive}
            place |= _keys_told(archive / head.run if head.sequence else None, change)
            place |= {"disposed": [vars(each) for each in disposed]} if disposed else {}
            work = archive / f"{WORK_PREFIX}{secrets.token_hex(8)}"
            try:
                build(work, payload, {**predicate, chain.CHAIN_FIELD: place}, date, private_key, countersign)
                work.rename(final)
            except BaseException:
                shutil.rmtree(work, ignore_errors=True)
                raise
            sync_folder(archive)
            run = chain.read_run(final)
            if run is None:
                raise RunError(
                    "The run {name!r} cannot be read back from the archive.",
                    "Check the disk, then run `audit-kernel verify` on the archive.",
                    name=name,
                )
            chain.write_head(archive, chain.head_of(run), private_key)
            if change and change.former:
                replace_whole(archive / keys.PUBLIC_NAME, public_pem)
    return final


def repair_head(archive: Path, private_key: keys.Signer, former: keys.PublicKey | None = None) -> bool:
    """Bring a head record up to date that a crash left one run behind; tell whether it was.

    former: the key that this one took over from, where the crash may have come before the archive had the new one.

    Raises
    ------
    VerificationError: the chain is broken.
    """
    if not archive.is_dir():
        return False
    with reported(archive), locked(archive):
        before = (archive / chain.HEAD).read_bytes() if (archive / chain.HEAD).is_file() else b""
        head = _recovered_head(archive, private_key, former)
        if former:
            replace_whole(archive / keys.PUBLIC_NAME, keys.public_pem(private_key.public_key()))
        return head is not None and (archive / chain.HEAD).read_bytes() != before


def _keys_told(last: Path | None, change: KeyChange | None) -> dict[str, Any]:
    """Return what a statement says of keys: all that were given up before, and the one it hands over to."""
    before = chain.read_run(last) if last else None
    former = list(before.former_keys) if before else []
    if change and change.former:
        former.append(keys.public_pem(change.former).decode("ascii"))
    following = keys.public_pem(change.following).decode("ascii") if change and change.following else ""
    return {**({"former_keys": former} if former else {}), **({"next_key": following} if following else {})}


def _recovered_head(archive: Path, key: keys.Signer, former: keys.PublicKey | None = None) -> chain.HeadRecord | None:
    """Return the head record, repaired when a crash left it behind by the one run sealed last.

    former: the key that the last run was signed with, when this run takes over from it.
    """
    trusted = [*([former] if former else []), key.public_key()]
    broken = VerificationError(
        "The chain of the archive {archive!r} is broken: nothing can be sealed upon it.",
        "Run `audit-kernel verify` on the archive; restore what it names from a backup.",
        archive=str(archive),
    )
    try:
        head = chain.read_head(archive, *trusted)
    except ValueError as error:
        raise broken from error
    runs = chain.archive_runs(archive)
    if head is None:
        if chain.bag_folders(archive):  # even an empty archive has a head record, so this one was removed
            raise broken
        return None
    if head.sequence and head not in [chain.head_of(run) for run in runs]:
        raise broken
    ahead = [run for run in runs if run.sequence > head.sequence]
    if not ahead:
        return head
    run = ahead[0]
    if len(ahead) > 1 or not chain.follows(run, head) or check_bag(archive / run.name, *trusted)[1]:
        raise broken
    chain.write_head(archive, chain.head_of(run), key)
    return chain.head_of(run)


def _checked_pair(private_key: keys.Signer, public_key_pem: bytes | str) -> bytes:
    """Return the public key's PEM form."""
    given = public_key_pem.encode("ascii", "replace") if isinstance(public_key_pem, str) else public_key_pem
    expected = keys.public_pem(private_key.public_key())
    if given.split() != expected.split():
        raise KeyFileError(
            "The signing key and the public key are not a pair.", "Restore both files from the same backup."
        )
    return expected


def _check_archive_key(archive: Path, public_pem: bytes) -> None:
    """Put the public key into a new archive; refuse an archive that was begun with another."""
    copy = archive / keys.PUBLIC_NAME
    if not copy.exists() and not chain.bag_folders(archive):
        replace_whole(copy, public_pem)
    if not copy.exists() or copy.read_bytes() != public_pem:
        raise KeyFileError(
            "The archive {archive!r} was begun with another key, or its public key was changed.",
            "Use the key it was begun with, or restore its signing-key.pub.pem.",
            archive=str(archive),
        )


def _clear_stale_work(archive: Path) -> None:
    """Remove what a killed seal left; the lock is held, so nobody works there."""
    for folder in archive.glob(f"{WORK_PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in archive.iterdir():
        if chain.is_leftover(file.name) and file.is_file():
            file.unlink()


def locked(archive: Path) -> filelock.BaseFileLock:
    """Return the lock that whoever changes an archive holds."""
    return filelock.FileLock(archive / chain.LOCK, timeout=WAIT_SECONDS, mode=OWNER_ONLY_FILE)


@contextlib.contextmanager
def reported(archive: Path) -> Iterator[None]:
    """Turn what can fail while an archive is changed into errors of ours.

    Raises
    ------
    UnavailableError: another run holds the lock.
    RunError: the folder cannot be written.
    """
    try:
        yield
    except filelock.Timeout as error:
        raise UnavailableError(
            "The archive {archive!r} is in use by another run.", "Try again when it has ended.", archive=str(archive)
        ) from error
    except OSError as error:
        raise RunError(
            "The archive {archive!r} cannot be written: {cause}.",
            "Check the folder, its permissions and the free space.",
            archive=str(archive),
            cause=error.strerror or error,
        ) from error
