"""The commands that come after a month: its closing, and the year's evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import printing

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""

    @app.command(epilog="Example: audit-kernel close 2026-10 --signed-by 'Kari Lie' --title 'privacy officer'")
    def close(
        month: Annotated[str, typer.Argument(help="Year and month, e.g. 2026-10.")],
        signed_by: Annotated[str, typer.Option(help="Who signs it off, by name.")],
        title: Annotated[str, typer.Option(help="And by title.")],
        measure: Annotated[
            list[str] | None,
            typer.Option(help="What was done, or CHECK: what was done about its findings; may be repeated."),
        ] = None,
        open_reason: Annotated[str, typer.Option(help="Why it is closed although something is undecided.")] = "",
        again: Annotated[str, typer.Option(help="Why a month is closed once more.")] = "",
        language: Annotated[str, typer.Option(help="en, sv or nb; the month's own when left out.")] = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Close a month: seal what was decided, what the sample proves, what is open and what is done about it."""
        from audit_kernel.closing.close import close_month
        from audit_kernel.site import find_site

        opened = find_site(site)
        asked = {"open_reason": open_reason, "again": again, "language": language}
        closed = close_month(opened, month, signed_by, title, measure or [], **asked)
        if as_json:
            paths = {"bag": str(closed.bag), "page": str(closed.page)}
            printing.print_json({**paths, "warnings": closed.warnings, **closed.facts})
            return
        to = printing.Printer(Console(), language or opened.settings.language)
        for text in (*closed.warnings, str(closed.page)):
            to.say(text)

    @app.command(epilog="Example: audit-kernel year 2026")
    def year(
        year: Annotated[str, typer.Argument(help="A year, e.g. 2026.")],
        language: Annotated[str, typer.Option(help="en, sv or nb; the site's own when left out.")] = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Seal a year's evaluation and overview, made of the sealed months and closings alone."""
        from audit_kernel.site import find_site
        from audit_kernel.yearly.run import run_year

        opened = find_site(site)
        made = run_year(opened, year, language)
        if as_json:
            paths = {"bag": str(made.bag), "evaluation": str(made.evaluation), "overview": str(made.overview)}
            printing.print_json({**paths, "warnings": made.warnings, **made.facts})
            return
        to = printing.Printer(Console(), language or opened.settings.language)
        for text in (*made.warnings, str(made.evaluation), str(made.overview)):
            to.say(text)
