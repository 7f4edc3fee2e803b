"""Sends a line to the system log and says so when it cannot: a socket of this machine, or a server over TCP (RFC 5424).

Python's own handler swallows errors, counts no octets and keeps a broken connection; here each line has its own.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_kernel.errors import JournalError
from audit_kernel.evidence.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "audit-kernel"
PRIORITY = 13 * 8 + 5  # log audit, notice (RFC 5424, 6.2.1)
LONGEST_VALUE, LONGEST_LINE = 200, 1_800  # RFC 5424, 6.1: 2,048 octets are taken by every receiver that should be
SECONDS = 5


def send(address: str, values: Mapping[str, object]) -> None:
    """Send one line of `name="value"` pairs, each shortened, with control characters made visible.

    Raises
    ------
    JournalError: nobody took it.
    """
    text = _bounded(" ".join(f'{name}="{_value(value)}"' for name, value in values.items() if value not in (None, "")))
    try:
        if address.startswith("/"):
            _to_socket(address, f"<{PRIORITY}>{NAME}[{os.getpid()}]: {text}".encode())
        else:
            at, host = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), socket.gethostname() or "-"
            line = f"<{PRIORITY}>1 {at} {host} {NAME} {os.getpid()} use - {text}".encode()
            _to_server(address, b"%d %s" % (len(line), line))  # octet counting, RFC 6587
    except OSError as error:
        raise JournalError(
            "The system log {address!r} takes no line of the use log: {cause}.",
            "Start it, or correct use_log.syslog in settings.yml; until then nothing is shown.",
            address=address,
            cause=error.strerror or type(error).__name__,
        ) from error


def _value(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
    marked = harmless(" ".join(text.split()))
    return marked.replace("\\", "\\\\").replace('"', '\\"')


def _bounded(text: str) -> str:
    return text.encode("utf-8", "replace")[:LONGEST_LINE].decode("utf-8", "ignore")


def _to_socket(address: str, line: bytes) -> None:
    """Send to a datagram socket as /dev/log is; to a stream where it is one."""
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(0, "no such sockets here")
    try:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as datagrams:
            datagrams.settimeout(SECONDS)
            datagrams.connect(address)
            datagrams.send(line)
    except OSError as error:
        if error.errno != errno.EPROTOTYPE:
            raise
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as stream:
            stream.settimeout(SECONDS)
            stream.connect(address)
            stream.sendall(line + b"\0")


def _to_server(address: str, line: bytes) -> None:
    host, _colon, port = address.rpartition(":")
    with closing(socket.create_connection((host.strip("[]"), int(port)), SECONDS)) as stream:
        stream.sendall(line)
        stream.shutdown(socket.SHUT_WR)
