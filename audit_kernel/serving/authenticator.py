"""Log-in by OpenID Connect: what the stock class takes on trust is verified here, before anybody is let in.

The id_token's signature, issuer, audience, times and nonce are checked against the service's public keys; the level of
the log-in must be one of the allowed; the name is the employee's own id; groups become roles.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from pathlib import Path
from typing import Any

import jwt
from jupyterhub.orm import new_token
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthCallbackHandler, OAuthLoginHandler, OAuthLogoutHandler, _deserialize_state
from tornado import web
from traitlets import Dict, List, Unicode

from audit_kernel.errors import AuditKernelError
from audit_kernel.serving.access_log import LOGIN, LOGOUT, REFUSAL, record_access
from audit_kernel.serving.probe import ProbeHandler, StyleHandler
from audit_kernel.serving.refusals import refused
from audit_kernel.serving.settings import DEVICE_HEADER, ROLES, SECRET_HEADER, SERIAL_HEADER

CLAIMS = "audit_kernel_claims"
SECONDS_BETWEEN_KEYS = 60
LEEWAY_SECONDS = 60


def nonce_of(state_id: str) -> str:
    """Return the nonce that belongs to one log-in: made from the state that its browser holds in a signed cookie."""
    return hashlib.sha256(f"nonce {state_id}".encode()).hexdigest()


class LoginHandler(OAuthLoginHandler):  # type: ignore[misc] # it publishes no types, as those below
    """Sends the browser to the log-in service, with a nonce."""

    def get(self) -> None:
        """Send away, unless the request came past nginx."""
        self.authenticator.check_door(self)
        super().get()

    def authorize_redirect(self, *, extra_params: dict[str, Any], **others: Any) -> None:  # noqa: ANN401 - the base's
        """Add the nonce to what the base sends."""
        state_id = _deserialize_state(extra_params["state"])["state_id"]
        super().authorize_redirect(extra_params={**extra_params, "nonce": nonce_of(state_id)}, **others)


class CallbackHandler(OAuthCallbackHandler):  # type: ignore[misc]
    """Takes the log-in service's answer."""

    async def get(self) -> None:
        """Take the answer, unless the request came past nginx."""
        self.authenticator.check_door(self)
        await super().get()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:  # noqa: ANN401 - the base's
        """Leave the address out of the log, for it holds the log-in's code; a refusal was logged with its reason."""
        if not isinstance(value, web.HTTPError):
            super().log_exception(typ, value, tb)

    @property
    def expected_nonce(self) -> str:
        """The nonce of the log-in that this browser began."""
        return nonce_of(_deserialize_state(self.get_state_cookie())["state_id"])


class LogoutHandler(OAuthLogoutHandler):  # type: ignore[misc]
    """Logs out for good: a copy of the cookie is worth nothing any more."""

    async def handle_logout(self) -> None:
        """Give the user another cookie id; the base has stopped the server and cleared this browser's cookies."""
        await super().handle_logout()
        if user := self.current_user:
            user.orm_user.cookie_id = new_token()
            self.db.commit()
            await self.authenticator.record(LOGOUT, who=user.name)


