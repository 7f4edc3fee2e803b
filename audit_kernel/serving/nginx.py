"""nginx's configuration, from `deploy/nginx.conf.template`: devices are checked before the log-in page is reached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.catalog import resource_folder
from audit_kernel.locale import LANGUAGES, translator
from audit_kernel.serving.settings import DEVICE_HEADER, HTTPS_PORT, SECRET_HEADER, SERIAL_HEADER

if TYPE_CHECKING:
    from audit_kernel.serving.settings import ServeSettings

HEALTH, PROBE = "/health", "/hub/audit-kernel/probe"
LOG_SOCKET = "/dev/log"
LOG_NAME = "audit_kernel_nginx"
SECONDS_AFTER_RELOAD = 30
ESCAPED = frozenset(b',+"\\<>;')
LARGEST_PLAIN, SMALLEST_PLAIN = 0x7E, 0x20


def register_map(revoked: Path) -> Path:
    """Return the file, beside the CRL, by which nginx knows the devices of the register."""
    return revoked.with_name("register.conf")


def render_nginx(settings: ServeSettings, log_socket: str = LOG_SOCKET, seconds: int = SECONDS_AFTER_RELOAD) -> str:
    """Return the whole configuration.

    Parameters
    ----------
    log_socket: where the access log goes, a datagram socket: journald's or syslog's.
    seconds: how long connections that were open at a reload may stay.
    """
    from jinja2 import Environment, StrictUndefined

    # A configuration, no page: every value was checked by the settings, and the organisations are escaped here.
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)  # noqa: S701
    template = environment.from_string((resource_folder("deploy") / "nginx.conf.template").read_text(encoding="utf-8"))
    devices, port = settings.devices, settings.port
    values = {
        "devices": devices is not None,
        "has_ipv6": has_ipv6(),
        "runtime": settings.runtime,
        "log_socket": log_socket,
        "shutdown": f"{seconds}s",
        "port": port,
        "host": settings.host,
        "authority": settings.host if port == HTTPS_PORT else f"{settings.host}:{port}",
        "certificate": settings.tls.certificate,
        "key": settings.tls.key,
        "secret": settings.nginx_secret,
        "secret_header": SECRET_HEADER,
        "device_header": DEVICE_HEADER,
        "serial_header": SERIAL_HEADER,
        "hub_port": settings.hub.hub_port,
        "proxy_port": settings.hub.proxy_port,
        "health": HEALTH,
        "probe": PROBE,
        "sentence": refusal(settings.language),
        **{f"sentence_{language}": refusal(language) for language in LANGUAGES},
    }
    if devices:
        values |= {
            "organisations": "|".join(map(subject_pattern, devices.organisations)),
            "authorities": devices.authorities,
            "revoked": devices.revoked,
            "register": register_map(devices.revoked),
        }
    return template.render(values)


def has_ipv6(addresses: Path = Path("/proc/net/if_inet6")) -> bool:
    """Tell whether this machine has addresses of IPv6; without one nginx would not start where it listens to it."""
    try:
        return bool(addresses.read_bytes())
    except OSError:
        return False


def refusal(language: str) -> str:
    """Return what a device that does not get in is shown."""
    _ = translator(language)
    return _(
        "This device is not one of those that the organisation lets in, or its certificate is not valid any more. "
        "Ask your IT support."
    )


def subject_pattern(value: str) -> str:
    """Return the regular expression of an attribute's value as nginx shows it: RFC 2253, UTF-8 bytes escaped.

    Everything but letters and digits is written as its number, so that no quoting of nginx's own is needed.
    """
    shown = bytearray()
    content = value.encode()
    for place, byte in enumerate(content):
        if byte > LARGEST_PLAIN or byte < SMALLEST_PLAIN:
            shown += b"\\%02X" % byte
        elif (
            byte in ESCAPED
            or (byte == ord(" ") and place in (0, len(content) - 1))
            or (byte == ord("#") and place == 0)
        ):
            shown += b"\\" + bytes([byte])
        else:
            shown.append(byte)
    return "".join(chr(byte) if chr(byte).isalnum() and byte <= LARGEST_PLAIN else f"\\x{byte:02X}" for byte in shown)
