"""The commands for months by themselves: `due`, `schedule` and `alarm`."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.errors import AuditKernelError, MonthIncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit_kernel.due import Due, Tried
    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.site import Site

console = Console()
warnings = Console(stderr=True)

PAUSE_SECONDS = 900
FOUND_BY_VERIFY, WRONG_USE = 1, 2

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site's folder; else AUDIT_KERNEL_SITE or here.")]
LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
UserOption = Annotated[
    bool | None, typer.Option("--user/--system", help="systemd of the user, or of the machine; by who asks.")
]
AtOption = Annotated[str, typer.Option(help="Time of day.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    schedule = typer.Typer(no_args_is_help=True, help="What starts `due` each day: install, show, remove.")
    app.command(epilog="Example: audit-kernel due --list")(due)
    app.command(epilog="Example: audit-kernel alarm --trial")(alarm)
    app.add_typer(schedule, name="schedule")
    schedule.command("install", epilog="Example: audit-kernel schedule install --at 03:15")(schedule_install)
    schedule.command("show", epilog="Example: audit-kernel schedule show --crontab")(schedule_show)
    schedule.command("remove", epilog="Example: audit-kernel schedule remove")(schedule_remove)


def due(
    only_list: Annotated[bool, typer.Option("--list", help="Show which months are due and run nothing.")] = False,
    tries: Annotated[int, typer.Option(min=1, max=10, help="How often to try, a quarter of an hour apart.")] = 1,
    tell: Annotated[bool, typer.Option("--alarm", help="Send the alarm after the last try that failed.")] = False,
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run every month that lacks a finished control, in order. Exit code 3 when one stays incomplete."""
    from audit_kernel.alarm import last_failures, raise_alarm
    from audit_kernel.due import find_due
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printing.Printer(console, language or opened.settings.language)
    if only_list:
        _show(to, find_due(opened), as_json=as_json)
        return
    code, error = _try(opened, to, as_json=as_json)
    for _number in range(1, tries):
        if code in (0, WRONG_USE):
            break
        time.sleep(PAUSE_SECONDS)
        code, error = _try(opened, to, as_json=as_json)
    if code and tell:
        try:
            raise_alarm(opened, last_failures(opened, code))
        except AuditKernelError as unsent:  # the month's own exit code says more
            printing.Printer(warnings, to.language).say(unsent.text(to.language))
    if error:
        raise error
    if code:
        raise typer.Exit(code)


def _try(site: Site, to: printing.Printer, *, as_json: bool) -> tuple[int, AuditKernelError | None]:
    """Run what is due once, and leave its result for the alarm; return the exit code, and what kept it from running."""
    from audit_kernel.alarm import Failure, keep_result
    from audit_kernel.due import find_due, only_one, run_due

    _ = to.translate
    beside = printing.Printer(warnings, to.language)
    try:
        with only_one(site, lambda: beside.say(_("Another run is at work here: waiting for its end."))):
            keep_result(site, None)
            found = find_due(site)
            for problem in found.problems:
                beside.say(problem.text(to.language))
            tried = []
            for each in run_due(site, found.months, to.language, _progress(site, to.language, is_quiet=as_json)):
                tried.append(each)
                if not as_json:
                    _say(to, each)
            failures = [Failure(each.month, each.exit_code, each.sentence) for each in tried if each.exit_code]
            if found.problems:
                text = _("The archive does not verify: {first}").format(first=found.problems[0].text(to.language))
                failures.append(Failure("", FOUND_BY_VERIFY, text))
            keep_result(site, failures)
    except AuditKernelError as error:
        keep_result(site, [Failure("", error.exit_code, error.text(site.settings.language))])
        return error.exit_code, error
    if as_json:
        printing.print_json({"months": [_plain(each) for each in tried], "problems": _problems(found, to.language)})
    elif not tried:
        to.say(_("No month is due."))
    return max((each.exit_code for each in failures), default=0), None


def _progress(
    site: Site, language: str, *, is_quiet: bool
) -> Callable[[str], AbstractContextManager[Callable[[Outcome], None]]]:
    from audit_kernel.run_progress import month_run_progress

    beside = Console(stderr=True, quiet=is_quiet)

    @contextmanager
    def progress(month: str) -> Iterator[Callable[[Outcome], None]]:
        beside.print(month)
        with month_run_progress(beside, language, site) as report:
            yield report

    return progress


def _show(to: printing.Printer, found: Due, *, as_json: bool) -> None:
    from audit_kernel.due import STATES

    _ = to.translate
    if as_json:
        months = [asdict(each) for each in found.months]
        printing.print_json({"months": months, "problems": _problems(found, to.language)})
        return
    for problem in found.problems:
        printing.Printer(warnings, to.language).say(problem.text(to.language))
    for each in found.months:
        to.say(f"{each.month}: {_(STATES[each.state])}")
    if not found.months:
        to.say(_("No month is due."))


