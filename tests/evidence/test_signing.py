"""Signatures of every kind, certificates, time stamps, an outside signer, a change of keys."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from rich.console import Console
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.errors import KeyFileError, SettingsError, UnavailableError, UsageError, VerificationError
from audit_kernel.evidence import bag, chain, keys, stamp_check
from audit_kernel.evidence import key_change as key_change_module
from audit_kernel.evidence import seal as seal_module
from audit_kernel.evidence.chain import archive_runs
from audit_kernel.evidence.key_certificate import put_certificate, request, self_signed
from audit_kernel.evidence.key_change import change_key, first_key
from audit_kernel.evidence.later import seal_pages
from audit_kernel.evidence.month import MonthRun
from audit_kernel.evidence.restamp import restamp
from audit_kernel.evidence.run import Plan, seal_run
from audit_kernel.evidence.signatures import ORDER, check_signature
from audit_kernel.evidence.site_signing import authority_certificate, seal_for_site, site_signer
from audit_kernel.evidence.verify import head_code, verify
from audit_kernel.printing import Printer
from audit_kernel.site import Site, create_site
from tests.evidence.authority import certificate, make_authority, private_pem
from tests.evidence.sealing import predicate, rewrite, working_folder

pytestmark = pytest.mark.requires("openssl")
NOW = datetime.datetime.now(datetime.UTC)


def settings(site, **sections):
    path = site.folder / "settings.yml"
    values = yaml.safe_load(path.read_text("utf-8")) | sections
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return Site(site.folder)


def with_p256(site):
    for path in site.keys_folder.iterdir():
        path.unlink()
    keys.new_signing_key(site.keys_folder, "p256")
    self_signed(site.keys_folder, site.settings.name, site.settings.country)
    return site


def stamping(site, folder, **validity):
    trusted, command = make_authority(folder, **validity)
    shutil.copy(trusted, site.folder / "keys" / "timestamp-authority.pem")
    return settings(site, timestamp={"command": command})


def sealed(site, name, finished=None, **asked):
    working = working_folder(site.temporary_folder / "working")
    statement = predicate(run=name)
    statement["runDetails"]["metadata"]["finishedOn"] = finished or datetime.datetime.now(datetime.UTC)
    try:
        return seal_for_site(site, working, asked.pop("archive", site.archive_folder), name, statement, **asked)
    finally:
        shutil.rmtree(working)


def problems(site, path=None):
    found = verify(
        path or site.archive_folder, site.keys_folder / keys.PUBLIC_NAME, authority=authority_certificate(site)
    )
    return {(each.run, each.file, each.code) for each in found}


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO", "Nordli kommune")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A site with a certificate and a time authority, three runs sealed."""
    folder = tmp_path_factory.mktemp("whole")
    made = stamping(with_p256(create_site(folder / "site", "SE", "Region Ä")), folder / "authority")
    for name in ("first", "second", "third"):
        sealed(made, name)
    return made


@pytest.fixture
def copy(whole, tmp_path):
    return Site(shutil.copytree(whole.folder, tmp_path / "copy"))


def test_a_stamped_archive_with_a_certificate_verifies_and_so_does_each_run(whole):
    assert problems(whole) == set()
    assert problems(whole, whole.archive_folder / "second") == set()
    names = {path.name for path in (whole.archive_folder / "second").iterdir()}
    assert names == {"data", *bag.TAG_FILES, *bag.UNLISTED_FILES, bag.CERTIFICATE, bag.CMS_SIGNATURE, bag.STAMP}


def test_the_twin_of_an_ecdsa_signature_is_refused():
    key = ec.generate_private_key(ec.SECP256R1())
    signer = keys.P256Signer(key)
    for number in range(8):  # half of all signatures would be the larger one
        signature = signer.sign(b"%d" % number)
        check_signature(key.public_key(), signature, b"%d" % number)
        r, s = decode_dss_signature(signature)
        assert s <= ORDER // 2
        with pytest.raises(InvalidSignature):
            check_signature(key.public_key(), encode_dss_signature(r, ORDER - s), b"%d" % number)


