"""The run file: what a notebook of a run needs to know, handed over as one path."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError
from audit_kernel.files import write_new
from audit_kernel.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class RunFile:
    """Site folder, store snapshot, purpose, threads of a query, folder for result tables, folder of kept answers.

    scope, people: of a masked run the scope of its pseudonyms, and whose those are that its parameters hold.
    control: the month whose control it is; empty for what a person asks.
    live: the site whose store it reads, where another's sealed inputs are used (`Site`).
    asked_on: the day (UTC) on which the run began, YYYY-MM-DD.
    asked_by: the user for whom the service makes it (`Site`).
    kept_apart: file that says whose rows only the run `shows_restricted` shows; empty where a run shows all.
    """

    site: str
    snapshot: int
    purpose: str
    threads: int
    tables: str
    home: str = ""
    answers: str = ""
    kept_apart: str = ""
    shows_restricted: bool = False
    live: str = ""
    asked_on: str = ""
    scope: str = ""
    people: Mapping[str, str] = field(default_factory=dict)
    control: str = ""
    asked_by: str = ""

    def opened_site(self) -> Site:
        """Return the run's site.

        Raises
        ------
        SettingsError: a setting is wrong.
        """
        live = Path(self.live) if self.live not in {"", self.site} else None
        asked_on = date.fromisoformat(self.asked_on) if self.asked_on else None
        return Site(Path(self.site), live, asked_on, self.asked_by)

    def write(self, path: Path) -> None:
        """Write it, readable by its owner only."""
        write_new(path, json.dumps(asdict(self)).encode())


def read_run_file(path: str) -> RunFile:
    """Read a run file.

    Raises
    ------
    UsageError: the notebook was opened by itself, without a run.
    """
    if not path:
        raise UsageError(
            "This notebook was opened without a run, so no purpose was given and nothing is shown.",
            "Use `audit-kernel report` or `audit-kernel month`, or open investigate.ipynb.",
        )
    try:
        return RunFile(**json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UsageError("The run file {path!r} cannot be read.", "Start the run again.", path=path) from None
