"""What each user's own server is started with: pages by role, groups by role, limits; nothing of the user's own set-up.

`jupyterhub_config.py` names these functions; systemd's properties stand here once, for the Hub and for the test that
has systemd judge them.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from tornado import web

from audit_kernel.serving.access_log import SERVER_START, record_access
from audit_kernel.serving.refusals import refused
from audit_kernel.serving.settings import ROLES
from audit_kernel.site import SITE_VARIABLE

ROLES_VARIABLE = "AUDIT_KERNEL_ROLES"
ACCOUNT_VARIABLE = "AUDIT_KERNEL_ACCOUNT"
RUNTIME_VARIABLE = "AUDIT_KERNEL_RUNTIME"
# Its page needs rights that an account apart has not: it is for the site's owner, in a trial for anybody.
WITHOUT_PAGE = {"operator": "commands_only"}
# Of systemd's: what a server of one person may do. Charts are compiled at run time, so memory may be made executable;
# a case's folder gets the set-group-ID bit of the one it lies in, so that is not forbidden either.
PROPERTIES = {
    "UMask": "0077",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateMounts": "yes",
    "ProtectClock": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHostname": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "LockPersonality": "yes",
    "NoNewPrivileges": "yes",
    "RemoveIPC": "yes",
    "CapabilityBoundingSet": "",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service",
    "SystemCallErrorNumber": "EPERM",
    "KeyringMode": "private",
    "TasksMax": "512",
}


def group_of(role: str) -> str:
    """Return the operating system's group of a role."""
    return f"ak-{role}"


def roles_of(spawner: Any) -> list[str]:  # noqa: ANN401 - a spawner of the Hub, here and below
    """Return a user's roles as the last log-in gave them."""
    groups = {group.name for group in spawner.user.groups}
    return [role for role in ROLES if role in groups]


async def before_start(spawner: Any) -> None:  # noqa: ANN401
    """Record the start and give the server its roles; refuse where there is no role or no account.

    The record comes first: a server whose start cannot be recorded is not started.
    """
    roles, who = roles_of(spawner), spawner.user.name
    if not roles:
        raise _refusal(spawner, "no_role")
    account = account_of(spawner)
    if account and not has_account(account):
        raise _refusal(spawner, "no_account")
    with_page = [role for role in roles if role not in WITHOUT_PAGE or not account]
    if not with_page:
        raise _refusal(spawner, WITHOUT_PAGE[roles[0]])
    await asyncio.to_thread(record_access, Path(spawner.environment[SITE_VARIABLE]), SERVER_START, who=who, roles=roles)
    spawner.environment = {**spawner.environment, ROLES_VARIABLE: ",".join(with_page)}
    if hasattr(spawner, "unit_extra_properties"):
        groups = " ".join(group_of(role) for role in roles)
        spawner.unit_extra_properties = {**PROPERTIES, **spawner.unit_extra_properties, "SupplementaryGroups": groups}
    elif RUNTIME_VARIABLE in spawner.environment:  # a pod has a folder of its own
        spawner.environment["RUNTIME_DIRECTORY"] = str(new_runtime_folder(spawner, account))


def account_of(spawner: Any) -> str:  # noqa: ANN401
    """Return the account a server runs as; empty in a trial and in a pod, where there is one user."""
    template: str = spawner.environment.get(ACCOUNT_VARIABLE, "")
    return template.format(USERNAME=spawner.user.name)


def has_account(name: str) -> bool:
    """Tell whether the operating system knows a user."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def runtime_folder(spawner: Any) -> Path:  # noqa: ANN401
    """Return the folder of a server's sockets and settings where systemd makes none."""
    name: str = spawner.user.name
    return Path(spawner.environment[RUNTIME_VARIABLE]) / name


def new_runtime_folder(spawner: Any, account: str) -> Path:  # noqa: ANN401
    """Make that folder anew, for the account alone."""
    folder = runtime_folder(spawner)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    if account:
        known = pwd.getpwnam(account)
        os.chown(folder, known.pw_uid, known.pw_gid)
    return folder


def after_stop(spawner: Any) -> None:  # noqa: ANN401
    """Remove what a server kept for itself; systemd removes its own."""
    if "RUNTIME_DIRECTORY" in spawner.environment:
        shutil.rmtree(runtime_folder(spawner), ignore_errors=True)


def _refusal(spawner: Any, reason: str) -> web.HTTPError:  # noqa: ANN401
    authenticator = spawner.authenticator
    return refused(reason, "", authenticator.language)


class AccountSpawner(LocalProcessSpawner):  # type: ignore[misc] # it publishes no types
    """Starts each server as that person's account, where there is no systemd."""

    def _account(self) -> pwd.struct_passwd:
        return pwd.getpwnam(account_of(self))

    def make_preexec_fn(self, name: str) -> Any:  # noqa: ANN401, ARG002 - the base's signature
        """Become the account, with the groups of its roles."""
        return super().make_preexec_fn(account_of(self))

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Name the account to its processes."""
        known = self._account()
        return {**env, "USER": known.pw_name, "HOME": known.pw_dir, "SHELL": known.pw_shell}
