"""Sealing: a finished working folder becomes one signed BagIt bag, the next link of the archive's chain."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path, PurePosixPath
from typing import Any

import bagit
import filelock
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_kernel.canonical import plain
from audit_kernel.errors import KeyFileError, RunError, UnavailableError, UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence import statement as statements
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.statement import provenance
from audit_kernel.files import (
    BINARY,
    OWNER_ONLY_FILE,
    OWNER_ONLY_FOLDER,
    replace_whole,
    sync_folder,
    write_all,
    write_new,
)

__all__ = ["provenance", "repair_head", "seal"]

WORK_PREFIX = chain.WORK_PREFIX + "seal-"
WAIT_SECONDS = 600
FILE_MODE = OWNER_ONLY_FILE if os.name == "nt" else 0o400  # Windows cannot remove a read-only file


def seal(
    working: Path,
    archive: Path,
    name: str,
    statement: Mapping[str, Any],
    private_key: Ed25519PrivateKey,
    public_key_pem: bytes | str,
) -> Path:
    """Seal the files in `working` (which stays as it is) as the run `name`; return the bag's folder.

    Parameters
    ----------
    statement: the SLSA provenance predicate, see `statement.provenance`; the chain's fields are added here.

    Raises
    ------
    UsageError: a name that cannot stand in a bag, a link, or an incomplete statement.
    KeyFileError: the keys are not a pair, or not the key that the archive was begun with.
    RunError: the run exists already, or the bag could not be written.
    VerificationError: the archive's chain is broken; nothing is sealed upon it.
    """
    predicate = plain(statement)
    date = statements.checked_date(predicate)
    payload = _checked_payload(working, name)
    public_pem = _checked_pair(private_key, public_key_pem)
    with _reported(archive):
        archive.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        with _locked(archive):
            _clear_stale_work(archive)
            _check_archive_key(archive, public_pem)
            head = _recovered_head(archive, private_key)
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
            work = archive / f"{WORK_PREFIX}{secrets.token_hex(8)}"
            try:
                _build(work, payload, {**predicate, chain.CHAIN_FIELD: place}, date, private_key)
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
    return final


def repair_head(archive: Path, private_key: Ed25519PrivateKey) -> bool:
    """Bring a head record up to date that a crash left one run behind; tell whether it was.

    Raises
    ------
    VerificationError: the chain is broken.
    """
    if not archive.is_dir():
        return False
    with _reported(archive), _locked(archive):
        before = (archive / chain.HEAD).read_bytes() if (archive / chain.HEAD).is_file() else b""
        head = _recovered_head(archive, private_key)
        return head is not None and (archive / chain.HEAD).read_bytes() != before


def _build(
    work: Path, payload: Mapping[str, Path], predicate: Mapping[str, Any], date: str, key: Ed25519PrivateKey
) -> None:
    """Write a whole bag into `work` and sync it."""
    name = predicate[chain.CHAIN_FIELD]["run"]
    work.mkdir(mode=OWNER_ONLY_FOLDER)
    folders = {parent for path in (*payload, bags.STATEMENT) for parent in PurePosixPath(path).parents[:-1]}
    for folder in sorted(folders):
        (work / folder).mkdir(mode=OWNER_ONLY_FOLDER)
    digests: dict[str, str] = {}
    size = 0
    for path, source in payload.items():
        digests[path], n_bytes = _copy(source, work / path)
        size += n_bytes
    content = statements.statement_bytes(digests, predicate)
    write_new(work / bags.STATEMENT, content, FILE_MODE)
    digests[bags.STATEMENT] = hashlib.sha256(content).hexdigest()
    information = {
        "Bag-Software-Agent": f"audit-kernel {version('audit-kernel')}",
        "Bagging-Date": date,
        "External-Identifier": name,
        "Payload-Oxum": f"{size + len(content)}.{len(digests)}",
    }
    manifest = bags.manifest_text(digests)
    tags = {
        bags.BAGIT: bags.DECLARATION,
        bags.BAG_INFO: bags.bag_info(information),
        bags.INSTRUCTIONS: package_files("audit_kernel.evidence").joinpath("verify_instructions.txt").read_bytes(),
        bags.MANIFEST: manifest,
        bags.MANIFEST + bags.SIGNATURE: key.sign(manifest),
        bags.PUBLIC_KEY: keys.public_pem(key.public_key()),
    }
    tag_manifest = bags.manifest_text({path: hashlib.sha256(tags[path]).hexdigest() for path in tags})
    tags |= {bags.TAG_MANIFEST: tag_manifest, bags.TAG_MANIFEST + bags.SIGNATURE: key.sign(tag_manifest)}
    for path, tag in tags.items():
        write_new(work / path, tag, FILE_MODE)
    for synced in (work, *(work / folder for folder in folders)):
        sync_folder(synced)
    try:
        bagit.Bag(str(work)).validate()  # read back by code that is not ours
    except bagit.BagError as error:
        raise RunError(
            "The bag of the run {name!r} does not read back as it was written.",
            "Check the disk, then run it again.",
            name=name,
        ) from error


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file, synced; return SHA-256 and size of what was copied."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, FILE_MODE)
    try:
        with source.open("rb") as file:
            while chunk := file.read(bags.CHUNK_BYTES):
                write_all(descriptor, chunk)
                digest.update(chunk)
                size += len(chunk)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


def _recovered_head(archive: Path, key: Ed25519PrivateKey) -> chain.HeadRecord | None:
    """Return the head record, repaired when a crash left it behind by the one run sealed last."""
    broken = VerificationError(
        "The chain of the archive {archive!r} is broken: nothing can be sealed upon it.",
        "Run `audit-kernel verify` on the archive; restore what it names from a backup.",
        archive=str(archive),
    )
    try:
        head = chain.read_head(archive, key.public_key())
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
    if len(ahead) > 1 or not chain.follows(run, head) or check_bag(archive / run.name, key.public_key())[1]:
        raise broken
    chain.write_head(archive, chain.head_of(run), key)
    return chain.head_of(run)


def _checked_payload(working: Path, name: str) -> dict[str, Path]:
    """Return the payload by its path in the bag."""
    if not bags.is_run_name(name):
        raise UsageError(
            "A run cannot be named {name!r}.", "Use letters a-z, digits, '-', '_' and '.', at most 120.", name=name
        )
    if not working.is_dir():
        raise UsageError(
            "There is no working folder {folder!r}.",
            "Name the folder that holds pages, notebooks, tables and inputs.",
            folder=str(working),
        )
    tree = bags.read_tree(working)
    if tree.links:
        raise UsageError(
            "The working folder holds a link or device: {link!r}.", "Put the file itself there.", link=tree.links[0]
        )
    payload = {f"data/{path}": source for path, source in tree.files.items()}
    bags.refuse_unsafe_names([bags.STATEMENT, *payload])
    if bags.STATEMENT in payload:
        raise UsageError("The working folder holds a file named 'statement.json'.", "Leave that name to the seal.")
    return payload


def _checked_pair(private_key: Ed25519PrivateKey, public_key_pem: bytes | str) -> bytes:
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


def _locked(archive: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(archive / chain.LOCK, timeout=WAIT_SECONDS, mode=OWNER_ONLY_FILE)


@contextlib.contextmanager
def _reported(archive: Path) -> Iterator[None]:
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
