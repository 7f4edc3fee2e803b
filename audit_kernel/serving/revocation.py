"""Lists of revoked certificates (CRL, RFC 5280): fetched, and held against the authorities before nginx reads them.

An expired list locks every device out, a forged one would be no list at all, and an older one lets a stolen device in.
"""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from audit_kernel.errors import AuditKernelError, Phrase, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECONDS = 30
LARGEST = 50_000_000  # bytes; the largest public lists have some millions
SKEW = timedelta(minutes=5)
BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----", re.DOTALL)
# What OpenSSL understands in a list; it takes no list with another critical extension.
UNDERSTOOD = {
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
    ExtensionOID.ISSUING_DISTRIBUTION_POINT,
}


@dataclass(frozen=True)
class Lists:
    """Checked lists, one or more of each authority. `expires_at` and `made_at` are the earliest of them, UTC."""

    crls: tuple[x509.CertificateRevocationList, ...]
    expires_at: datetime
    made_at: datetime

    @property
    def pem(self) -> bytes:
        """The lists as nginx reads them."""
        return b"".join(each.public_bytes(Encoding.PEM) for each in self.crls)

    @property
    def n_revoked(self) -> int:
        """How many certificates stand in them."""
        return sum(len(each) for each in self.crls)

    def alarm_at(self, hours: int) -> datetime:
        """Return when to alarm: that long before the lists expire, or in the middle of the time they are made for."""
        return max(self.expires_at - timedelta(hours=hours), self.made_at + (self.expires_at - self.made_at) / 2)


def fetch(address: str) -> bytes:
    """Return what stands at an address.

    Raises
    ------
    UnavailableError: it cannot be reached, or is too large.
    """
    cause: object
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "audit-kernel"})  # noqa: S310 - http or https, by the settings
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - as above
            content: bytes = answer.read(LARGEST + 1)
        if len(content) <= LARGEST:
            return content
        cause = Phrase("too large")
    except urllib.error.HTTPError as error:
        cause = error.code
    except (OSError, HTTPException, ValueError) as error:
        cause = type(error).__name__
    raise UnavailableError(
        "The list of revoked devices cannot be fetched from {address} ({cause}).",
        "Check `devices.revoked_from` and the network; the list in place stays in force until it expires.",
        address=address,
        cause=cause,
    ) from None


def read_authorities(path: Path) -> list[x509.Certificate]:
    """Return the authorities' certificates.

    Raises
    ------
    AuditKernelError: the file is missing, or one of them is no authority's.
    """
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        if all(each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for each in found):
            return found
    except (OSError, ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        pass
    raise AuditKernelError(
        "{path!r} does not hold the certificates of the authorities that issue devices' certificates.",
        "Put them there, PEM, the issuing one and those above it; nothing else.",
        path=str(path),
    )


def check(
    contents: Iterable[bytes], authorities: Sequence[x509.Certificate], now: datetime, in_place: Lists | None
) -> Lists:
    """Return the lists, if nginx may read them.

    Parameters
    ----------
    contents: files with lists, PEM or DER.
    in_place: what nginx reads now.

    Raises
    ------
    AuditKernelError: one is damaged, signed by nobody we know, expired, older than the one in place, or one is missing.
    """
    crls = [crl for content in contents for crl in _parsed(content)]
    for crl in crls:
        if not any(_is_from(crl, each) for each in authorities):
            raise _refused(Phrase("none of the authorities signed it"))
        if crl.next_update_utc is None or crl.next_update_utc <= now:
            raise _refused(Phrase("it has expired"))
        if crl.last_update_utc > now + SKEW:
            raise _refused(Phrase("it begins in the future: compare the clocks"))
        if any(each.critical and each.oid not in UNDERSTOOD for each in crl.extensions):
            raise _refused(Phrase("nginx would not understand it: it has a critical extension, as delta lists have"))
        if any(_replaces(old, crl) for old in (in_place.crls if in_place else ())):
            raise _refused(Phrase("it is older than the one in place"))
    if not all(any(_is_from(crl, each) for crl in crls) for each in authorities):
        raise _refused(Phrase("that of one of the authorities is missing, and nginx demands one of each"))
    return Lists(
        tuple(crls),
        min(each.next_update_utc for each in crls if each.next_update_utc),
        min(each.last_update_utc for each in crls),
    )


def lists_in_place(path: Path) -> Lists | None:
    """Return what nginx reads now, expired or not; None where there is nothing, or nothing readable."""
    try:
        crls = _parsed(path.read_bytes())
    except (OSError, AuditKernelError):
        return None
    ends = [each.next_update_utc or datetime.min.replace(tzinfo=UTC) for each in crls]
    return Lists(tuple(crls), min(ends), min(each.last_update_utc for each in crls))


def _parsed(content: bytes) -> list[x509.CertificateRevocationList]:
    blocks = BLOCK.findall(content)
    try:
        crls = [x509.load_pem_x509_crl(each) for each in blocks] or [x509.load_der_x509_crl(content)]
        for each in crls:  # which reads what else is read late
            _ = each.issuer, each.last_update_utc, each.next_update_utc, each.extensions, len(each)
    except (ValueError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType, x509.DuplicateExtension) as error:
        raise _refused(Phrase("it cannot be read")) from error
    return crls


def _is_from(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return crl.issuer == authority.subject and crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type] # it raises TypeError for other kinds
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _replaces(old: x509.CertificateRevocationList, new: x509.CertificateRevocationList) -> bool:
    """Whether the old one is the newer of two lists of the same kind and authority."""
    return old.issuer == new.issuer and _scope(old) == _scope(new) and old.last_update_utc > new.last_update_utc


def _scope(crl: x509.CertificateRevocationList) -> object:
    try:
        return crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return None


def _refused(why: Phrase) -> AuditKernelError:
    return AuditKernelError(
        "The list of revoked devices is refused: {why}.",
        "The list in place stays in force until it expires; ask the authority, or correct `devices` in serve.yml.",
        why=why,
    )
