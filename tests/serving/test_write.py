"""`serve init` writes a whole configuration and refuses what does not fit; `serve check` names what is missing."""

from __future__ import annotations

import ast
import datetime
import json
import re
import stat
from typing import get_args

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from typer.testing import CliRunner

from audit_kernel.catalog import resource_folder
from audit_kernel.cli import app
from audit_kernel.errors import SettingsError
from audit_kernel.serving import check, write
from audit_kernel.serving.check import lacks
from audit_kernel.serving.refusals import REASONS
from audit_kernel.serving.settings import SECRET_HEADER, SERVE_FILE, ServeSettings
from audit_kernel.serving.write import TEMPLATES, initialise, read_serve
from audit_kernel.site import create_site

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the draft filled in for a server; the site's catalogue lies in PostgreSQL."""
    monkeypatch.setattr(write, "HIDDEN", ())  # pytest's own folder is a temporary one
    site = create_site(tmp_path / "site", "SE", "Testregionen").folder
    with (site / "settings.yml").open("a", encoding="utf-8") as file:
        file.write("identity: full\n")
    text = (site / "settings.yml").read_text(encoding="utf-8")
    places = '    catalogue: "postgres:dbname=lake host=db.example.org user=ak"\n    files: "/mnt/lake"\n'
    (site / "settings.yml").write_text(text.replace("store:\n", f"store:\n{places}"), encoding="utf-8")
    folder = tmp_path / "serve"
    initialise(folder)
    text = (folder / SERVE_FILE).read_text(encoding="utf-8")
    text = text.replace("/srv/audit-kernel/site", str(site)).replace("/etc/audit-kernel", str(tmp_path / "etc"))
    text = text.replace("/var/lib/audit-kernel", str(tmp_path / "lib"))
    (folder / SERVE_FILE).write_text(f"{text}secrets: {tmp_path}/etc/secrets\n", encoding="utf-8")
    return folder


def change(folder, **changes):
    """Write other values into serve.yml; `hub__spawner` stands for `hub.spawner`, None takes a key away."""
    values = yaml.safe_load((folder / SERVE_FILE).read_text(encoding="utf-8"))
    for name, value in changes.items():
        *above, key = name.split("__")
        place = values
        for each in above:
            place = place[each]
        if value is None:
            del place[key]
        else:
            place[key] = value
    (folder / SERVE_FILE).write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")


