"""The language in which a command tells its error: what was typed may be wrong, yet the error must be told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import AuditKernelError
from audit_kernel.locale import LANGUAGES, SOURCE_LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Sequence


def language_of(arguments: Sequence[str]) -> str:
    """Return the language asked for, else the site's, else English; never an error of its own."""
    from audit_kernel.site import find_site

    if (asked := _option("--language", arguments)) in LANGUAGES:
        return asked
    named = _option("--site", arguments)
    try:
        return find_site(Path(named) if named else None).settings.language
    except (AuditKernelError, OSError, ValueError):
        return SOURCE_LANGUAGE


def _option(name: str, arguments: Sequence[str]) -> str:
    """Return an option's value as typed: `--name value` or `--name=value`; empty when it was left out."""
    for position, argument in enumerate(arguments):
        if argument == name:
            return "".join(arguments[position + 1 : position + 2])
        if argument.startswith(f"{name}="):
            return argument.removeprefix(f"{name}=")
    return ""
