"""The register of devices, the own authority, and the list of revoked devices: kept, checked, put in force."""

from __future__ import annotations

import csv
import datetime
import http.client
import json
import os
import shlex
import shutil
import socket
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.errors import AuditKernelError, JournalError, KeyFileError, UnavailableError, UsageError
from audit_kernel.journal import Journal
from audit_kernel.serving import authority, device_issue
from audit_kernel.serving.device_refresh import TAKEN, own_authority, put_in_force, refresh, register_of
from audit_kernel.serving.device_units import device_units
from audit_kernel.serving.devices import Register, checked_name, handover, nginx_register
from audit_kernel.serving.nginx import register_map
from audit_kernel.serving.revocation import Lists, check, fetch, lists_in_place, read_authorities
from audit_kernel.site import create_site
from audit_kernel.use_log import FILE
from tests.serving.door import ORGANISATION, Door, Pki, in_hours, openssl

PHRASE = "correct horse battery"
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(autouse=True)
def _quick_pass_phrase(monkeypatch):
    """A pass phrase is made slow to guess; one round takes nothing away from what is tested."""
    monkeypatch.setattr(authority, "ROUNDS", 1_000)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    made = Pki(tmp_path_factory.mktemp("pki") / "ca")
    for name in ("good", "lost"):
        made.issue(name, f"/O={ORGANISATION}/CN={name}")
    made.issue("other", "/O=Another/CN=other")
    made.issue_tls()
    return made


@pytest.fixture
def make_door(pki, tmp_path):
    opened = []

    def make(**devices):
        site = create_site(tmp_path / f"site-{len(opened)}", "NO")
        opened.append(Door(site, pki, **devices))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def beside(make_door, pki):
    """A door beside another authority, whose list stands at an address; its alarm goes to a webhook."""
    door = make_door()
    addresses = {"revoked_from": (f"http://localhost:{door.web.port}/crl",)}
    devices = door.settings.devices.model_copy(update=addresses)
    door.settings = door.settings.model_copy(update={"devices": devices})
    site = door.settings.site
    with (site / "settings.yml").open("a", encoding="utf-8") as file:
        file.write("alarm: {by: webhook}\n")
    (site / "keys" / "alarm-webhook").touch(0o600)
    (site / "keys" / "alarm-webhook").write_text(f"http://localhost:{door.web.port}/hook\n")
    devices.authorities.write_bytes((pki.folder / "ca.pem").read_bytes())
    return door


def issued(door, name, **changed):
    """Issue a certificate; return the file that a browser would log in with."""
    file = door.folder / f"{name}.p12"
    wanted = {"organisation": ORGANISATION, "days": 30, "file": file, "phrase": PHRASE.encode(), **changed}
    device_issue.issue(door.settings, device_issue.Wanted(name, **wanted))
    bundle = pkcs12.load_pkcs12(file.read_bytes(), PHRASE.encode())
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = door.folder / f"{name}.pem"
    pem.write_bytes(bundle.key.private_bytes(*plain) + bundle.cert.certificate.public_bytes(plain[0]))
    return pem


def used(door):
    """What the use log says of devices, as (activity, device)."""
    journal = Journal(door.settings.site / "journals" / FILE)
    return [(line["entry"]["activity"], line["entry"].get("device")) for line in journal.entries()]


@pytest.mark.requires("nginx", "openssl")
def test_an_own_device_logs_in_and_after_its_revocation_neither_anew_nor_by_an_open_connection(make_door):
    door = make_door()
    laptop, phone = issued(door, "laptop-17"), issued(door, "telefon å")
    door.start()
    assert (door.status(laptop), door.status(phone), door.status()) == (200, 200, 400)
    kept = door.open(laptop)
    kept.request("GET", "/hub/home")
    assert kept.getresponse().read()
    (revoked,) = device_issue.revoke(door.settings, "laptop-17", "lost", door.configuration)
    assert revoked.serial
    door.until(lambda: door.status(laptop) == 400)
    assert door.status(phone) == 200

    def is_closed():
        try:
            kept.request("GET", "/hub/home")
            kept.getresponse().read()
        except (http.client.HTTPException, OSError):
            return True
        return False

    door.until(is_closed)
    kept.close()
    assert used(door) == [
        ("device_issued", "laptop-17"),
        ("device_issued", "telefon å"),
        ("device_revoked", "laptop-17"),
    ]
    journal = Journal(door.settings.devices.register_folder / "devices.jsonl")
    assert journal.verify() == []
    assert [line["entry"]["kind"] for line in journal.entries()] == ["issued", "crl", "issued", "revoked", "crl"]


