"""The commands that try something without changing anything: `preview` and `sensitivity`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.printing_trial import TrialPrinter, as_json_preview

console = Console()
warnings = Console(stderr=True)

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    example = "Example: audit-kernel preview many_accesses --set minimum_openings=15 --purpose 'routine 3.2'"
    app.command(epilog=example)(preview)
    app.command(epilog="Example: audit-kernel sensitivity 2026-10 --incidents 5")(sensitivity)


def preview(
    check: Annotated[str, typer.Argument(help="The check, e.g. many_accesses; `report` runs it for one month.")],
    purpose: Annotated[str, typer.Option("--purpose", help="Why: a case number or a reason.")] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="A threshold to try: NAME=VALUE; may be repeated. None: switching the check on."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A proposed thresholds.yml; its newest decisions are tried.")
    ] = None,
    months: Annotated[int, typer.Option(min=1, max=36, help="How many months to try it on.")] = 6,
    last: Annotated[str, typer.Option(help="The last of them, e.g. 2026-10; the month before this one else.")] = "",
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a change of thresholds, or switching a check on, would have given in the last months, and its hours."""
    from audit_kernel.preview import preview as tried
    from audit_kernel.site import find_site

    opened = find_site(site)
    language = language or opened.settings.language
    given = dict(printing.split_option(each) for each in option or [])
    with printing.month_progress(warnings) as progress:
        found = tried(opened, check, purpose, given=given, proposed=file, n_months=months, last=last, progress=progress)
    if as_json:
        printing.print_json(as_json_preview(found, language))
    else:
        TrialPrinter(console, language).preview(found)


def sensitivity(
    month: Annotated[str, typer.Argument(help="Year and month, e.g. 2026-10.")],
    incidents: Annotated[int, typer.Option(min=1, max=50, help="Incidents of each kind, where there are people.")] = 5,
    seed: Annotated[str, typer.Option(help="What they are drawn with; drawn at random when left out.")] = "",
    every_check: Annotated[
        bool, typer.Option("--every-check", help="Ask the checks too that are not switched on.")
    ] = False,
    purpose: Annotated[str, typer.Option(help="Why; the control's own sensitivity when left out.")] = "",
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put synthetic incidents into a copy of a month in memory, and seal how many of them each check finds."""
    from audit_kernel.sensitivity.run import run_sensitivity
    from audit_kernel.site import find_site

    opened = find_site(site)
    language = language or opened.settings.language
    with printing.month_progress(warnings) as progress:
        run = run_sensitivity(
            opened,
            month,
            n_of_kind=incidents,
            seed=seed,
            every_check=every_check,
            purpose=purpose,
            language=language,
            progress=progress,
        )
    TrialPrinter(console, language).sealed(run, as_json=as_json)
    run.require_complete()
