"""What is missing or unsafe on this machine: files, secrets, certificates, programs, the site, the configuration."""

from __future__ import annotations

import importlib.util
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cryptography import x509

from audit_kernel.errors import AuditKernelError, Phrase, SettingsError
from audit_kernel.serving.nginx import register_map
from audit_kernel.serving.settings import DeviceSettings, ServeSettings, serve_settings
from audit_kernel.serving.write import CULLER_TOKEN, PROXY_TOKEN, configuration, contradictions

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["missing", "unsafe", "expiring"]
OTHERS, OTHERS_WRITE = 0o077, 0o022
WARNING_DAYS = 30
SYSTEMD_RUNS = Path("/run/systemd/system")


@dataclass(frozen=True)
class Lack:
    """One thing that is missing, unsafe or about to expire, with its remedy."""

    kind: Kind
    error: AuditKernelError


def missing(problem: Phrase, remedy: Phrase, **values: object) -> Lack:
    """Return a lack of something that is not there."""
    return Lack("missing", SettingsError(problem, remedy, **values))


def unsafe(problem: Phrase, remedy: Phrase, **values: object) -> Lack:
    """Return a lack of safety."""
    return Lack("unsafe", SettingsError(problem, remedy, **values))


def expiring(problem: Phrase, remedy: Phrase, **values: object) -> Lack:
    """Return what is expired, or will be soon."""
    return Lack("expiring", SettingsError(problem, remedy, **values))


def lacks(folder: Path, now: datetime | None = None) -> list[Lack]:
    """Return everything that is wrong with the service whose `serve.yml` lies in a folder.

    Raises
    ------
    SettingsError: `serve.yml` itself, or the site's settings, cannot be read.
    """
    settings = serve_settings(folder)
    now = now or datetime.now(UTC)
    found = [Lack("unsafe", error) for error in contradictions(settings, folder)]
    found += [*of_secrets(settings), *of_certificates(settings, now), *of_programs(settings)]
    if settings.devices:
        found += of_devices(settings.devices, now)
    if settings.hub.spawner == "trial":
        found.append(
            unsafe(
                Phrase("The spawner is `trial`: every user's server runs as the Hub's own user."),
                Phrase("Use it with made-up data only; on a server: systemd or processes."),
            )
        )
    return [*found, *of_installation(), *of_configuration(settings, folder)]


def of_secrets(settings: ServeSettings) -> Iterator[Lack]:
    """Look at the files of secrets: there, not empty, the owner's alone."""
    files = [settings.secrets / PROXY_TOKEN, settings.secrets / CULLER_TOKEN, settings.login.client_secret]
    if settings.hub.spawner != "trial":
        files += [settings.proxy_secret, settings.nginx_secret, settings.tls.key]
    files += [settings.hub.database_password] if settings.hub.database_password else []
    for path in files:
        if not path.is_file() or not path.stat().st_size:
            yield missing(
                Phrase("The secret {path} is missing or empty."),
                Phrase("`serve init` draws its own; the others are handed to you by whoever runs that service."),
                path=path,
            )
            continue
        status = path.stat()
        if status.st_mode & OTHERS or status.st_uid not in {0, os.geteuid()}:
            yield unsafe(
                Phrase("Others than its owner can read the secret {path}, or its owner is not root."),
                Phrase("Give it to root alone: chown root {path} and chmod 600 {path}"),
                path=path,
            )


def of_certificates(settings: ServeSettings, now: datetime) -> Iterator[Lack]:
    """Look at the server's own certificate."""
    if settings.hub.spawner == "trial":
        return
    path = settings.tls.certificate
    try:
        first = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError, IndexError):
        yield missing(
            Phrase("The server's certificate {path} is missing or is no PEM certificate."),
            Phrase("Order one for the name {host} and put it there, with its chain."),
            path=path,
            host=settings.host,
        )
        return
    yield from _expiry(path, first.not_valid_after_utc, now, timedelta(days=WARNING_DAYS))
    names: list[str] = []
    for extension in first.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value.get_values_for_type(x509.DNSName)
    wild = f"*.{settings.host.partition('.')[2]}"
    if settings.host not in names and wild not in names:
        yield unsafe(
            Phrase("The server's certificate {path} is not for the name {host}."),
            Phrase("Order one for this name, or correct `host`."),
            path=path,
            host=settings.host,
        )


