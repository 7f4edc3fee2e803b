"""Writes the whole configuration from `serve.yml`, and refuses a file whose parts do not fit together."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.files import write_new
from audit_kernel.serving.device_units import HARDENING, device_units, make_device_folders
from audit_kernel.serving.nginx import render_nginx
from audit_kernel.serving.settings import SECRET_HEADER, SERVE_FILE, ServeSettings, serve_settings
from audit_kernel.site import Site
from audit_kernel.systemd_units import owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATES = (
    "jupyterhub_config.py",
    "audit-kernel-hub.service",
    "audit-kernel-proxy.service",
    "audit-kernel-culler.service",
    "audit-kernel-seal.path",
    "audit-kernel-seal.service",
    "kubernetes-values.yml",
)
NGINX = "nginx.conf"
PROXY_TOKEN, CULLER_TOKEN = "proxy.env", "culler.env"
READABLE, OWNER_ONLY_FOLDER = 0o644, 0o700
# The units see nothing of these folders, or a folder of their own in their place.
HIDDEN = tuple(map(Path, ("/home", "/root", "/tmp", "/var/tmp", "/run/user")))  # noqa: S108 - only compared
# A server's folder is RUNTIME/NAME/run; a socket's path holds 107 characters, of which Jupyter takes about 55.
LONGEST_RUNTIME = 24
LONGEST_NAME = 22
USER_NAME = r"^[a-z0-9][a-z0-9-]{0,21}\Z"
SPAWNERS = {
    "systemd": "systemdspawner.SystemdSpawner",
    "processes": "audit_kernel.serving.spawning.AccountSpawner",
    "trial": "jupyterhub.spawner.SimpleLocalProcessSpawner",
}
SYSTEMD_SETTINGS = """\
c.SystemdSpawner.username_template = {account!r}
c.SystemdSpawner.unit_name_template = "ak-{{USERNAME}}"
c.SystemdSpawner.user_workingdir = "/"
c.SystemdSpawner.disable_user_sudo = True
c.SystemdSpawner.isolate_tmp = True
c.SystemdSpawner.isolate_devices = True
# Beside spawning.PROPERTIES: the site alone may be written, as far as the account's own rights go.
c.SystemdSpawner.unit_extra_properties = {{"ReadWritePaths": {site!r}}}"""


def read_serve(folder: Path) -> ServeSettings:
    """Read `serve.yml` of a folder, and refuse what does not fit together.

    Raises
    ------
    SettingsError: the file is missing or wrong; names the key, or the two that contradict each other.
    """
    settings = serve_settings(folder)
    for error in contradictions(settings, folder):
        raise error
    return settings


def contradictions(settings: ServeSettings, folder: Path) -> Iterator[SettingsError]:
    """Yield what cannot be meant, one sentence each."""
    hub, is_trial = settings.hub, settings.hub.spawner == "trial"
    if is_trial != (settings.host == "localhost"):
        yield SettingsError(
            "{path}: `hub.spawner: trial` and `host: localhost` belong together: in a trial nobody is kept apart.",
            "Name the server's own host and a spawner that gives each person an account.",
            path=folder / SERVE_FILE,
        )
    if settings.devices is None and not is_trial:
        yield SettingsError(
            "{path}: `devices` is missing: any device on the network would reach the log-in page.",
            "Name the organisation whose devices get in; docs/deployment.md says how.",
            path=folder / SERVE_FILE,
        )
    if settings.port in {hub.proxy_port, hub.proxy_api_port, hub.hub_port}:
        yield SettingsError(
            "{path}: port {port} stands twice.",
            "Give each service its own.",
            path=folder / SERVE_FILE,
            port=settings.port,
        )
    if len(str(settings.runtime)) > LONGEST_RUNTIME:
        yield SettingsError(
            "{path}: `runtime` is longer than {longest} characters: kernels' sockets would not fit.",
            "Take a short folder such as /run/audit-kernel.",
            path=folder / SERVE_FILE,
            longest=LONGEST_RUNTIME,
        )
    site = Site(settings.site)
    for name, place in (("secrets", settings.secrets), ("hub.state_folder", hub.state_folder), (SERVE_FILE, folder)):
        if place.resolve().is_relative_to(site.folder):
            yield SettingsError(
                "{path}: `{key}` lies in the site's folder, which others read.",
                "Take a folder outside it, such as one below /etc or /var/lib.",
                path=folder / SERVE_FILE,
                key=name,
            )
    if is_trial:
        return
    if any(site.folder.is_relative_to(hidden) for hidden in HIDDEN):
        yield SettingsError(
            "{path}: the site lies in {folder}, which services do not see.",
            "Move it, for example to /srv/audit-kernel/site.",
            path=folder / SERVE_FILE,
            folder=site.folder,
        )
    if not site.settings.store.is_postgres:
        yield SettingsError(
            "{folder}: the store's catalogue is a SQLite file, which nobody reads without the right to write it.",
            "With many users it lies in PostgreSQL: audit-kernel store move --catalogue 'postgres:dbname=... host=...'",
            folder=site.folder,
        )


def initialise(folder: Path) -> tuple[list[Path], bool]:
    """Write what is not there yet; return the files, and whether only the draft of `serve.yml` was written.

    Raises
    ------
    SettingsError: `serve.yml` is wrong, or a file of the configuration is there already: nothing was written.
    """
    if not (folder / SERVE_FILE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = (resource_folder("deploy") / SERVE_FILE).read_bytes()
        write_new(folder / SERVE_FILE, draft, READABLE)
        return [folder / SERVE_FILE], True
    settings = read_serve(folder)
    texts = {folder / name: text for name, text in configuration(settings, folder).items()}
    if there := [path for path in texts if path.exists()]:
        raise SettingsError(
            "{path} is there already; nothing was written.",
            "Write into a new folder with the same serve.yml, compare, and put it in the old one's place.",
            path=there[0],
        )
    written = list(new_secrets(settings))
    make_device_folders(settings)
    for path, text in texts.items():
        write_new(path, text.encode(), READABLE)
        written.append(path)
    return written, False


def configuration(settings: ServeSettings, folder: Path) -> dict[str, str]:
    """Return the text of each file of the configuration, by name."""
    values = _values(settings, folder.resolve())
    texts = {}
    for name in TEMPLATES:
        text = (resource_folder("deploy") / f"{name}.template").read_text(encoding="utf-8")
        texts[name] = Template(text).substitute(values)
    texts[NGINX] = render_nginx(settings)
    texts |= device_units(settings, folder.resolve())
    return texts


def new_secrets(settings: ServeSettings) -> Iterator[Path]:
    """Draw the secrets that are not there yet, each in a file that only its owner reads from the start."""
    settings.secrets.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    door = secrets.token_hex(32)
    drawn = {
        settings.secrets / PROXY_TOKEN: f"CONFIGPROXY_AUTH_TOKEN={secrets.token_hex(32)}\n",
        settings.secrets / CULLER_TOKEN: f"JUPYTERHUB_API_TOKEN={secrets.token_hex(32)}\n",
    }
    if not settings.proxy_secret.exists():
        settings.nginx_secret.unlink(missing_ok=True)  # it is worth nothing without the other
        drawn[settings.proxy_secret] = f"{door}\n"
        drawn[settings.nginx_secret] = f'proxy_set_header {SECRET_HEADER} "{door}";\n'
    for path, text in drawn.items():
        if not path.exists():
            write_new(path, text.encode())
            yield path


def _values(settings: ServeSettings, folder: Path) -> dict[str, Any]:
    """Return what stands for each `$name`: plain words in units, Python's or YAML's literals elsewhere."""
    login, hub = settings.login, settings.hub
    is_trial = hub.spawner == "trial"
    writable = ["/run", settings.site, hub.state_folder, *([settings.runtime] if hub.spawner != "systemd" else [])]
    account = "" if is_trial else hub.account
    environment = {"AUDIT_KERNEL_ACCOUNT": account, "AUDIT_KERNEL_RUNTIME": str(settings.runtime)}
    spawner_settings = f"c.Spawner.environment.update({environment!r})"
    if hub.spawner == "systemd":
        site = str(settings.site)
        spawner_settings += "\n" + SYSTEMD_SETTINGS.format(account=hub.account, site=site)
    if is_trial:
        home = str(settings.runtime / "home-{username}")
        spawner_settings += f"\nc.SimpleLocalProcessSpawner.home_dir_template = {home!r}"
    origin = f"http://{settings.host}:{hub.proxy_port}" if is_trial else settings.origin
    literal = {
        "site": str(settings.site),
        "secrets": str(settings.secrets),
        "language": settings.language,
        "organisation": settings.organisation,
        "origin": origin,
        "is_encrypted": not is_trial,
        "database": hub.database,
        "cookie_secret": str(hub.state_folder / "cookie-secret"),
        "login_name": login.name,
        "issuer": login.issuer,
        "authorize": login.authorize,
        "token": login.token,
        "keys": login.keys,
        "algorithms": list(login.algorithms),
        "client_id": login.client_id,
        "client_secret": str(login.client_secret),
        "scopes": list(login.scopes),
        "authorize_with": {"acr_values": " ".join(login.levels)} if login.level_claim == "acr" else {},
        "level_claim": login.level_claim,
        "levels": list(login.levels),
        "user_claim": login.user_claim,
        "username_pattern": USER_NAME,
        "groups_claim": login.groups_claim,
        "roles": {role: list(groups) for role, groups in login.roles.items()},
        "memory_limit": hub.memory_limit,
        "spawner_class": SPAWNERS[hub.spawner],
    }
    door = 'secret("nginx-secret")' if not is_trial else '""'
    plain = {
        "door_secret": door,
        "origin_text": origin,
        "proxy_port": hub.proxy_port,
        "proxy_api_port": hub.proxy_api_port,
        "hub_port": hub.hub_port,
        "session_hours": hub.session_hours,
        "idle_seconds": hub.idle_minutes * 60,
        "memory_limit_text": hub.memory_limit,
        "spawner_settings": spawner_settings,
        "python": sys.executable,
        "folder": folder,
        "secrets_folder": settings.secrets,
        "state_folder": hub.state_folder,
        "proxy_program": hub.proxy_program,
        "database_password": f"Environment=PGPASSFILE={hub.database_password}" if hub.database_password else "",
        "keeps_suid": "yes"
        if hub.spawner == "systemd"
        else "no",  # of people's servers too, where they are its children
        "kill_mode": "control-group" if hub.spawner == "systemd" else "process",
        "capabilities": "CAP_CHOWN CAP_DAC_OVERRIDE"
        if hub.spawner == "systemd"
        else "CAP_CHOWN CAP_DAC_OVERRIDE CAP_KILL CAP_SETGID CAP_SETUID",
        "writable": " ".join(map(str, writable)),
        "hardening": HARDENING,
        "owner": owner_of(settings.site),
        "site_folder": settings.site,
        "asked_folder": Site(settings.site).asked_folder,
    }
    of_python = {name: repr(value) for name, value in literal.items()}
    of_yaml = {f"yaml_{name}": json.dumps(value, ensure_ascii=False) for name, value in literal.items()}
    return {**of_yaml, **of_python, **plain, "host": settings.host}
