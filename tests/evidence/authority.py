"""A time authority of one's own for the tests: `openssl ts` with a certificate that a made-up authority issued."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIGURATION = """[tsa]
default_tsa = trial
[trial]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def make_authority(folder: Path, days=400, began=None) -> tuple[Path, list[str]]:
    """Return the file of the authority's certificate, and the command that answers a request on its input."""
    folder.mkdir(parents=True)
    began = began or datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    ca_key, tsa_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = certificate(
        ca_key, ca_key, folder.name, folder.name, began, 3650, x509.BasicConstraints(ca=True, path_length=None)
    )
    use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    tsa = certificate(tsa_key, ca_key, "trial time", folder.name, began, days, use)
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.pem").write_bytes(tsa.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.key").write_bytes(private_pem(tsa_key))
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    command = ["openssl", "ts", "-reply", "-config", str(folder / "tsa.cnf"), "-queryfile", "/dev/stdin"]
    return folder / "ca.pem", command


def certificate(key, issuer_key, name, issuer, began, days, *extensions):
    """Return a certificate; the extensions are critical."""
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, issuer))
    builder = x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(began).not_valid_after(began + datetime.timedelta(days=days))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def private_pem(key):
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *form)