@pytest.mark.requires("nginx", "openssl")
def test_a_certificate_that_stands_not_in_the_register_is_refused_though_the_own_authority_signed_it(make_door):
    door = make_door()
    issued(door, "laptop-1")
    key = ec.generate_private_key(ec.SECP256R1())
    stolen = own_authority(door.settings.devices).issue("laptop-2", ORGANISATION, 30, key.public_key())
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (door.folder / "stolen.pem").write_bytes(key.private_bytes(*plain) + stolen.public_bytes(plain[0]))
    door.start()
    assert door.status(door.folder / "stolen.pem") == 403


@pytest.mark.requires("nginx", "openssl")
def test_an_expired_list_locks_out_alarms_and_a_refresh_mends_it(beside, pki):
    door, devices = beside, beside.settings.devices
    good = pki.folder / "good.pem"
    devices.revoked.write_bytes(pki.crl(in_hours(1 / 3_000), in_hours(-100)))  # a second from now
    register_map(devices.revoked).write_text("default 1;\n")
    door.start()
    door.until(lambda: door.status(good) == 400)
    with pytest.raises(UnavailableError, match=r"cannot be fetched from http.*\(404\)"):
        refresh(door.settings, door.configuration)
    with pytest.raises(UnavailableError):
        refresh(door.settings, door.configuration)
    (told,) = door.web.posts
    assert "gikk ut" in told["subject"]
    assert "404" in told["sentence"]
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    assert refresh(door.settings, door.configuration).is_changed
    door.until(lambda: door.status(good) == 200)
    assert not refresh(door.settings, door.configuration).is_changed
    assert len(door.web.posts) == 1
    assert used(door) == [("device_list_failed", None), ("device_list_refreshed", None)]


@pytest.mark.requires("nginx", "openssl")
def test_beside_another_authority_a_revoked_device_is_kept_out_before_that_ones_list_names_it(beside, pki):
    door = beside
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    refresh(door.settings)
    door.start()
    lost, good = pki.folder / "lost.pem", pki.folder / "good.pem"
    assert (door.status(lost), door.status(good)) == (200, 200)
    device_issue.note_issued(door.settings, "lost", pki.folder / "lost.crt", door.configuration)
    door.web.pages.clear()  # the authority cannot be reached
    with pytest.raises(UnavailableError):
        device_issue.revoke(door.settings, "lost", "stolen", door.configuration)
    door.until(lambda: door.status(lost) == 403)
    assert door.status(good) == 200
    devices = door.settings.devices.model_copy(update={"registered_only": True})
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    with register_of(devices) as register:
        put_in_force(devices, register, door.configuration)
    door.until(lambda: door.status(good) == 403)


@pytest.mark.requires("nginx", "openssl")
def test_what_nginx_does_not_take_is_put_back(beside, pki):
    door, devices = beside, beside.settings.devices
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    refresh(door.settings)
    before = devices.revoked.read_bytes()
    text = door.configuration.read_text(encoding="utf-8")
    door.configuration.write_text(f"{text}wrong", encoding="utf-8")
    door.web.pages["/crl"] = pki.crl(in_hours(101))
    with pytest.raises(AuditKernelError, match=r"nginx does not take .* -t -q -c "):
        refresh(door.settings, door.configuration)
    assert devices.revoked.read_bytes() == before


@pytest.mark.requires("openssl")
@pytest.mark.parametrize(("hours", "since", "alarms"), [(47, -100, 1), (49, -100, 0), (10, -2, 0), (5, -7, 1)])
def test_it_alarms_48_hours_before_the_list_expires_or_in_the_middle_of_a_short_ones_time(
    beside, pki, hours, since, alarms
):
    door = beside
    door.web.pages["/crl"] = pki.crl(in_hours(hours), in_hours(since))
    for _time in range(2):
        refresh(door.settings, None)
    assert len(door.web.posts) == alarms
    assert not alarms or "går ut" in door.web.posts[0]["subject"]


