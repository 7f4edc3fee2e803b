"""The alarm: once for each month whose control failed, by e-mail or to a webhook.

`due` leaves its result in `temporary/due.json`; what was told stands in `journals/alarms.jsonl`, so that nobody is told
the same each day. When `due` ends well again, the next failure is told anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import smtplib
import ssl
import stat
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from audit_kernel.errors import JournalError, KeyFileError, SettingsError, UnavailableError
from audit_kernel.files import replace_whole
from audit_kernel.journal import Journal
from audit_kernel.locale import translator
from audit_kernel.site import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audit_kernel.schedule_settings import AlarmSettings
    from audit_kernel.site import Site

RESULT = "due.json"
FILE = "alarms.jsonl"
PASSWORD, WEBHOOK = "alarm-password", "alarm-webhook"
CREDENTIALS = "CREDENTIALS_DIRECTORY"  # where systemd puts what LoadCredential= names
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
SECONDS = 30
LONGEST_SECRET = 4096  # bytes


@dataclass(frozen=True)
class Failure:
    """What is told: the month (empty where it did not come to one), `due`'s exit code, a sentence."""

    month: str
    exit_code: int
    sentence: str


def keep_result(site: Site, failures: Sequence[Failure] | None) -> None:
    """Leave what became of `due`; None while it runs, so that a killed one is not taken for the one before.

    Raises
    ------
    JournalError: that a failure is over could not be written.
    """
    path = site.temporary_folder / RESULT
    if failures is None:
        path.unlink(missing_ok=True)
        return
    replace_whole(path, json.dumps([asdict(each) for each in failures]).encode())
    if not failures and _told(site):
        Journal(site.journals_folder / FILE).append({"kind": "over"})


def last_failures(site: Site, exit_code: int = 1) -> list[Failure]:
    """Return what failed at the last `due`; one that left no result was stopped.

    Parameters
    ----------
    exit_code: of one that left no result.
    """
    try:
        return [Failure(**each) for each in json.loads((site.temporary_folder / RESULT).read_bytes())]
    except (OSError, ValueError, TypeError):
        _ = translator(site.settings.language)
        return [Failure("", exit_code, _("The control was stopped before it had a result."))]


def raise_alarm(site: Site, failures: Sequence[Failure]) -> list[Failure]:
    """Tell what was not told yet, and return it.

    Raises
    ------
    SettingsError: no way is set, or it is not set completely.
    KeyFileError: the password or the webhook's address is missing or readable by others.
    UnavailableError: the alarm could not be sent; it is tried again at the next failure.
    """
    new = failures
    with contextlib.suppress(JournalError):  # what is not known to have been told is told
        told = _told(site)
        new = [each for each in failures if each.month not in told]
    for each in new:
        send(site, each)
        with contextlib.suppress(JournalError):
            entry = {"kind": "sent", "month": each.month, "exit_code": each.exit_code, "by": site.settings.alarm.by}
            Journal(site.journals_folder / FILE).append(entry)
    return list(new)


def _told(site: Site) -> set[str]:
    """Return the months that an alarm told of since `due` last ended well."""
    told: set[str] = set()
    for line in Journal(site.journals_folder / FILE).entries():
        entry = line["entry"]
        told = told | {str(entry["month"])} if entry["kind"] == "sent" else set()
    return told


def send(site: Site, failure: Failure) -> None:
    """Send one alarm; see `raise_alarm` for what it raises."""
    settings = site.settings.alarm
    check(site)
    with _reported(settings.by):
        if settings.by == "email":
            _send_mail(site, settings, message(site, failure))
        else:
            _post(_secret(site, WEBHOOK), {"site": site.settings.name, **asdict(failure)})


def tell(site: Site, subject: str, text: str) -> None:
    """Send an alarm about something else than a month, the way the settings say; see `raise_alarm` for its errors."""
    settings = site.settings.alarm
    check(site)
    with _reported(settings.by):
        if settings.by == "email":
            _send_mail(site, settings, _mail(site, ", ".join(settings.recipients), subject, text))
        else:
            _post(_secret(site, WEBHOOK), {"site": site.settings.name, "subject": subject, "sentence": text})


def send_mail(site: Site, recipient: str, subject: str, text: str) -> None:
    """Send a mail of another kind by the alarm's mail server.

    Raises
    ------
    SettingsError: no mail server is set, or not completely.
    KeyFileError: its password is missing or readable by others.
    UnavailableError: it could not be sent.
    """
    settings = site.settings.alarm
    if settings.by != "email":
        raise SettingsError(
            "{path}: no mail server is set.",
            "Set `alarm`: `by` to email; docs/operating.md shows how.",
            path=site.folder / SETTINGS_FILE,
        )
    check(site)
    with _reported(settings.by):
        _send_mail(site, settings, _mail(site, recipient, subject, text))


