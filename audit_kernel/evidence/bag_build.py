"""Writing one bag: the payload copied, the lists made and signed, everything synced and read back."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path, PurePosixPath
from typing import Any

import bagit

from audit_kernel.errors import RunError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence import statement as statements
from audit_kernel.files import BINARY, OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, sync_folder, write_all, write_new

FILE_MODE = OWNER_ONLY_FILE if os.name == "nt" else 0o400  # Windows cannot remove a read-only file
STEP = re.compile(r"^STEP / STEG / TRINN(?: \((\w+)\))?\n", re.MULTILINE)
Countersign = Callable[[Path, bytes], Mapping[str, bytes]]  # (the manifest, its signature) -> more tag files


def checked_payload(working: Path, name: str) -> dict[str, Path]:
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


def build(
    work: Path,
    payload: Mapping[str, Path],
    predicate: Mapping[str, Any],
    date: str,
    key: keys.Signer,
    countersign: Countersign | None,
) -> None:
    """Write a whole bag into `work` and sync it.

    Raises
    ------
    RunError: it does not read back as it was written.
    """
    name = predicate[chain.CHAIN_FIELD]["run"]
    work.mkdir(mode=OWNER_ONLY_FOLDER)
    folders = {parent for path in (*payload, bags.STATEMENT) for parent in PurePosixPath(path).parents[:-1]}
    for folder in sorted(folders):
        (work / folder).mkdir(mode=OWNER_ONLY_FOLDER)
    digests: dict[str, str] = {}
    size = 0
    for path, source in payload.items():
        digests[path], n_bytes = copy_synced(source, work / path)
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
    signed = {bags.MANIFEST: manifest, bags.MANIFEST + bags.SIGNATURE: key.sign(manifest)}
    _write(work, signed)
    more = countersign(work / bags.MANIFEST, signed[bags.MANIFEST + bags.SIGNATURE]) if countersign else {}
    tags = {
        bags.BAGIT: bags.DECLARATION,
        bags.BAG_INFO: bags.bag_info(information),
        bags.INSTRUCTIONS: instructions(more),
        bags.PUBLIC_KEY: keys.public_pem(key.public_key()),
        **more,
    }
    listed = {path: hashlib.sha256(content).hexdigest() for path, content in {**signed, **tags}.items()}
    tag_manifest = bags.manifest_text(listed)
    _write(work, {**tags, bags.TAG_MANIFEST: tag_manifest, bags.TAG_MANIFEST + bags.SIGNATURE: key.sign(tag_manifest)})
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


def copy_synced(source: Path, target: Path) -> tuple[str, int]:
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


def instructions(tags: Collection[str]) -> bytes:
    """Return VERIFY.txt for a bag with these tag files: its steps numbered, without those for files it has not."""
    text = package_files("audit_kernel.evidence").joinpath("verify_instructions.txt").read_text("utf-8")
    beginning, *parts = STEP.split(text)  # then in turns: the file a step is for, or None; the step
    needs = {"certificate": bags.CMS_SIGNATURE, "stamp": bags.STAMP}
    steps = [body for need, body in zip(parts[::2], parts[1::2], strict=True) if not need or needs[need] in tags]
    numbered = [f"STEP / STEG / TRINN {number}\n{body}" for number, body in enumerate(steps, start=1)]
    return "".join([beginning, *numbered]).encode("utf-8")


def _write(work: Path, tags: Mapping[str, bytes]) -> None:
    for path, content in tags.items():
        write_new(work / path, content, FILE_MODE)
