"""The organisation's own small authority for devices: a key, its certificate, device certificates, the CRL (RFC 5280).

ECDSA over P-256 throughout: every browser, Windows, macOS, iOS and Android takes it.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from audit_kernel.errors import AuditKernelError, KeyFileError, UsageError
from audit_kernel.evidence.keys import owner_only_bytes
from audit_kernel.files import OWNER_ONLY_FOLDER, replace_whole, sync_folder, write_new

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY, CERTIFICATE = "authority-key.pem", "authority.pem"
YEARS, SKEW = 10, datetime.timedelta(minutes=5)
CRL_DAYS = 30  # renewed when ten of them have passed: a machine that is off for a fortnight locks nobody out
SMALLEST_RSA = 2048
SHORTEST_PASSPHRASE, LONGEST_PASSPHRASE = 12, 200
ROUNDS = 600_000
OPEN_FILE = 0o644
PEM = serialization.Encoding.PEM


class Authority:
    """The authority whose key lies in `folder`, for its owner only.

    Raises
    ------
    KeyFileError: there is none, or the key can be read by others.
    """

    def __init__(self, folder: Path) -> None:
        key = serialization.load_pem_private_key(owner_only_bytes(folder / KEY), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyFileError(
                "The key {path!r} is not the authority's.", "Restore it from a backup.", path=str(folder / KEY)
            )
        self._key = key
        self.certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())

    def issue(
        self, device: str, organisation: str, days: int, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ) -> x509.Certificate:
        """Return a device's certificate: for clients only, and for nothing else."""
        now = datetime.datetime.now(datetime.UTC)
        until = min(now + datetime.timedelta(days=days), self.certificate.not_valid_after_utc)
        builder = x509.CertificateBuilder(
            self.certificate.subject, _name(organisation, device), key, x509.random_serial_number(), now - SKEW, until
        )
        usage = (True, False, False, False, False, False, False, False, False)
        return (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(*usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_key_identifier(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def revocation_list(self, revoked: Iterable[tuple[int, datetime.datetime]], number: int) -> bytes:
        """Return the CRL, PEM.

        Parameters
        ----------
        revoked: serial number and time of each.
        number: greater than the one before.
        """
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateRevocationListBuilder(
            self.certificate.subject, now - SKEW, now + datetime.timedelta(days=CRL_DAYS)
        )
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        builder = builder.add_extension(_key_identifier(self._key), critical=False)
        for serial, at in revoked:
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder(serial, at).build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(PEM)


def make_authority(folder: Path, organisation: str) -> None:
    """Make the key, owner-only, and its certificate, valid for ten years.

    Raises
    ------
    FileExistsError, OSError
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = _name(organisation, "Devices"), datetime.datetime.now(datetime.UTC)
    until = now + datetime.timedelta(days=365 * YEARS)
    public = key.public_key()
    usage = (False, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number(), now - SKEW, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(*usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    plain = serialization.NoEncryption()
    replace_whole(folder / CERTIFICATE, certificate.public_bytes(PEM), OPEN_FILE)
    write_new(
        folder / KEY, key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
    )  # last: without it nothing is made
    sync_folder(folder)


def new_device_key() -> ec.EllipticCurvePrivateKey:
    """Return a key for a device that brings none."""
    return ec.generate_private_key(ec.SECP256R1())


def packed(
    device: str,
    key: ec.EllipticCurvePrivateKey,
    certificate: x509.Certificate,
    authority: x509.Certificate,
    phrase: bytes,
) -> bytes:
    """Return a PKCS#12 file of key and certificate, encrypted with AES-256 (PBES2, PBKDF2 with SHA-256)."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(phrase)
    )
    return pkcs12.serialize_key_and_certificates(device.encode(), key, certificate, [authority], encryption)


def checked_passphrase(text: str) -> bytes:
    """Return a pass phrase.

    Raises
    ------
    UsageError: it is too short or too long.
    """
    if not SHORTEST_PASSPHRASE <= len(text) <= LONGEST_PASSPHRASE:
        raise UsageError(
            "The pass phrase has fewer than {shortest} or more than {longest} characters.",
            "Choose another one; nothing was issued.",
            shortest=SHORTEST_PASSPHRASE,
            longest=LONGEST_PASSPHRASE,
        )
    return text.encode()


def key_of_request(content: bytes) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    """Return the public key of a request (PKCS#10, PEM) that is signed with it; its other words are not taken over.

    Raises
    ------
    AuditKernelError: it is none, or its key is too weak.
    """
    try:
        request = x509.load_pem_x509_csr(content)
        key = request.public_key()
        is_signed = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        is_signed, key = False, None
    is_strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ("secp256r1", "secp384r1")
    )
    if not (is_signed and is_strong and isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)):
        raise AuditKernelError(
            "The request is not one in PEM form, signed with its own key of P-256, P-384 or RSA of 2048 bits or more.",
            "Let the device make a new one; nothing was issued.",
        )
    return key


def _name(organisation: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _key_identifier(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