@contextlib.contextmanager
def _reported(by: str) -> Iterator[None]:
    """Turn what goes wrong on the way into one error, which repeats nothing of what was sent."""
    cause: object
    try:
        yield
    except smtplib.SMTPResponseException as error:  # its text could repeat what was sent
        cause = error.smtp_code
    except urllib.error.HTTPError as error:
        cause = error.code
    except (OSError, HTTPException, ValueError) as error:  # ValueError could quote the address, which is a secret
        cause = type(error).__name__
    else:
        return
    raise UnavailableError(
        "The alarm could not be sent by {by} ({cause}).",
        "Check `alarm` in {file}, its secret in `keys`, and the network; try it with: audit-kernel alarm --trial",
        by=by,
        cause=cause,
        file=SETTINGS_FILE,
    ) from None


def check(site: Site) -> None:
    """Refuse settings by which nobody would be told.

    Raises
    ------
    SettingsError: no way is set, something of it is missing, or a password would travel readable.
    """
    settings = site.settings.alarm
    path = site.folder / SETTINGS_FILE
    if not settings.by:
        raise SettingsError(
            "{path}: no alarm is set, so nobody is told when a month fails.",
            "Set `alarm`: `by` to email or webhook; docs/operating.md shows how.",
            path=path,
        )
    if settings.by == "email":
        missing = [name for name in ("host", "sender", "recipients") if not getattr(settings, name)]
        if missing:
            raise SettingsError(
                "{path}: key {key!r} is missing.",
                "Correct the file and try again.",
                path=path,
                key=f"alarm.{missing[0]}",
            )
        if settings.encryption == "none" and settings.host not in THIS_MACHINE:
            raise SettingsError(
                "{path}: mail without encryption goes to a server of this machine only.",
                "Set `alarm`: `encryption` to starttls or tls.",
                path=path,
            )


def message(site: Site, failure: Failure) -> EmailMessage:
    """Return the mail, in the site's language."""
    _ = translator(site.settings.language)
    subject = _("The log control of {month} is not done") if failure.month else _("The log control could not be run")
    subject = subject.format(month=failure.month)
    texts = (
        f"{site.settings.name}: {subject}.",
        failure.sentence,
        _("Exit code: {code}.").format(code=failure.exit_code),
        _("It is tried again each day; now with: audit-kernel due. No further alarm comes for this until it is done."),
    )
    return _mail(site, ", ".join(site.settings.alarm.recipients), subject, "\n\n".join(texts))


def _mail(site: Site, recipients: str, subject: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = " ".join(f"{site.settings.name}: {subject}".split())
    mail["From"], mail["To"] = site.settings.alarm.sender, recipients
    mail["Date"], mail["Auto-Submitted"] = formatdate(), "auto-generated"
    mail["Message-ID"] = make_msgid(domain=site.settings.alarm.sender.partition("@")[2])
    mail.set_content(f"{text}\n")
    return mail


def _send_mail(site: Site, settings: AlarmSettings, mail: EmailMessage) -> None:
    password = _secret(site, PASSWORD) if settings.user else ""
    context = ssl.create_default_context()
    opened: smtplib.SMTP
    if settings.encryption == "tls":
        opened = smtplib.SMTP_SSL(settings.host, settings.port, timeout=SECONDS, context=context)
    else:
        opened = smtplib.SMTP(settings.host, settings.port, timeout=SECONDS)
    with opened as server:
        if settings.encryption == "starttls":
            server.starttls(context=context)
        if password:
            server.login(settings.user, password)
        server.send_message(mail)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive elsewhere as an empty GET."""

    def redirect_request(self, *_given: Any) -> None:  # noqa: ANN401 - urllib's own types
        """Follow none: urllib then raises HTTPError."""


def _post(address: str, content: dict[str, Any]) -> None:
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in THIS_MACHINE):
        message = "not https"
        raise ValueError(message)
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "audit-kernel"}
    request = urllib.request.Request(address, body, headers, method="POST")  # noqa: S310 - https, checked above
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=SECONDS):
        return  # any answer beyond 2xx was raised


def _secret(site: Site, name: str) -> str:
    """Return a secret that systemd hands over, else the file in the site's `keys`.

    Raises
    ------
    KeyFileError: it is missing, empty, or readable by others.
    """
    given = Path(os.environ.get(CREDENTIALS, "")) / name if os.environ.get(CREDENTIALS) else None
    path = given if given and given.is_file() else site.keys_folder / name
    try:
        is_open = path is not given and os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077
        with path.open("rb") as file:
            secret = file.read(LONGEST_SECRET).decode().strip()
    except (OSError, UnicodeDecodeError):
        is_open, secret = False, ""
    if is_open or not secret:
        raise KeyFileError(
            "The file {path!r} is missing, empty, or can be read by others than its owner.",
            "Write the secret into it, one line, and run: chmod 600 {file}",
            path=str(path),
            file=path,
        )
    return secret
