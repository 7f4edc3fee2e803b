"""The one small file, `serve.yml`, from which `audit-kernel serve init` writes the whole configuration.

No secret stands in it: `login.client_secret` and the others are paths of files that only their owner reads.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audit_kernel.errors import Phrase
from audit_kernel.yaml_file import UnshownValueError, read_model

SERVE_FILE = "serve.yml"
HTTPS_PORT = 443
ROLES = ("investigator", "reviewer", "auditor", "operator")
# Set by nginx on /hub/ alone, each request anew, and never taken from a client.
SECRET_HEADER = "X-Audit-Kernel-Secret"  # noqa: S105 - the header's name: nginx and the Hub know its value
DEVICE_HEADER = "X-Audit-Kernel-Device"  # the subject of the device's certificate
SERIAL_HEADER = "X-Audit-Kernel-Device-Serial"

HOST = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"
# What the pages of certificates and of nginx can hold without quoting.
ORGANISATION = re.compile(r"[^\x00-\x1f\x7f\"\\,+=<>#;$/]{2,100}")
PASSWORD_IN_ADDRESS = re.compile(r"://[^/@]*:[^/@]*@")


class Part(BaseModel):
    """A part of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsSettings(Part):
    """The server's own certificate."""

    certificate: Path = Path("/etc/audit-kernel/tls/server.pem")
    key: Path = Path("/etc/audit-kernel/tls/server.key")


class DeviceSettings(Part):
    """Which devices get in.

    `organisations` are the `O` that a device certificate's subject must have, one of them; `authorities` the CA
    certificates and `revoked` their CRLs, both PEM; `revoked_from` the addresses the timer fetches them from, none
    where the CA is `audit-kernel serve device`'s own; `register_folder` that of this CA and of the register. Beside
    another CA, `registered_only` lets in only what stands in the register; with the own one that always holds.
    """

    organisations: tuple[str, ...] = Field(min_length=1)
    authorities: Path = Path("/etc/audit-kernel/devices/authorities.pem")
    revoked: Path = Path("/etc/audit-kernel/devices/revoked.pem")
    revoked_from: tuple[str, ...] = ()
    register_folder: Path = Path("/var/lib/audit-kernel/devices")
    registered_only: bool = False
    alarm_hours: int = Field(default=48, ge=1, le=720, description="alarm this long before the CRL expires")

    @field_validator("organisations")
    @classmethod
    def _are_plain(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORGANISATION.fullmatch(name) for name in value):
            message = "an organisation's name as in the certificate, without quotes, commas and the like"
            raise ValueError(message)
        return value

    @field_validator("revoked_from")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"https?://[!-~]+", each) for each in value):
            message = "addresses that begin with http:// or https://"
            raise ValueError(message)
        return value


class LoginSettings(Part):
    """The OpenID Connect service, and what its id_token must say.

    `levels` are the values of `acr` that are strong enough; `roles` the groups that give each role; the user's name
    is `user_claim`, never `sub`.
    """

    name: str = Field(min_length=1, max_length=60, description="on the button, e.g. SITHS")
    issuer: str
    authorize: str
    token: str
    keys: str = Field(description="address of the service's public keys (jwks_uri)")
    client_id: str = Field(min_length=1, max_length=200)
    client_secret: Path = Path("/etc/audit-kernel/secrets/client-secret")
    scopes: tuple[str, ...] = ("openid", "profile")
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"], ...] = Field(
        default=("RS256", "PS256", "ES256"), min_length=1
    )
    level_claim: str = "acr"
    levels: tuple[str, ...] = Field(min_length=1)
    user_claim: str = "employeeHsaId"
    groups_claim: str = "groups"
    roles: dict[Literal["investigator", "reviewer", "auditor", "operator"], tuple[str, ...]] = Field(min_length=1)

    @field_validator("issuer", "authorize", "token", "keys")
    @classmethod
    def _is_encrypted(cls, value: str) -> str:
        """Demand https; a service on this very machine, for a trial, may do without."""
        if not re.fullmatch(r"https://[!-~]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?(/[!-~]*)?", value):
            message = "an address that begins with https://"
            raise ValueError(message)
        return value

    @field_validator("user_claim")
    @classmethod
    def _is_not_sub(cls, value: str) -> str:
        if value == "sub" or not value:
            message = "the claim with the employee's own id, such as employeeHsaId; sub is the service's number"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _groups_give_one_role(self) -> LoginSettings:
        groups = [group for named in self.roles.values() for group in named]
        if not all(self.roles.values()) or len(groups) != len(set(groups)):
            message = "each role has at least one group, and each group stands once"
            raise ValueError(message)
        return self