def certificate(path, days, *, name="loggkontroll.region.example"):
    """Write a certificate that ends so many days from NOW; return its key and subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    end = NOW + datetime.timedelta(days=days)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(end - datetime.timedelta(days=400)).not_valid_after(end)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return key, subject


def revoked_list(path, key, subject, hours):
    """Write a list of revoked certificates that ends so many hours from NOW."""
    end = NOW + datetime.timedelta(hours=hours)
    builder = x509.CertificateRevocationListBuilder().issuer_name(subject).next_update(end)
    builder = builder.last_update(end - datetime.timedelta(days=30))
    path.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def said(folder, kind):
    return [each.error.problem for each in lacks(folder, NOW) if each.kind == kind]


def test_the_first_call_writes_a_draft_and_the_second_the_whole_configuration(folder):
    written, is_draft = initialise(folder)
    assert not is_draft
    assert set(TEMPLATES) <= {path.name for path in written}
    for name in TEMPLATES:
        text = (folder / name).read_text(encoding="utf-8")
        assert not re.search(r"\$[a-z_{]", text), name
        assert "not-a-real-secret" not in text
    ast.parse((folder / "jupyterhub_config.py").read_text(encoding="utf-8"))
    values = yaml.safe_load((folder / "kubernetes-values.yml").read_text(encoding="utf-8"))
    code = values["hub"]["extraConfig"]["10-audit-kernel"]
    ast.parse(code)
    assert values["hub"]["config"]["AuditKernelAuthenticator"]["user_claim"] == "employeeHsaId"


def test_secrets_are_drawn_once_and_are_the_owner_s_alone_from_the_start(folder, tmp_path):
    initialise(folder)
    drawn = {path.name: path for path in (tmp_path / "etc" / "secrets").iterdir()}
    assert set(drawn) == {"proxy.env", "culler.env", "nginx-secret", "nginx-secret.conf"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in drawn.values()} == {0o600}
    door = drawn["nginx-secret"].read_text().strip()
    assert drawn["nginx-secret.conf"].read_text() == f'proxy_set_header {SECRET_HEADER} "{door}";\n'
    assert len(set(map(str, (path.read_bytes() for path in drawn.values())))) == 4
    everything = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())
    assert door not in everything
    before = {name: path.read_bytes() for name, path in drawn.items()}
    again = folder.with_name("again")
    again.mkdir()
    (again / SERVE_FILE).write_bytes((folder / SERVE_FILE).read_bytes())
    initialise(again)
    assert {name: path.read_bytes() for name, path in drawn.items()} == before


def test_nothing_is_overwritten(folder):
    (folder / "jupyterhub_config.py").write_text("mine", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"jupyterhub_config\.py is there already; nothing was written"):
        initialise(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["jupyterhub_config.py", SERVE_FILE]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"devices": None}, "`devices` is missing"),
        ({"hub__spawner": "trial"}, "belong together"),
        ({"host": "localhost"}, "belong together"),
        ({"hub__hub_port": 443}, "port 443 stands twice"),
        ({"hub__hub_port": 8000}, "proxy_port, proxy_api_port and hub_port differ"),
        ({"runtime": "/run/a-very-long-name-of-a-folder"}, "longer than 24 characters"),
        ({"login__user_claim": "sub"}, "employeeHsaId; sub is the service's number"),
        ({"login__levels": []}, "login.levels"),
        ({"login__algorithms": ["none"]}, "login.algorithms"),
        ({"login__algorithms": ["HS256"]}, "login.algorithms"),
        ({"login__issuer": "http://idp.example"}, "begins with https://"),
        ({"login__keys": "http://localhost.evil.example/jwks"}, "begins with https://"),
        ({"login__roles": {"reviewer": ["a"], "auditor": ["a"]}}, "each group stands once"),
        ({"login__roles": {"administrator": ["a"]}}, "login.roles"),
        ({"login__client_secret": "relative"}, "absolute and of plain characters"),
        ({"hub__state_folder": "/srv/a b"}, "absolute and of plain characters"),
        ({"hub__account": "root"}, "hub.account"),
        ({"devices__organisations": ["A\nB"]}, "organisation's name"),
        ({"surprise": 1}, "unknown key 'surprise'"),
    ],
)
def test_a_file_whose_parts_do_not_fit_is_refused_with_a_sentence_and_nothing_is_written(folder, changes, sentence):
    change(folder, **changes)
    answer = CliRunner().invoke(app, ["serve", "init", str(folder)])
    assert isinstance(answer.exception, SettingsError)
    assert answer.exception.exit_code == 1
    assert sentence in str(answer.exception)
    assert [path.name for path in folder.iterdir()] == [SERVE_FILE]


def test_a_password_in_the_database_s_address_is_refused_and_not_shown(folder):
    change(folder, hub__database="postgresql://hub:s3cret@db.example.org/hub")
    with pytest.raises(SettingsError, match="without a password") as caught:
        read_serve(folder)
    assert "s3cret" not in str(caught.value)


def test_many_users_demand_postgresql_and_folders_that_services_see(folder, monkeypatch, tmp_path):
    settings = tmp_path / "site" / "settings.yml"
    text = re.sub(r"    (catalogue|files): .*\n", "", settings.read_text(encoding="utf-8"))
    settings.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="catalogue is a SQLite file"):
        read_serve(folder)
    monkeypatch.setattr(write, "HIDDEN", (tmp_path,))
    with pytest.raises(SettingsError, match="which services do not see"):
        read_serve(folder)
    change(folder, secrets=str(tmp_path / "site" / "secrets"))
    with pytest.raises(SettingsError, match="`secrets` lies in the site's folder"):
        read_serve(folder)


def test_check_names_secrets_that_are_missing_or_that_others_read(folder, tmp_path):
    initialise(folder)
    names = "client-secret|server.key"
    assert [each for each in said(folder, "missing") if re.search(names, each)] == [
        f"The secret {tmp_path}/etc/secrets/client-secret is missing or empty.",
        f"The secret {tmp_path}/etc/tls/server.key is missing or empty.",
    ]
    secret = tmp_path / "etc" / "secrets" / "client-secret"
    secret.write_text("x")
    secret.chmod(0o640)
    assert any("Others than its owner can read" in each and "client-secret" in each for each in said(folder, "unsafe"))
    secret.chmod(0o600)
    assert not any("Others than its owner can read" in each for each in said(folder, "unsafe"))


def test_check_names_certificates_and_lists_that_end_and_names_that_do_not_fit(folder, tmp_path):
    initialise(folder)
    devices = tmp_path / "etc" / "devices"
    key, subject = certificate(devices / "authorities.pem", 3000, name="Authority")
    assert any(
        "holds no list of revoked certificates (CRL) of CN=Authority" in each for each in said(folder, "missing")
    )
    revoked_list(devices / "revoked.pem", key, subject, hours=47)
    certificate(tmp_path / "etc" / "tls" / "server.pem", 29, name="another.example")
    assert said(folder, "expiring") == [
        f"{tmp_path}/etc/tls/server.pem expires on 2026-12-25 12:00 UTC.",
        f"{devices}/revoked.pem expires on 2026-11-28 11:00 UTC.",
    ]
    assert any("is not for the name loggkontroll.region.example" in each for each in said(folder, "unsafe"))
    revoked_list(devices / "revoked.pem", key, subject, hours=-1)
    certificate(tmp_path / "etc" / "tls" / "server.pem", 31)
    assert said(folder, "expiring") == [f"{devices}/revoked.pem expired on 2026-11-26 11:00 UTC: nobody gets in."]
    revoked_list(devices / "revoked.pem", key, subject, hours=49)
    assert said(folder, "expiring") == []


def test_check_names_a_changed_file_a_missing_one_and_one_that_others_write(folder):
    initialise(folder)
    hub = folder / "audit-kernel-hub.service"
    hub.write_text(hub.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    assert any(f"{hub} is not what serve.yml" in each for each in said(folder, "unsafe"))
    hub.unlink()
    assert f"{hub} is missing." in said(folder, "missing")
    (folder / "jupyterhub_config.py").chmod(0o666)
    assert any("jupyterhub_config.py can be changed by others" in each for each in said(folder, "unsafe"))


def test_check_names_programs_and_a_machine_without_systemd(folder, monkeypatch, tmp_path):
    change(folder, hub__proxy_program=str(tmp_path / "no-proxy"))
    monkeypatch.setattr(check, "SYSTEMD_RUNS", tmp_path / "not-there")
    missing = said(folder, "missing")
    assert f"The program {tmp_path}/no-proxy is missing." in missing
    assert "systemd does not run this machine." in missing


def test_the_command_ends_with_one_and_prints_json_for_scripts(folder):
    initialise(folder)
    answer = CliRunner().invoke(app, ["serve", "check", str(folder), "--json", "--language", "en"])
    assert answer.exit_code == 1
    rows = json.loads(answer.output)
    assert {each["kind"] for each in rows} <= {"missing", "unsafe", "expiring"}
    assert all(each["problem"] and each["remedy"] for each in rows)
    shown = CliRunner().invoke(app, ["serve", "check", str(folder)])
    assert "Saknas: Serverns certifikat" in shown.output


def test_the_draft_s_keys_are_those_of_the_settings_and_it_holds_no_secret():
    draft = yaml.safe_load((resource_folder("deploy") / SERVE_FILE).read_text(encoding="utf-8"))
    assert draft["login"]["client_secret"].startswith("/etc/")
    assert draft["hub"]["spawner"] == "systemd"


def keys_of(model, above=""):
    """Every key of the settings, as the guide writes it: `login.levels`."""
    for name, field in model.model_fields.items():
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if hasattr(each, "model_fields")]
        yield from (keys_of(inner[0], f"{name}.") if inner else [f"{above}{name}"])


def test_every_key_and_every_reason_of_a_refusal_stands_in_the_guide():
    page = (resource_folder("deploy").parent / "docs" / "deployment.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"`([a-z_.]+)`", page))
    keys = {*keys_of(ServeSettings)}
    assert len(keys) > 35
    assert [key for key in sorted(keys) if not {key, key.rpartition(".")[2]} & shown] == []
    assert [reason for reason in REASONS if reason not in shown] == []