def test_a_certificate_request_names_the_site_and_an_issued_certificate_is_put_in_place(site, tmp_path):
    with pytest.raises(KeyFileError, match="Ed25519"):
        request(site.keys_folder, "x", "NO")
    with_p256(site)
    asked = x509.load_pem_x509_csr(request(site.keys_folder, site.settings.name, "NO").encode())
    assert asked.is_signature_valid
    assert "Nordli kommune" in asked.subject.rfc4514_string()
    authority_key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    class Holder:
        public_key = staticmethod(asked.public_key)

    began = NOW - datetime.timedelta(days=1)
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    issued = certificate(Holder, authority_key, "Nordli", "County CA", began, 700, constraints)
    authority = certificate(
        authority_key,
        authority_key,
        "County CA",
        "County CA",
        began,
        900,
        x509.BasicConstraints(ca=True, path_length=None),
    )
    pem = [each.public_bytes(serialization.Encoding.PEM) for each in (issued, authority)]
    (tmp_path / "issued.pem").write_bytes(b"".join(pem))
    before = (site.keys_folder / bag.CERTIFICATE).read_bytes()
    wrong = certificate(other, authority_key, "Nordli", "County CA", began, 700)
    (tmp_path / "wrong.pem").write_bytes(wrong.public_bytes(serialization.Encoding.PEM))
    for file, said in (("wrong.pem", "not that of the site's key"), ("missing.pem", "no certificate")):
        with pytest.raises(UsageError, match=said):
            put_certificate(site.keys_folder, tmp_path / file)
    assert (site.keys_folder / bag.CERTIFICATE).read_bytes() == before
    assert put_certificate(site.keys_folder, tmp_path / "issued.pem") == issued
    run = sealed(site, "run")
    (tmp_path / "ca.pem").write_bytes(pem[1])
    check = ["openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-content", bag.MANIFEST]
    check += ["-in", bag.CMS_SIGNATURE, "-CAfile", str(tmp_path / "ca.pem"), "-purpose", "any", "-out", os.devnull]
    subprocess.run(check, cwd=run, check=True, capture_output=True)
    assert problems(site) == set()


def test_a_certificate_of_another_key_seals_nothing(site):
    with_p256(site)
    stray = ec.generate_private_key(ec.SECP256R1())
    rewrite(site.keys_folder / keys.PRIVATE_NAME, private_pem(stray))
    (site.keys_folder / keys.PRIVATE_NAME).chmod(0o600)
    rewrite(site.keys_folder / keys.PUBLIC_NAME, keys.public_pem(stray.public_key()))
    with pytest.raises(KeyFileError, match="does not fit the signing key"):
        sealed(site, "run")
    assert archive_runs(site.archive_folder) == []


@pytest.mark.parametrize("kind", ["silent", "failing", "garbage", "of another", "without certificate"])
def test_a_time_authority_that_gives_no_good_stamp_does_not_stop_the_run(site, tmp_path, kind):
    site = stamping(site, tmp_path / "authority")
    commands = {
        "silent": [sys.executable, "-c", ""],
        "failing": ["false"],
        "garbage": ["echo", "hello"],
        "of another": make_authority(tmp_path / "other")[1],
    }
    site = settings(site, timestamp={"command": commands.get(kind, ["cat"])})
    if kind == "without certificate":
        authority_certificate(site).unlink()
    told = []
    sealed(site, "run", warn=told.append)
    (error,) = told
    assert isinstance(error, UnavailableError)
    assert problems(site) == set()
    assert not (site.archive_folder / "run" / bag.STAMP).exists()
    with pytest.raises(UnavailableError):
        restamp(site)
    assert [run.name for run in archive_runs(site.archive_folder)] == ["run"]


