"""The organisation's own register of devices: a hash-chained journal, and what nginx and the CRL take from it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from audit_kernel.canonical import timestamp
from audit_kernel.errors import AuditKernelError, UsageError
from audit_kernel.evidence.harmless import neutralise_cell
from audit_kernel.journal import Journal
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from pathlib import Path

FILE = "devices.jsonl"
NAME = re.compile(r"[^\W_](?:[\w .()-]{0,62}[\w)])?")
LONGEST_NAME = 64  # bytes of UTF-8: X.520's upper bound, as the library counts
LONGEST_SUBJECT = 300
LARGEST_FILE = 100_000  # bytes; a certificate has one or two thousand
REQUESTED, ACTIVE, EXPIRED, REVOKED = "requested", "active", "expired", "revoked"
HANDOVER = ("device", "organisation", "use", "action", "serial", "sha256", "valid_until", "noted_at")


@dataclass(frozen=True)
class Device:
    """A device's certificate, or the wish for one (`serial` empty).

    Times are UTC; `sha1` is what nginx knows a certificate by, `sha256` what people compare.
    """

    name: str
    noted_at: datetime
    noted_by: str
    organisation: str = ""
    serial: str = ""
    issuer: str = ""
    subject: str = ""
    sha256: str = ""
    sha1: str = ""
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    reason: str = ""

    def state(self, now: datetime) -> str:
        """Return requested, active, expired or revoked."""
        if self.revoked_at:
            return REVOKED
        if not self.valid_until:
            return REQUESTED
        return ACTIVE if now < self.valid_until else EXPIRED


class Register:
    """The register in its folder.

    Raises
    ------
    JournalError: the journal is damaged or cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / FILE)

    def devices(self) -> list[Device]:
        """Return every certificate and every open wish, oldest first."""
        found: list[Device] = []
        for line in self.journal.entries():
            entry, at = line["entry"], datetime.fromisoformat(line["at"]).astimezone(UTC)
            if entry["kind"] in {"requested", "issued"}:
                found = [each for each in found if each.serial or each.name != entry["device"]]
                found.append(_device(entry, at))
            elif entry["kind"] == "revoked":
                meant = (entry["device"], entry["serial"], entry["sha256"])
                found = [
                    replace(each, revoked_at=at, reason=entry["reason"])
                    if (each.name, each.serial, each.sha256) == meant
                    else each
                    for each in found
                ]
        return found

    def request(self, name: str, organisation: str) -> str:
        """Note that another authority should issue a certificate; return the line's hash."""
        return self._append("requested", device=name, organisation=organisation)

    def add(self, name: str, certificate: x509.Certificate, organisation: str) -> str:
        """Note a device's certificate; return the line's hash.

        Raises
        ------
        AuditKernelError: its serial number stands there already, from the same issuer.
        """
        serial, issuer = f"{certificate.serial_number:x}", _shown(certificate.issuer)
        if any(each.serial == serial and each.issuer == issuer for each in self.devices()):
            raise AuditKernelError(
                "A certificate with the serial number {serial} of the same issuer stands in the register already.",
                "An authority gives each number once: ask it. Nothing was noted.",
                serial=serial,
            )
        return self._append(
            "issued",
            device=name,
            organisation=organisation,
            serial=serial,
            issuer=issuer,
            subject=_shown(certificate.subject),
            sha256=certificate.fingerprint(hashes.SHA256()).hex(),
            sha1=certificate.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - nginx's own name for a certificate
            valid_until=timestamp(certificate.not_valid_after_utc),
        )

    def revoke(self, name_or_serial: str, reason: str) -> list[tuple[Device, str]]:
        """Note every certificate of a device, or the one of a serial number, as revoked; return each, and its line.

        Raises
        ------
        UsageError: there is none that is not revoked, or no reason.
        """
        if not reason.strip():
            raise UsageError("A revocation needs a reason.", 'Give it with --reason, for example "lost".')
        serial = name_or_serial.lower().replace(":", "").lstrip("0")
        meant = [each for each in self.devices() if not each.revoked_at]
        meant = [each for each in meant if name_or_serial == each.name or (serial and serial == each.serial)]
        if not meant:
            raise UsageError(
                "No device {name!r} in the register that is not revoked.",
                "See them with: audit-kernel serve device list",
                name=name_or_serial,
            )
        lines = []
        for each in meant:
            named = {"device": each.name, "serial": each.serial, "sha256": each.sha256}
            lines.append((each, self._append("revoked", **named, reason=reason.strip())))
        return lines

    def note(self, kind: str, **details: object) -> str:
        """Note something of the CRL; return the line's hash."""
        return self._append(kind, **details)

    def last(self, *kinds: str) -> dict[str, Any]:
        """Return the last entry of some kinds; empty when there is none."""
        found: dict[str, Any] = {}
        for line in self.journal.entries():
            found = line["entry"] if line["entry"]["kind"] in kinds else found
        return found

    def _append(self, kind: str, **details: object) -> str:
        return self.journal.append({"kind": kind, "by": operating_system_user(), **details})


