"""The commands `serve init` and `serve check`: many users on a hospital's servers."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from audit_kernel import printing

console = Console()

FolderArgument = Annotated[Path, typer.Argument(help="The folder of serve.yml and the configuration.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; that of serve.yml when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
DEVICES = "audit_kernel.commands_serve_device"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    serve = typer.Typer(no_args_is_help=True, help="Many users: log-in, devices, sessions. Write and check the set-up.")
    app.add_typer(serve, name="serve")
    serve.command(epilog="Example: audit-kernel serve init /etc/audit-kernel/serve")(init)
    serve.command(epilog="Example: audit-kernel serve check /etc/audit-kernel/serve --json")(check)
    if importlib.util.find_spec(DEVICES):
        import_module(DEVICES).register(serve)


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
    if as_json:
        rows = [dict(zip(("problem", "remedy"), each.error.parts(to.language), strict=True)) for each in found]
        printing.print_json([{"kind": each.kind, **row} for each, row in zip(found, rows, strict=True)])
    else:
        words = {"missing": _("Missing"), "unsafe": _("Unsafe"), "expiring": _("Expires")}
        for each in found:
            to.say(f"{words[each.kind]}: {each.error.text(to.language)}")
        if not found:
            to.say(_("Nothing is missing or unsafe."))
    if found:
        raise typer.Exit(1)


def _language(folder: Path) -> str:
    from audit_kernel.serving.settings import SERVE_FILE, ServeSettings
    from audit_kernel.yaml_file import read_model

    language: str = read_model(folder / SERVE_FILE, ServeSettings).language
    return language