def test_runs_without_a_stamp_are_told_and_stamped_later_by_a_run_that_names_them_all(site, tmp_path):
    with pytest.raises(UsageError, match="no time authority"):
        restamp(site)
    site = stamping(site, tmp_path / "authority")
    with pytest.raises(UsageError, match="Nothing is sealed"):
        restamp(site)
    sealed(site, "first")
    unstamped = settings(site, timestamp={"command": ["false"]})
    sealed(unstamped, "second")
    assert problems(site) == {("", "", "stamp_lacking")}
    sealed(site, "kept", archive=site.restricted_folder)
    done = restamp(site)
    assert [path.parent for path in done] == [site.archive_folder, site.restricted_folder]
    assert problems(site) == problems(site, site.restricted_folder) == set()
    listed = json.loads((done[0] / "data" / "runs.json").read_bytes())
    assert [(run["run"], run["is_stamped"]) for run in listed] == [("first", True), ("second", False)]
    for run in listed:
        for name, key in ((bag.TAG_MANIFEST, "tagmanifest"), (bag.TAG_MANIFEST + bag.SIGNATURE, "signature")):
            assert bag.digest_of(site.archive_folder / run["run"] / name) == run[f"{key}_sha256"]
    assert (done[0] / "data" / "authority.pem").read_bytes() == authority_certificate(site).read_bytes()


def test_a_closing_bears_the_certificates_signature_as_every_run_does(site):
    site = with_p256(site)
    bag_folder = seal_pages(site, Plan("closing", "2026-10", "closing", "sv", 1, [], []), {"closing.html": "x"}, [], {})
    assert (bag_folder / bag.CMS_SIGNATURE).is_file()
    assert problems(site, bag_folder) == set()


def test_a_run_without_a_stamp_says_so_where_it_is_run_and_the_code_to_file_is_printed(site, capsys):
    site = settings(site, timestamp={"command": ["false"]})
    payload = working_folder(site.temporary_folder / "run" / "payload")
    (payload / "inputs" / "settings.yml").unlink()
    plan = Plan("activity", "2026-10", "sak 2026/17", "sv", 1, [], [])
    told = []
    run = MonthRun(seal_run(site, plan, payload.parent, [], warn=told.append), payload, (), tuple(told))
    assert told[0].startswith("Förseglad utan tidsstämpel. När tjänsten svarar, kör: audit-kernel keys stamp.")
    to = Printer(Console(width=400), "sv")
    to.sealed(run, as_json=False)
    printed = capsys.readouterr().out
    assert told[0] in printed
    assert (
        f"Skriv den här koden i protokollet; den visar senare om körningar har tagits bort: {run.head_code}" in printed
    )
    to.sealed(run, as_json=True)
    assert json.loads(capsys.readouterr().out)["head_code"] == run.head_code
    assert run.head_code.startswith("1-")


def test_a_changed_archive_is_not_stamped(copy):
    rewrite(copy.archive_folder / "second" / "data" / "pages" / "index.html", b"nothing")
    with pytest.raises(VerificationError, match="not stamped"):
        restamp(copy)


def test_an_ending_certificate_of_the_authority_is_told_until_a_newer_stamp_covers_it(site, tmp_path):
    site = stamping(site, tmp_path / "authority", days=60)
    sealed(site, "run")
    assert problems(site) == problems(site, site.archive_folder / "run") == {("run", bag.STAMP, "stamp_ends")}
    old = authority_certificate(site).read_bytes()
    site = stamping(site, tmp_path / "renewed", days=600)
    assert problems(site) == {("run", bag.STAMP, "stamp_wrong")}  # until both certificates are trusted
    authority_certificate(site).write_bytes(old + authority_certificate(site).read_bytes())
    restamp(site)
    assert problems(site) == set()


def test_a_stamp_holds_when_the_authoritys_certificate_has_ended_since(copy, monkeypatch):
    class Later(datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return super().now(zone) + datetime.timedelta(days=1000)

    monkeypatch.setattr(stamp_check, "datetime", Later)
    assert problems(copy) == {("third", bag.STAMP, "stamp_ends")}


def test_whoever_holds_the_key_cannot_make_a_run_of_long_ago(copy):
    sealed(copy, "backdated", finished=datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=40))
    assert problems(copy) == {("backdated", bag.STAMP, "stamp_of_another_time")}


