"""The commands about the site's keys: show, new, certificate, stamp."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from audit_kernel import printing

if TYPE_CHECKING:
    from audit_kernel.site import Site

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def printer(site: Site) -> printing.Printer:
    """Return what prints in the site's language."""
    return printing.Printer(Console(), site.settings.language)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(no_args_is_help=True, help="The signing key, its certificate, and time stamps.")
    app.add_typer(group, name="keys")
    group.command("show", epilog="Example: audit-kernel keys show")(show)
    group.command("new", epilog="Example: audit-kernel keys new --kind p256 --change")(new)
    group.command("certificate", epilog="Example: audit-kernel keys certificate issued.pem")(certificate)
    group.command("stamp", epilog="Example: audit-kernel keys stamp")(stamp)


def show(site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Show the public key's fingerprint, its certificate, and the head code: what is filed in the minutes."""
    from audit_kernel.evidence import keys
    from audit_kernel.evidence.key_certificate import certificate_end
    from audit_kernel.evidence.verify import head_code
    from audit_kernel.site import find_site

    opened = find_site(site)
    public = keys.load_public(opened.keys_folder)
    fingerprint, ends = keys.fingerprint(public), certificate_end(opened.keys_folder)
    code = head_code(opened.archive_folder, public) if opened.archive_folder.is_dir() else ""
    kind = keys.kind_of(public)
    if as_json:
        printing.print_json({"fingerprint": fingerprint, "kind": kind, "certificate_ends": ends, "head_code": code})
        return
    to = printer(opened)
    _ = to.translate
    text = _("The site's public key ({kind}) has the fingerprint {fingerprint}.")
    to.say(text.format(kind=kind, fingerprint=fingerprint))
    if opened.settings.signing.command:
        text = _("The program {program} holds its private part.")
        to.say(text.format(program=opened.settings.signing.command[0]))
    if ends:
        text = _("Its certificate is valid until {date}.")
        to.say(text.format(date=ends))
    to.code_to_file(code)


def new(
    kind: Annotated[Literal["ed25519", "p256"], typer.Option(help="p256 comes with a certificate.")] = "ed25519",
    change: Annotated[bool, typer.Option("--change", help="Put it in the place of the key there is.")] = False,
    outside: Annotated[
        Path | None, typer.Option(help="Public key of the program that `signing.command` names; it signs from now on.")
    ] = None,
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a signing key. With --change the old key hands the archive over to it, and the chain goes on."""
    from audit_kernel.evidence.key_change import change_key, first_key
    from audit_kernel.site import find_site

    opened = find_site(site)
    if change:
        change_key(opened, kind, outside)
    else:
        first_key(opened, kind)
    show(opened.folder, as_json)
    if change and not as_json:
        to = printer(opened)
        _ = to.translate
        to.say(
            _(
                "File the new fingerprint in the minutes. The old private key was kept in keys/ as retired-….pem: "
                "put it away or destroy it once `audit-kernel verify` finds nothing."
            )
        )


def certificate(
    file: Annotated[Path | None, typer.Argument(help="The issued certificate, PEM; its authority's behind it.")] = None,
    site: SiteOption = None,
) -> None:
    """Print a certificate request for the organisation's authority; with FILE, put the issued certificate in place."""
    from audit_kernel.evidence.key_certificate import certificate_end, put_certificate, request
    from audit_kernel.site import find_site

    opened = find_site(site)
    if file is None:
        typer.echo(request(opened.keys_folder, opened.settings.name, opened.settings.country), nl=False)
        return
    put_certificate(opened.keys_folder, file)
    to = printer(opened)
    _ = to.translate
    to.say(_("Its certificate is valid until {date}.").format(date=certificate_end(opened.keys_folder)))


def stamp(site: SiteOption = None, as_json: JsonOption = False) -> None:
    """Seal a run that names all runs before it and bears a new time stamp, in the archive and in `restricted/`."""
    from audit_kernel.evidence import keys
    from audit_kernel.evidence.restamp import restamp
    from audit_kernel.evidence.verify import head_code
    from audit_kernel.site import find_site

    opened = find_site(site)
    bags = restamp(opened)
    code = head_code(opened.archive_folder, keys.load_public(opened.keys_folder))
    if as_json:
        printing.print_json({"bags": [str(bag) for bag in bags], "head_code": code})
        return
    to = printer(opened)
    _ = to.translate
    for bag in bags:
        to.say(_("Stamped and sealed: {path}").format(path=bag))
    to.code_to_file(code)
