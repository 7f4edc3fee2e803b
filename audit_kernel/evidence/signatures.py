"""Signatures: Ed25519, or ECDSA over P-256 with SHA-256; made by a key file or by a program outside."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from audit_kernel.errors import KeyFileError

PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256's group, FIPS 186-5
WAIT_SECONDS = 60


class Signer(Protocol):
    """Whatever signs: an Ed25519 private key as it is, a P-256 key, or a program outside."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature over the bytes."""
        ...

    def public_key(self) -> PublicKey:
        """Return the public key that the signatures are checked with."""
        ...


@dataclass(frozen=True)
class P256Signer:
    """An ECDSA key over P-256."""

    key: ec.EllipticCurvePrivateKey

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature, DER-encoded, in its one accepted form."""
        return _one_form(self.key.sign(data, ec.ECDSA(hashes.SHA256())))

    def public_key(self) -> PublicKey:
        """Return the public key."""
        return self.key.public_key()


@dataclass(frozen=True)
class OutsideSigner:
    """A program that holds the private key: it reads the bytes from its input and writes the signature alone.

    command: program and arguments; no shell reads them.
    """

    command: tuple[str, ...]
    key: PublicKey

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature, checked with the site's public key.

        Raises
        ------
        KeyFileError: the program cannot be started, fails, takes too long, or gives what does not verify.
        """
        try:
            done = subprocess.run(
                self.command, input=data, stdout=subprocess.PIPE, check=True, timeout=WAIT_SECONDS
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise KeyFileError(
                "The outside signer {program!r} gave no signature: nothing was sealed.",
                "Try the command of `signing.command` by hand; what it said stands above.",
                program=self.command[0],
            ) from error
        try:
            signature = done if isinstance(self.key, Ed25519PublicKey) else _one_form(done)
            check_signature(self.key, signature, data)
        except (InvalidSignature, ValueError) as error:
            raise KeyFileError(
                "The outside signer {program!r} gave a signature that the site's public key does not verify: "
                "nothing was sealed.",
                "Put the public key of its private key into keys/signing-key.pub.pem, or mend `signing.command`.",
                program=self.command[0],
            ) from error
        return signature

    def public_key(self) -> PublicKey:
        """Return the public key."""
        return self.key


def check_signature(key: PublicKey, signature: bytes, content: bytes) -> None:
    """Check a signature in its one accepted form: each ECDSA signature has a twin (s and n - s) that verifies too.

    Raises
    ------
    InvalidSignature
    """
    if isinstance(key, Ed25519PublicKey):
        key.verify(signature, content)
        return
    key.verify(signature, content, ec.ECDSA(hashes.SHA256()))
    if signature != _one_form(signature):
        raise InvalidSignature


def parse_public(pem: bytes) -> PublicKey:
    """Return the public key of a PEM text.

    Raises
    ------
    ValueError: it is no public key of Ed25519 or P-256.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (TypeError, UnsupportedAlgorithm) as error:
        message = "not a public key"
        raise ValueError(message) from error
    if isinstance(key, Ed25519PublicKey) or (isinstance(key, ec.EllipticCurvePublicKey) and is_p256(key)):
        return key
    message = "neither Ed25519 nor P-256"
    raise ValueError(message)


def is_p256(key: object) -> bool:
    """Tell whether a private or public key lies on the curve P-256."""
    return isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and isinstance(
        key.curve, ec.SECP256R1
    )


def public_pem(key: PublicKey) -> bytes:
    """Return the one PEM form that the archive holds of a public key."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: PublicKey) -> str:
    """Return the SHA-256 (hex) of the key's DER form, to be filed in the minutes."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _one_form(signature: bytes) -> bytes:
    """Return an ECDSA signature with the smaller of its two s."""
    r, s = decode_dss_signature(signature)
    return encode_dss_signature(r, min(s, ORDER - s) if s < ORDER else s)
