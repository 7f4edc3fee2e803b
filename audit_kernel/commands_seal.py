"""The command `seal`: the service seals what investigators ask for."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.options import SiteOption

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: audit-kernel seal --site /srv/audit-kernel/site")(seal)


def seal(site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Seal the copies and extracts that investigators ask for; for the service. Exit code 1 when one was refused."""
    from audit_kernel.sealing.service import seal_requests
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printing.Printer(Console(), opened.settings.language)
    handled = []
    for each in seal_requests(opened):
        handled.append(each)
        if not as_json:  # systemd keeps this: reasons may quote what was typed, and are for the asker
            said = " ".join(each.answer.said) if not each.answer.about else each.answer.run or each.answer.state
            to.say(f"{each.answer.asked_by}: {said}")
    if as_json:
        printing.print_json([each.answer.model_dump() for each in handled])
    elif not handled:
        to.say(to.translate("Nothing was asked for."))
    if code := max((each.exit_code for each in handled), default=0):
        raise typer.Exit(code)
