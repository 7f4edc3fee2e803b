"""The commands of log extracts: for a patient, for an employee, what is due, what was handed out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.locale import format_date
from audit_kernel.options import SiteOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.extract_journal import Extract
    from audit_kernel.extracts import Request
    from audit_kernel.site import Site

LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
PurposeOption = Annotated[str, typer.Option("--purpose", help='Why: a case number, e.g. "dnr 2026/17".')]
FromOption = Annotated[str, typer.Option("--from", help="First day, e.g. 2026-10-01.")]
ToOption = Annotated[str, typer.Option("--to", help="Last day, included, e.g. 2026-10-31.")]
RequestedOption = Annotated[str, typer.Option("--requested", help="The day on which it was asked for; today else.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    extract = typer.Typer(
        no_args_is_help=True, help="Log extracts: for a patient, one acting for them, or an employee."
    )
    app.add_typer(extract, name="extract")
    _register_making(extract)

    @extract.command("list", epilog="Example: audit-kernel extract list")
    def list_(site: SiteOption = None, language: LanguageOption = "", as_json: JsonOption = False) -> None:
        """Show which extracts are open, overdue or handed out."""
        from audit_kernel.extract_journal import extracts
        from audit_kernel.sealing.asking import told
        from audit_kernel.site import find_site

        opened = find_site(site)
        _print(opened, extracts(opened), language, as_json=as_json)
        if not as_json:
            to = ExtractPrinter(Console(), language or opened.settings.language)
            to.told(told(opened, "extract", None, to.language))

    @extract.command(
        "handed-out", epilog="Example: audit-kernel extract handed-out ID --to 'the patient, identity card'"
    )
    def handed_out(
        extract_id: Annotated[str, typer.Argument(metavar="ID", help="The extract, as `extract list` shows it.")],
        to: Annotated[str, typer.Option("--to", help="Who took it, and how the person was known. No personal number.")],
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Record that an extract was handed out."""
        from audit_kernel.extract_journal import hand_out
        from audit_kernel.site import find_site

        opened = find_site(site)
        _print(opened, [hand_out(opened, extract_id, to)], "", as_json=as_json)

    @extract.command(epilog="Example: audit-kernel extract withhold E1042 --reason 'sak 2026/17'")
    def withhold(
        employee: Annotated[str, typer.Argument(help="An employee: id, or a log's user name.")],
        reason: Annotated[str, typer.Option("--reason", help="Why: a case number.")],
        lift: Annotated[bool, typer.Option("--lift", help="Name the employee again from now on.")] = False,
        site: SiteOption = None,
    ) -> None:
        """Show an employee whom naming would endanger by unit and role only, in every extract from now on."""
        from audit_kernel.extract_journal import withheld
        from audit_kernel.extract_journal import withhold as place
        from audit_kernel.site import find_site

        opened = find_site(site)
        place(opened, employee, reason, lift=lift)
        ExtractPrinter(Console(), opened.settings.language).withheld(withheld(opened))


def _register_making(extract: typer.Typer) -> None:
    """Add the commands that make an extract."""

    @extract.command(
        epilog="Example: audit-kernel extract patient 1042 --from 2026-08-01 --to 2026-10-31 --purpose 'dnr 2026/17'"
        " --recipient patient --requested 2026-11-02"
    )
    def patient(
        number: Annotated[str, typer.Argument(help="Patient id, or an identifier of any log.")],
        from_date: FromOption,
        to_date: ToOption,
        recipient: Annotated[str, typer.Option("--recipient", help="patient, representative or next_of_kin.")],
        purpose: PurposeOption = "",
        proof: Annotated[str, typer.Option("--proof", help="What was seen of one who acts for the patient.")] = "",
        requested: RequestedOption = "",
        employee: Annotated[str, typer.Option("--employee", help="Answer about one employee only.")] = "",
        language: LanguageOption = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make a patient's extract of the access logs, sealed, as a page and as JSON."""
        from audit_kernel.extracts import Request

        asked = Request(number, from_date, to_date, purpose, recipient, proof, requested, employee, language)
        _make(site, asked, as_json=as_json)

    @extract.command(
        epilog="Example: audit-kernel extract employee E1042 --from 2026-08-01 --to 2026-10-31 --purpose 'sak 2026/18'"
    )
    def employee(
        number: Annotated[str, typer.Argument(help="Employee id, or a log's user name.")],
        from_date: FromOption,
        to_date: ToOption,
        purpose: PurposeOption = "",
        requested: RequestedOption = "",
        language: LanguageOption = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Make an employee's own extract: what is logged of their own accesses, patients masked by the rules."""
        from audit_kernel.extracts import Request

        asked = Request(number, from_date, to_date, purpose, requested=requested, language=language, kind="employee")
        _make(site, asked, as_json=as_json)


def _make(site: Path | None, asked: Request, *, as_json: bool) -> None:
    from audit_kernel.extracts import make_extract
    from audit_kernel.sealing.asking import ask_for_extract, must_ask
    from audit_kernel.site import find_site

    opened = find_site(site)
    if must_ask(opened, opened.archive_folder):
        to = ExtractPrinter(Console(), asked.language or opened.settings.language)
        to.asked(ask_for_extract(opened, asked), "extract list", as_json=as_json)
        return
    run, made = make_extract(opened, asked)
    if as_json:
        printing.print_json(_plain(opened, made) | {"page": str(run.index), "warnings": run.warnings})
        return
    to = ExtractPrinter(Console(), made.language)
    to.run(run)
    to.extracts(opened, [made])


def _print(site: Site, found: Sequence[Extract], language: str, *, as_json: bool) -> None:
    if as_json:
        printing.print_json([_plain(site, each) for each in found])
    else:
        ExtractPrinter(Console(), language or site.settings.language).extracts(site, found)


def _plain(site: Site, extract: Extract) -> dict[str, Any]:
    from audit_kernel.extract_journal import local_today

    return asdict(extract) | {"status": extract.status(local_today(site))}


class ExtractPrinter(printing.Printer):
    """Prints what these commands answer."""

    def extracts(self, site: Site, found: Sequence[Extract]) -> None:
        """Print extracts, each with when it is due and what became of it."""
        from datetime import date

        from audit_kernel.extract_journal import local_today
        from audit_kernel.extract_rules import recipient_words

        _ = self.translate
        if not found:
            self.say(_("No extract has been made."))
            return
        words = {
            "open": _("open"),
            "overdue": _("OVERDUE"),
            "handed_out": _("handed out"),
            **recipient_words(self.language),
        }
        labels = (_("Id"), _("About"), _("For"), _("Asked for"), _("Due"), _("State"), _("Handed out to"))
        rows = [
            (
                each.extract_id,
                each.subject_id,
                words[each.recipient],
                format_date(date.fromisoformat(each.requested), self.language),
                format_date(date.fromisoformat(each.due), self.language),
                words[each.status(local_today(site))],
                "; ".join(f"{given['to']} ({given['at'][:10]})" for given in each.handed_out),
            )
            for each in found
        ]
        self._table(_("Log extracts"), [(label, "") for label in labels], rows)

    def withheld(self, found: dict[str, str]) -> None:
        """Print whom extracts show by unit and role only, and since when."""
        _ = self.translate
        rows = sorted(found.items())
        self._table(_("Shown by unit and role only"), [(_("Employee"), ""), (_("Since (UTC)"), "")], rows)