def test_runs_of_long_ago_that_are_stamped_only_now_are_told(site, tmp_path):
    for days in (40, 30):
        sealed(site, f"before-{days}", finished=datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days))
    site = stamping(site, tmp_path / "authority")
    (stamped,) = restamp(site)
    (told,) = verify(site.archive_folder, site.keys_folder, authority=authority_certificate(site))
    assert (told.place(), told.code, told.is_failure) == (f"{stamped.name}/{bag.STAMP}", "stamp_late", False)
    assert dict(told.values)["count"] == "2"
    sealed(site, "next")
    assert {code for _, _, code in problems(site)} == {"stamp_late"}


def test_whoever_holds_the_key_cannot_put_another_runs_stamp_into_a_run(copy):
    taken = (copy.archive_folder / "first" / bag.STAMP).read_bytes()
    folder = sealed(settings(copy, timestamp={}), "forged")
    tags = {path.name: bag.digest_of(path) for path in folder.iterdir() if path.is_file()}
    (folder / bag.STAMP).write_bytes(taken)
    listed = {name: tags[name] for name in tags if name not in bag.UNLISTED_FILES}
    listed[bag.STAMP] = bag.digest_of(folder / bag.STAMP)
    rewrite(folder / bag.TAG_MANIFEST, bag.manifest_text(listed))
    signer = site_signer(copy)
    rewrite(folder / (bag.TAG_MANIFEST + bag.SIGNATURE), signer.sign(bag.manifest_text(listed)))
    chain.write_head(copy.archive_folder, chain.head_of(archive_runs(copy.archive_folder)[-1]), signer)
    assert problems(copy) == {("forged", bag.STAMP, "stamp_wrong")}


def test_without_the_authoritys_certificate_stamps_are_told_as_not_checked(copy):
    authority_certificate(copy).unlink()
    assert problems(copy) == {("", "", "stamp_unchecked")}
    assert not any(each.is_failure for each in verify(copy.archive_folder, copy.keys_folder))


def test_the_authority_is_asked_over_https(site, tmp_path, monkeypatch):
    import http.server
    import ssl
    import threading

    site = stamping(site, tmp_path / "authority")
    command = list(site.settings.timestamp.command)
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    own = certificate(key, key, "localhost", "localhost", NOW - datetime.timedelta(days=1), 9, names)
    pem = own.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "server.pem").write_bytes(private_pem(key) + pem)
    (tmp_path / "trusted.pem").write_bytes(pem)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            answer = subprocess.run(command, input=query, capture_output=True, check=True).stdout
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        site = settings(site, timestamp={"address": f"https://localhost:{server.server_port}/"})
        told = []
        sealed(site, "distrusted", warn=told.append)
        assert "URLError" in str(told[0])
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
        sealed(site, "run")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (site.archive_folder / "run" / bag.STAMP).is_file()
    assert problems(site) == set()


@pytest.mark.parametrize("address", ["http://tsa.example", "file:///etc/passwd", "tsa.example"])
def test_an_address_without_encryption_and_two_ways_to_the_authority_are_refused(site, address):
    with pytest.raises(SettingsError, match="timestamp"):
        settings(site, timestamp={"address": address})
    with pytest.raises(SettingsError, match="timestamp"):
        settings(site, timestamp={"address": "https://tsa.example", "command": ["x"]})


SIGNER = """
import sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = serialization.load_pem_private_key(open(sys.argv[1], "rb").read(), None)
content = sys.stdin.buffer.read()
kind = (ec.ECDSA(hashes.SHA256()),) if isinstance(key, ec.EllipticCurvePrivateKey) else ()
sys.stdout.buffer.write(key.sign(content, *kind))
"""


def outside_signer(folder, key):
    folder.mkdir()
    (folder / "token.pem").write_bytes(private_pem(key))
    (folder / "token.pub.pem").write_bytes(keys.public_pem(key.public_key()))
    (folder / "sign.py").write_text(SIGNER, encoding="utf-8")
    return [sys.executable, str(folder / "sign.py"), str(folder / "token.pem")]


