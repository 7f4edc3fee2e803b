"""The commands that keep a store: legal holds, disposal, moving it to another catalogue or place."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.errors import ParameterError
from audit_kernel.printing_store import StorePrinter

if TYPE_CHECKING:
    from audit_kernel.site import Site
    from audit_kernel.store.dispose import Request

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
FromOption = Annotated[str | None, typer.Option("--from", help="First day, e.g. 2019-01-01.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Last day, included.")]


def printer(site: Site) -> StorePrinter:
    """Return what prints in the site's language."""
    return StorePrinter(Console(), site.settings.language)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    holds = typer.Typer(no_args_is_help=True, help="Legal holds: what they name is not disposed of.")
    store = typer.Typer(no_args_is_help=True, help="Where the store lies.")
    app.add_typer(holds, name="hold")
    app.add_typer(store, name="store")

    @app.command(epilog="Examples: audit-kernel dispose --before 2021-01-01; audit-kernel dispose --evidence")
    def dispose(
        before: Annotated[str | None, typer.Option(help="Events before this local day, e.g. 2021-01-01.")] = None,
        patient: Annotated[str | None, typer.Option(help="One patient, by an authority's decision.")] = None,
        decision: Annotated[str, typer.Option(help="Reference of the authority's decision.")] = "",
        evidence: Annotated[
            bool, typer.Option("--evidence", help="Sealed runs whose time is over, by the settings' own decision.")
        ] = False,
        confirm: Annotated[bool, typer.Option("--confirm", help="It goes now, for good.")] = False,
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Show what would go by disposal; with --confirm it goes, physically, and a record is sealed."""
        from audit_kernel.site import find_site
        from audit_kernel.store.dispose import Request

        opened = find_site(site)
        if evidence and not (before or patient or decision):
            _dispose_evidence(opened, confirm=confirm, as_json=as_json)
        else:
            request = Request() if evidence else Request(day(before, "--before"), patient, decision)
            _dispose_logs(opened, request, confirm=confirm, as_json=as_json)

    @holds.command("add", epilog="Example: audit-kernel hold add --patient 1042 --reason 'sak 2026/17'")
    def hold_add(
        reason: Annotated[str, typer.Option(help="Why: a case number. It names nobody.")],
        patient: Annotated[str | None, typer.Option(help="Rows about this patient.")] = None,
        employee: Annotated[str | None, typer.Option(help="Rows of this employee.")] = None,
        source: Annotated[str | None, typer.Option(help="Rows of this log.")] = None,
        from_date: FromOption = None,
        to_date: ToOption = None,
        site: SiteOption = None,
    ) -> None:
        """Place a hold; all that is given must be true of a row."""
        from audit_kernel.site import find_site
        from audit_kernel.store.hold import place_hold

        opened = find_site(site)
        placed = place_hold(
            opened,
            reason,
            patient_id=patient,
            employee_id=employee,
            source_id=source,
            from_date=day(from_date, "--from"),
            to_date=day(to_date, "--to"),
        )
        printer(opened).holds([placed])

    @holds.command("list", epilog="Example: audit-kernel hold list")
    def hold_list(site: SiteOption = None, as_json: JsonOption = False) -> None:
        """List the holds, released ones too."""
        from audit_kernel.site import find_site
        from audit_kernel.store.hold import list_holds

        opened = find_site(site)
        found = list_holds(opened)
        printing.print_json([asdict(each) for each in found]) if as_json else printer(opened).holds(found)

    @holds.command("release", epilog="Example: audit-kernel hold release 20261102T101500Z-3f2a --reason 'sak 2026/17'")
    def hold_release(
        hold: Annotated[str, typer.Argument(help="The hold, as `hold list` names it.")],
        reason: Annotated[str, typer.Option(help="Why it ends.")],
        site: SiteOption = None,
    ) -> None:
        """Release a hold; what it kept goes with the next disposal."""
        from audit_kernel.site import find_site
        from audit_kernel.store.hold import list_holds, release_hold

        opened = find_site(site)
        release_hold(opened, hold, reason)
        printer(opened).holds([each for each in list_holds(opened) if each.hold_id == hold])

    @store.command("move", epilog="Example: audit-kernel store move --files /mnt/share/heimen")
    def store_move(
        catalogue: Annotated[
            str | None, typer.Option(help='"postgres:dbname=... host=... user=...", or sqlite; no password.')
        ] = None,
        files: Annotated[str | None, typer.Option(help="A folder, or s3://bucket/prefix.")] = None,
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Copy the store to another catalogue or place, prove the copy, write the settings; the old one stays."""
        from audit_kernel.site import find_site
        from audit_kernel.store.move import move_store

        opened = find_site(site)
        moved = move_store(opened, catalogue, files)
        printing.print_json(asdict(moved)) if as_json else printer(opened).moved(moved)


def _dispose_logs(site: Site, request: Request, *, confirm: bool, as_json: bool) -> None:
    from audit_kernel.store import dispose as disposal

    if not confirm:
        lines = disposal.plan_disposal(site, request)
        if as_json:
            printing.print_json({"would_go": [asdict(line) for line in lines]})
        else:
            printer(site).disposal(lines)
        return
    done = disposal.dispose(site, request)
    if as_json:
        printing.print_json({"disposed_of": [asdict(each) for each in done]})
    else:
        printer(site).disposed(done, site.archive_folder)


def _dispose_evidence(site: Site, *, confirm: bool, as_json: bool) -> None:
    from audit_kernel.evidence.dispose import dispose_evidence, plan_evidence_disposal

    if not confirm:
        lines = plan_evidence_disposal(site)
        if as_json:
            printing.print_json({"would_go": [asdict(line) for line in lines]})
        else:
            printer(site).evidence(lines)
        return
    done = dispose_evidence(site)
    if as_json:
        printing.print_json({"disposed_of": [asdict(each) for each in done]})
    else:
        printer(site).evidence_disposed(done)


def day(text: str | None, option: str) -> date | None:
    """Return a day as given on the command line.

    Raises
    ------
    ParameterError: it is none.
    """
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise ParameterError(
            "{option} is not a day: {text!r}.", "Write year, month and day: 2026-10-31.", option=option, text=text
        ) from None