@pytest.mark.requires("openssl")
def test_it_alarms_where_nginx_took_no_notice_of_a_new_list(beside, pki):
    door, devices = beside, beside.settings.devices
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    refresh(door.settings)
    assert door.web.posts == []
    for path in (devices.revoked, register_map(devices.revoked)):
        os.utime(path, (0, NOW.timestamp() - 3_600))
    refresh(door.settings)
    assert "nginx" in door.web.posts[0]["subject"]
    (door.settings.runtime / TAKEN).touch()
    refresh(door.settings)
    assert len(door.web.posts) == 1


@pytest.mark.requires("openssl")
def test_a_list_that_cannot_be_had_at_all_is_alarmed_and_said(beside):
    with pytest.raises(UnavailableError):
        refresh(beside.settings)
    assert "slipper inn" in beside.web.posts[0]["subject"]


@pytest.mark.requires("openssl")
def test_a_forged_list_alarms_at_once_and_an_alarm_that_cannot_be_sent_hides_no_error(beside, pki):
    door = beside
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    refresh(door.settings)
    door.web.pages["/crl"] = crl_of(pki, key=ec.generate_private_key(ec.SECP256R1()))
    for _time in range(2):
        with pytest.raises(AuditKernelError, match="signed it"):
            refresh(door.settings)
    assert ["kunne ikke fornyes" in each["subject"] for each in door.web.posts] == [True]
    (door.settings.devices.register_folder / "devices.jsonl").write_bytes(b"damaged\n")
    (door.settings.site / "keys" / "alarm-webhook").unlink()
    with pytest.raises(JournalError, match="damaged"):
        refresh(door.settings)
    door.web.posts.clear()


@pytest.mark.requires("openssl")
def test_the_alarm_comes_though_the_register_is_damaged(beside, pki):
    door = beside
    door.settings.devices.revoked.write_bytes(pki.crl(in_hours(9), in_hours(-100)))
    (door.settings.devices.register_folder / "devices.jsonl").write_bytes(b"damaged\n")
    with pytest.raises(JournalError):
        refresh(door.settings)
    assert len(door.web.posts) == 2


