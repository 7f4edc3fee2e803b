"""The commands of a case's deviation: facts, since when it is known, measures, who was notified, the draft."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from audit_kernel import printing
from audit_kernel.options import SiteOption

LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help='The case number, e.g. "sak 2026/17".')]
MOMENT = "e.g. 2026-11-02T14:30, local time"


def register_deviation(case: typer.Typer) -> None:
    """Add the commands to those of cases."""
    from audit_kernel.commands_case import do, printer, read_text

    @case.command(
        epilog="Example: audit-kernel case deviation 'sak 2026/17' --what 'read a neighbour' --discovered"
        " 2026-11-02T14:30 --count 1 --set internal_report=2026-311"
    )
    def deviation(
        number: NumberArgument,
        what: Annotated[str, typer.Option(help="What happened; - reads it from standard input.")] = "",
        how: Annotated[str, typer.Option(help="How it came about.")] = "",
        discovered: Annotated[str, typer.Option(help=f"When it was discovered, {MOMENT}.")] = "",
        began: Annotated[str, typer.Option(help="When it began.")] = "",
        ended: Annotated[str, typer.Option(help="When it ended.")] = "",
        persons: Annotated[str, typer.Option(help="How many persons are affected.")] = "",
        records: Annotated[str, typer.Option(help="How many records.")] = "",
        count: Annotated[int, typer.Option(help="Count both in this evidence of the case.")] = 0,
        consequences: Annotated[str, typer.Option(help="What it can lead to for the persons.")] = "",
        option: Annotated[list[str] | None, typer.Option("--set", help="Another fact: NAME=VALUE.")] = None,
        site: SiteOption = None,
    ) -> None:
        """Record facts of the deviation; what was recorded before stays in its line."""
        from audit_kernel.cases.deviation import record_facts
        from audit_kernel.cases.extent import record_counted

        given: dict[str, Any] = {"what": read_text(what), "how": how, "discovered": discovered, "began": began}
        given |= {"ended": ended, "persons": persons, "records": records, "consequences": consequences}
        given |= dict(printing.split_option(each) for each in option or [])
        facts = {name: value for name, value in given.items() if value}
        if count:
            do(site, lambda opened: record_counted(opened, number, count, facts))
        else:
            do(site, lambda opened: record_facts(opened, number, facts))

    @case.command(epilog="Example: audit-kernel case known 'sak 2026/17' --at 2026-11-02T14:30")
    def known(
        number: NumberArgument,
        at: Annotated[str, typer.Option(help=f"Since when, {MOMENT}; now when left out.")] = "",
        reason: Annotated[str, typer.Option(help="Why another moment holds than the one recorded before.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Record that a breach is known: from then on the 72 hours run."""
        from audit_kernel.cases.deviation import record_known

        do(site, lambda opened: record_known(opened, number, at, reason))

    @case.command(
        epilog="Example: audit-kernel case measure 'sak 2026/17' remove_cause 'access limited to own unit'"
        " --done 2026-11-03"
    )
    def measure(
        number: NumberArgument,
        step: Annotated[str, typer.Argument(help="restore, remove_cause, prevent_recurrence or document.")],
        text: Annotated[str, typer.Argument(metavar="TEXT", help="What is done.")],
        done: Annotated[str, typer.Option(help="The day it was done; planned when left out.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Record a measure in one of the routine's four steps."""
        from audit_kernel.cases.deviation import record_measure

        do(site, lambda opened: record_measure(opened, number, step, text, done))

    @case.command(epilog="Example: audit-kernel case notify 'sak 2026/17' authority --how Altinn --reference AR123")
    def notify(
        number: NumberArgument,
        to: Annotated[str, typer.Argument(help="authority, persons or police.")],
        at: Annotated[str, typer.Option(help=f"When, {MOMENT}; now when left out.")] = "",
        how: Annotated[str, typer.Option(help="By which way, and what was said.")] = "",
        reference: Annotated[str, typer.Option(help="Their reference.")] = "",
        not_needed: Annotated[str, typer.Option(help="Why they need not be notified.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Record that the authority, the persons or the police were notified, or why they need not be."""
        from audit_kernel.cases.deviation import record_notified

        told = {"at": at, "how": how, "reference": reference, "not_needed": not_needed}
        do(site, lambda opened: record_notified(opened, number, to, **told))

    @case.command(epilog="Example: audit-kernel case draft 'sak 2026/17'")
    def draft(number: NumberArgument, site: SiteOption = None, language: LanguageOption = "") -> None:
        """Print the notification in the questions of Datatilsynet or IMY, what is missing too, and seal it."""
        from audit_kernel.cases.draft import make_draft
        from audit_kernel.site import find_site

        opened = find_site(site)
        case_now, rows = make_draft(opened, number, language)
        printer(opened, language).draft(opened, case_now, rows)
