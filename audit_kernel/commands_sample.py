"""The commands of a month's random sample: its frame, its seed, its list, its result."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.locale import translator

if TYPE_CHECKING:
    import pyarrow as pa

    from audit_kernel.printing_sample import SamplePrinter
    from audit_kernel.site import Site

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
MonthArgument = Annotated[str, typer.Argument(help="Year and month, e.g. 2026-10.")]
SnapshotOption = Annotated[int | None, typer.Option(help="Snapshot of the store; the newest when left out.")]


def printer(site: Site, language: str = "") -> SamplePrinter:
    """Return what prints in the language asked for, else the site's."""
    from audit_kernel.printing_sample import SamplePrinter

    return SamplePrinter(Console(), language or site.settings.language)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    sample = typer.Typer(no_args_is_help=True, help="The month's random sample: frame before seed, and what it says.")
    app.add_typer(sample, name="sample")

    @sample.command("frame", epilog="Example: audit-kernel sample frame 2026-10")
    def sample_frame(
        month: MonthArgument,
        draw_again: Annotated[str, typer.Option(help="Why a month is drawn once more that was drawn before.")] = "",
        snapshot: SnapshotOption = None,
        language: LanguageOption = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write the hash of what will be drawn from to the journal, before the seed is known."""
        from audit_kernel.sample_journal import register_frame
        from audit_kernel.site import find_site

        opened = find_site(site)
        _table, frame = _read(opened, month, "", snapshot)
        draw = register_frame(opened, frame, draw_again)
        if as_json:
            printing.print_json(draw.as_plain())
        else:
            printer(opened, language).frame(draw, opened.settings.time_zone)

    @sample.command("seed", epilog="Example: audit-kernel sample seed 2026-10 --seed 4183 --witness 'K. Berg'")
    def sample_seed(
        month: MonthArgument,
        seed: Annotated[str, typer.Option(help="For example the numbers of the dice.")],
        witness: Annotated[str, typer.Option(help="Who saw how the seed came about.")] = "",
        language: LanguageOption = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write the seed for the frame that was written before; the month then draws with it."""
        from audit_kernel.evidence.month import month_days
        from audit_kernel.sample_journal import register_seed
        from audit_kernel.site import find_site

        opened = find_site(site)
        month_days(month)
        draw = register_seed(opened, month, seed, witness)
        if as_json:
            printing.print_json(draw.as_plain())
        else:
            printer(opened, language).seed(draw, opened.settings.time_zone)

    @sample.command("list", epilog="Example: audit-kernel sample list 2026-10 --purpose 'sak 2026/17' | sha256sum")
    def sample_list(
        month: MonthArgument,
        purpose: Annotated[str, typer.Option(help="Why: a case number or a reason. The list names people.")],
        snapshot: SnapshotOption = None,
        site: SiteOption = None,
    ) -> None:
        """Print the frame's lines, byte for byte as they were hashed: stratum, tab, sampling unit."""
        from audit_kernel import sampling
        from audit_kernel.sample_journal import draws_of
        from audit_kernel.site import find_site

        opened = find_site(site)
        registered = draws_of(opened, month)
        if snapshot is None and registered:
            snapshot = registered[-1].frame["entry"]["snapshot"]
        table, _frame = _read(opened, month, purpose, snapshot)
        for lines in sampling.frame_lines(table):
            sys.stdout.buffer.write(lines)

    @sample.command("result", epilog="Example: audit-kernel sample result 2026-10")
    def sample_result(
        month: MonthArgument,
        language: LanguageOption = "",
        site: SiteOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say what the judged sample shows: at most how many are unjustified, in all and by unit."""
        from audit_kernel.decisions import latest_decisions
        from audit_kernel.evidence.month import month_days
        from audit_kernel.sample_result import sample_result as result_of
        from audit_kernel.site import find_site

        opened = find_site(site)
        month_days(month)
        result = result_of(opened, month, latest_decisions(opened, month))
        if as_json:
            printing.print_json(result.as_plain())
        else:
            printer(opened, language).sample_result(result)


def _read(site: Site, month: str, purpose: str, snapshot: int | None) -> tuple[pa.Table, Any]:
    """Return a month's frame, and what is registered of it."""
    from audit_kernel.evidence.month import month_days
    from audit_kernel.evidence.sample_run import read_frame
    from audit_kernel.store.reading import Store

    first, last = month_days(month)
    _ = translator(site.settings.language)
    purpose = purpose or _("monthly control")
    with Store(site, purpose, snapshot) as store:
        return read_frame(store, site, first, last)
