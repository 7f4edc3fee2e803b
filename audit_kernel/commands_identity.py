"""The command `identity`: whose a pseudonym of masked evidence is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.options import SiteOption

LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: audit-kernel identity A-7F3K2-QMX9T --purpose 'sak 2026/17'")(identity)


def identity(
    pseudonym: Annotated[str, typer.Argument(help="An employee's or patient's, as masked evidence shows it.")],
    purpose: Annotated[str, typer.Option("--purpose", help="Why: a case number; it stands in the use log.")] = "",
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whose a pseudonym of this site's masked evidence is. The question and whom it names stand in the use log."""
    from audit_kernel.identity import resolve
    from audit_kernel.site import find_site

    opened = find_site(site)
    found = resolve(opened, pseudonym, purpose)
    if as_json:
        printing.print_json(asdict(found))
        return
    to = printing.Printer(Console(), language or opened.settings.language)
    to.say(" ".join(filter(None, [found.pseudonym, found.id, found.name])))
