"""Keyed pseudonyms of people: HMAC-SHA-256 with a key of the site, another one in each scope.

A scope is a case, by the purpose it was asked with, or the monthly control: pages of one scope can be joined, two
scopes cannot. What a run seals of its scope is a keyed hash as well; whoever has the key needs no more to work out
whose a pseudonym is, by trying all people the site knows.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from audit_kernel.errors import KeyFileError, RunError
from audit_kernel.evidence.keys import owner_only_bytes
from audit_kernel.files import OWNER_ONLY_FOLDER, sync_folder, write_new

if TYPE_CHECKING:
    from pathlib import Path

KEY_NAME = "pseudonym-key"
KEY_BYTES = 32
MONTHLY = "month"
# Of each kind its letter. What follows are ten of Crockford's 32 signs, 50 bits: among 100,000 people two are the same
# in one of 200,000 sites.
LETTERS = {
    "employee": "A", "patient": "P", "official": "Q", "address": "N", "event": "E", "finding": "F", "record": "R",
    "sampling_unit": "D", "file": "L", "known": "C", "country": "C", "purpose": "X",
}  # fmt: skip
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PATTERN = re.compile(rf"\b[{''.join(sorted(set(LETTERS.values())))}]-[{SIGNS}]{{5}}-[{SIGNS}]{{5}}\b")


def pseudonym_key(folder: Path, *, is_made: bool = True) -> bytes:
    """Return the key of a site's `keys` folder; where there is none it is made, unless sealed pseudonyms need the old.

    Raises
    ------
    KeyFileError: it is missing, can be read by others, is damaged, or cannot be written.
    """
    path = folder / KEY_NAME
    if is_made and not path.exists():
        _make(path)
    try:
        key = bytes.fromhex(owner_only_bytes(path, may_be_shared=True).decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyFileError("The file {path!r} is not a pseudonym key.", "Restore it from a backup.", path=str(path))
    return key


def _make(path: Path) -> None:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        path.parent.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        write_new(aside, secrets.token_hex(KEY_BYTES).encode())
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            os.link(aside, path)
        aside.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(
            "The pseudonym key cannot be written to {folder!r}: {cause}.",
            "Check the folder, its permissions and the free space.",
            folder=str(path.parent),
            cause=error.strerror or error,
        ) from error


def keyed_hash(key: bytes, *texts: str) -> bytes:
    """Return HMAC-SHA-256 over texts; no two lists of texts have the same bytes."""
    return hmac.new(key, json.dumps(texts).encode(), sha256).digest()


def scope_of(key: bytes, purpose: str) -> str:
    """Return what a run seals of its scope: `MONTHLY`, or a purpose whose capitals and blanks do not count."""
    texts = (MONTHLY,) if purpose == MONTHLY else ("purpose", " ".join(purpose.split()).casefold())
    return keyed_hash(key, "scope", *texts).hex()


class Pseudonyms:
    """The pseudonyms of one scope; it remembers whose each one was."""

    def __init__(self, key: bytes, scope: str) -> None:
        self._key, self.scope = key, scope
        self._made: dict[tuple[str, str], str] = {}
        self.known: dict[str, str] = {}

    def of(self, kind: str, value: str) -> str:
        """Return the pseudonym of a person's id, or of other text.

        Raises
        ------
        RunError: another text has the same one.
        """
        if (kind, value) in self._made:
            return self._made[kind, value]
        number = int.from_bytes(keyed_hash(self._key, "pseudonym", self.scope, kind, value)[:8], "big")
        signs = "".join(SIGNS[number >> 5 * place & 31] for place in range(10))
        made = f"{LETTERS[kind]}-{signs[:5]}-{signs[5:]}"
        if self.known.setdefault(made, value) != value:
            raise RunError("Two people or texts have the same pseudonym.", "Ask with --identity full.")
        self._made[kind, value] = made
        return made