def crl_of(pki, *, until=24, since=-1, key=None, extension=None, twice=False):
    name = x509.load_pem_x509_certificate((pki.folder / "ca.pem").read_bytes()).subject
    key = key or serialization.load_pem_private_key((pki.folder / "ca.key").read_bytes(), None)
    builder = x509.CertificateRevocationListBuilder(name, in_hours(since), in_hours(until))
    if extension:
        builder = builder.add_extension(extension, critical=True)
    for _time in range(2 if twice else 0):
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder(7, NOW).build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.requires("openssl")
def test_a_list_that_would_lock_out_or_let_in_is_refused(pki, tmp_path):
    authorities = read_authorities(pki.folder / "ca.pem")
    forged = ec.generate_private_key(ec.SECP256R1())
    delta = x509.DeltaCRLIndicator(1)
    good = check([crl_of(pki, twice=True)], authorities, NOW, None)
    assert (good.n_revoked, len(good.crls)) == (2, 1)
    older = check([crl_of(pki, since=-0.5)], authorities, NOW, None)
    for content, why in (
        (crl_of(pki, key=forged), "signed it"),
        (crl_of(pki, until=-0.5), "expired"),
        (crl_of(pki, since=1), "future"),
        (crl_of(pki, extension=delta), "critical extension"),
        (crl_of(pki), "older than the one in place"),
        (b"", "cannot be read"),
        (b"<html>not found</html>", "cannot be read"),
        (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----", "cannot be read"),
        (crl_of(pki)[:-9], "cannot be read"),
    ):
        with pytest.raises(AuditKernelError, match=why):
            check([content], authorities, NOW, older)
    other = Pki(tmp_path / "other", "Another authority")
    both = [*authorities, *read_authorities(other.folder / "ca.pem")]
    with pytest.raises(AuditKernelError, match="one of each"):
        check([crl_of(pki)], both, NOW, None)
    assert len(check([crl_of(pki), other.crl(in_hours(5))], both, NOW, None).crls) == 2


@pytest.mark.requires("openssl")
def test_the_authorities_file_holds_authorities_only(pki, tmp_path):
    (tmp_path / "none.pem").write_bytes(b"x")
    for path in (pki.folder / "good.crt", tmp_path / "none.pem", tmp_path / "missing.pem"):
        with pytest.raises(AuditKernelError, match="certificates of the authorities"):
            read_authorities(path)


@pytest.mark.parametrize("address", ["http://localhost:1/crl", "http://localhost:x/", "http://[/"])
def test_an_address_that_answers_nothing_is_said(address):
    with pytest.raises(UnavailableError, match="cannot be fetched"):
        fetch(address)


def test_the_own_list_is_renewed_after_ten_days_and_only_then(make_door, monkeypatch):
    door = make_door()
    assert refresh(door.settings).is_changed
    assert not refresh(door.settings).is_changed
    first = lists_in_place(door.settings.devices.revoked)
    assert isinstance(first, Lists)
    assert 29 < (first.expires_at - NOW).days + 1 < 32
    monkeypatch.setattr("audit_kernel.serving.device_refresh.RENEWED_AFTER", datetime.timedelta(0))
    monkeypatch.setattr(authority, "SKEW", datetime.timedelta(0))
    assert refresh(door.settings).is_changed


def test_the_system_log_is_told_which_device_and_why_and_of_hostile_words_one_line(make_door):
    door = make_door()
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(str(door.folder / "syslog"))
    with (door.settings.site / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"use_log: {{syslog: {door.folder / 'syslog'}}}\n")
    issued(door, "laptop-1")
    device_issue.revoke(door.settings, "laptop-1", 'lost\r\n<13>evil: "x"')
    first, second = log.recv(4_096).decode(), log.recv(4_096).decode()
    log.close()
    assert 'device="laptop-1"' in first
    assert 'activity="device_issued"' in first
    assert 'reason="lost <13>evil: \\"x\\""' in second
    assert "\n" not in second


def test_keys_are_owner_only_and_a_lost_key_is_never_made_anew(make_door):
    door = make_door()
    issued(door, "laptop-1")
    folder = door.settings.devices.register_folder
    for path in (folder / authority.KEY, folder / "devices.jsonl", door.folder / "laptop-1.p12"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (folder / authority.KEY).chmod(0o640)
    with pytest.raises(KeyFileError, match="can be read by others"):
        refresh(door.settings)
    (folder / authority.KEY).rename(folder / "aside")
    with pytest.raises(KeyFileError, match="would lock every device out"):
        issued(door, "laptop-2")
    assert not (folder / authority.KEY).exists()
    assert not (door.folder / "laptop-2.p12").exists()


def test_what_cannot_be_recorded_is_not_handed_out(make_door):
    door = make_door()
    issued(door, "laptop-1")
    log = door.settings.site / "journals" / FILE
    log.write_bytes(b"damaged\n")
    with pytest.raises(JournalError):
        issued(door, "laptop-2")
    assert not (door.folder / "laptop-2.p12").exists()


@pytest.mark.requires("openssl")
def test_openssl_reads_the_devices_file_with_its_pass_phrase_only(make_door):
    door = make_door()
    issued(door, "laptop-1")
    file = door.folder / "laptop-1.p12"
    words = ["openssl", "pkcs12", "-in", file, "-nodes", "-passin"]
    assert (
        "PRIVATE KEY" in subprocess.run([*words, f"pass:{PHRASE}"], capture_output=True, text=True, check=True).stdout
    )
    assert subprocess.run([*words, "pass:wrong"], capture_output=True, check=False).returncode
    certificate = pkcs12.load_pkcs12(file.read_bytes(), PHRASE.encode()).cert.certificate
    (door.folder / "crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    devices = door.settings.devices
    words = ["-CAfile", devices.authorities, "-CRLfile", devices.revoked, "-crl_check_all", "-x509_strict"]
    openssl("verify", *words, "-purpose", "sslclient", door.folder / "crt")


def request_of(key, name="evil\n"):
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
    return x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())


def test_of_a_devices_own_request_only_the_key_is_taken_and_a_weak_or_forged_one_is_refused(make_door):
    door, key = make_door(), rsa.generate_private_key(65_537, 2_048)
    (door.folder / "csr").write_bytes(request_of(key).public_bytes(serialization.Encoding.PEM))
    wanted = device_issue.Wanted("laptop-1", "", 30, door.folder / "a.pem", request=door.folder / "csr")
    file = device_issue.issue(door.settings, wanted)
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=laptop-1,O=Andre"
    assert certificate.public_key() == key.public_key()
    with pytest.raises(UsageError, match="is there already"):
        device_issue.issue(door.settings, wanted)
    der = bytearray(request_of(key).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    weak = request_of(ec.generate_private_key(ec.SECP192R1())).public_bytes(serialization.Encoding.PEM)
    for content in (forged, weak, b"", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"):
        with pytest.raises(AuditKernelError, match="request is not one"):
            authority.key_of_request(content)


@pytest.mark.requires("openssl")
def test_a_serial_number_comes_once_from_an_issuer_and_another_organisations_certificate_is_not_noted(beside, pki):
    door = beside
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    device_issue.note_issued(door.settings, "good", pki.folder / "good.crt")
    with pytest.raises(AuditKernelError, match="stands in the register already"):
        device_issue.note_issued(door.settings, "again", pki.folder / "good.crt")
    with pytest.raises(AuditKernelError, match="nginx would refuse it"):
        device_issue.note_issued(door.settings, "other", pki.folder / "other.crt")
    with pytest.raises(AuditKernelError, match="no certificate that can be read"):
        device_issue.note_issued(door.settings, "other", pki.folder / "good.key")
    assert [each.name for each in Register(door.settings.devices.register_folder).devices()] == ["good"]


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "-a", "a" * 65, "å" * 33, "a\nb", "a\0", "a/b", "\u202ea", "=1+1", "a,b"]
)
def test_what_is_no_devices_name_is_refused(name):
    with pytest.raises(UsageError, match="not a device's name"):
        checked_name(name)


@pytest.mark.parametrize("name", ["a", "å" * 32, "Laptop 17 (vakt)", "ipad_3.b-2"])
def test_ordinary_names_are_taken(name):
    assert checked_name(name) == name


def hostile_certificate(subject, serial=77):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, subject)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, NOW, in_hours(9))
    return builder.sign(key, hashes.SHA256())


