"""Puts the list of revoked devices in force: made or fetched, checked, tested by nginx, and an alarm where it fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from audit_kernel.alarm import tell
from audit_kernel.canonical import timestamp
from audit_kernel.errors import AuditKernelError, JournalError, KeyFileError, SettingsError, UnavailableError
from audit_kernel.files import OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, replace_whole
from audit_kernel.locale import format_timestamp, translator
from audit_kernel.serving.access_log import record_access
from audit_kernel.serving.authority import CERTIFICATE, CRL_DAYS, KEY, Authority, make_authority
from audit_kernel.serving.devices import FILE, Register, nginx_register
from audit_kernel.serving.nginx import register_map
from audit_kernel.serving.revocation import Lists, check, fetch, lists_in_place, read_authorities
from audit_kernel.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.serving.settings import DeviceSettings, ServeSettings

OPEN_FILE = 0o644  # certificates and lists of revoked ones are no secrets
TAKEN = "devices-taken"  # touched by what reloads nginx
PATIENCE = timedelta(minutes=10)
RENEWED_AFTER = timedelta(days=CRL_DAYS / 3)
LOCK_SECONDS = 60
REFRESHED, FAILED, ALARM = "crl", "crl_failed", "alarm"


@dataclass(frozen=True)
class InForce:
    """What nginx reads: until when, how many it names, and whether that was changed now."""

    expires_at: datetime
    n_revoked: int
    is_changed: bool


def device_settings(settings: ServeSettings) -> DeviceSettings:
    """Return the part about devices.

    Raises
    ------
    SettingsError: there is none.
    """
    if settings.devices is None:
        raise SettingsError(
            "serve.yml has no `devices`: every device gets in.", "Add it; docs/devices.md says what stands there."
        )
    return settings.devices


@contextlib.contextmanager
def register_of(devices: DeviceSettings) -> Iterator[Register]:
    """Open the register for writing: one at a time, so that no list misses what another one just revoked.

    Raises
    ------
    UnavailableError: the folder cannot be used, or another program holds it.
    """
    folder = devices.register_folder
    try:
        folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{FILE}.writer", timeout=LOCK_SECONDS, mode=OWNER_ONLY_FILE):
            yield Register(folder)
    except filelock.Timeout as error:
        raise UnavailableError(
            "The register of devices is in use by another program.", "Try again when it has ended."
        ) from error
    except OSError as error:
        raise UnavailableError(
            "The register of devices cannot be used in {folder!r}: {cause}.",
            "Run the command as the user who owns the folder and the site.",
            folder=str(folder),
            cause=error.strerror or type(error).__name__,
        ) from error


def own_authority(devices: DeviceSettings) -> Authority:
    """Return the organisation's own authority; the first time, where there is nothing of one yet, it is made.

    Raises
    ------
    KeyFileError: its key is gone, or can be read by others.
    """
    folder = devices.register_folder
    if not (folder / KEY).exists():
        if (folder / FILE).exists() or devices.authorities.exists():
            raise KeyFileError(
                "The authority's key is missing in {folder!r}, but devices were issued with it.",
                "Restore it from a backup: a new authority would lock every device out.",
                folder=str(folder),
            )
        make_authority(folder, devices.organisations[0])
    if not devices.authorities.exists():
        replace_whole(devices.authorities, (folder / CERTIFICATE).read_bytes(), OPEN_FILE)
    return Authority(folder)


def put_in_force(devices: DeviceSettings, register: Register, nginx: Path | None = None) -> InForce:
    """Write what nginx reads, where it changed.

    Parameters
    ----------
    register: held by the caller.
    nginx: its configuration, where this process itself tests and reloads it; else root's unit does.

    Raises
    ------
    AuditKernelError: no good list was to be had, or nginx refuses it; the old one stays.
    """
    is_own = not devices.revoked_from
    authority = own_authority(devices) if is_own else None
    known = register.devices()
    text = nginx_register(known, only_registered=is_own or devices.registered_only)
    in_place = lists_in_place(devices.revoked)
    before = _write(register_map(devices.revoked), text.encode())  # in force even where no list is to be had
    lists: Lists | AuditKernelError
    try:
        lists = _lists(devices, register, authority, in_place)
        before |= _write(devices.revoked, lists.pem)
    except AuditKernelError as failed:
        lists = failed
    if nginx and before:
        try:
            _nginx(nginx, "-t", "-q")
        except AuditKernelError:
            for path, content in before.items():
                _put_back(path, content)
            raise
        _nginx(nginx, "-s", "reload")
    if isinstance(lists, AuditKernelError):
        raise lists
    if devices.revoked in before:
        register.note(REFRESHED, number=lists.n_revoked, expires_at=timestamp(lists.expires_at))
    return InForce(lists.expires_at, lists.n_revoked, bool(before))


def _lists(devices: DeviceSettings, register: Register, authority: Authority | None, in_place: Lists | None) -> Lists:
    now = datetime.now(UTC)
    if authority:
        contents = [_own_list(authority, register, in_place, now)]
    else:
        contents = [fetch(address) for address in devices.revoked_from]
    return check(contents, read_authorities(devices.authorities), now, in_place)


def _write(path: Path, content: bytes) -> dict[Path, bytes | None]:
    """Write a file that is to change; return what stood there, nothing where nothing changed."""
    before = path.read_bytes() if path.exists() else None
    if before == content:
        return {}
    replace_whole(path, content, OPEN_FILE)
    return {path: before}


def refresh(settings: ServeSettings, nginx: Path | None = None) -> InForce:
    """Renew the list, record what became of it, and alarm where devices will be locked out.

    Raises
    ------
    AuditKernelError: the list could not be renewed, nginx did not take it, or the alarm could not be sent.
    """
    devices, site = device_settings(settings), Site(settings.site)
    with register_of(devices) as register:
        error = None
        try:
            found = put_in_force(devices, register, nginx)
            if found.is_changed:
                until = timestamp(found.expires_at)
                record_access(site.folder, "device_list_refreshed", count=found.n_revoked, expires_at=until)
        except AuditKernelError as failed:
            error = failed
            with contextlib.suppress(JournalError):  # the alarm comes all the same, and the error is raised
                _note_failure(register, site, failed)
        for alarm in _alarms(settings, site, error, nginx):
            try:
                _tell_once(register, site, *alarm)
            except AuditKernelError as unsent:
                error = error or unsent
    if error:
        raise error
    return found


def _tell_once(register: Register, site: Site, about: str, until: str, subject: str, text: str) -> None:
    with contextlib.suppress(JournalError):  # what is not known to have been told is told
        told = [line["entry"] for line in register.journal.entries() if line["entry"]["kind"] == ALARM]
        if any((each["about"], each["until"]) == (about, until) for each in told):
            return
    tell(site, subject, text)
    with contextlib.suppress(JournalError):
        register.note(ALARM, about=about, until=until)


def _own_list(authority: Authority, register: Register, in_place: Lists | None, now: datetime) -> bytes:
    """Return the list in place where it still serves, else a new one."""
    revoked = {
        int(each.serial, 16): each.revoked_at
        for each in register.devices()
        if each.revoked_at and each.valid_until and each.valid_until > now
    }
    if in_place and len(in_place.crls) == 1 and in_place.expires_at > now and now - in_place.made_at < RENEWED_AFTER:
        crl = in_place.crls[0]
        is_ours = crl.issuer == authority.certificate.subject
        if is_ours and {each.serial_number for each in crl} == set(revoked):
            return in_place.pem
    return authority.revocation_list(sorted(revoked.items()), int(now.timestamp()))


def _note_failure(register: Register, site: Site, error: AuditKernelError) -> None:
    """Record a failure, once for each cause in a row."""
    last = register.last(REFRESHED, FAILED)
    if last.get("kind") != FAILED or last.get("cause") != error.problem:
        register.note(FAILED, cause=error.problem)
        record_access(site.folder, "device_list_failed", reason=error.problem)


def _alarms(
    settings: ServeSettings, site: Site, error: AuditKernelError | None, nginx: Path | None
) -> Iterator[tuple[str, str, str, str]]:
    """Yield what is to be told, as (about, until, subject, text)."""
    language = site.settings.language
    _ = translator(language)
    devices, now = device_settings(settings), datetime.now(UTC)
    lists = lists_in_place(devices.revoked)
    if error and type(error) is not UnavailableError:  # which may pass by itself: a network that is down
        yield "refused", error.problem, _("The list of revoked devices could not be renewed"), error.text(language)
    cause = error.text(language) if error else ""
    remedy = _("Try it by hand: audit-kernel serve device refresh")
    if lists is None:
        subject = _("There is no list of revoked devices: no device gets in")
        yield "missing", "", subject, f"{cause}\n\n{remedy}"
        return
    until = timestamp(lists.expires_at)
    at = format_timestamp(lists.expires_at, language, site.settings.time_zone)
    if now >= lists.expires_at:
        subject = _("The list of revoked devices expired on {at}: no device gets in").format(at=at)
        yield "expired", until, subject, f"{cause}\n\n{remedy}"
    elif now >= lists.alarm_at(devices.alarm_hours):
        subject = _("The list of revoked devices expires on {at}; from then on no device gets in").format(at=at)
        yield "expiring", until, subject, f"{cause}\n\n{remedy}"
    written = max(_changed_at(devices.revoked), _changed_at(register_map(devices.revoked)))
    taken = max(_changed_at(settings.runtime / TAKEN), _changed_at(settings.runtime / "nginx.pid"))
    if not nginx and written > taken and now - written > PATIENCE:
        subject = _("nginx has not taken the newest list of revoked devices")
        text = _("What was revoked since then still gets in. See: systemctl status audit-kernel-devices-reload.service")
        yield "not_taken", timestamp(written), subject, text


def _changed_at(path: Path) -> datetime:
    with contextlib.suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return datetime.fromtimestamp(0, UTC)


def _put_back(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        replace_whole(path, content, OPEN_FILE)


def _nginx(configuration: Path, *words: str) -> None:
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"
    command = [program, *words, "-c", str(configuration)]
    cause: object
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=LOCK_SECONDS)
        cause = done.returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        cause = type(error).__name__
    if cause:
        raise AuditKernelError(
            "nginx does not take the new list of revoked devices ({cause}).",
            "Run it by hand, it says why: {command}",
            cause=cause,
            command=" ".join(command),
        )