@pytest.mark.parametrize("make", [Ed25519PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP256R1())])
def test_an_outside_signer_seals_and_a_wrong_or_failing_one_seals_nothing(site, tmp_path, make):
    command = outside_signer(tmp_path / "token", make())
    (site.keys_folder / keys.PRIVATE_NAME).unlink()
    shutil.copy(tmp_path / "token" / "token.pub.pem", site.keys_folder / keys.PUBLIC_NAME)
    site = settings(site, signing={"command": command})
    sealed(site, "run")
    assert problems(site) == set()
    before = sorted(site.archive_folder.rglob("*"))
    other = outside_signer(tmp_path / "other", make())
    for wrong in (other, ["false"], ["echo", "signed"], ["/nowhere/signer"]):
        with pytest.raises(KeyFileError, match="outside signer"):
            sealed(settings(site, signing={"command": wrong}), "next")
        assert sorted(site.archive_folder.rglob("*")) == before


@pytest.mark.parametrize(("first", "second"), [("ed25519", "p256"), ("p256", "ed25519")])
def test_after_a_change_of_keys_the_archive_verifies_with_the_old_and_with_the_new_key(site, tmp_path, first, second):
    if first == "p256":
        with_p256(site)
    sealed(site, "before")
    sealed(site, "kept", archive=site.restricted_folder)
    old = shutil.copy(site.keys_folder / keys.PUBLIC_NAME, tmp_path / "old.pub.pem")
    change_key(site, second)
    new = site.keys_folder / keys.PUBLIC_NAME
    sealed(site, "after")
    assert [run.sequence for run in archive_runs(site.archive_folder)] == [1, 2, 3, 4]
    for key in (old, new):
        assert verify(site.archive_folder, key) == verify(site.restricted_folder, key) == []
        for run in archive_runs(site.archive_folder):
            assert verify(site.archive_folder / run.name, key) == []
    assert keys.fingerprint(keys.load_public(old)) != keys.fingerprint(keys.load_public(new))
    assert head_code(site.archive_folder, keys.load_public(old)).startswith("4-")
    assert (site.keys_folder / bag.CERTIFICATE).exists() == (second == "p256")
    assert not (site.keys_folder / "next").exists()
    change_key(site, first)
    sealed(site, "last")
    for key in (old, new):
        assert verify(site.archive_folder, key) == []


def test_a_key_that_was_given_up_signs_no_later_run_and_no_head_record(site):
    sealed(site, "before")
    old = keys.load_private(site.keys_folder)
    change_key(site)
    head = chain.head_of(archive_runs(site.archive_folder)[-1])
    chain.write_head(site.archive_folder, head, old)
    assert problems(site) == {("", chain.HEAD, "head_changed")}
    current = keys.load_private(site.keys_folder)
    chain.write_head(site.archive_folder, head, current)
    assert problems(site) == set()
    handed, taken = (run.name for run in archive_runs(site.archive_folder)[1:])
    rewrite(site.archive_folder / keys.PUBLIC_NAME, keys.public_pem(old.public_key()))
    assert problems(site) == {("", keys.PUBLIC_NAME, "key_changed")}
    shutil.rmtree(site.archive_folder / taken)  # a thief of the old key goes on where it handed over
    chain.write_head(site.archive_folder, chain.head_of(archive_runs(site.archive_folder)[-1]), old)
    sealed(site, "stolen", signer=old)
    found = problems(site)
    assert ("stolen", bag.TAG_MANIFEST + bag.SIGNATURE, "other_key") in found
    told = verify(site.archive_folder, keys_file(site, old), authority=None)
    assert ("stolen", bag.TAG_MANIFEST + bag.SIGNATURE, "key_retired") in {(e.run, e.file, e.code) for e in told}
    assert handed not in {each.run for each in told}


def keys_file(site, key):
    path = site.temporary_folder / "key.pub.pem"
    path.write_bytes(keys.public_pem(key.public_key()))
    return path