def test_hostile_subjects_stay_data_in_the_register_and_on_the_list_for_others(tmp_path):
    register = Register(tmp_path)
    register.add("laptop-1", hostile_certificate('=cmd|"/c calc"!A1\r\n\0\u202e' + "x" * 9_000), "=Kommune")
    register.request("laptop-2", "Kommune")
    first, second = register.devices()
    assert len(first.subject) <= 301
    assert (first.state(NOW), second.state(NOW)) == ("active", "requested")
    assert first.state(in_hours(10)) == "expired"
    assert nginx_register([first, second], only_registered=True) == f"default 0;\n{first.sha1} 1;\n"
    assert nginx_register([first], only_registered=False) == "default 1;\n"
    register.revoke("4D", " lost ")
    (first, second) = register.devices()
    assert (first.state(NOW), first.reason) == ("revoked", "lost")
    assert nginx_register([first], only_registered=False) == f"default 1;\n{first.sha1} 0;\n"
    rows = list(csv.DictReader(handover([first, second]).splitlines()))
    assert [(row["device"], row["action"]) for row in rows] == [("laptop-1", "revoke"), ("laptop-2", "issue")]
    assert rows[0]["organisation"] == "'=Kommune"
    for name, reason in (("4d", "again"), ("laptop-3", "lost"), ("0", "lost"), ("laptop-2", "  ")):
        with pytest.raises(UsageError):
            register.revoke(name, reason)
    lines = (tmp_path / "devices.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "devices.jsonl").write_bytes(b"".join([lines[0], lines[2]]))
    with pytest.raises(JournalError):
        register.devices()


def run(*words, **given):
    return CliRunner().invoke(app, ["serve", "device", *map(str, words)], **given)


def test_the_commands_issue_list_revoke_and_refresh(make_door):
    door = make_door()
    folder = ("--folder", door.folder)
    phrase = door.folder / "phrase"
    phrase.write_text(f"{PHRASE}\n")
    phrase.chmod(0o644)
    words = ("issue", "laptop-1", "--passphrase", phrase, "--out", door.folder / "a.p12", *folder)
    assert isinstance(run(*words).exception, KeyFileError)
    phrase.chmod(0o600)
    done = run(*words)
    assert (done.exit_code, PHRASE in done.output) == (0, False)
    pkcs12.load_pkcs12((door.folder / "a.p12").read_bytes(), PHRASE.encode())
    assert "no terminal" in str(run("issue", "laptop-2", *folder).exception)
    phrase.write_text("short\n")
    assert "fewer than 12" in str(run("issue", "laptop-2", "--passphrase", phrase, *folder).exception)
    assert isinstance(
        run("issue", "laptop-2", "--organisation", "X", "--passphrase", phrase, *folder).exception, UsageError
    )
    listed = json.loads(run("list", "--json", "--handover", door.folder / "list.csv", *folder).output)
    assert [(each["name"], each["state"]) for each in listed] == [("laptop-1", "active")]
    assert "laptop-1" in (door.folder / "list.csv").read_text()
    assert run("revoke", "laptop-1", "--reason", "lost", *folder).exit_code == 0
    output = run("list", *folder).output
    assert "laptop-1" in output
    assert "sperret" in output
    assert json.loads(run("refresh", "--json", *folder).output)["n_revoked"] == 1
    lines = '{"status":"400","refused":"certificate","verify":"NONE"}\n{"status":"200","refused":""}\n'
    found = json.loads(run("refusals", "--input", "--json", *folder, input=lines).output)
    assert [(each["reason"], each["count"]) for each in found] == [("certificate", 1)]
    assert used(door)[-1] == ("device_refused", None)
    assert "NONE" in run("refusals", "--input", *folder, input=lines).output


@pytest.mark.requires("openssl")
def test_beside_another_authority_issue_puts_the_device_on_the_list_for_it(beside, pki):
    door = beside
    values = json.loads((door.folder / "serve.yml").read_text())
    values["devices"]["revoked_from"] = list(door.settings.devices.revoked_from)
    (door.folder / "serve.yml").write_text(json.dumps(values))
    door.web.pages["/crl"] = pki.crl(in_hours(100))
    folder = ("--folder", door.folder)
    assert run("issue", "good", *folder).exit_code == 0
    listed = json.loads(run("list", "--json", *folder).output)
    assert [(each["name"], each["state"]) for each in listed] == [("good", "requested")]
    assert run("issue", "good", "--certificate", pki.folder / "good.crt", *folder).exit_code == 0
    listed = json.loads(run("list", "--json", *folder).output)
    assert [(each["name"], each["state"]) for each in listed] == [("good", "active")]
    assert used(door)[:2] == [("device_requested", "good"), ("device_issued", "good")]


@pytest.fixture
def units(make_door, tmp_path):
    door = make_door()
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in device_units(door.settings, door.folder).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.requires("systemd-analyze")
def test_systemd_finds_nothing_to_say_about_the_units(units):
    files = [path for path in units.iterdir() if path.suffix != ".conf"]
    assert len(files) == 5
    words = ["systemd-analyze", "--man=no", "verify", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.requires("systemd-analyze")
@pytest.mark.parametrize("name", ["audit-kernel-nginx", "audit-kernel-devices", "audit-kernel-devices-reload"])
def test_systemd_counts_the_services_among_the_safe_ones(units, name):
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", units / f"{name}.service"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_refreshing_service_calls_a_command_that_there_is(units):
    text = (units / "audit-kernel-devices.service").read_text(encoding="utf-8")
    lines = [line.partition("=")[2].lstrip("-") for line in text.splitlines() if line.startswith("ExecStart=")]
    assert len(lines) == 2
    for line in lines:
        _python, *words = shlex.split(line)
        assert words[:3] == ["-P", "-m", "audit_kernel.cli"]
        assert CliRunner().invoke(app, [*words[3:6], "--help"]).exit_code == 0
    assert shutil.which(shlex.split(lines[0])[0])
