"""The commands that open a page to work in, and that make a site to look at: `lab` and `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audit_kernel.options import SiteOption

LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: audit-kernel lab --finding 3f2a9c01d4e6")(lab)
    app.command(epilog="Example: audit-kernel demo demo")(demo)


def lab(
    site: SiteOption = None,
    page: Annotated[
        str, typer.Option(help="investigate; operate: take logs in, run the month; review; audit: verify.")
    ] = "investigate",
    browser: Annotated[bool, typer.Option(help="Open the browser.")] = True,
    finding: Annotated[str, typer.Option(help="A finding's number, from a month's page: follow it.")] = "",
) -> None:
    """Open the investigator's, the operator's, the reviewer's or the auditor's page in JupyterLab."""
    from audit_kernel.investigation.launch import start_lab
    from audit_kernel.site import find_site

    raise typer.Exit(start_lab(find_site(site), page=page, open_browser=browser, finding=finding))


def demo(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")] = Path("demo"),
    country: Annotated[str, typer.Option(help="NO or SE.")] = "NO",
    language: LanguageOption = "",
) -> None:
    """Make the demo municipality, take its logs in and run last month's control."""
    from audit_kernel.demo import make_demo

    raise typer.Exit(make_demo(folder, country, language))
