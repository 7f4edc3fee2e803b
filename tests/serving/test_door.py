"""nginx lets in the organisation's own devices and nobody else, and what it says of them cannot be forged."""

from __future__ import annotations

import base64
import datetime
import json
import re
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from audit_kernel.serving.device_refusals import Refusal, read_refusals
from audit_kernel.serving.nginx import refusal, render_nginx, subject_pattern
from audit_kernel.serving.settings import DEVICE_HEADER, SECRET_HEADER, SERIAL_HEADER, ServeSettings
from audit_kernel.site import create_site
from tests.serving.door import ORGANISATION, SECRET, Door, Pki, in_hours, openssl

pytestmark = pytest.mark.requires("nginx", "openssl")

OURS = f"/O={ORGANISATION}"
OID = NameOID
# Signed by the authority all the same: what a careless one might sign. Each is (attributes of each RDN).
HOSTILE = {
    "comma": [[(OID.COMMON_NAME, f"x,O={ORGANISATION}")]],
    "backslash": [[(OID.COMMON_NAME, "x\\")], [(OID.ORGANIZATIONAL_UNIT_NAME, f"y,O={ORGANISATION}")]],
    "two organisations": [[(OID.ORGANIZATION_NAME, ORGANISATION)], [(OID.ORGANIZATION_NAME, "Another")]],
    "two joined": [[(OID.ORGANIZATION_NAME, ORGANISATION), (OID.COMMON_NAME, "x")]],
    "line end": [[(OID.ORGANIZATION_NAME, f"{ORGANISATION}\n")]],
    "longer": [[(OID.ORGANIZATION_NAME, f"{ORGANISATION} AS")]],
    "shorter": [[(OID.ORGANIZATION_NAME, ORGANISATION[:-1])]],
    "other letters": [[(OID.ORGANIZATION_NAME, ORGANISATION.upper())]],
    "other attribute": [[(OID.ORGANIZATIONAL_UNIT_NAME, ORGANISATION)]],
    "composed otherwise": [[(OID.ORGANIZATION_NAME, ORGANISATION.replace("ø", "o\u0338"))]],
    "nothing": [],
    "very long": [[(OID.ORGANIZATIONAL_UNIT_NAME, "," * 8_000)], [(OID.ORGANIZATION_NAME, "Another")]],
}
ODD = [
    [(OID.ORGANIZATION_NAME, ORGANISATION)],
    [(OID.ORGANIZATIONAL_UNIT_NAME, "a\r\nX-Audit-Kernel-Secret: no\0\x1b[2J\u202e\"'\\,+<>;#=")],
    [(OID.LOCALITY_NAME, "\u202e" * 60)],
]


