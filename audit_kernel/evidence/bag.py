"""One BagIt bag (RFC 8493) on disk: names, manifests, and what lies where."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit_kernel.errors import UsageError

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
INSTRUCTIONS = "VERIFY.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
SIGNATURE = ".sig"
PUBLIC_KEY = "signing-key.pub.pem"
STATEMENT = "data/statement.json"
TAG_FILES = tuple(sorted([BAGIT, BAG_INFO, INSTRUCTIONS, MANIFEST, MANIFEST + SIGNATURE, PUBLIC_KEY]))
CERTIFICATE = "signing-certificate.pem"  # these three stand in some bags only
CMS_SIGNATURE = MANIFEST + ".p7s"
STAMP = MANIFEST + SIGNATURE + ".tsr"
UNLISTED_FILES = (TAG_MANIFEST, TAG_MANIFEST + SIGNATURE)
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

# No '%', CR or LF, so nothing needs RFC 8493's percent-encoding; nothing that a Windows disk or a shell trips over.
NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._ +=@-]{0,118}[A-Za-z0-9_+=@-])?")
RUN_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9])?")
WINDOWS_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")
LONGEST_PATH = 200
LINE = re.compile(r"([0-9a-f]{64})  ([^\r\n]+)\n")
CHUNK_BYTES = 1_048_576


@dataclass(frozen=True)
class Tree:
    """What lies in a folder: files by relative path, and what does not belong into a bag."""

    files: Mapping[str, Path]
    links: list[str] = field(default_factory=list)
    empty_folders: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)


def read_tree(folder: Path, *, passes_unreadable: bool = False) -> Tree:
    """List a folder, following no link; paths have `/` whatever the system.

    passes_unreadable: name a folder in it that cannot be read, and go on.

    Raises
    ------
    OSError: the folder, or without `passes_unreadable` one in it, cannot be read.
    """
    files: dict[str, Path] = {}
    links: list[str] = []
    empty: list[str] = []
    unreadable: dict[str, str] = {}

    def visit(place: Path, prefix: str) -> None:
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            if not prefix or not passes_unreadable:
                raise
            unreadable[prefix.rstrip("/")] = error.strerror or "error"
            return
        if not entries and prefix:
            empty.append(prefix.rstrip("/"))
        for entry in entries:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                visit(Path(entry.path), f"{prefix}{entry.name}/")
            elif stat.S_ISREG(mode):
                files[prefix + entry.name] = Path(entry.path)
            else:
                links.append(prefix + entry.name)

    visit(folder, "")
    return Tree(dict(sorted(files.items())), links, empty, unreadable)


def digest_of(path: Path) -> str:
    """Return a file's SHA-256 (hex)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_safe_path(path: str) -> bool:
    """Tell whether a relative path can stand in a bag, on every system."""
    parts = path.split("/")
    return len(path) <= LONGEST_PATH and all(NAME.fullmatch(p) and not WINDOWS_DEVICE.fullmatch(p) for p in parts)


def refuse_unsafe_names(paths: Iterable[str]) -> None:
    """Refuse names that some system or reader would take for something else.

    Raises
    ------
    UsageError
    """
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.lower(), path)
        if not is_safe_path(path) or other != path:
            raise UsageError(
                "The file name {path!r} cannot stand in the evidence.",
                "Use letters a-z, digits, '-', '_' and '.', at most 200 characters, differing in more than upper case.",
                path=path,
            )


def is_run_name(name: str) -> bool:
    """Tell whether a run may have this name."""
    return bool(RUN_NAME.fullmatch(name)) and not WINDOWS_DEVICE.fullmatch(name) and ".." not in name


def manifest_text(digests: Mapping[str, str]) -> bytes:
    """Return a manifest's bytes, as `sha256sum` writes them, sorted by path."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode("ascii")


def parse_manifest(content: bytes) -> dict[str, str] | None:
    """Return SHA-256 by path; None unless the bytes are exactly what `manifest_text` writes."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return None
    digests = {path: digest for digest, path in LINE.findall(text)}
    return digests if manifest_text(digests) == content else None


def readable_lines(content: bytes) -> dict[str, str]:
    """Return SHA-256 by path of what can still be read of a damaged manifest."""
    return {path: digest for digest, path in LINE.findall(content.decode("ascii", "replace"))}


def bag_info(pairs: Mapping[str, str]) -> bytes:
    """Return the bytes of bag-info.txt in the given order."""
    return "".join(f"{label}: {value}\n" for label, value in pairs.items()).encode("ascii")


def shown(name: str) -> str:
    """Return a file name that a terminal or page can show whatever it holds."""
    return name if name.isascii() and name.isprintable() else ascii(name)[1:-1]
