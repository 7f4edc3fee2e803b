"""The certificate (X.509) of a P-256 key, and the CAdES-BES signature (RFC 5126) it is for."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from audit_kernel.errors import KeyFileError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import keys
from audit_kernel.evidence.openssl import openssl
from audit_kernel.evidence.signatures import P256Signer, is_p256
from audit_kernel.files import replace_whole

CERTIFICATE_NAME = bags.CERTIFICATE
YEARS = 10  # of a self-signed certificate; what a stamp proves does not hang on it
LONGEST_NAME = 64  # X.520


def self_signed(folder: Path, name: str, country: str) -> None:
    """Put a self-signed certificate of the P-256 key in `folder` beside it; it says whose key it is, on no one's word.

    Raises
    ------
    KeyFileError: there is no such key.
    """
    key = _private(folder)
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(_subject(name, country), _subject(name, country), key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=365 * YEARS))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    use = {"digital_signature": True, "content_commitment": True}
    others = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    never = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    builder = builder.add_extension(x509.KeyUsage(**use, **never), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    replace_whole(folder / CERTIFICATE_NAME, certificate.public_bytes(serialization.Encoding.PEM))


def request(folder: Path, name: str, country: str) -> str:
    """Return a certificate request (PKCS #10, PEM) for the organisation's authority.

    Raises
    ------
    KeyFileError: the site has no P-256 key.
    """
    made = x509.CertificateSigningRequestBuilder(_subject(name, country)).sign(_private(folder), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


def put_certificate(folder: Path, file: Path) -> x509.Certificate:
    """Put an issued certificate, with those of its authority behind it, into the `keys` folder; return it.

    Raises
    ------
    UsageError: the file holds no certificate, or the first is another key's.
    KeyFileError: the site has no P-256 key.
    UnavailableError: there is no openssl.
    """
    public = _private(folder).public_key()
    try:
        chain = x509.load_pem_x509_certificates(file.read_bytes())
        is_own = is_certificate_of(file, public)
    except (OSError, ValueError) as error:
        raise UsageError(
            "{path!r} holds no certificate in PEM form.", "Ask the authority for it in PEM form.", path=str(file)
        ) from error
    if not is_own:
        raise UsageError(
            "The first certificate of {path!r} is not that of the site's key.",
            "Give the certificate issued upon the request that `audit-kernel keys certificate` printed.",
            path=str(file),
        )
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    before = (folder / CERTIFICATE_NAME).read_bytes() if (folder / CERTIFICATE_NAME).is_file() else b""
    replace_whole(folder / CERTIFICATE_NAME, pem)
    try:
        cms_signature(folder, folder / keys.PUBLIC_NAME)  # a certificate not meant for signatures shows now
    except KeyFileError:
        replace_whole(folder / CERTIFICATE_NAME, before) if before else (folder / CERTIFICATE_NAME).unlink()
        raise
    return chain[0]


def cms_signature(folder: Path, content: Path) -> bytes:
    """Return the detached CAdES-BES signature (DER) over a file, with the key and certificate of `folder`, checked.

    Raises
    ------
    KeyFileError: the certificate is not the key's, or not for signatures.
    UnavailableError: there is no openssl.
    """
    certificate, key = folder / CERTIFICATE_NAME, folder / keys.PRIVATE_NAME
    sign = ("cms", "-sign", "-cades", "-binary", "-md", "sha256", "-nosmimecap", "-outform", "DER", "-in", content)
    made = openssl(*sign, "-signer", certificate, "-inkey", key)
    check = ("cms", "-verify", "-cades", "-binary", "-inform", "DER", "-content", content, "-CAfile", certificate)
    if not made or openssl(*check, "-partial_chain", "-no_check_time", "-purpose", "any", content=made) is None:
        raise KeyFileError(
            "The certificate {path!r} does not fit the signing key, or is not for signatures.",
            "Put the certificate of this key there by `audit-kernel keys certificate FILE`.",
            path=str(certificate),
        )
    return made


def _private(folder: Path) -> ec.EllipticCurvePrivateKey:
    signer = keys.load_private(folder)
    if not isinstance(signer, P256Signer) or not is_p256(signer.key):
        raise KeyFileError(
            "The site's key is Ed25519, for which no certificate is made.",
            "Change it for one of ECDSA P-256: audit-kernel keys new --kind p256 --change",
        )
    return signer.key


def _subject(name: str, country: str) -> x509.Name:
    pairs = [
        (x509.NameOID.COUNTRY_NAME, country),
        (x509.NameOID.ORGANIZATION_NAME, name[:LONGEST_NAME]),
        (x509.NameOID.COMMON_NAME, f"audit-kernel {name}"[:LONGEST_NAME]),
    ]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])


def certificate_end(folder: Path) -> str:
    """Return the last day of the certificate in `folder`, empty where there is none."""
    path = folder / CERTIFICATE_NAME
    if not path.is_file():
        return ""
    return f"{x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc:%Y-%m-%d}"


def is_certificate_of(path: Path, key: keys.PublicKey) -> bool:
    """Tell whether a certificate is that of a key."""
    return bool(x509.load_pem_x509_certificate(path.read_bytes()).public_key() == key)