class AuditKernelAuthenticator(GenericOAuthenticator):  # type: ignore[misc]
    """Lets in who the log-in service names, at an allowed level, with at least one role."""

    issuer = Unicode(help="who must have issued the id_token").tag(config=True)
    keys_url = Unicode(help="address of the service's public keys").tag(config=True)
    algorithms = List(Unicode(), help="signatures that are accepted").tag(config=True)
    level_claim = Unicode("acr", help="claim with the level of the log-in").tag(config=True)
    levels = List(Unicode(), help="levels that are strong enough").tag(config=True)
    user_claim = Unicode(help="claim with the employee's id").tag(config=True)
    groups_claim = Unicode("groups", help="claim with the groups").tag(config=True)
    roles = Dict(help="groups that give each role").tag(config=True)
    site = Unicode(help="the site's folder, in whose use log each log-in stands").tag(config=True)
    language = Unicode("en", help="language of pages where the browser asks for none of ours").tag(config=True)
    door_secret = Unicode(help="what nginx sends in SECRET_HEADER; empty where there is no nginx").tag(config=True)

    login_handler = LoginHandler
    callback_handler = CallbackHandler
    logout_handler = LogoutHandler
    _keys: dict[str, dict[str, Any]]
    _keys_at = float("-inf")

    def get_handlers(self, app: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - the Hub
        """Return the pages of the log-in, that of an outside probe, and the style of the Hub's pages."""
        return [
            *super().get_handlers(app),
            (r"/audit-kernel/probe", ProbeHandler, {"site": self.site}),
            (r"/audit-kernel/(pages\.css)", StyleHandler, {"path": str(Path(__file__).parent / "static")}),
        ]

    async def get_token_info(self, handler: CallbackHandler, params: dict[str, Any]) -> dict[str, Any]:
        """Return the service's answer with the verified claims; refuse everything else, and record both."""
        answer: dict[str, Any] = await super().get_token_info(handler, params)
        claims: dict[str, Any] = {}
        try:
            claims = await self.verified(str(answer.get("id_token")), handler.expected_nonce)
            reason = self.reason_against(claims)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            self.log.warning("The id_token does not verify: %s", type(error).__name__)
            reason = "not_verified"
        about = {"who": self.name_in(claims), "level": claims.get(self.level_claim), **self._device(handler)}
        if reason:
            await self.refuse(handler, reason, **about)
        await self.record(LOGIN, handler, **about, roles=self.roles_in(claims))
        return {**answer, CLAIMS: claims}

    async def token_to_user(self, token_info: dict[str, Any]) -> dict[str, Any]:
        """Return the verified claims; the service is asked for nothing else."""
        claims: dict[str, Any] = token_info[CLAIMS]
        return claims

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Return the employee's id."""
        return self.name_in(user_info)

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """Return the roles, which are the Hub's groups."""
        return set(self.roles_in(auth_state[self.user_auth_state_key]))

    async def verified(self, id_token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of an id_token (OpenID Connect Core 1.0, 3.1.3.7).

        Raises
        ------
        jwt.PyJWTError, KeyError, TypeError, ValueError: it is not what it must be.
        """
        header = jwt.get_unverified_header(id_token)
        if header["alg"] not in self.algorithms:
            raise jwt.InvalidAlgorithmError
        key = jwt.PyJWK(await self._key(header.get("kid")), algorithm=header["alg"])
        demands: Any = {"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]}
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key,
            algorithms=list(self.algorithms),
            audience=self.client_id,
            issuer=self.issuer,
            leeway=LEEWAY_SECONDS,
            options=demands,
        )
        if claims.get("azp", self.client_id) != self.client_id:
            raise jwt.InvalidAudienceError
        if not hmac.compare_digest(str(claims["nonce"]), nonce):
            raise jwt.InvalidTokenError
        return claims

    async def _key(self, kid: str | None) -> dict[str, Any]:
        """Return a public key; the service's list is fetched again, at most once a minute, when it is not known."""
        known = getattr(self, "_keys", {})
        if (kid not in known if kid else not known) and time.monotonic() - self._keys_at > SECONDS_BETWEEN_KEYS:
            answer = await self.httpfetch(self.keys_url, method="GET", validate_cert=self.validate_server_cert)
            signing = [key for key in answer["keys"] if key.get("use", "sig") == "sig"]
            self._keys = known = {key.get("kid"): key for key in signing}
            self._keys_at = time.monotonic()
        return next(iter(known.values())) if kid is None and len(known) == 1 else known[kid]

    def reason_against(self, claims: dict[str, Any]) -> str:
        """Return why verified claims are not enough, empty when they are."""
        if claims.get(self.level_claim) not in self.levels:
            return "too_weak"
        if not self.name_in(claims):
            return "no_name"
        return "" if self.roles_in(claims) else "no_role"

    def name_in(self, claims: dict[str, Any]) -> str:
        """Return the employee's id as the Hub writes names, empty where there is none that can be one."""
        name = claims.get(self.user_claim)
        name = self.normalize_username(name) if isinstance(name, str) else ""
        return name if self.validate_username(name) else ""

    def roles_in(self, claims: dict[str, Any]) -> list[str]:
        """Return the roles that the groups give."""
        groups = claims.get(self.groups_claim)
        listed = groups if isinstance(groups, list) else [groups]
        named = {each for each in listed if isinstance(each, str)}
        return [role for role in ROLES if named & set(self.roles.get(role, ()))]

    def check_door(self, handler: Any) -> None:  # noqa: ANN401 - a handler of the Hub
        """Refuse what did not come through nginx, which alone knows the secret and sets the device's headers."""
        given = handler.request.headers.get(SECRET_HEADER, "")
        if self.door_secret and not hmac.compare_digest(given.encode(), self.door_secret.encode()):
            raise self._refused(handler, "not_through_door")

    async def refuse(self, handler: Any, reason: str, **about: object) -> None:  # noqa: ANN401 - as above
        """Record a refusal with its reason, then refuse."""
        self.log.warning("Refused: %s (%s)", reason, about.get("who") or "no name")
        await self.record(REFUSAL, handler, reason=reason, **about)
        raise self._refused(handler, reason)

    async def record(self, activity: str, handler: Any = None, **about: object) -> None:  # noqa: ANN401 - as above
        """Write a line into the use log, aside: the disk may be slow. Whom it cannot record is not let in."""
        try:
            await asyncio.to_thread(record_access, Path(self.site), activity, **about)
        except AuditKernelError as error:
            self.log.error("The use log takes no line: %s", error)  # noqa: TRY400 - its text says where and why
            if handler is not None:
                raise self._refused(handler, "not_recorded") from error

    def _refused(self, handler: Any, reason: str) -> web.HTTPError:  # noqa: ANN401 - as above
        return refused(reason, handler.request.headers.get("Accept-Language", ""), self.language)

    def _device(self, handler: Any) -> dict[str, str]:  # noqa: ANN401 - as above
        """Return the device as nginx names it; a client's own word is worth nothing without nginx's secret."""
        headers = handler.request.headers if self.door_secret else {}
        return {"device": headers.get(DEVICE_HEADER, ""), "device_serial": headers.get(SERIAL_HEADER, "")}
