"""The commands that come after a month: its closing, and the year's evaluation."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