class HubSettings(Part):
    """The Hub, its proxy and its database; the ports are this machine's own and reachable from nowhere else.

    `database` is SQLAlchemy's address without a password: `sqlite:////path`, or `postgresql://user@host/name` with the
    password in `database_password`, a file of PostgreSQL's own form (.pgpass). `spawner`: `systemd`, a unit and an
    account each; `processes`, an account each where there is no systemd; `trial`, everybody as the Hub's own user.
    `account` makes a user's name the name of the account.
    """

    database: str = "sqlite:////var/lib/audit-kernel/hub/hub.sqlite"
    database_password: Path | None = None
    state_folder: Path = Path("/var/lib/audit-kernel/hub")
    proxy_port: int = Field(default=8000, ge=1, le=65_535)
    proxy_api_port: int = Field(default=8001, ge=1, le=65_535)
    hub_port: int = Field(default=8081, ge=1, le=65_535)
    proxy_program: Path = Path("/usr/local/bin/configurable-http-proxy")
    spawner: Literal["systemd", "processes", "trial"] = "systemd"
    account: str = Field(default="ak-{USERNAME}", pattern=r"^[a-z_][a-z0-9_-]{0,12}\{USERNAME\}$|^\{USERNAME\}$")
    idle_minutes: int = Field(default=30, ge=5, le=720)
    session_hours: int = Field(default=12, ge=1, le=24, description="after which one logs in again")
    memory_limit: str = Field(default="4G", pattern=r"^[1-9][0-9]*[MG]$", description="of one user's server")

    @field_validator("database", mode="before")  # before: pydantic's own mistake would show the value
    @classmethod
    def _has_no_password(cls, value: object) -> object:
        is_address = isinstance(value, str) and re.match(r"(sqlite:///|postgresql(\+psycopg2)?://)[!-~]+$", value)
        if not is_address or PASSWORD_IN_ADDRESS.search(str(value)) or "password" in str(value):
            raise UnshownValueError(Phrase("sqlite:////path or postgresql://user@host/name, without a password"))
        return value

    @property
    def is_postgres(self) -> bool:
        """Whether the Hub's database lies in PostgreSQL."""
        return self.database.startswith("postgresql")

    @model_validator(mode="after")
    def _ports_differ(self) -> HubSettings:
        if len({self.proxy_port, self.proxy_api_port, self.hub_port}) < len(("proxy", "api", "hub")):
            message = "proxy_port, proxy_api_port and hub_port differ"
            raise ValueError(message)
        return self


class ServeSettings(Part):
    """What stands in `serve.yml`.

    host: the name in the browser's address. port: nginx's. site: the site's folder. runtime: a short folder for
    sockets. organisation: who offers the service, on the log-in page. secrets: the folder of what `init` draws itself.
    devices: left out, any device gets in, which `check` calls unsafe.
    """

    host: str = Field(pattern=HOST, max_length=253)
    port: int = Field(default=443, ge=1, le=65_535)
    organisation: str = Field(min_length=1, max_length=200)
    language: Literal["en", "nb", "sv"]
    site: Path
    runtime: Path = Path("/run/audit-kernel")
    secrets: Path = Path("/etc/audit-kernel/secrets")
    tls: TlsSettings = TlsSettings()
    devices: DeviceSettings | None = None
    login: LoginSettings
    hub: HubSettings = HubSettings()

    @model_validator(mode="after")
    def _paths_are_absolute(self) -> ServeSettings:
        places = [self.site, self.runtime, self.secrets, self.tls.certificate, self.tls.key, self.login.client_secret]
        places += [self.hub.state_folder, self.hub.proxy_program, *filter(None, [self.hub.database_password])]
        if self.devices:
            places += [self.devices.authorities, self.devices.revoked, self.devices.register_folder]
        if not all(each.is_absolute() and re.fullmatch(r"[\w./@+-]+", str(each)) for each in places):
            message = "every path is absolute and of plain characters without blanks"
            raise ValueError(message)
        return self

    @property
    def origin(self) -> str:
        """The address of the service: https://host, with the port where it is not 443."""
        return f"https://{self.host}" if self.port == HTTPS_PORT else f"https://{self.host}:{self.port}"

    @property
    def proxy_secret(self) -> Path:
        """The file of the secret that nginx sends the Hub in SECRET_HEADER; `nginx-secret.conf` beside it sets it."""
        return self.secrets / "nginx-secret"

    @property
    def nginx_secret(self) -> Path:
        """One line for nginx to include within `location /hub/`: proxy_set_header SECRET_HEADER "...".

        That location hands its path on normalised (`proxy_pass http://127.0.0.1:PORT/hub/;`) and every other one clears
        the header: a path such as /user/x/..%2f..%2fhub/ must not carry the secret to a user's own server.
        """
        return self.secrets / "nginx-secret.conf"


def serve_settings(folder: Path) -> ServeSettings:
    """Return what stands in the `serve.yml` of a folder.

    Raises
    ------
    SettingsError: the file is missing or wrong; names the key.
    """
    return read_model(folder / SERVE_FILE, ServeSettings)