STOPS = {
    "nothing handed over": (key_change_module, "_hand_over", 1),
    "handover not sealed": (key_change_module, "_seal", 1),
    "handover without its head record": (chain, "write_head", 1),
    "takeover not sealed": (key_change_module, "_seal", 2),
    "takeover without its head record": (chain, "write_head", 2),
    "copy of the public key not replaced": (seal_module, "replace_whole", 1),
    "the second archive untouched": (key_change_module, "_hand_over", 2),
    "not in place": (key_change_module, "_put_in_place", 1),
}


@pytest.mark.parametrize("stop", STOPS)
def test_a_change_of_keys_that_was_stopped_goes_on_when_asked_again(site, monkeypatch, stop):
    sealed(site, "before")
    sealed(site, "kept", archive=site.restricted_folder)
    module, name, call = STOPS[stop]
    whole, calls = getattr(module, name), []

    def stopped(*arguments, **named):
        calls.append(name)
        if len(calls) == call:
            raise KeyboardInterrupt
        return whole(*arguments, **named)

    monkeypatch.setattr(module, name, stopped)
    with pytest.raises(KeyboardInterrupt):
        change_key(site)
    monkeypatch.undo()
    goes_on(site)


@pytest.mark.parametrize("file", [keys.PRIVATE_NAME, bag.CERTIFICATE, keys.PUBLIC_NAME])
def test_a_change_of_keys_that_was_stopped_half_in_place_goes_on_when_asked_again(site, monkeypatch, file):
    sealed(site, "before")
    replace = key_change_module.Path.replace

    def stopped(path, target):
        if path.name == file and path.parent.name == "next":
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(key_change_module.Path, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            change_key(site, "p256")
    goes_on(site)
    assert (site.archive_folder / "after" / bag.CMS_SIGNATURE).is_file()


def goes_on(site):
    change_key(site, "p256")
    sealed(site, "after")
    assert problems(site) == set()
    if archive_runs(site.restricted_folder):
        assert problems(site, site.restricted_folder) == set()
    kinds = [run.name.split("-key-")[-1].split("-")[0] for run in archive_runs(site.archive_folder)]
    assert kinds == ["before", "handover", "takeover", "after"]


def test_a_key_in_a_file_hands_over_to_an_outside_signer(site, tmp_path):
    sealed(site, "before")
    old = shutil.copy(site.keys_folder / keys.PUBLIC_NAME, tmp_path / "old.pub.pem")
    command = outside_signer(tmp_path / "token", Ed25519PrivateKey.generate())
    with pytest.raises(UsageError, match="Only one"):
        change_key(site, outside=tmp_path / "token" / "token.pub.pem")
    site = settings(site, signing={"command": command})
    with pytest.raises(UsageError, match="Only one"):
        change_key(site)
    with pytest.raises(UsageError, match="holds the site's key"):
        first_key(site, "ed25519")
    change_key(site, outside=tmp_path / "token" / "token.pub.pem")
    assert not (site.keys_folder / keys.PRIVATE_NAME).exists()
    sealed(site, "after")
    assert problems(site) == set()
    assert verify(site.archive_folder, old) == []


def test_the_commands_show_change_and_stamp(copy, tmp_path):
    run = CliRunner()

    def asked(*arguments):
        done = run.invoke(app, ["keys", *arguments, "--site", str(copy.folder)])
        assert done.exit_code == 0, done.output
        return done.output

    shown = json.loads(asked("show", "--json"))
    assert shown["kind"] == "p256"
    assert shown["head_code"].startswith("3-")
    assert shown["fingerprint"] in asked("show")
    assert shown["head_code"] in asked("show")
    assert asked("certificate").startswith("-----BEGIN CERTIFICATE REQUEST-----")
    stamped = json.loads(asked("stamp", "--json"))
    assert stamped["head_code"].startswith("4-")
    changed = asked("new", "--change")
    assert shown["fingerprint"] not in changed
    assert json.loads(asked("show", "--json"))["kind"] == "ed25519"
    assert problems(copy) == set()
    with pytest.raises(KeyFileError, match="--change"):
        run.invoke(app, ["keys", "new", "--site", str(copy.folder)], catch_exceptions=False)