def checked_name(name: str) -> str:
    """Return a device's name.

    Raises
    ------
    UsageError: it is more than 64 bytes long, or has other characters than letters, digits, blank and ``.()-_``.
    """
    if not NAME.fullmatch(name) or len(name.encode()) > LONGEST_NAME:
        raise UsageError(
            "{name!r} is not a device's name.",
            "Give at most 64 letters and digits, with blank . ( ) - _ between them, for example laptop-17.",
            name=name,
        )
    return name


def read_certificate(path: Path) -> x509.Certificate:
    """Return the certificate of a file, PEM or DER.

    Raises
    ------
    AuditKernelError: the file holds none.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE)
        is_pem = content.lstrip().startswith(b"-----BEGIN")
        certificate = (x509.load_pem_x509_certificate if is_pem else x509.load_der_x509_certificate)(content)
        _shown(certificate.subject), _shown(certificate.issuer)  # which are read late
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise AuditKernelError(
            "{path!r} holds no certificate that can be read.",
            "Give the issued certificate, PEM or DER; nothing was noted.",
            path=str(path),
        ) from error
    return certificate


def organisation_of(certificate: x509.Certificate) -> str | None:
    """Return the only O of the subject; None where there is none, or more than one."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if len(found) == 1 else None


def nginx_register(devices: list[Device], *, only_registered: bool) -> str:
    """Return what `map $ssl_client_fingerprint` includes: 1 gets in, 0 does not."""
    lines = [f"default {0 if only_registered else 1};"]
    known = {each.sha1: each.revoked_at is None for each in devices if each.sha1}
    lines += [f"{sha1} {int(is_in)};" for sha1, is_in in sorted(known.items()) if is_in == only_registered]
    return "".join(f"{line}\n" for line in lines)


def handover(devices: list[Device]) -> str:
    """Return the list for whoever issues and revokes certificates (MDM, another authority), as CSV.

    action: issue, for a wish; revoke, for what is revoked here; none for the rest.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HANDOVER)
    for each in devices:
        action = "revoke" if each.revoked_at else "" if each.serial else "issue"
        until = timestamp(each.valid_until) if each.valid_until else ""
        cells = (each.name, each.organisation, "clientAuth", action, each.serial, each.sha256, until)
        writer.writerow([*map(neutralise_cell, cells), timestamp(each.noted_at)])
    return text.getvalue()


def _device(entry: dict[str, Any], at: datetime) -> Device:
    until = entry.get("valid_until")
    kept = {key: entry[key] for key in ("serial", "issuer", "subject", "sha256", "sha1") if key in entry}
    return Device(
        name=entry["device"],
        noted_at=at,
        noted_by=entry["by"],
        organisation=entry["organisation"],
        valid_until=datetime.fromisoformat(until).astimezone(UTC) if until else None,
        **kept,
    )


def _shown(name: x509.Name) -> str:
    """Return a name on one line, cut where it is too long; its characters are made harmless where they are printed."""
    text = name.rfc4514_string().encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST_SUBJECT else f"{text[:LONGEST_SUBJECT]}…"
