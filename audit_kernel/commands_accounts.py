"""The command `serve accounts`: who on this machine gets which folder of the site."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import printing

console = Console()

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(serve: typer.Typer) -> None:
    """Add the command to the group `serve`."""
    example = "Example: audit-kernel serve accounts --write accounts --site /srv/audit-kernel/site"
    serve.command(epilog=example)(accounts)


def accounts(
    write: Annotated[
        Path | None, typer.Option("--write", help="Write the files for systemd, sudo and PostgreSQL into this folder.")
    ] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare this machine's users, groups and folders with what the roles need: exit code 1 where they differ."""
    from audit_kernel.serving.accounts import write_files
    from audit_kernel.serving.accounts_check import account_lacks
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printing.Printer(console, opened.settings.language)
    if write is not None:
        written = list(map(str, write_files(opened, Path(sys.prefix) / "bin" / "audit-kernel", write)))
        if as_json:
            printing.print_json(written)
        else:
            to.say("\n".join(written))
        return
    found = account_lacks(opened)
    _ = to.translate
    to.lacks(found, _("Users, groups and folders are as the roles need them."), as_json=as_json)
    if found:
        raise typer.Exit(1)