def of_devices(devices: DeviceSettings, now: datetime) -> Iterator[Lack]:
    """Look at the authorities' certificates and their lists of revoked ones: an expired list locks everybody out."""
    try:
        authorities = x509.load_pem_x509_certificates(devices.authorities.read_bytes())
    except (OSError, ValueError):
        authorities = []
        yield missing(
            Phrase("The authorities of device certificates, {path}, are missing or are no PEM certificates."),
            Phrase("Put the authority's certificate there, or make one: audit-kernel serve device --help"),
            path=devices.authorities,
        )
    for each in authorities:
        yield from _expiry(devices.authorities, each.not_valid_after_utc, now, timedelta(days=WARNING_DAYS))
    try:
        blocks = devices.revoked.read_bytes().split(b"-----END X509 CRL-----")
        lists = [x509.load_pem_x509_crl(block + b"-----END X509 CRL-----") for block in blocks if b"BEGIN" in block]
    except (OSError, ValueError):
        lists = []
    if not register_map(devices.revoked).is_file():
        yield missing(
            Phrase("{path}, by which nginx knows the register of devices, is missing: nginx does not start."),
            Phrase("Make it and the list: audit-kernel serve device refresh"),
            path=register_map(devices.revoked),
        )
    listed = {each.issuer for each in lists}
    for name in dict.fromkeys(each.subject for each in authorities):
        if name not in listed:
            yield missing(
                Phrase("{path} holds no list of revoked certificates (CRL) of {authority}: its devices are refused."),
                Phrase("Fetch the list; docs/deployment.md says how."),
                path=devices.revoked,
                authority=name.rfc4514_string(),
            )
    for listing in lists:
        if listing.next_update_utc:
            yield from _expiry(devices.revoked, listing.next_update_utc, now, timedelta(hours=devices.alarm_hours))


def _expiry(path: Path, end: datetime, now: datetime, ahead: timedelta) -> Iterator[Lack]:
    if end <= now:
        yield expiring(
            Phrase("{path} expired on {end}: nobody gets in."),
            Phrase("Renew it, then: systemctl reload audit-kernel-nginx"),
            path=path,
            end=f"{end:%Y-%m-%d %H:%M} UTC",
        )
    elif end <= now + ahead:
        yield expiring(
            Phrase("{path} expires on {end}."),
            Phrase("Renew it in time, then: systemctl reload audit-kernel-nginx"),
            path=path,
            end=f"{end:%Y-%m-%d %H:%M} UTC",
        )


def of_programs(settings: ServeSettings) -> Iterator[Lack]:
    """Look for the programs and the packages that the configuration uses."""
    packages = ["jupyterhub", "jupyterhub_idle_culler", "jupyterlab", "jwt", "oauthenticator"]
    packages += ["psycopg2"] if settings.hub.is_postgres else []
    packages += ["systemdspawner"] if settings.hub.spawner == "systemd" else []
    for name in packages:
        if importlib.util.find_spec(name) is None:
            yield missing(
                Phrase("The Python package {name} is missing."),
                Phrase("Install requirements/serve.lock as docs/deployment.md says."),
                name=name,
            )
    programs = [str(settings.hub.proxy_program)]
    programs += [] if settings.hub.spawner == "trial" else ["nginx"]
    programs += ["systemd-run"] if settings.hub.spawner == "systemd" else []
    for name in programs:
        if shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") is None:
            yield missing(
                Phrase("The program {name} is missing."), Phrase("Install it as docs/deployment.md says."), name=name
            )
    if settings.hub.spawner == "systemd" and not SYSTEMD_RUNS.is_dir():
        yield missing(
            Phrase("systemd does not run this machine."),
            Phrase("Set `hub.spawner: processes`, or use a machine with it."),
        )


def of_installation() -> Iterator[Lack]:
    """Look whether the product's own notebooks and programs belong to root, so that no user changes them for others."""
    package = Path(__file__).parents[1]
    for place in (package, package / "serving" / "pages", *_shipped("notebooks", "sql", "deploy")):
        status = place.stat()
        if status.st_uid != 0 or status.st_mode & OTHERS_WRITE:
            yield unsafe(
                Phrase("{path} can be changed by others than root: a user could change what the others run."),
                Phrase("Install the product as root, for example to /opt/audit-kernel."),
                path=place,
            )


def _shipped(*names: str) -> list[Path]:
    from audit_kernel.catalog import resource_folder

    return [resource_folder(name) for name in names]


def of_configuration(settings: ServeSettings, folder: Path) -> Iterator[Lack]:
    """Compare the files with what `serve.yml` gives today."""
    for name, text in configuration(settings, folder).items():
        path = folder / name
        if not path.is_file():
            yield missing(
                Phrase("{path} is missing."),
                Phrase("Write it: audit-kernel serve init DIR, into a new folder."),
                path=path,
            )
        elif path.read_text(encoding="utf-8") != text:
            yield unsafe(
                Phrase("{path} is not what serve.yml and this version of the product give."),
                Phrase("Write the configuration into a new folder with the same serve.yml, and compare."),
                path=path,
            )
        elif path.stat().st_mode & OTHERS_WRITE or path.stat().st_uid not in {0, os.geteuid()}:
            yield unsafe(
                Phrase("{path} can be changed by others than root: a user could change what the others run."),
                Phrase("Give it to root alone: chown root {path} and chmod 644 {path}"),
                path=path,
            )
