"""The systemd units of nginx and of the list of revoked devices, rendered from `deploy/`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from audit_kernel.catalog import resource_folder
from audit_kernel.files import OWNER_ONLY_FOLDER
from audit_kernel.serving.nginx import register_map
from audit_kernel.systemd_units import owner_of

if TYPE_CHECKING:
    from audit_kernel.serving.settings import ServeSettings

NGINX = Path("/usr/sbin/nginx")
OF_NGINX = ("audit-kernel-nginx.service",)
OF_DEVICES = (
    "audit-kernel-devices.service",
    "audit-kernel-devices.timer",
    "audit-kernel-devices-reload.path",
    "audit-kernel-devices-reload.service",
)
HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
"""


def device_units(settings: ServeSettings, folder: Path) -> dict[str, str]:
    """Return the text of each unit by file name.

    Parameters
    ----------
    folder: where `serve.yml` and `nginx.conf` lie.
    """
    found = shutil.which("nginx")
    values = {
        "folder": folder,
        "runtime": settings.runtime,
        "runtime_directory": runtime_directory(settings.runtime),
        "nginx": found or NGINX,
        "python": sys.executable,
        "owner": owner_of(settings.site),
        "hardening": HARDENING,
    }
    names: tuple[str, ...] = OF_NGINX
    if devices := settings.devices:
        names += OF_DEVICES
        written = [*device_folders(settings), settings.site / "journals"]
        values |= {"revoked": devices.revoked, "register": register_map(devices.revoked)}
        values["writable"] = " ".join(map(str, written))
    texts = {name: (resource_folder("deploy") / f"{name}.template").read_text(encoding="utf-8") for name in names}
    return {name: Template(text).substitute(values) for name, text in texts.items()}


def device_folders(settings: ServeSettings) -> list[Path]:
    """Return the folders that the service writes: of the register, and of what nginx reads about devices."""
    devices = settings.devices
    if devices is None:
        return []
    return list(dict.fromkeys([devices.register_folder, devices.revoked.parent, devices.authorities.parent]))


def make_device_folders(settings: ServeSettings) -> None:
    """Make what is missing of them, for the site's owner, who runs the service; another's folder stays as it is."""
    owner = settings.site.stat()
    for folder in device_folders(settings):
        if not folder.exists():
            folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True)
            if os.geteuid() == 0:
                os.chown(folder, owner.st_uid, owner.st_gid)


def runtime_directory(runtime: Path) -> str:
    """Return the lines by which systemd makes the folder anew after a start; a folder elsewhere stays as it is."""
    if runtime.parent != Path("/run"):
        return ""
    return f"RuntimeDirectory={runtime.name}\nRuntimeDirectoryMode=0755\nRuntimeDirectoryPreserve=yes"
