"""The alarm reaches a person once for each month, and its secret reaches nobody."""

from __future__ import annotations

import base64
import datetime
import http.server
import json
import shutil
import socketserver
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from audit_kernel.alarm import FILE, PASSWORD, WEBHOOK, Failure, check, keep_result, last_failures, raise_alarm, send
from audit_kernel.cli import app
from audit_kernel.errors import AuditKernelError, KeyFileError, SettingsError, UnavailableError
from audit_kernel.journal import Journal
from audit_kernel.site import Site, create_site

SECRET = "correct horse battery staple"
OCTOBER = Failure("2026-10", 3, "Ikke alt kjørte: completeness.")
NOVEMBER = Failure("2026-11", 3, "Ikke alt kjørte: random_sample.")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine, which the client is told to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail after STARTTLS and a password; what it got is in `mails`, what was said in the clear in `clear`."""

    daemon_threads = True

    def __init__(self, certificate, password=SECRET):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate)
        self.password, self.mails, self.clear = password, [], []
        super().__init__(("localhost", 0), MailHandler)


class MailHandler(socketserver.BaseRequestHandler):
    server: MailServer

    def say(self, text):
        self.request.sendall(f"{text}\r\n".encode())

    def finish(self):
        self.request.close()

    def handle(self):
        file, is_safe = self.request.makefile("rb"), False
        self.say("220 localhost")
        while line := file.readline().decode().strip():
            if not is_safe:
                self.server.clear.append(line)
            word = line.split()[0].upper()
            if word == "EHLO":
                self.say("250-localhost")
                self.say("250 AUTH PLAIN" if is_safe else "250 STARTTLS")
            elif word == "STARTTLS":
                self.say("220 go on")
                self.request = self.server.context.wrap_socket(self.request, server_side=True)
                file, is_safe = self.request.makefile("rb"), True
            elif word == "AUTH":
                given = base64.b64decode(line.split()[2]).decode().split("\0")
                self.say("235 welcome" if given[1:] == ["alarm", self.server.password] else f"535 not {given[2]}")
            elif word == "DATA":
                self.say("354 go on")
                lines = []
                while (text := file.readline().decode().rstrip("\r\n")) != ".":
                    lines.append(text)
                self.server.mails.append("\n".join(lines))
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.posts.append((self.path, self.rfile.read(int(self.headers["Content-Length"])), self.headers))
        code = 302 if self.path == "/moved" else 204
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self):
        self.server.posts.append((self.path, b"", self.headers))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_given):
        """Say nothing on the terminal."""


def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    return thread


@pytest.fixture
def mail(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with MailServer(certificate) as server:
        thread = serving(server)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def hook():
    with http.server.ThreadingHTTPServer(("localhost", 0), Hook) as server:
        server.posts = []
        thread = serving(server)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return create_site(tmp_path_factory.mktemp("alarm") / "site", "NO", "Nordli kommune")


@pytest.fixture
def site(made, tmp_path):
    return Site(shutil.copytree(made.folder, tmp_path / "site"))


def secret(site, name, text):
    path = site.keys_folder / name
    path.touch(0o600)
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def with_alarm(site, **settings):
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"alarm: {json.dumps(settings)}\n")
    return Site(site.folder)


def by_mail(site, server, **changed):
    secret(site, PASSWORD, SECRET)
    told = {"by": "email", "host": "localhost", "port": server.server_address[1], "user": "alarm"}
    told |= {"sender": "it@example.no", "recipients": ["a@example.no", "b@example.no"]}
    return with_alarm(site, **(told | changed))


def by_webhook(site, server, path="/hook/xyz"):
    secret(site, WEBHOOK, f"http://localhost:{server.server_address[1]}{path}")
    return with_alarm(site, by="webhook")


def test_a_mail_says_site_month_code_and_why_in_the_sites_language_and_only_over_tls(site, mail):
    site = by_mail(site, mail)
    assert raise_alarm(site, [OCTOBER]) == [OCTOBER]
    (text,) = mail.mails
    for said in ("To: a@example.no, b@example.no", "Nordli kommune", "2026-10", "Auto-Submitted: auto-generated"):
        assert said in text
    body = text.split("\n\n", 1)[1]
    body = base64.b64decode(body).decode() if "base64" in text else body
    assert "completeness" in body
    assert "3" in body
    assert [line.split()[0].upper() for line in mail.clear] == ["EHLO", "STARTTLS"]


def test_each_month_is_told_once_until_due_has_ended_well(site, mail):
    site = by_mail(site, mail)
    for failures in ([OCTOBER], [OCTOBER], [OCTOBER, NOVEMBER], [NOVEMBER, OCTOBER]):
        raise_alarm(site, failures)
    assert len(mail.mails) == 2
    keep_result(site, [])
    raise_alarm(site, [NOVEMBER])
    assert len(mail.mails) == 3
    kinds = [line["entry"]["kind"] for line in Journal(site.journals_folder / FILE).entries()]
    assert kinds == ["sent", "sent", "over", "sent"]


def test_a_wrong_password_is_said_without_it_and_the_alarm_is_tried_again(site, mail):
    site = by_mail(site, mail)
    mail.password = "another"
    with pytest.raises(UnavailableError, match=r"by email \(535\)") as raised:
        raise_alarm(site, [OCTOBER])
    assert SECRET not in raised.value.text("sv")
    assert raised.value.__cause__ is None
    mail.password = SECRET
    assert raise_alarm(site, [OCTOBER]) == [OCTOBER]


def test_a_server_that_is_not_trusted_gets_no_password(site, mail, monkeypatch):
    site = by_mail(site, mail)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UnavailableError, match="SSLCertVerificationError"):
        raise_alarm(site, [OCTOBER])
    assert mail.mails == []


def test_a_webhook_gets_json_without_anything_else(site, hook):
    site = by_webhook(site, hook)
    raise_alarm(site, [OCTOBER])
    ((path, body, headers),) = hook.posts
    assert path == "/hook/xyz"
    assert headers["Content-Type"] == "application/json"
    expected = {"site": "Nordli kommune", "month": "2026-10", "exit_code": 3, "sentence": OCTOBER.sentence}
    assert json.loads(body) == expected


def test_a_webhook_that_leads_elsewhere_is_no_alarm(site, hook):
    site = by_webhook(site, hook, "/moved")
    with pytest.raises(UnavailableError, match=r"webhook \(302\)"):
        raise_alarm(site, [OCTOBER])
    assert [path for path, _body, _headers in hook.posts] == ["/moved"]


@pytest.mark.parametrize("address", ["http://example.no/hook", "file:///etc/passwd", "no address", "http://[::1/x"])
def test_a_webhook_over_a_readable_line_is_refused_and_its_address_not_shown(site, address):
    site = with_alarm(site, by="webhook")
    secret(site, WEBHOOK, address)
    with pytest.raises(UnavailableError, match="ValueError") as raised:
        raise_alarm(site, [OCTOBER])
    assert address not in str(raised.value)


def test_a_secret_that_others_can_read_is_refused_and_one_from_systemd_is_taken(site, hook, tmp_path, monkeypatch):
    site = by_webhook(site, hook)
    (site.keys_folder / WEBHOOK).chmod(0o640)
    with pytest.raises(KeyFileError, match="can be read by others"):
        raise_alarm(site, [OCTOBER])
    given = tmp_path / "credentials"
    given.mkdir()
    (site.keys_folder / WEBHOOK).rename(given / WEBHOOK)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert raise_alarm(site, [OCTOBER])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "no alarm is set"),
        ({"by": "email", "host": "smtp.example.no", "sender": "a@b"}, "alarm.recipients"),
        (
            {"by": "email", "host": "smtp.example.no", "sender": "a@b", "recipients": ["a@b"], "encryption": "none"},
            "of this machine only",
        ),
    ],
)
def test_settings_by_which_nobody_would_be_told_are_refused(site, settings, said):
    with pytest.raises(SettingsError, match=said):
        check(with_alarm(site, **settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"sender": "a@b\nBcc: x@y"},
        {"recipients": ["a@b, c@d"]},
        {"recipients": [""]},
        {"host": "a b"},
        {"password": "x"},
        {"by": "pigeon"},
    ],
)
def test_wrong_settings_are_named(site, settings):
    with pytest.raises(SettingsError, match="alarm"):
        with_alarm(site, **settings)


def test_a_site_whose_name_holds_a_line_end_sends_no_header_of_its_own(site, mail):
    path = site.folder / "settings.yml"
    text = path.read_text(encoding="utf-8").replace("name: Nordli kommune", 'name: "Nordli\\nBcc: x@y"')
    path.write_text(text, encoding="utf-8")
    site = by_mail(Site(site.folder), mail)
    send(site, OCTOBER)
    assert not [line for line in mail.mails[0].split("\n\n")[0].splitlines() if line.startswith("Bcc")]


def test_a_due_that_left_no_result_is_told_with_the_code_that_systemd_gives(site, hook, monkeypatch):
    site = by_webhook(site, hook)
    keep_result(site, [OCTOBER])
    assert last_failures(site) == [OCTOBER]
    keep_result(site, None)
    monkeypatch.setenv("MONITOR_EXIT_STATUS", "4")
    answer = CliRunner().invoke(app, ["alarm", "--site", str(site.folder)])
    assert answer.exit_code == 0, answer.output
    told = json.loads(hook.posts[0][1])
    assert (told["month"], told["exit_code"]) == ("", 4)
    again = CliRunner().invoke(app, ["alarm", "--site", str(site.folder)])
    assert len(hook.posts) == 1
    assert again.output != answer.output


def test_a_trial_is_sent_whenever_it_is_asked_for_and_remembered_never(site, hook):
    site = by_webhook(site, hook)
    for _number in range(2):
        assert CliRunner().invoke(app, ["alarm", "--trial", "--site", str(site.folder)]).exit_code == 0
    assert len(hook.posts) == 2
    assert not (site.journals_folder / FILE).exists()


def test_a_journal_that_cannot_be_read_keeps_nobody_from_being_told(site, hook):
    site = by_webhook(site, hook)
    (site.journals_folder / FILE).write_text("{}\n", encoding="utf-8")
    assert raise_alarm(site, [OCTOBER]) == [OCTOBER]
    with pytest.raises(AuditKernelError):
        keep_result(site, [])
