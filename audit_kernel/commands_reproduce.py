"""The command `reproduce`: a sealed run made again and compared, and what is printed of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from audit_kernel.locale import format_date, format_number
from audit_kernel.printing import Printer, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audit_kernel.evidence.reproduce import Disposed, Reproduction

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: audit-kernel reproduce 2026-10-monthly-20261102T031500Z-3f2a")(reproduce)


def reproduce(
    bag: Annotated[str, typer.Argument(help="A sealed month or report: its folder, or its name in the archive.")],
    purpose: Annotated[str, typer.Option(help="Why, for the use log; `reproduce RUN` when left out.")] = "",
    threads: Annotated[int | None, typer.Option(min=1, help="DuckDB threads of each query.")] = None,
    language: Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")] = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a sealed run again and compare: exit code 0 when identical, 1 when not. Nothing is sealed or changed."""
    from audit_kernel.evidence.reproduce import reproduce as made_again
    from audit_kernel.site import find_site

    opened = find_site(site)
    found = made_again(opened, bag, purpose, threads)
    if as_json:
        print_json({"is_identical": found.is_identical, **asdict(found)})
    else:
        ReproductionPrinter(Console(), language or opened.settings.language).reproduction(found)
    if not found.is_identical:
        raise typer.Exit(1)


class ReproductionPrinter(Printer):
    """Prints whether a run made again is the same, and why not."""

    def reproduction(self, found: Reproduction) -> None:
        """Print the answer, the files that differ, why, and what a reader must know beside it."""
        _ = self.translate
        if found.disposed is not None:
            self.say(self._gone(found.disposed))
            return
        counts = {"count": self._number(found.n_compared), "run": found.run}
        if found.is_identical:
            text = _(
                "Identical: all {count} pages, tables and notebooks of {run}, made again, are as they were sealed."
            )
            self.say(text.format(**counts))
        else:
            text = _(
                "Not identical: {different} of {count} pages, tables and notebooks of {run} are others than sealed."
            )
            self.say(text.format(different=self._number(len(found.differences)), **counts))
            self._differences(found)
        reasons = list(self._reasons(found))
        for line in (*reasons, *self._notes(found)):
            self.say(line)
        if not found.is_identical and not reasons:
            self.say(
                _("No reason was found: program, versions, inputs and the files taken in are the same. Report this.")
            )

    def _gone(self, disposed: Disposed) -> str:
        _ = self.translate
        if disposed.day is None:
            return _("The store no longer has the run's snapshot, and no record of a disposal says why.")
        text = _(
            "The inputs were disposed of on {date} ({disposal}), and with them every earlier snapshot of the store: the"
            " run cannot be made again. What was sealed is whole."
        )
        return text.format(date=format_date(disposed.day, self.language), disposal=disposed.disposal)

    def _differences(self, found: Reproduction) -> None:
        _ = self.translate
        words = {"differs": _("differs"), "lacking": _("not made here"), "added": _("not in the sealed run")}
        columns = [(_("File"), ""), (_("What"), ""), (_("Rows, sealed"), "end"), (_("Rows, here"), "end")]
        rows = [
            [each.file, words[each.what], *(format_number(count, self.language) for count in each.rows or ())]
            for each in found.differences
        ]
        self._table(_("Files that differ"), columns, [[*row, "", ""][: len(columns)] for row in rows])

    def _reasons(self, found: Reproduction) -> Iterator[str]:
        _ = self.translate
        for each in found.differences:
            if each.reason:
                yield f"{each.file}: {each.reason}"
        if found.versions:
            listed = [f"{name} {then or '-'} → {now or '-'}" for name, then, now in found.versions]
            yield _("Versions, sealed and here: {versions}.").format(versions=self._listed(listed))
        if found.is_other_program:
            yield _("The program's own files are others than those that sealed the run.")
        if found.is_other_store:
            yield _(
                "At the run's snapshot the store's ledger names other files than the statement: it is another store."
            )

    def _notes(self, found: Reproduction) -> Iterator[str]:
        _ = self.translate
        if found.changed_inputs:
            text = _("Changed since, in the program or the site; the sealed ones were used: {files}.")
            yield text.format(files=self._listed(found.changed_inputs))
        if found.unread:
            text = _.plural(
                "{count} sealed file could not be read and was compared by its SHA-256 in the signed statement.",
                "{count} sealed files could not be read and were compared by their SHA-256 in the signed statement.",
                len(found.unread),
            )
            yield text.format(count=self._number(len(found.unread)))
        if found.not_compared:
            text = _("The statement does not say what these notebooks showed; the rest of them was compared: {pages}.")
            yield text.format(pages=self._listed(found.not_compared))

    def _listed(self, names: Sequence[str]) -> str:
        _ = self.translate
        more = len(names) - SHOWN
        shown = ", ".join(names[:SHOWN])
        return _("{names} and {count} more").format(names=shown, count=self._number(more)) if more > 0 else shown
