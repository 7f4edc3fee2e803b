"""The commands `backup` and `restore`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.printing_backup import BackupPrinter

if TYPE_CHECKING:
    from audit_kernel.backup.make import Backup
    from audit_kernel.backup.restore import Restored

console = Console()
warnings = Console(stderr=True)

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(epilog="Example: audit-kernel backup /mnt/backup/heimen")(backup)
    app.command(epilog="Example: audit-kernel restore /mnt/backup/heimen/20261102T031500Z-3f2a /srv/heimen")(restore)


def backup(
    destination: Annotated[Path, typer.Argument(help="A folder for backups; each gets a folder of its own in it.")],
    full: Annotated[bool, typer.Option("--full", help="Copy every file anew, link none to the backup before.")] = False,
    without_signing_key: Annotated[
        bool, typer.Option("--without-signing-key", help="Leave the private signing key out; keep it elsewhere.")
    ] = False,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a whole site while it is at work. Exit code 1: made, but something is wrong with the site itself."""
    from audit_kernel.backup.make import back_up
    from audit_kernel.site import find_site

    opened = find_site(site)
    with nullcontext() if as_json else printing.byte_progress(warnings) as progress:
        more = {"progress": progress} if progress else {}
        made = back_up(opened, destination, is_full=full, has_signing_key=not without_signing_key, **more)
    printing.print_json(_plain(made)) if as_json else BackupPrinter(console, opened.settings.language).backup(made)
    if made.description.problems:
        raise typer.Exit(1)


def restore(
    backup: Annotated[Path, typer.Argument(help="One backup: a folder that `backup` made.")],
    folder: Annotated[Path | None, typer.Argument(help="A new or empty folder; left out: verify only.")] = None,
    language: LanguageOption = "",
    as_json: JsonOption = False,
) -> None:
    """Verify a whole backup, restore it, and verify the site. Exit code 1: refused, or something does not verify."""
    from audit_kernel.backup.restore import restore as restored

    with nullcontext() if as_json else printing.byte_progress(warnings) as progress:
        done = restored(backup, folder, progress) if progress else restored(backup, folder)
    language = language or (done.site.settings.language if done.site else "en")
    printing.print_json(_told(done)) if as_json else BackupPrinter(console, language).restored(done)
    if done.problems:
        raise typer.Exit(1)


def _plain(made: Backup) -> dict[str, Any]:
    numbers = {"files": made.n_files, "bytes_written": made.n_bytes, "files_linked": made.n_linked}
    return {"backup": str(made.folder), **numbers, "sha256": made.sha256, **made.description.model_dump(mode="json")}


def _told(done: Restored) -> dict[str, Any]:
    numbers = {"files": done.n_files, "bytes": done.n_bytes, "newer_backups": done.newer}
    folder = str(done.site.folder) if done.site else None
    return {"site_folder": folder, **numbers, "found": done.problems, **done.description.model_dump(mode="json")}
