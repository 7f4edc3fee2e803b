"""The command `officer`: what the data-protection officer sees of the control without running it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
FromOption = Annotated[str, typer.Option("--from", help="First month, e.g. 2026-01; a year back when left out.")]
ToOption = Annotated[str, typer.Option("--to", help="Last month, e.g. 2026-10; the last that has ended when left out.")]


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: audit-kernel officer --from 2026-01 --to 2026-10 --out control.html")(officer)


def officer(
    from_month: FromOption = "",
    to_month: ToOption = "",
    out: Annotated[Path | None, typer.Option(help="Write the page here, as a new file that only you can read.")] = None,
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was done: months, closings, use of the program, cases, journals. Reads archive and journals only."""
    from audit_kernel.errors import UsageError
    from audit_kernel.files import write_new
    from audit_kernel.officer.page import officer_page, summary
    from audit_kernel.officer.page import warnings as warnings_of
    from audit_kernel.officer.reading import overview
    from audit_kernel.site import find_site

    opened = find_site(site)
    language = language or opened.settings.language
    found = overview(opened, from_month, to_month, language)
    if out:
        try:
            write_new(out, officer_page(opened, found, language).encode())
        except FileExistsError:
            raise UsageError("{path} is there already.", "Name a new file with --out.", path=str(out)) from None
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise UsageError(
                "{path} cannot be written: {cause}.", "Name a file in a folder of your own.", path=str(out), cause=cause
            ) from None
    told = warnings_of(found, language)
    if as_json:
        plain: dict[str, Any] = {name: value for name, value in asdict(found).items() if name not in ("uses", "used")}
        plain["uses"] = [
            {**{name: value for name, value in vars(each).items() if name != "people"}, "n_people": len(each.people)}
            for each in found.uses
        ]
        printing.print_json({**plain, "n_use_lines": found.used.n_lines, "warnings": told, "page": out and str(out)})
        return
    to = printing.Printer(Console(), language)
    for text in (summary(found, language), *told, *([str(out)] if out else [])):
        to.say(text)
