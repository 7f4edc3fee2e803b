"""The site's signing key, Ed25519 or ECDSA over P-256, private part readable by its owner only."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_kernel.errors import KeyFileError, Phrase
from audit_kernel.evidence.signatures import (
    P256Signer,
    PublicKey,
    Signer,
    fingerprint,
    is_p256,
    parse_public,
    public_pem,
)
from audit_kernel.files import OWNER_ONLY_FOLDER, replace_whole, sync_folder, write_new

__all__ = [
    "PublicKey",
    "Signer",
    "fingerprint",
    "kind_of",
    "load_private",
    "load_public",
    "new_signing_key",
    "public_pem",
]

PRIVATE_NAME = "signing-key.pem"
PUBLIC_NAME = "signing-key.pub.pem"
LARGEST_KEY_FILE = 100_000  # bytes; a key file has some hundred
Kind = Literal["ed25519", "p256"]


def new_signing_key(folder: Path, kind: Kind = "ed25519") -> None:
    """Make a key pair in `folder`: signing-key.pem (owner-only) and signing-key.pub.pem.

    Raises
    ------
    KeyFileError: there is a key already, or the folder cannot be written.
    """
    private, public = folder / PRIVATE_NAME, folder / PUBLIC_NAME
    if private.exists():
        raise KeyFileError(
            "There is a signing key already: {path!r}.",
            "Evidence signed with it needs it. To change it: audit-kernel keys new --change",
            path=str(private),
        )
    key = Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    aside = folder / f".{PRIVATE_NAME}.{secrets.token_hex(4)}.new"
    try:
        folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        write_new(aside, pem)
        replace_whole(public, public_pem(key.public_key()))
        aside.rename(private)  # last: a crash before it leaves no private key, and this can be called again
        sync_folder(folder)
    except OSError as error:
        raise KeyFileError(
            "The signing key cannot be written to {folder!r}: {cause}.",
            "Check the folder, its permissions and the free space.",
            folder=str(folder),
            cause=error.strerror or error,
        ) from error


def load_private(folder: Path, public: Path | None = None) -> Signer:
    """Return the private key of a site's `keys` folder.

    public: the public key it must be the pair of; the one beside it when None.

    Raises
    ------
    KeyFileError: missing, readable by others, of another kind, or not the pair of the public key beside it.
    """
    path = folder / PRIVATE_NAME
    content = owner_only_bytes(path)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _not_a_key(path, Phrase("private")) from error
    signer: Signer
    if isinstance(key, Ed25519PrivateKey):
        signer = key
    elif isinstance(key, ec.EllipticCurvePrivateKey) and is_p256(key):
        signer = P256Signer(key)
    else:
        raise _not_a_key(path, Phrase("private"))
    public = public or folder / PUBLIC_NAME
    if public.exists() and fingerprint(load_public(public)) != fingerprint(signer.public_key()):
        raise KeyFileError(
            "The keys {private} and {public} in {folder!r} are not a pair.",
            "Restore both files from the same backup.",
            private=PRIVATE_NAME,
            public=public.name,
            folder=str(folder),
        )
    return signer


def load_public(path: Path) -> PublicKey:
    """Return a public key from a file, or from the `keys` folder that holds it.

    Raises
    ------
    KeyFileError: missing, or not a public key of Ed25519 or P-256.
    """
    if path.is_dir():
        path = path / PUBLIC_NAME
    try:
        return parse_public(_read(path))
    except ValueError as error:
        raise _not_a_key(path, Phrase("public")) from error


def owner_only_bytes(path: Path, *, may_be_shared: bool = False) -> bytes:
    """Return the content of a private key's file.

    Parameters
    ----------
    may_be_shared: the group may read it too, where the folder lets its group in on purpose (set-group-ID).

    Raises
    ------
    KeyFileError: missing, or readable by others.
    """
    content = _read(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    is_shared = may_be_shared and bool(path.parent.stat().st_mode & stat.S_ISGID)
    if os.name != "nt" and mode & (0o037 if is_shared else 0o077):
        raise KeyFileError(
            "The key {path!r} can be read by others than its owner (mode {mode:04o}).",
            "Run: chmod 600 {file}; if others may have read it, make a new key.",
            path=str(path),
            mode=mode,
            file=path,
        )
    return content


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_KEY_FILE)
    except FileNotFoundError as error:
        raise KeyFileError(
            "There is no key at {path!r}.",
            "Restore it from a backup; a new site gets its key by `audit-kernel init`.",
            path=str(path),
        ) from error
    except OSError as error:
        raise KeyFileError(
            "The key {path!r} cannot be read: {cause}.",
            "Run the command as the user who owns the site's keys.",
            path=str(path),
            cause=error.strerror or error,
        ) from error


def _not_a_key(path: Path, kind: Phrase) -> KeyFileError:
    return KeyFileError(
        "The file {path!r} is not a {kind} key of Ed25519 or P-256 in PEM form.",
        "Restore it from a backup.",
        path=str(path),
        kind=kind,
    )


def kind_of(key: PublicKey) -> Kind:
    """Return `ed25519` or `p256`."""
    return "p256" if is_p256(key) else "ed25519"
