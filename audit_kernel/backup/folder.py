"""One backup on disk: a BagIt bag (RFC 8493) whose payload is the site's folder, with a description and modes.

The list of the other lists, `tagmanifest-sha256.txt`, is written last: a folder without it is no backup.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from audit_kernel.evidence import bag as bags

PAYLOAD = "data"
DESCRIPTION = "backup.json"
MODES = "modes.txt"
TAGS = (bags.BAGIT, DESCRIPTION, bags.MANIFEST, MODES)
STORE_FILES = "store/files"
CATALOGUE = "store/catalog.sqlite"
NAME = re.compile(r"[0-9]{8}T[0-9]{6}([0-9]{6})?Z-[0-9a-f]{4}")  # microseconds since two were made in one second
WORK_PREFIX = ".work-"
LOCK = ".lock"
OWNER = 0o700
# '%', line ends and control characters as RFC 8493 writes them; bytes that are no UTF-8 and '\' likewise.
ESCAPED = re.compile("[%\\\\\x00-\x1f\x7f-\x9f\udc80-\udcff]")
LINE = re.compile(r"([0-9a-f]{64}|0[0-7]{3})  ([^\n]+)\n")
LARGEST_DESCRIPTION = 10_000_000  # bytes


class Description(BaseModel):
    """What a backup says of itself.

    site, key: the controller's name, and the fingerprint of the site's public key.
    taken_at: the moment whose state it holds, UTC, ISO.
    snapshot, snapshot_at, rows: the store's newest snapshot, when that was made, and the rows of each stored table;
        None and empty where nothing was ever taken in.
    catalogue, files: where the store lay: `sqlite` or `postgres`; `folder` or `object_store`.
    is_own_place: whether it lay in the site's own folder, where `restore` puts it.
    last_run, head_code: the archive's last sealed run, and the code of its head record.
    holds_signing_key: whether the private signing key is in it.
    problems: what was wrong with the site already.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1, le=1)
    program: str
    site: str
    key: str
    taken_at: str
    snapshot: int | None
    snapshot_at: str | None
    rows: dict[str, int]
    catalogue: str
    files: str
    is_own_place: bool
    last_run: str
    head_code: str
    holds_signing_key: bool
    problems: tuple[str, ...] = ()


def encoded(path: str) -> str:
    """Return a path as it stands in a list."""
    return ESCAPED.sub(lambda found: "".join(f"%{b:02X}" for b in found[0].encode("utf-8", "surrogateescape")), path)


def list_text(values: Mapping[str, str]) -> bytes:
    """Return a list's bytes, `VALUE  PATH` a line as `sha256sum` writes it, sorted by path."""
    return "".join(f"{values[path]}  {encoded(path)}\n" for path in sorted(values)).encode()


def parse_list(content: bytes) -> dict[str, str] | None:
    """Return the values by path; None unless the bytes are exactly what `list_text` writes."""
    try:
        found = LINE.findall(content.decode())
        values = {urllib.parse.unquote(path, errors="surrogateescape"): value for value, path in found}
        return values if list_text(values) == content else None
    except ValueError:
        return None


def is_inside(path: str) -> bool:
    """Tell whether a path of a list stays in the payload, on this system."""
    parts = path.split("/")
    bad = {"", ".", ".."}
    is_plain = parts[0] == PAYLOAD and len(parts) > 1 and not any(part in bad or "\0" in part for part in parts)
    return is_plain and not (os.name == "nt" and any(set(part) & set('\\:*?"<>|') for part in parts))


def backups_in(destination: Path) -> list[Path]:
    """Return the finished backups of a folder, oldest first."""
    if not destination.is_dir():
        return []
    found = [path for path in destination.iterdir() if NAME.fullmatch(path.name) and not path.is_symlink()]
    return sorted(path for path in found if (path / bags.TAG_MANIFEST).is_file())


def described(backup: Path) -> Description | None:
    """Return what a backup says of itself, unchecked; None where that cannot be read."""
    try:
        with (backup / DESCRIPTION).open("rb") as file:
            return Description.model_validate_json(file.read(LARGEST_DESCRIPTION))
    except (OSError, ValueError):
        return None
