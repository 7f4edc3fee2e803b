"""The commands of review: lists out, decisions in, how far it has come."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.commands_review_course import add_course
from audit_kernel.errors import UsageError
from audit_kernel.review_reasons import DECISIONS, decision_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.errors import AuditKernelError
    from audit_kernel.restriction import Kind, Restriction
    from audit_kernel.review.agreement import Agreement
    from audit_kernel.review.delivery import Delivery
    from audit_kernel.review.export import Exported
    from audit_kernel.review.status import Progress
    from audit_kernel.review.taking_in import TakenIn
    from audit_kernel.site import Site

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: a case number.")]
EmployeeOption = Annotated[str | None, typer.Option("--employee", help="An employee: id, or a log's user name.")]
PatientOption = Annotated[str | None, typer.Option("--patient", help="A patient: id, or an identifier of any log.")]
MonthArgument = Annotated[str, typer.Argument(help="Year and month, e.g. 2026-10.")]


def printer(site: Site) -> ReviewPrinter:
    """Return what prints in the site's language."""
    return ReviewPrinter(Console(), site.settings.language)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    review = typer.Typer(no_args_is_help=True, help="Review lists: out to the managers, decisions in.")
    restrict = typer.Typer(no_args_is_help=True, help="People in open cases, kept from the month's ordinary pages.")
    app.add_typer(review, name="review")
    app.add_typer(restrict, name="restrict")
    _register_restrict(restrict)

    @review.command(epilog="Example: audit-kernel review export 2026-10 lists")
    def export(
        month: MonthArgument,
        folder: Annotated[Path, typer.Argument(help="A folder for the lists; it is made, for its owner only.")],
        purpose: Annotated[str, typer.Option("--purpose", help="Why; the month's review when left out.")] = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write one workbook a reviewer from the month's sealed run: the random sample and the ranked findings."""
        from audit_kernel.review.export import export_lists
        from audit_kernel.site import find_site

        opened = find_site(site)
        made, warnings = export_lists(opened, month, folder, purpose)
        if as_json:
            printing.print_json({"lists": _plain(made), "warnings": warnings})
            return
        printer(opened).exported(made)
        for text in warnings:
            printer(opened).say(text)

    @review.command("import", epilog="Example: audit-kernel review import lists/2026-10-E1-3f2a.xlsx")
    def import_(
        files: Annotated[list[Path], typer.Argument(help="Lists that came back.")],
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Take decided lists in; a list with one wrong line is refused whole. The same file twice adds nothing."""
        from audit_kernel.review.taking_in import take_in_lists
        from audit_kernel.site import find_site

        opened = find_site(site)
        _tell_taken_in(opened, *take_in_lists(opened, files), as_json=as_json)

    @review.command(epilog="Example: audit-kernel review deliver 2026-10")
    def deliver(month: MonthArgument, site: SiteOption = None, as_json: JsonOption = False) -> None:
        """Write each list into its reviewer's own folder, worklists/ACCOUNT; one that is there already stays."""
        from audit_kernel.review.delivery import deliver_lists
        from audit_kernel.site import find_site

        opened = find_site(site)
        made = deliver_lists(opened, month)
        if as_json:
            listed = {"delivered": _plain(made.new), "left": _plain(made.left)}
            printing.print_json({**listed, "refused": list(map(str, made.refused)), "warnings": made.warnings})
        else:
            printer(opened).delivered(made)
        _tell_refused(opened, made.refused)

    @review.command(epilog="Example: audit-kernel review collect")
    def collect(site: SiteOption = None, as_json: JsonOption = False) -> None:
        """Take in what reviewers decided in the lists of their own folders; what was collected before adds nothing."""
        from audit_kernel.review.delivery import collect_lists
        from audit_kernel.site import find_site

        opened = find_site(site)
        _tell_taken_in(opened, *collect_lists(opened), as_json=as_json)

    review.command(epilog="Example: audit-kernel review show 2026-10")(show)
    add_course(review)


def _plain(made: Sequence[Exported]) -> list[dict[str, Any]]:
    return [asdict(each) | {"path": str(each.path)} for each in made]


def _tell_taken_in(site: Site, done: Sequence[TakenIn], refused: Sequence[AuditKernelError], *, as_json: bool) -> None:
    """Print what lists brought and which were refused."""
    if as_json:
        printing.print_json({"taken_in": [asdict(each) for each in done], "refused": list(map(str, refused))})
    elif done:
        printer(site).taken_in(done)
    _tell_refused(site, refused)


def _tell_refused(site: Site, refused: Sequence[AuditKernelError]) -> None:
    """Say what was refused, and end with its exit code."""
    for error in refused:
        printing.Printer(Console(stderr=True), site.settings.language).say(error.text(site.settings.language))
    if refused:
        raise typer.Exit(refused[0].exit_code)


def show(month: MonthArgument, site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Show how many rows each reviewer has decided, how many are open, and how far two reviewers agree."""
    from audit_kernel.review.agreement import agreement
    from audit_kernel.review.status import progress
    from audit_kernel.site import find_site

    opened = find_site(site)
    found, both = progress(opened, month), agreement(opened, month)
    if as_json:
        printing.print_json({"reviewers": [asdict(each) for each in found], "agreement": both.as_plain()})
        return
    printer(opened).progress(found)
    printer(opened).agreement(both)


def _register_restrict(restrict: typer.Typer) -> None:
    """Add the commands of the list of people in open cases."""

    @restrict.command(epilog="Example: audit-kernel restrict add --employee E1042 --reason 'sak 2026/17'")
    def add(
        reason: ReasonOption,
        employee: EmployeeOption = None,
        patient: PatientOption = None,
        site: SiteOption = None,
    ) -> None:
        """Keep findings about a person from the ordinary pages of the months that are run from now on."""
        from audit_kernel.restriction import restrict as place
        from audit_kernel.site import find_site

        opened = find_site(site)
        printer(opened).restrictions([place(opened, *_subject(employee, patient), reason)])

    @restrict.command(epilog="Example: audit-kernel restrict remove --employee E1042 --reason 'sak 2026/17 avsluttet'")
    def remove(
        reason: ReasonOption,
        employee: EmployeeOption = None,
        patient: PatientOption = None,
        site: SiteOption = None,
    ) -> None:
        """Take a person off the list; runs sealed before stay as they are."""
        from audit_kernel.restriction import release, restrictions
        from audit_kernel.site import find_site

        opened = find_site(site)
        release(opened, *_subject(employee, patient), reason)
        printer(opened).restrictions(restrictions(opened))

    @restrict.command("show", epilog="Example: audit-kernel restrict show")
    def show_restricted(site: SiteOption = None, as_json: JsonOption = False) -> None:
        """Show who is on the list, why and since when."""
        from audit_kernel.restriction import restrictions
        from audit_kernel.site import find_site

        opened = find_site(site)
        found = restrictions(opened)
        printing.print_json([asdict(each) for each in found]) if as_json else printer(opened).restrictions(found)


def _subject(employee: str | None, patient: str | None) -> tuple[Kind, str]:
    """Return kind and id of the one person that was named.

    Raises
    ------
    UsageError: none or two were.
    """
    if employee and not patient:
        return "employee", employee
    if patient and not employee:
        return "patient", patient
    raise UsageError("Not one person was named.", "Give either --employee or --patient.")


class ReviewPrinter(printing.Printer):
    """Prints what these commands answer."""

    def exported(self, made: Sequence[Exported]) -> None:
        """Print the lists that were written."""
        _ = self.translate
        columns = [(_("Reviewer"), ""), (_("Rows"), "end"), (_("File"), "")]
        rows = [(each.reviewer_name, self._number(each.n_rows), str(each.path)) for each in made]
        self._table(_("Review lists"), columns, rows)

    def delivered(self, made: Delivery) -> None:
        """Print the lists that were delivered, those that stay as they are, and what the operator must know."""
        _ = self.translate
        if made.new:
            self.exported(made.new)
        for each in made.left:
            self.say(_("{reviewer}: delivered before; the list stays as it is.").format(reviewer=each.reviewer_name))
        for text in made.warnings:
            self.say(text)

    def taken_in(self, done: Sequence[TakenIn]) -> None:
        """Print what each list brought."""
        _ = self.translate
        for each in done:
            if each.is_repeated:
                self.say(_("{file} came before; nothing was added.").format(file=each.file_name))
                continue
            text = _(
                "{file}, {reviewer}: {decided} of {rows} rows decided; {new} decisions added,"
                " {changed} of them in place of an earlier one."
            )
            counts = {
                "decided": self._number(each.n_decided),
                "rows": self._number(each.n_rows),
                "new": self._number(each.n_new),
                "changed": self._number(each.n_changed),
            }
            self.say(text.format(file=each.file_name, reviewer=each.reviewer_name, **counts))

    def restrictions(self, found: Sequence[Restriction]) -> None:
        """Print who is on the list of open cases."""
        _ = self.translate
        if not found:
            self.say(_("Nobody is on the list: the month keeps no finding back for an open case."))
            return
        kinds = {"employee": _("Employee"), "patient": _("Patient")}
        labels = ("", _("Id"), _("Reason"), _("By whom"), _("Since (UTC)"))
        rows = [
            (kinds[each.kind], each.subject_id, each.reason, each.placed_by, each.placed_at[:16].replace("T", " "))
            for each in found
        ]
        self._table(_("Kept for the privacy officer"), [(label, "") for label in labels], rows)

    def progress(self, found: Sequence[Progress]) -> None:
        """Print how far each reviewer has come."""
        _ = self.translate
        if not found:
            self.say(_("No list of this month has gone out."))
            return
        labels = (_("Rows"), _("Open"), _("Justified"), _("Unjustified"), _("To follow up"))
        columns = [(_("Reviewer"), ""), *((label, "end") for label in labels)]
        rows = []
        for each in found:
            counts = (each.n_rows, each.n_open, each.n_justified, each.n_unjustified, each.n_follow_up)
            rows.append((each.reviewer_name, *map(self._number, counts)))
        self._table(_("Review"), columns, rows)

    def agreement(self, found: Agreement) -> None:
        """Print how far two reviewers agree: the table of both decisions, and what it means in sentences."""
        from audit_kernel.review.agreement import agreement_in_words, table_rows

        _ = self.translate
        if found.n_both:
            words = decision_words(self.language)
            columns = [(_("First reviewer"), ""), *((words[name], "end") for name in DECISIONS)]
            caption = _("Rows by both decisions; the second reviewer's across")
            self._table(caption, columns, table_rows(found, self.language))
        for text in agreement_in_words(found, self.language):
            self.say(text)
