"""Time stamps (RFC 3161): asked of an authority, checked with the authority's certificate."""

from __future__ import annotations

import datetime
import functools
import hashlib
import re
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from audit_kernel.errors import UnavailableError
from audit_kernel.evidence.openssl import openssl
from audit_kernel.signing_settings import TimestampSettings

WAIT_SECONDS = 20
LARGEST_RESPONSE = 100_000  # bytes; a response has some thousand
MOMENT = re.compile(
    rb"^Time stamp: (\w{3} [ \d]\d [\d:]{8})(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE
)  # as openssl prints it


@dataclass(frozen=True)
class Stamp:
    """When a time stamp was made, and when the authority's certificate for it ends; both UTC."""

    made_at: datetime.datetime
    ends_at: datetime.datetime


@dataclass(frozen=True)
class Authority:
    """An authority for time stamps; `certificate` is the file that its stamps are checked with."""

    settings: TimestampSettings
    certificate: Path

    def stamp(self, content: bytes) -> bytes:
        """Return the authority's response over the content, checked; it holds a nonce, so it is no old one.

        Raises
        ------
        UnavailableError: it does not answer, or with what its certificate does not verify.
        """
        if not self.certificate.is_file():
            raise UnavailableError(
                "The time authority's certificate {path!r} is missing, so no time stamp can be checked.",
                "Put it there; the setting `timestamp.certificate` names the file.",
                path=str(self.certificate),
            )
        with tempfile.TemporaryDirectory() as folder:
            data, query, response = (Path(folder) / name for name in ("data", "query", "response"))
            data.write_bytes(content)
            query.write_bytes(openssl("ts", "-query", "-data", data, "-sha256", "-cert") or b"")
            answer = self._ask(query.read_bytes())
            response.write_bytes(answer)
            made = openssl("ts", "-verify", "-queryfile", query, "-in", response, "-CAfile", self.certificate)
            if made is None or not is_stamp_of(answer, content, self.certificate.read_bytes()):
                raise UnavailableError(
                    "The time authority's answer does not verify with {path!r}.",
                    "Ask the authority whether its certificate was changed; `openssl ts -reply -text` shows an answer.",
                    path=str(self.certificate),
                )
        return answer

    def _ask(self, query: bytes) -> bytes:
        try:
            if self.settings.command:
                answer = subprocess.run(
                    self.settings.command, input=query, stdout=subprocess.PIPE, check=True, timeout=WAIT_SECONDS
                ).stdout
            else:
                headers = {"Content-Type": "application/timestamp-query"}
                asked = urllib.request.Request(self.settings.address, query, headers)  # noqa: S310 - https by settings
                with urllib.request.urlopen(asked, timeout=WAIT_SECONDS) as connection:  # noqa: S310
                    answer = connection.read(LARGEST_RESPONSE + 1)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise UnavailableError(
                "The time authority did not answer ({cause}).",
                "Check `timestamp.address` or `timestamp.command`, and whether the machine reaches it.",
                cause=type(error).__name__,
            ) from error
        return answer if len(answer) <= LARGEST_RESPONSE else b""


@functools.lru_cache(maxsize=1000)
def read_stamp(response: bytes) -> Stamp | None:
    """Return what a response says of itself, None when it is none; nothing is verified.

    Raises
    ------
    UnavailableError: there is no openssl.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "response"
        path.write_bytes(response)
        text = openssl("ts", "-reply", "-in", path, "-text")
        token = openssl("ts", "-reply", "-in", path, "-token_out")
    found = MOMENT.search(text or b"")
    try:
        ends = [each.not_valid_after_utc for each in pkcs7.load_der_pkcs7_certificates(token or b"") if _stamps(each)]
    except ValueError:
        ends = []
    if not found or not ends:
        return None
    moment = b" ".join(found.groups()).decode("ascii")
    made_at = datetime.datetime.strptime(moment, "%b %d %H:%M:%S %Y").replace(tzinfo=datetime.UTC)
    return Stamp(made_at, min(ends))


def is_stamp_of(response: bytes, content: bytes, certificates: bytes) -> bool:
    """Tell whether a response is a time stamp over the content that the authority's certificates verify.

    The certificates are judged at the time of the stamp: an old stamp holds when they have ended since.

    Raises
    ------
    UnavailableError: there is no openssl.
    """
    return _is_stamp_of(response, hashlib.sha256(content).hexdigest(), certificates)


@functools.lru_cache(maxsize=1000)
def _is_stamp_of(response: bytes, digest: str, certificates: bytes) -> bool:
    stamp = read_stamp(response)
    if stamp is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path, trusted = Path(folder) / "response", Path(folder) / "certificates"
        path.write_bytes(response)
        trusted.write_bytes(certificates)
        moment = str(int(stamp.made_at.timestamp()))
        verify = ("ts", "-verify", "-digest", digest, "-in", path, "-CAfile", trusted, "-attime", moment)
        return openssl(*verify) is not None


def _stamps(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is one for time stamps."""
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING in uses
