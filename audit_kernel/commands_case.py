"""The commands of cases: open, note, attach, decide, share, close, list, show, export; the deviation's beside them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.options import SiteOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.cases.case import Case
    from audit_kernel.printing_case import CasePrinter
    from audit_kernel.site import Site

LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
NumberArgument = Annotated[str, typer.Argument(metavar="NUMBER", help='The case number, e.g. "sak 2026/17".')]
TextArgument = Annotated[str, typer.Argument(metavar="TEXT", help="In words; - reads it from standard input.")]
FromOption = Annotated[str, typer.Option("--from", help="First day, e.g. 2026-08-01.")]
ToOption = Annotated[str, typer.Option("--to", help="Last day, included, e.g. 2026-10-31.")]
PeopleOption = Annotated[list[str] | None, typer.Option(help="By id, or an identifier of any log; may be repeated.")]
RECIPIENTS = "internal, authority, employee, patient or police."


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    from audit_kernel.commands_deviation import register_deviation

    case = typer.Typer(no_args_is_help=True, help="Cases: from a suspicion to a documented deviation.")
    app.add_typer(case, name="case")
    _register_opening(case)
    _register_adding(case)
    register_deviation(case)
    _register_showing(case)


def printer(site: Site, language: str = "") -> CasePrinter:
    """Return what prints in the language asked for, else the site's."""
    from audit_kernel.printing_case import CasePrinter

    return CasePrinter(Console(), language or site.settings.language)


def do(folder: Path | None, work: Callable[[Site], Case]) -> None:
    """Add something to a case of a site and print what was added."""
    from audit_kernel.site import find_site

    site = find_site(folder)
    printer(site).added(site, work(site))


def read_text(typed: str) -> str:
    """Return what was typed, or what stands in standard input: other users of the machine see a command's words."""
    return sys.stdin.read() if typed == "-" else typed


