"""The commands `serve init` and `serve check`: many users on a hospital's servers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import commands_accounts, commands_serve_device, printing

console = Console()

FolderArgument = Annotated[Path, typer.Argument(help="The folder of serve.yml and the configuration.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; that of serve.yml when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    serve = typer.Typer(no_args_is_help=True, help="Many users: log-in, devices, sessions. Write and check the set-up.")
    app.add_typer(serve, name="serve")
    serve.command(epilog="Example: audit-kernel serve init /etc/audit-kernel/serve")(init)
    serve.command(epilog="Example: audit-kernel serve check /etc/audit-kernel/serve --json")(check)
    commands_accounts.register(serve)
    commands_serve_device.register(serve)


def init(folder: FolderArgument, language: LanguageOption = "", as_json: JsonOption = False) -> None:
    """Write a draft of serve.yml, or, from the one that is there, the whole configuration; overwrite nothing."""
    from audit_kernel.serving.write import initialise

    written, is_draft = initialise(folder)
    if as_json:
        printing.print_json({"written": written, "is_draft": is_draft})
        return
    to = printing.Printer(console, language or _language(folder))
    _ = to.translate
    for path in written:
        to.say(str(path))
    if is_draft:
        to.say(_("Fill in this file, then give the same command again: it writes the configuration beside it."))
    else:
        to.say(
            _("The configuration was written. What is still missing says: audit-kernel serve check {folder}").format(
                folder=folder
            )
        )


def check(folder: FolderArgument, language: LanguageOption = "", as_json: JsonOption = False) -> None:
    """Say what is missing, unsafe or about to expire on this machine: exit code 1 when there is any."""
    from audit_kernel.serving.check import lacks

    found = lacks(folder)
    to = printing.Printer(console, language or _language(folder))
    _ = to.translate
    to.lacks(found, _("Nothing is missing or unsafe."), as_json=as_json)
    if found:
        raise typer.Exit(1)


def _language(folder: Path) -> str:
    from audit_kernel.serving.settings import serve_settings

    return serve_settings(folder).language
