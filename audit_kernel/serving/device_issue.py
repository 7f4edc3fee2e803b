"""Gives a device its certificate, notes one that another authority issued, or asks for one; and takes it away."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from audit_kernel.errors import AuditKernelError, UsageError
from audit_kernel.files import OWNER_ONLY_FILE, write_new
from audit_kernel.serving import authority
from audit_kernel.serving.access_log import record_access
from audit_kernel.serving.device_refresh import device_settings, own_authority, put_in_force, register_of
from audit_kernel.serving.devices import Device, checked_name, organisation_of, read_certificate

if TYPE_CHECKING:
    from audit_kernel.serving.settings import DeviceSettings, ServeSettings

OPEN_FILE = 0o644


@dataclass(frozen=True)
class Wanted:
    """What is wanted for a device: `file` is written; `phrase` encrypts its key, unless it brings a `request`."""

    name: str
    organisation: str
    days: int
    file: Path
    phrase: bytes = b""
    request: Path | None = None


def issue(settings: ServeSettings, wanted: Wanted, nginx: Path | None = None) -> Path:
    """Issue a certificate by the own authority; return the file: PKCS#12 with the key, PEM for a request.

    The register and the use log have it before the file is there.

    Raises
    ------
    AuditKernelError: something is wrong; nothing was issued. JournalError: it could not be recorded.
    """
    devices = device_settings(settings)
    name, organisation = checked_name(wanted.name), _organisation(devices, wanted.organisation)
    if wanted.file.exists() or not wanted.file.absolute().parent.is_dir():
        raise UsageError(
            "The file {path!r} is there already, or its folder is not.",
            "Name a new file in a folder that is there.",
            path=str(wanted.file),
        )
    asked = authority.key_of_request(_content(wanted.request)) if wanted.request else None
    with register_of(devices) as register:
        own = own_authority(devices)
        key = authority.new_device_key()
        certificate = own.issue(name, organisation, wanted.days, asked or key.public_key())
        line = register.add(name, certificate, organisation)
        serial = f"{certificate.serial_number:x}"
        record_access(settings.site, "device_issued", device=name, device_serial=serial, register=line)
        if asked:
            _write(wanted.file, certificate.public_bytes(Encoding.PEM), OPEN_FILE)
        else:
            content = authority.packed(name, key, certificate, own.certificate, wanted.phrase)
            _write(wanted.file, content, OWNER_ONLY_FILE)
        put_in_force(devices, register, nginx)
    return wanted.file


def note_issued(settings: ServeSettings, name: str, file: Path, nginx: Path | None = None) -> str:
    """Note a certificate that another authority issued; return its serial number.

    Raises
    ------
    AuditKernelError: it is none, of another organisation, or its number stands in the register already.
    """
    devices, certificate = device_settings(settings), read_certificate(file)
    organisation = organisation_of(certificate)
    if organisation is None or organisation not in devices.organisations:
        raise AuditKernelError(
            "The certificate's organisation is not one of `devices.organisations`: nginx would refuse it.",
            "Compare the `O` of its subject with serve.yml; nothing was noted.",
        )
    with register_of(devices) as register:
        line = register.add(checked_name(name), certificate, organisation)
        serial = f"{certificate.serial_number:x}"
        record_access(settings.site, "device_issued", device=name, device_serial=serial, register=line)
        put_in_force(devices, register, nginx)
    return serial


def ask_for(settings: ServeSettings, name: str, organisation: str) -> None:
    """Put a device on the list for the authority that issues (`serve device list --handover`)."""
    devices = device_settings(settings)
    with register_of(devices) as register:
        line = register.request(checked_name(name), _organisation(devices, organisation))
        record_access(settings.site, "device_requested", device=name, register=line)


def revoke(settings: ServeSettings, name: str, reason: str, nginx: Path | None = None) -> list[Device]:
    """Take a device's certificates away, or the one of a serial number: in the register, for nginx, in the own CRL.

    Raises
    ------
    UsageError: there is none. AuditKernelError: it stands in the register, but could not be put in force.
    """
    devices = device_settings(settings)
    with register_of(devices) as register:
        revoked = register.revoke(name, reason)
        for each, line in revoked:
            record_access(
                settings.site,
                "device_revoked",
                device=each.name,
                device_serial=each.serial,
                reason=reason,
                register=line,
            )
        put_in_force(devices, register, nginx)
    return [each for each, _line in revoked]


def _organisation(devices: DeviceSettings, asked: str) -> str:
    if asked and asked not in devices.organisations:
        raise UsageError(
            "{name!r} is not one of `devices.organisations`.",
            "Give one of {allowed}.",
            name=asked,
            allowed=", ".join(devices.organisations),
        )
    return asked or devices.organisations[0]


def _write(path: Path, content: bytes, mode: int) -> None:
    try:
        write_new(path, content, mode)
    except OSError as error:
        raise UsageError(
            "The certificate stands in the register, but {path!r} cannot be written: {cause}.",
            "Revoke the device and issue another one to a folder that can be written.",
            path=str(path),
            cause=error.strerror or type(error).__name__,
        ) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError("{path!r} cannot be read.", "Name the request's file.", path=str(path)) from error