def _say(to: printing.Printer, tried: Tried) -> None:
    _ = to.translate
    if tried.exit_code == MonthIncompleteError.exit_code:
        to.say(_("{month}: incomplete").format(month=tried.month))
    else:
        text = _("{month}: not done") if tried.exit_code else _("{month}: done")
        to.say(text.format(month=tried.month))
    if tried.sentence:
        to.say(tried.sentence)
    if tried.run:
        for warning in tried.run.warnings:
            to.say(warning)
        to.say(str(tried.run.index))


def _plain(tried: Tried) -> dict[str, Any]:
    sealed = {"bag": str(tried.run.bag), "index": str(tried.run.index)} if tried.run else {"bag": None, "index": None}
    warned = list(tried.run.warnings) if tried.run else []
    named = {"month": tried.month, "exit_code": tried.exit_code, "sentence": tried.sentence}
    return {**named, **sealed, "warnings": warned}


def _problems(found: Due, language: str) -> list[str]:
    return [each.text(language) for each in found.problems]


def alarm(
    trial: Annotated[bool, typer.Option("--trial", help="Send a trial alarm, whatever happened.")] = False,
    site: SiteOption = None,
) -> None:
    """Tell of the months that failed at the last `due`, each once, by e-mail or webhook as the settings say."""
    from audit_kernel.alarm import Failure, last_failures, raise_alarm, send
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printing.Printer(console, opened.settings.language)
    _ = to.translate
    if trial:
        send(opened, Failure("", 0, _("This is a trial of the alarm: nothing failed.")))
        to.say(_("The alarm was sent."))
        return
    # systemd says how what it watched ended; what says no number was killed
    ended = os.environ.get("MONITOR_EXIT_STATUS", "")
    told = raise_alarm(opened, last_failures(opened, int(ended) if ended.isdecimal() else 1))
    to.say(_("The alarm was sent.") if told else _("There is nothing new to tell."))


def _is_user(is_user: bool | None) -> bool:
    """Root asks for the machine's systemd, anybody else for the own one."""
    return is_user if is_user is not None else hasattr(os, "geteuid") and os.geteuid() != 0


def schedule_install(
    at: AtOption = "03:15",
    is_user: UserOption = None,
    folder: Annotated[Path | None, typer.Option(help="Only write the files there, and switch nothing on.")] = None,
    site: SiteOption = None,
) -> None:
    """Start `due` each day: a systemd timer with three tries and an alarm, on Windows a Task Scheduler entry."""
    from audit_kernel.alarm import check
    from audit_kernel.scheduling import install
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printing.Printer(console, opened.settings.language)
    _ = to.translate
    for path in install(opened, at, folder, is_user=_is_user(is_user)):
        to.say(str(path))
    if folder is None:
        to.say(_("From now on `due` is started each day."))
    try:
        check(opened)
    except AuditKernelError as error:  # the schedule is there, and a person should know what it lacks
        printing.Printer(warnings, to.language).say(error.text(to.language))


def schedule_show(
    at: AtOption = "03:15",
    is_user: UserOption = None,
    crontab: Annotated[bool, typer.Option("--crontab", help="A crontab's line, for another scheduler.")] = False,
    windows: Annotated[bool, typer.Option("--windows", help="The entry of the Windows Task Scheduler.")] = False,
    site: SiteOption = None,
) -> None:
    """Show what `schedule install` writes, and what is installed; change nothing."""
    from audit_kernel import scheduling
    from audit_kernel.site import find_site
    from audit_kernel.systemd_units import unit_files

    opened = find_site(site)
    to = printing.Printer(console, opened.settings.language)
    _ = to.translate
    if crontab:
        to.say(scheduling.crontab_line(opened, at))
    elif windows or os.name == "nt":
        to.say(scheduling.task_xml(opened, at).decode("utf-16"))
    else:
        user = _is_user(is_user)
        for name, text in unit_files(opened, at, is_user=user).items():
            to.say(f"# {name}")
            for line in text.splitlines():
                to.say(line)
        there = scheduling.installed(opened, is_user=user)
        installed = _("Installed: {names}").format(names=", ".join(map(str, there)))
        to.say(installed if there else _("Nothing is installed."))


def schedule_remove(is_user: UserOption = None, site: SiteOption = None) -> None:
    """Take away what `schedule install` installed; months are run no more by themselves."""
    from audit_kernel.scheduling import remove
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printing.Printer(console, opened.settings.language)
    _ = to.translate
    for path in remove(opened, is_user=_is_user(is_user)):
        to.say(str(path))
    to.say(_("`due` is not started by itself any more."))
