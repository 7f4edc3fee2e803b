"""Devices that nginx did not let in, read from its access log: counted by reason and device, for the use log."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from audit_kernel.errors import UnavailableError
from audit_kernel.serving.nginx import LOG_NAME

REFUSED = ("400", "403")
LARGEST_GROUPS = 50  # a scanner that sends thousands of subjects must not fill the use log
LONGEST = 200
CURSOR = "refusals.cursor"
UNIT = "audit-kernel-nginx.service"
PAIR = re.compile(r'"([a-z]+)":"((?:[^"\\]|\\.)*)"')  # as nginx writes them; it escapes what stands in a value
SECONDS = 120


@dataclass(frozen=True)
class Refusal:
    """What was refused alike: reason (certificate, organisation, register, others), and nginx's word on it.

    Subject and serial number are the device's own claim, or the authority's where it signed them.
    """

    reason: str
    verify: str = ""
    subject: str = ""
    serial: str = ""
    address: str = ""


def read_refusals(lines: Iterable[str]) -> dict[Refusal, int]:
    """Return how often each was refused, most often first; what is beyond the largest groups is counted as one."""
    counts: dict[Refusal, int] = {}
    for line in lines:
        if (found := _refusal(line)) is not None:
            counts[found] = counts.get(found, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], *vars(item[0]).values()))
    kept, rest = dict(ordered[:LARGEST_GROUPS]), sum(count for _each, count in ordered[LARGEST_GROUPS:])
    return {**kept, Refusal("others"): rest} if rest else kept


def journal_lines(folder: Path) -> list[str]:
    """Return nginx's lines since the last reading, from journald; the place is kept in `folder`.

    Raises
    ------
    UnavailableError: journald cannot be read.
    """
    place = f"--cursor-file={folder / CURSOR}"
    # The unit's name is journald's own word: a local program can only forge the identifier.
    which = [f"_SYSTEMD_UNIT={UNIT}", f"SYSLOG_IDENTIFIER={LOG_NAME}"]
    command = ["journalctl", "--quiet", "--no-pager", "--output=cat", place, *which]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        done = None
    if done is None or done.returncode:
        raise UnavailableError(
            "journald cannot be read.",
            "Put the user into the group systemd-journal, or give nginx's lines on the input with --input.",
        )
    return done.stdout.decode("utf-8", "replace").splitlines()


def _refusal(line: str) -> Refusal | None:
    """Return a line's refusal; None where it is none. A line that a long subject cut off is read as far as it goes."""
    values = dict(PAIR.findall(line))
    if values.get("status") not in REFUSED or not values.get("refused"):
        return None
    kept = {key: values.get(key, "")[:LONGEST] for key in ("verify", "subject", "serial", "address")}
    return Refusal(values["refused"][:LONGEST], **kept)
