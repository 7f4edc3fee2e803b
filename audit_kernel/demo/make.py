"""Makes the demo: generates, takes in, controls last month, and says where to look and what was found."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from audit_kernel.demo.generator import GeneratedWorld, generate
from audit_kernel.errors import MonthIncompleteError, UsageError
from audit_kernel.evidence.index import answer
from audit_kernel.evidence.month import run_month
from audit_kernel.locale import format_number, translator
from audit_kernel.run_progress import month_run_progress
from audit_kernel.site import SETTINGS_FILE, Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reference import take_in_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.store.ledger import Delivery

MARKER = ".audit-kernel-demo"
NAMES = {"NO": "Demovik kommune", "SE": "Demoköpings kommun"}
COUNTRIES = "countries.mmdb"
# Whose the addresses of the demo are: networks set apart for documentation (RFC 5737), so that nobody's is named.
COUNTRY_OF_NETWORK = {"192.0.2.0/24": "SE", "198.51.100.0/24": "TH", "203.0.113.0/24": "BR"}
SEED, LAST_MONTH = 1, "2026-10"


def make(folder: Path, country: str, language: str, console: Console | None = None) -> int:
    """Make the demo; see `make_demo`."""
    if country not in NAMES:
        problem = f"There is no demo for country {country!r}."
        raise UsageError(problem, f"Give one of {', '.join(NAMES)}.")
    if language:
        translator(language)
    _empty(folder)
    console = console or Console()
    site = create_site(folder / "site", country=country, name=NAMES[country])
    site = with_countries(site, COUNTRY_OF_NETWORK)
    language = language or site.settings.language
    _ = translator(language)
    with _progress(console) as progress:
        step = progress.add_task(_("Generating a municipality"), total=1)
        world = generate(folder, SEED, LAST_MONTH, country=country)
        progress.update(step, completed=1)
        deliveries = _take_in(site, world, progress, language)
    with month_run_progress(console, language, site) as told:
        month = run_month(site, LAST_MONTH, language=language, progress=told)
    console.print(_stored(deliveries, language))
    console.print(_found(month.outcomes, language))
    console.print(_("Open this page in a browser:"))
    console.print(str(month.index), soft_wrap=True, highlight=False, markup=False)
    return 0 if month.is_complete else MonthIncompleteError.exit_code


def _empty(folder: Path) -> None:
    """Leave an empty folder with the demo's mark; refuse one that holds anything but an earlier demo."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARKER).is_file())):
        problem = f"{str(folder)!r} holds something that is not a demo."
        raise UsageError(problem, "Name a new folder; nothing was changed.")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()


def with_countries(site: Site, networks: Mapping[str, str]) -> Site:
    """Give the site a small database of the countries of these networks of addresses."""
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter(database_type="demo countries", description="Made up for the demo")
    for network, code in networks.items():
        writer.insert_network(IPSet([network]), {"country": {"iso_code": code}})
    writer.to_db_file(str(site.folder / COUNTRIES))
    path = site.folder / SETTINGS_FILE
    text = path.read_text(encoding="utf-8").replace('countries: ""', f"countries: {COUNTRIES}", 1)
    path.write_text(text, encoding="utf-8")
    return Site(site.folder)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def _take_in(site: Site, world: GeneratedWorld, progress: Progress, language: str) -> list[Delivery]:
    """Take the reference files in, then the logs; the folder with the truth is not looked into."""
    _ = translator(language)
    step = progress.add_task(_("Taking reference data in"), total=len(world.reference_files))
    for kind, path in world.reference_files.items():
        take_in_reference(site, path, kind)
        progress.advance(step)
    step = progress.add_task(_("Taking logs in"), total=len(world.log_files))
    deliveries = []
    for path, source_id in zip(world.log_files, world.sources, strict=True):
        deliveries.append(take_in(site, path, source_id))
        progress.advance(step)
    return deliveries


def _stored(deliveries: Sequence[Delivery], language: str) -> str:
    _ = translator(language)
    return _("{read} records read, {stored} stored, {quarantined} in quarantine.").format(
        read=format_number(sum(each.n_read for each in deliveries), language),
        stored=format_number(sum(each.n_stored for each in deliveries), language),
        quarantined=format_number(sum(each.n_quarantined for each in deliveries), language),
    )


def _found(outcomes: Sequence[Outcome], language: str) -> Table:
    """Return the controls with their answers, as the index page has them."""
    _ = translator(language)
    table = Table(box=None, pad_edge=False)
    table.add_column(_("Control"))
    table.add_column(_("Answer"))
    for outcome in outcomes:
        table.add_row(str(outcome.facts.get("title", outcome.name)), answer(language, outcome))
    return table
