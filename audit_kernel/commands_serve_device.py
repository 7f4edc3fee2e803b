"""The commands about devices: `serve device issue|list|revoke|refresh|refusals`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.errors import UsageError

if TYPE_CHECKING:
    from audit_kernel.serving.settings import ServeSettings

FOLDER = Path("/etc/audit-kernel/serve")

FolderOption = Annotated[Path, typer.Option("--folder", help="The folder of serve.yml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
NginxOption = Annotated[
    Path | None,
    typer.Option(help="nginx's configuration: this command itself tests and reloads, where no unit of systemd does."),
]


def register(group: typer.Typer) -> None:
    """Add `device` to the commands of `serve`."""
    device = typer.Typer(
        no_args_is_help=True, help="Which devices get in: issue, list, revoke; the revoked ones' list."
    )
    group.add_typer(device, name="device")
    device.command("issue", epilog="Example: audit-kernel serve device issue laptop-17 --out laptop-17.p12")(issue)
    device.command("list", epilog="Example: audit-kernel serve device list --handover devices.csv")(list_devices)
    device.command("revoke", epilog="Example: audit-kernel serve device revoke laptop-17 --reason lost")(revoke)
    device.command("refresh", epilog="Example: audit-kernel serve device refresh")(refresh)
    device.command("refusals", epilog="Example: audit-kernel serve device refusals --json")(refusals)


def issue(
    name: Annotated[str, typer.Argument(help="The device's name: letters and digits, for example laptop-17.")],
    out: Annotated[Path | None, typer.Option(help="File to write; NAME.p12 here, NAME.pem with --request.")] = None,
    passphrase: Annotated[
        Path | None, typer.Option(help="File with the pass phrase, for its owner only; else it is asked for.")
    ] = None,
    request: Annotated[
        Path | None, typer.Option(help="The device's own request (PKCS#10, PEM): its key never leaves it.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="A certificate that another authority issued: it is only noted.")
    ] = None,
    organisation: Annotated[str, typer.Option(help="One of devices.organisations; the first when left out.")] = "",
    days: Annotated[int, typer.Option(min=1, max=1095, help="How long it is valid.")] = 365,
    nginx: NginxOption = None,
    folder: FolderOption = FOLDER,
) -> None:
    """Give a device its certificate and note it. Beside another authority: put it on the list for that one."""
    from audit_kernel.serving import device_issue
    from audit_kernel.serving.authority import checked_passphrase

    settings = _settings(folder)
    to = _printer(settings)
    _ = to.translate
    if certificate:
        serial = device_issue.note_issued(settings, name, certificate, nginx)
        to.say(_("Noted: {device}, serial number {serial}.").format(device=name, serial=serial))
        return
    if settings.devices and settings.devices.revoked_from:
        device_issue.ask_for(settings, name, organisation)
        to.say(_("{device} is on the list for the authority: serve device list --handover FILE").format(device=name))
        return
    phrase = b"" if request else checked_passphrase(_passphrase(passphrase, _("Pass phrase for the device's key")))
    file = out or Path(f"{name}.{'pem' if request else 'p12'}")
    wanted = device_issue.Wanted(name, organisation, days, file, phrase, request)
    to.say(_("Issued: {path}").format(path=device_issue.issue(settings, wanted, nginx)))


def list_devices(
    handover: Annotated[
        Path | None, typer.Option(help="Write the list for MDM or the authority there, as CSV: issue, revoke.")
    ] = None,
    folder: FolderOption = FOLDER,
    as_json: JsonOption = False,
) -> None:
    """List the register: which device, until when, and whether it gets in."""
    from audit_kernel.files import replace_whole
    from audit_kernel.printing_devices import DevicePrinter
    from audit_kernel.serving.device_refresh import device_settings
    from audit_kernel.serving.devices import Register
    from audit_kernel.serving.devices import handover as handover_list

    settings = _settings(folder)
    devices = Register(device_settings(settings).register_folder).devices()
    if handover:
        replace_whole(handover, handover_list(devices).encode())
    now = datetime.now(UTC)
    if as_json:
        printing.print_json([{**asdict(each), "state": each.state(now)} for each in devices])
        return
    DevicePrinter(Console(), settings.language).devices(devices, now)


def revoke(
    name: Annotated[str, typer.Argument(help="The device, with all its certificates; or one serial number.")],
    reason: Annotated[str, typer.Option(help='Why, for example "lost".')],
    nginx: NginxOption = None,
    folder: FolderOption = FOLDER,
) -> None:
    """Take a device's certificate away; with the own authority a new list of revoked devices is made at once."""
    from audit_kernel.serving import device_issue

    settings = _settings(folder)
    to = _printer(settings)
    _ = to.translate
    for each in device_issue.revoke(settings, name, reason, nginx):
        to.say(_("Revoked: {device}, serial number {serial}.").format(device=each.name, serial=each.serial or "-"))


def refresh(nginx: NginxOption = None, folder: FolderOption = FOLDER, as_json: JsonOption = False) -> None:
    """Renew the list of revoked devices, and alarm before it expires. A timer does it each hour."""
    from audit_kernel.locale import format_timestamp
    from audit_kernel.serving.device_refresh import refresh as renew

    settings = _settings(folder)
    found = renew(settings, nginx)
    if as_json:
        printing.print_json(asdict(found))
        return
    to = _printer(settings)
    _ = to.translate
    text = _("The list of revoked devices names {count} and is valid until {at} (UTC).")
    to.say(text.format(count=found.n_revoked, at=format_timestamp(found.expires_at, to.language, "UTC")))


def refusals(
    from_input: Annotated[bool, typer.Option("--input", help="Read nginx's lines on the input, not journald.")] = False,
    folder: FolderOption = FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Record in the use log which devices nginx did not let in since the last reading, counted by reason and device."""
    from audit_kernel.printing_devices import DevicePrinter
    from audit_kernel.serving.access_log import record_access
    from audit_kernel.serving.device_refresh import device_settings
    from audit_kernel.serving.device_refusals import journal_lines, read_refusals

    settings = _settings(folder)
    lines = sys.stdin if from_input else journal_lines(device_settings(settings).register_folder)
    found = read_refusals(lines)
    for each, count in found.items():
        record_access(settings.site, "device_refused", **asdict(each), count=count)
    if as_json:
        printing.print_json([{**asdict(each), "count": count} for each, count in found.items()])
        return
    DevicePrinter(Console(), settings.language).refusals(found)


def _settings(folder: Path) -> ServeSettings:
    from audit_kernel.serving.settings import serve_settings

    return serve_settings(folder)


def _printer(settings: ServeSettings) -> printing.Printer:
    return printing.Printer(Console(), settings.language)


def _passphrase(file: Path | None, prompt: str) -> str:
    """Return the pass phrase of a file, else of the terminal; never of an argument, which every process could read."""
    from audit_kernel.evidence.keys import owner_only_bytes

    if file:
        return owner_only_bytes(file).decode("utf-8", "replace").strip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask for a pass phrase.",
            "Give a file with --passphrase, or the device's request with --request.",
        )
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True))
