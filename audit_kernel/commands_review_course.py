"""The commands while a review runs: reminders of what is overdue, and the rows about which two reviewers differ."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.errors import MonthIncompleteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.decisions import Opinions, Subject
    from audit_kernel.review.reminders import Reminder
    from audit_kernel.site import Site

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def add_course(review: typer.Typer) -> None:
    """Add the commands to `review`."""

    @review.command(epilog="Example: audit-kernel review remind --send")
    def remind(
        month: Annotated[str, typer.Argument(help="Year and month; every month not closed when left out.")] = "",
        send: Annotated[bool, typer.Option("--send", help="Send those with an address; print the others.")] = False,
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write a reminder for each reviewer with overdue rows. Exit code 3 when something is overdue."""
        from audit_kernel.review.reminders import overdue, send_reminders
        from audit_kernel.site import find_site

        opened = find_site(site)
        found = overdue(opened, datetime.now(ZoneInfo(opened.settings.time_zone)).date(), month)
        sent = send_reminders(opened, found) if send else []
        if as_json:
            printing.print_json([asdict(each) | {"is_sent": each in sent} for each in found])
        else:
            CoursePrinter(Console(), opened.settings.language).reminders(found, sent)
        if found:
            raise typer.Exit(MonthIncompleteError.exit_code)

    @review.command(
        epilog="Example: audit-kernel review settle 2026-10 3f2a91c0 --decision justified"
        " --reason care_of_the_patient --remark 'on the rota'"
    )
    def settle(
        month: Annotated[str, typer.Argument(help="Year and month, e.g. 2026-10.")],
        row: Annotated[str, typer.Argument(help="The row's short name; the rows are listed when left out.")] = "",
        decision: Annotated[str, typer.Option(help="justified, unjustified or follow_up.")] = "",
        reason: Annotated[str, typer.Option(help="A code of parameters/review_reasons.yml.")] = "",
        remark: Annotated[str, typer.Option(help="In your own words, why.")] = "",
        purpose: Annotated[str, typer.Option("--purpose", help="Why; the month's review when left out.")] = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """List the rows about which two reviewers differ, or settle one. Both decisions stay, yours counts."""
        from audit_kernel.review.deciding import rows_to_settle
        from audit_kernel.review.deciding import settle as settle_row
        from audit_kernel.site import find_site

        opened = find_site(site)
        if row:
            given = {"decision": decision, "reason": reason, "remark": remark}
            settle_row(opened, month, row, given, purpose)
        found = rows_to_settle(opened, month, purpose)
        if as_json:
            plain = [{"row": name, "keys": keys, **asdict(of)} for name, (keys, of) in found.items()]
            printing.print_json(plain)
            return
        CoursePrinter(Console(), opened.settings.language).differing(opened, found)


class CoursePrinter(printing.Printer):
    """Prints what these commands answer."""

    def reminders(self, found: Sequence[Reminder], sent: Sequence[Reminder]) -> None:
        """Print each reminder to be sent by hand, and to whom the others went."""
        _ = self.translate
        if not found:
            self.say(_("Nothing is overdue."))
        for each in found:
            if each in sent:
                text = _("Sent to {address}: {reviewer}, {month}, {count} rows overdue.")
                values = {"address": each.address, "reviewer": each.reviewer_name, "month": each.month}
                self.say(text.format(count=self._number(each.n_overdue), **values))
            else:
                for line in (each.subject, "", *each.text.splitlines(), ""):
                    self.say(line)

    def differing(self, site: Site, found: Mapping[str, tuple[tuple[Subject, ...], Opinions]]) -> None:
        """Print the rows about which two reviewers differ: what each said, and what was settled."""
        from audit_kernel.review_reasons import decision_words

        _ = self.translate
        if not found:
            self.say(_("No two reviewers differ."))
            return
        words = decision_words(site.settings.language)
        columns = [(_("Row"), ""), (_("First reviewer"), ""), (_("Second reviewer"), ""), (_("Settled"), "")]
        rows = []
        for name, (_subjects, of) in found.items():
            said = [words[each[-1]["decision"]] if each else "" for each in (of.first, of.second, of.settled)]
            rows.append((name, *said))
        self._table(_("Rows about which two reviewers differ"), columns, rows)
