"""The program openssl: what it alone can do here is CAdES signatures (RFC 5126) and time stamps (RFC 3161)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from audit_kernel.errors import UnavailableError

WAIT_SECONDS = 60


def openssl(*arguments: str | Path, content: bytes = b"") -> bytes | None:
    """Return what `openssl` writes, given `content` as its input; None when it refuses.

    Raises
    ------
    UnavailableError: the program is missing or does not end.
    """
    try:
        done = subprocess.run(
            ["openssl", *map(str, arguments)],
            input=content,
            capture_output=True,
            check=False,
            timeout=WAIT_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            "The program openssl cannot be run.",
            "Install OpenSSL 3.0 or newer: time stamps and certificates need it.",
        ) from error
    return done.stdout if done.returncode == 0 else None