def _register_opening(case: typer.Typer) -> None:
    """Add the commands that open, share and close."""

    @case.command(
        "open",
        epilog="Example: audit-kernel case open 'sak 2026/17' --purpose 'access without need?' --patient 1042"
        " --employee E1042 --from 2026-08-01 --to 2026-10-31 --reader kari",
    )
    def open_(
        number: NumberArgument,
        purpose: Annotated[str, typer.Option(help="What it is to find out.")],
        patient: PeopleOption = None,
        employee: PeopleOption = None,
        from_date: FromOption = "",
        to_date: ToOption = "",
        reader: Annotated[list[str] | None, typer.Option(help="Another user of this machine who may see it.")] = None,
        restrict: Annotated[bool, typer.Option("--restrict", help="Keep its people from the month's pages.")] = False,
        site: SiteOption = None,
    ) -> None:
        """Open a case; you and the users named may see it."""
        from audit_kernel.cases.work import start_case

        asked: dict[str, Any] = {"patients": patient or [], "employees": employee or [], "readers": reader or []}
        asked |= {"from_date": from_date, "to_date": to_date, "restricts": restrict}
        do(site, lambda opened: start_case(opened, number, purpose, **asked))

    @case.command(epilog="Example: audit-kernel case about 'sak 2026/17' --employee E1076 --restrict")
    def about(
        number: NumberArgument,
        patient: PeopleOption = None,
        employee: PeopleOption = None,
        restrict: Annotated[bool, typer.Option("--restrict", help="Keep them from the month's pages.")] = False,
        site: SiteOption = None,
    ) -> None:
        """Name others whom a case turns out to be about."""
        from audit_kernel.cases.work import add_subjects

        people: dict[str, Any] = {"patients": patient or [], "employees": employee or []}
        do(site, lambda opened: add_subjects(opened, number, **people, restricts=restrict))

    @case.command(epilog="Example: audit-kernel case share 'sak 2026/17' --with ola")
    def share(
        number: NumberArgument,
        to: Annotated[str, typer.Option("--with", help="A user of this machine who may see the case.")] = "",
        without: Annotated[str, typer.Option("--without", help="A user who may no longer see it.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Let another user see a case, or end that."""
        from audit_kernel.cases.work import share as work

        do(site, lambda opened: work(opened, number, without or to, ends=bool(without)))

    @case.command(epilog="Example: audit-kernel case close 'sak 2026/17' --outcome 'warned, access removed'")
    def close(
        number: NumberArgument,
        outcome: Annotated[str, typer.Option(help="How it ended.")],
        open_reason: Annotated[str, typer.Option(help="Why it is closed although something is open.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Close a case: decided, and where there is a deviation, notified and with measures in all four steps."""
        from audit_kernel.cases.work import close as work

        do(site, lambda opened: work(opened, number, outcome, open_reason))

    @case.command(epilog="Example: audit-kernel case reopen 'sak 2026/17' --reason 'the patient wrote again'")
    def reopen(
        number: NumberArgument, reason: Annotated[str, typer.Option(help="Why.")], site: SiteOption = None
    ) -> None:
        """Open a closed case again."""
        from audit_kernel.cases.work import reopen as work

        do(site, lambda opened: work(opened, number, reason))


def _register_adding(case: typer.Typer) -> None:
    """Add the commands that add notes, evidence and decisions."""

    @case.command(
        epilog="Example: audit-kernel case note 'sak 2026/17' - --kind conversation --with E1042 --on 2026-11-02"
    )
    def note(
        number: NumberArgument,
        text: TextArgument,
        kind: Annotated[str, typer.Option(help="note, conversation, or explanation: the employee's own.")] = "note",
        who: Annotated[str, typer.Option("--with", help="With whom, or whose explanation.")] = "",
        on: Annotated[str, typer.Option("--on", help="The day it was, e.g. 2026-11-02.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Add a note, a conversation, or the employee's explanation."""
        from audit_kernel.cases.work import add_note

        do(site, lambda opened: add_note(opened, number, read_text(text), kind, who=who, on=on))

    @case.command(
        epilog="Examples: audit-kernel case attach 'sak 2026/17' --report activity --employee E1042 --from 2026-08-01"
        " --to 2026-10-31; audit-kernel case attach 'sak 2026/17' --file letter.pdf"
    )
    def attach(
        number: NumberArgument,
        report: Annotated[str, typer.Option(help="A report to ask now: activity, system_log ...")] = "",
        patient: Annotated[str | None, typer.Option(help="The report's patient.")] = None,
        employee: Annotated[str | None, typer.Option(help="The report's employee.")] = None,
        from_date: FromOption = "",
        to_date: ToOption = "",
        option: Annotated[list[str] | None, typer.Option("--set", help="Another parameter: NAME=VALUE.")] = None,
        file: Annotated[Path | None, typer.Option(help="A file, e.g. a scanned letter: it is copied.")] = None,
        run: Annotated[str, typer.Option(help="A sealed run of the archive, by its name.")] = "",
        why: Annotated[str, typer.Option(help="What it is to show.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Add evidence, sealed now: a report's rows with query and snapshot, a file, or a sealed run."""
        from audit_kernel.cases import attach as work
        from audit_kernel.errors import UsageError

        if [bool(report), file is not None, bool(run)].count(True) != 1:
            raise UsageError("Either a report, a file or a run is added.", "Give --report, --file or --run.")
        given: dict[str, Any] = {"patient_id": patient, "employee_id": employee}
        given |= {"from_date": from_date, "to_date": to_date}
        given |= dict(printing.split_option(each) for each in option or [])
        given = {name: value for name, value in given.items() if value}
        if report:
            do(site, lambda opened: work.attach_report(opened, number, report, given, why))
        elif file:
            do(site, lambda opened: work.attach_file(opened, number, file, why))
        else:
            do(site, lambda opened: work.attach_run(opened, number, run, why))

    @case.command(
        epilog="Example: audit-kernel case decide 'sak 2026/17' unjustified --reason no_need_in_the_work"
        " --text 'no care relation, own explanation does not hold' --about E1042"
    )
    def decide(
        number: NumberArgument,
        decision: Annotated[str, typer.Argument(help="justified, unjustified or follow_up.")],
        reason: Annotated[str, typer.Option(help="A reason's code from parameters/review_reasons.yml.")],
        text: Annotated[str, typer.Option(help="Why, in words.")],
        about: Annotated[str, typer.Option(help="One whom the case is about, by id; else the whole case.")] = "",
        site: SiteOption = None,
    ) -> None:
        """Decide; a later decision takes this one's place, and both stay."""
        from audit_kernel.cases.work import decide as work

        do(site, lambda opened: work(opened, number, decision, reason, text, about))


def _register_showing(case: typer.Typer) -> None:
    """Add the commands that show and export."""

    @case.command("list", epilog="Example: audit-kernel case list")
    def list_(site: SiteOption = None, language: LanguageOption = "", as_json: JsonOption = False) -> None:
        """List the cases that you may see, with the clocks that run, and how many others there are."""
        from audit_kernel.cases.lines import seen_cases
        from audit_kernel.printing_case import plain
        from audit_kernel.site import find_site

        opened = find_site(site)
        found, n_others, damaged = seen_cases(opened)
        if as_json:
            told = [{name: each for name, each in plain(opened, case).items() if name != "lines"} for case in found]
            printing.print_json({"cases": told, "n_others": n_others, "damaged": list(map(str, damaged))})
        else:
            printer(opened, language).cases(opened, found, n_others)
        if damaged:  # after those that can be read
            raise damaged[0]

    @case.command(epilog="Example: audit-kernel case show 'sak 2026/17'")
    def show(
        number: NumberArgument, site: SiteOption = None, language: LanguageOption = "", as_json: JsonOption = False
    ) -> None:
        """Show a case, line by line."""
        from audit_kernel.cases.export import show_case
        from audit_kernel.printing_case import plain
        from audit_kernel.sealing.asking import told
        from audit_kernel.site import find_site

        opened = find_site(site)
        page = show_case(opened, number, language)
        if as_json:
            printing.print_json(plain(opened, page.case))
            return
        to = printer(opened, language)
        to.case(page)
        to.told(told(opened, "case", page.case.number, to.language))

    @case.command(epilog="Example: audit-kernel case export 'sak 2026/17' --recipient employee --with-texts")
    def export(
        number: NumberArgument,
        recipient: Annotated[str, typer.Option(help=f"{RECIPIENTS} Third parties are masked for the last three.")],
        identity: Annotated[str, typer.Option(help="full or masked, for internal and authority.")] = "",
        person: Annotated[str, typer.Option(help="Which of the case's people it goes to, by id.")] = "",
        with_texts: Annotated[
            bool, typer.Option("--with-texts", help="Masked, but with what people wrote: somebody has read it.")
        ] = False,
        site: SiteOption = None,
        language: LanguageOption = "",
        as_json: JsonOption = False,
    ) -> None:
        """Seal a copy of a case for somebody: page and tables, in full also journal and evidence."""
        from audit_kernel.cases.export import export_case
        from audit_kernel.sealing.asking import CaseCopy, ask_for_copy, must_ask
        from audit_kernel.site import find_site

        opened = find_site(site)
        asked: dict[str, Any] = {"identity": identity, "person": person, "with_texts": with_texts}
        if must_ask(opened, opened.restricted_folder):
            copy = CaseCopy(number=number, recipient=recipient, **asked, language=language)
            printer(opened, language).asked(ask_for_copy(opened, copy), "case show", as_json=as_json)
            return
        made = export_case(opened, number, recipient, **asked, language=language)
        printing.print_json(asdict(made)) if as_json else printer(opened, language).exported(made)