def signed(pki, name, subject):
    """Have the authority sign a subject that openssl's own program would not."""
    key = serialization.load_pem_private_key((pki.folder / "ca.key").read_bytes(), None)
    authority = x509.load_pem_x509_certificate((pki.folder / "ca.pem").read_bytes())
    rdns = [x509.RelativeDistinguishedName([x509.NameAttribute(*each) for each in rdn]) for rdn in subject]
    now = datetime.datetime.now(datetime.UTC)
    device = serialization.load_pem_private_key((pki.folder / "good.key").read_bytes(), None)
    certificate = (
        x509.CertificateBuilder(authority.subject, x509.Name(rdns), device.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = pki.folder / f"{name}.pem"
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path.write_bytes((pki.folder / "good.key").read_bytes() + pem)
    return path


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    made = Pki(tmp_path_factory.mktemp("pki") / "ca")
    for name in ("good", "revoked"):
        made.issue(name, f"{OURS}/CN={name}")
    made.issue("other", "/O=Another/CN=other")
    made.issue("expired", f"{OURS}/CN=expired", until=in_hours(-1))
    made.issue("server", f"{OURS}/CN=server", "server")
    made.revoke("revoked")
    made.issue_tls()
    foreign = Pki(made.folder / "foreign")
    foreign.issue("good", f"{OURS}/CN=good")
    return made


@pytest.fixture(scope="module")
def door(pki, tmp_path_factory):
    opened = Door(create_site(tmp_path_factory.mktemp("site") / "site", "NO"), pki)
    try:
        opened.put((pki.folder / "ca.pem").read_bytes(), pki.crl(in_hours(72)))
        yield opened.start()
        assert "emerg" not in opened.errors()
    finally:
        opened.close()


@pytest.fixture
def good(pki):
    return pki.folder / "good.pem"


@pytest.mark.parametrize(
    ("client", "status"),
    [
        (None, 400),
        ("revoked", 400),
        ("expired", 400),
        ("foreign/good", 400),
        ("server", 400),
        ("other", 403),
        ("good", 200),
    ],
)
def test_only_the_organisations_own_valid_devices_reach_the_hub(door, pki, client, status):
    before = len(door.hub.seen)
    found, headers, text = door.ask(client and pki.folder / f"{client}.pem", headers=[("Accept-Language", "sv-SE")])
    assert found == status
    assert len(door.hub.seen) - before == (status == 200)
    assert headers["Strict-Transport-Security"] == "max-age=63072000"
    assert headers["X-JupyterHub-Version"] is None
    if status != 200:
        assert text == f"{refusal('sv')}\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_subject_that_only_resembles_the_organisations_is_refused(door, pki, name):
    assert door.status(signed(pki, "hostile", HOSTILE[name])) == 403


def test_odd_characters_of_a_subject_reach_the_hub_and_the_log_as_numbers_on_one_line(door, pki):
    status, _headers, text = door.ask(signed(pki, "odd", ODD))
    assert status == 200
    (subject,) = [value for name, value in json.loads(text)["headers"] if name == DEVICE_HEADER]
    assert subject.isascii()
    assert subject.isprintable()
    assert "\\0D\\0AX-Audit-Kernel-Secret: no" in subject


FORGED = [
    (DEVICE_HEADER, "O=evil"),
    (DEVICE_HEADER.lower(), "O=evil2"),
    (SERIAL_HEADER, "evil"),
    (SECRET_HEADER, "evil"),
    (SECRET_HEADER.replace("-", "_"), "evil"),
    (DEVICE_HEADER.replace("-", "_"), "evil"),
    *[(name, "evil") for name in ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")],
    *[(name, "evil") for name in ("X-Scheme", "Forwarded", "Proxy", "X-Forwarded-Port")],
]


def test_what_the_hub_hears_of_a_device_comes_from_nginx_alone(door, good):
    _status, _headers, text = door.ask(good, headers=FORGED)
    heard = json.loads(text)["headers"]
    said = dict(heard)
    assert "evil" not in str(heard)
    assert len(said) == len(heard)
    assert said[SECRET_HEADER] == SECRET
    assert said[DEVICE_HEADER] == f"CN=good,O={ORGANISATION.replace('ø', chr(92) + 'C3' + chr(92) + 'B8')}"
    assert int(said[SERIAL_HEADER], 16) == 0x1000
    assert said["Host"] == said["X-Forwarded-Host"] == f"localhost:{door.settings.port}"
    assert (said["X-Forwarded-For"], said["X-Forwarded-Proto"]) == ("127.0.0.1", "https")


@pytest.mark.parametrize(
    "path",
    [
        *("/user/eve/lab", "/hub/../user/eve/lab", "/hub/%2e%2e/user/eve/lab", "/hub/..%2fuser/eve/lab"),
        *("/hub/%252e%252e/user/eve/lab", "/hub/..\\user/eve/lab", "/hub/%5c..%5c..%5cuser/eve/lab"),
        *("/user/eve/../../hub/lab", "/user/eve/..%2f..%2fhub/login", "//user/eve/lab", "/hub//..//user/eve/lab"),
        *("/hub/;/../user/eve/lab", "/HUB/../user/eve", "/hub", "/services/x", "/hubx/login"),
    ],
)
def test_no_path_brings_secret_or_device_to_a_users_own_server(door, good, path):
    before = len(door.proxy.seen)
    door.ask(good, path, headers=FORGED)
    for seen in door.proxy.seen[before:]:
        assert SECRET not in str(seen)
        assert "evil" not in str(seen)
        assert not {name for name, _value in seen["headers"]} & {SECRET_HEADER, DEVICE_HEADER, SERIAL_HEADER}


def test_the_way_to_a_users_server_leads_by_the_proxy(door, good):
    assert json.loads(door.ask(good, "/user/kari/lab?a=b")[2])["name"] == "proxy"
    assert json.loads(door.ask(good, "/hub/home?a=b")[2])["path"] == "/hub/home?a=b"
    status, headers, _text = door.ask(good, "/")
    assert (status, headers["Location"]) == (302, "/hub/")


@pytest.mark.parametrize(
    "path", ["files/a.csv", "nbconvert/html/a.ipynb", "api/terminals", "terminals/websocket/1", "x/files/a.csv"]
)
def test_downloads_and_terminals_of_a_users_server_are_not_handed_on(door, good, path):
    assert door.status(good, f"/user/kari/{path}") == 404


def test_a_websocket_is_handed_on(door, good):
    key = base64.b64encode(b"x" * 16).decode()
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", key)]
    said = dict(json.loads(door.ask(good, "/user/kari/api/kernels/1/channels", upgrade)[2])["headers"])
    assert (said["Connection"], said["Upgrade"], said["Sec-WebSocket-Key"]) == ("upgrade", "websocket", key)
    said = dict(json.loads(door.ask(good, "/user/kari/lab")[2])["headers"])
    assert "Upgrade" not in said


def test_a_probe_without_a_certificate_learns_one_thing_only(door):
    status, _headers, text = door.ask(path="/health?next=/hub/login", headers=[("Cookie", "a=b"), *FORGED])
    seen = json.loads(text)
    assert status == 200
    assert (seen["name"], seen["path"]) == ("hub", "/hub/audit-kernel/probe")
    assert {name for name, _value in seen["headers"]} == {"Host", "Connection"}
    assert door.ask(path="/health", method="POST", body=b"x=y")[0] == 405
    for path in ("/health/", "/health/../hub/login", "/hub/login", "/hub/audit-kernel/probe", "/Health"):
        assert door.status(path=path) == 400
    assert door.status(door.pki.folder / "other.pem", "/health") == 403


def test_a_scanner_of_the_health_page_is_slowed_down(door):
    with ThreadPoolExecutor(20) as pool:
        # From an address of its own: tests come in any order, and this one uses up what an address may ask.
        found = list(pool.map(lambda _number: door.health_from("127.0.0.2"), range(60)))
    assert {200, 503} == set(found)
    assert door.status(path="/health") == 200


def test_old_tls_other_names_and_resumed_sessions_are_refused(door, good):
    name = ("localhost", door.settings.port)
    old = door.context(good)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(name) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="localhost")
    other = door.context(good)
    other.check_hostname = False
    with socket.create_connection(name) as plain, pytest.raises(ssl.SSLError):
        other.wrap_socket(plain, server_hostname="example.no")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = door.context(good, version)
        with context.wrap_socket(socket.create_connection(name), server_hostname="localhost") as first:
            first.sendall(b"GET /hub/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert first.recv(12) == b"HTTP/1.1 200"
            assert first.version() == version.name.replace("_", ".")
            session = first.session
        with context.wrap_socket(
            socket.create_connection(name), server_hostname="localhost", session=session
        ) as second:
            assert not second.session_reused


def test_the_access_log_tells_who_was_refused_and_holds_no_query_string(door, pki, good):
    door.forget()
    door.ask(good, "/hub/oauth_callback?code=S3CRET&state=x", headers=[("Referer", "https://x/?S3CRET")])
    door.ask(None, '/hub/"a\n?S3CRET'.replace("\n", "%0a"))
    for name in ("revoked", "other", "revoked"):
        door.status(pki.folder / f"{name}.pem", "/hub/login?S3CRET")
    door.status(signed(pki, "hostile", HOSTILE["very long"]))
    lines = door.lines(6)
    assert "S3CRET" not in "".join(lines)
    assert all("audit_kernel_nginx: {" in line for line in lines)
    assert '"path":"/hub/oauth_callback"}' in lines[0]
    found = read_refusals(lines)
    assert {(each.reason, each.verify, count) for each, count in found.items()} == {
        ("certificate", "NONE", 1),
        ("certificate", "FAILED:certificate revoked", 2),
        ("organisation", "SUCCESS", 2 - 1),
        ("organisation", "SUCCESS", 1),
    }
    assert sum(found.values()) == 5
    assert next(each.subject for each in found if each.verify.startswith("FAILED")).startswith("CN=revoked,O=Nordli")


def test_what_is_no_line_of_ours_is_no_refusal_and_a_flood_of_subjects_is_counted_as_one():
    assert read_refusals(["", "{", "[1]", '{"status":"200","refused":""}', '"status":"404"', "\x00", "{" * 9_000]) == {}
    line = '{{"status":"403","refused":"organisation","subject":"CN={} \\" ,"}}'
    lines = [line.format(number % 999) for number in range(1_000)]
    found = read_refusals(lines)
    assert len(found) == 51
    assert sum(found.values()) == 1_000
    assert found[Refusal("others")] == 949
    assert found[Refusal("organisation", subject='CN=0 \\" ,')] == 2


@pytest.mark.parametrize("name", ["Øst & vest", " a b ", "#x", "{2}()[]|.*?^~'", "日本"])
def test_any_organisations_name_is_matched_as_openssl_shows_it(tmp_path, name):
    openssl("genpkey", "-algorithm", "ED25519", "-out", tmp_path / "key")
    subject = x509.Name([x509.NameAttribute(OID.ORGANIZATION_NAME, name)])
    key = serialization.load_pem_private_key((tmp_path / "key").read_bytes(), None)
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, None)
    (tmp_path / "csr").write_bytes(request.public_bytes(serialization.Encoding.PEM))
    words = ["openssl", "req", "-in", tmp_path / "csr", "-noout", "-subject", "-nameopt", "RFC2253"]
    shown = (
        subprocess.run(words, capture_output=True, text=True, check=True).stdout.removeprefix("subject=").rstrip("\n")
    )
    assert re.fullmatch(f"O={subject_pattern(name)}", shown)
    assert not re.fullmatch(f"O={subject_pattern(name)}", f"{shown}x")


def test_without_devices_the_configuration_says_that_it_is_unsafe(door, tmp_path):
    values = door.settings.model_dump() | {"devices": None}
    text = render_nginx(ServeSettings.model_validate(values), str(door.folder / "log"))
    assert "UNSAFE" in text
    assert "ssl_verify_client" not in text
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["/usr/sbin/nginx", "-t", "-q", "-e", "stderr", "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), sys.version
