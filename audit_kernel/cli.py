"""The command `audit-kernel`: each command calls one function elsewhere and prints what it answered."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from audit_kernel import printing
from audit_kernel.error_language import language_of
from audit_kernel.errors import AuditKernelError, SettingsError
from audit_kernel.locale import translator
from audit_kernel.options import SiteOption

if TYPE_CHECKING:
    from audit_kernel.site import Site

app = typer.Typer(
    name="audit-kernel",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Shows that nobody reads a patient's record without a reason: take logs in, ask, control a month, verify.",
    epilog="Exit codes: 0 done, 1 refused or verify found something, 2 wrong use, 3 month incomplete, 4 store, key or"
    " journal not reachable.",
)
TOPICS = (  # audit_kernel.commands_TOPIC
    *("backup", "case", "closing", "extract", "identity", "keys", "officer", "open", "reproduce"),
    *("review", "sample", "schedule", "seal", "serve", "sources", "store", "trial"),
)
console = Console()
warnings = Console(stderr=True)

LanguageOption = Annotated[str, typer.Option("--language", help="en, sv or nb; the site's own when left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
IdentityOption = Annotated[str, typer.Option(help="full or masked: people by name, or by pseudonym; as settings say.")]
REFERENCE_KINDS = (  # written out, so that --help reads no file; a test holds it equal to the tables
    "employees, employments, units, unit_assignments, roles, role_permissions, delegations, shifts, "
    "patients, patient_flags, stays, appointments, referrals, care_teams, blocks, record_keys, "
    "identifiers, media_interest, households, relations, approved_travel, networks, holidays."
)
PurposeOption = Annotated[str, typer.Option("--purpose", help='Why: a case number or a reason, e.g. "sak 2026/17".')]


@app.command(epilog="Example: audit-kernel init nordli --country NO --name 'Nordli kommune'")
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    country: Annotated[str, typer.Option(help="NO or SE.")],
    name: Annotated[str, typer.Option(help="The controller's name, shown on every page.")] = "",
) -> None:
    """Make a site: settings, keys and empty folders."""
    from audit_kernel.site import create_site

    site = create_site(folder, country, name)
    _ = translator(site.settings.language)
    printer(site).say(_("The site was made. Its settings: {path}").format(path=site.folder / "settings.yml"))


@app.command(epilog="Example: audit-kernel intake logs/syslog-2026-10.csv --source gerica")
def intake(
    files: Annotated[list[Path], typer.Argument(help="Log files, as exported.")],
    source: Annotated[str, typer.Option(help="Which log: the name of its mapping, for example gerica.")],
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take log files in. A damaged file is refused whole; a bad value puts its record into quarantine."""
    _deliver(files, source, site, as_json=as_json)


@app.command(epilog="Example: audit-kernel reference employees.csv --kind employees")
def reference(
    files: Annotated[list[Path], typer.Argument(help="CSV files with the columns of their kind.")],
    kind: Annotated[str, typer.Option(help=REFERENCE_KINDS)],
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take reference data in. A later delivery takes the place of rows with the same key and beginning."""
    _deliver(files, f"reference:{kind}", site, as_json=as_json)


def _deliver(files: list[Path], source: str, site: Path | None, *, as_json: bool) -> None:
    from audit_kernel.site import find_site
    from audit_kernel.store.deliver import take_in_all

    opened = find_site(site)
    to = printer(opened)
    with printing.byte_progress(warnings) as progress:
        done, refused = take_in_all(opened, files, source, progress)
    if as_json:
        printing.print_json({"taken_in": [asdict(each) for each in done], "refused": [str(each) for each in refused]})
    elif done:
        to.deliveries(done)
    for error in refused:
        printing.Printer(warnings, to.language).say(error.text(to.language))
    if refused:
        raise typer.Exit(refused[0].exit_code)


@app.command(epilog="Example: audit-kernel ledger --quarantine --purpose 'log quality'")
def ledger(
    site: SiteOption = None,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Show the records in quarantine with their text.")
    ] = False,
    purpose: PurposeOption = "",
    as_json: JsonOption = False,
) -> None:
    """List what came in, what was refused and why. Quarantined records hold log text, so they need a purpose."""
    from audit_kernel.site import find_site
    from audit_kernel.store.deliver import read_ledger, read_quarantine, refused_files

    opened = find_site(site)
    if quarantine:
        rows = read_quarantine(opened, purpose)
        printing.print_json(rows) if as_json else printer(opened).quarantine(rows)
        return
    done, refused = read_ledger(opened), refused_files(opened)
    if as_json:
        printing.print_json({"taken_in": [asdict(each) for each in done], "refused": refused})
        return
    printer(opened).deliveries(done)
    printer(opened).refused(refused)


@app.command(
    epilog="Example: audit-kernel report activity --patient 1042 --from 2026-08-01 --to 2026-10-31"
    " --purpose 'sak 2026/17'"
)
def report(
    name: Annotated[
        str, typer.Argument(help="activity, detailed_activity, system_log, blocked_searches, patient_searches ...")
    ],
    purpose: PurposeOption = "",
    patient: Annotated[str | None, typer.Option(help="Patient id, or an identifier of any log.")] = None,
    employee: Annotated[str | None, typer.Option(help="Employee id, or a log's user name.")] = None,
    from_date: Annotated[str | None, typer.Option("--from", help="First day, e.g. 2026-10-01.")] = None,
    to_date: Annotated[str | None, typer.Option("--to", help="Last day, included, e.g. 2026-10-31.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--set", help="Another parameter: NAME=VALUE; may be repeated.")
    ] = None,
    archive: Annotated[bool, typer.Option("--archive", help="Leave sealed evidence in the archive.")] = False,
    limit: Annotated[int, typer.Option(help="Rows to print; the evidence holds all.")] = 50,
    identity: IdentityOption = "",
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask one report (-141, -140, -119 and the others) and print it, or leave it as sealed evidence."""
    from audit_kernel.evidence.coverage import coverage, notices
    from audit_kernel.evidence.masked_run import shown
    from audit_kernel.site import find_site
    from audit_kernel.store.reading import Store

    opened = find_site(site)
    given: dict[str, Any] = {"patient_id": patient, "employee_id": employee, "from_date": from_date, "to_date": to_date}
    given |= dict(printing.split_option(each) for each in option or [])
    given = {key: value for key, value in given.items() if value is not None}
    language = language or opened.settings.language
    with Store(opened, purpose) as store:
        result = store.report(name, **given)
        lacks = notices(coverage(store, result.parameters), language)
        result = shown(store, result, identity, purpose)
    if as_json:
        printing.print_json(result.table.to_pylist())
        for text in lacks:
            printing.Printer(warnings, language).say(text)
    elif not archive:
        printing.Printer(console, language).result(result, opened.settings.time_zone, limit, lacks)
    if archive:
        from audit_kernel.evidence.month import run_report

        run = run_report(opened, name, given, purpose=purpose, language=language, identity=identity)
        printing.Printer(console, language).sealed(run, as_json=False)
        run.require_complete()


@app.command(epilog="Example: audit-kernel month 2026-10 --seed 'dice 4 1 6 6 2 3'")
def month(
    month: Annotated[str, typer.Argument(help="Year and month, e.g. 2026-10.")],
    seed: Annotated[str, typer.Option(help="What the sample is drawn with; derived when left out.")] = "",
    seed_witness: Annotated[str, typer.Option(help="Who saw how the seed came about.")] = "",
    draw_again: Annotated[str, typer.Option(help="Why a month is drawn once more that was drawn before.")] = "",
    run_by: Annotated[str, typer.Option(help="Who runs it: 'NAME, TITLE, 2026-11-02'; it stands on the page.")] = "",
    approved_by: Annotated[str, typer.Option(help="Who approved it, given in the same way.")] = "",
    purpose: Annotated[str, typer.Option(help="Why; the monthly control when left out.")] = "",
    language: LanguageOption = "",
    snapshot: Annotated[int | None, typer.Option(help="Snapshot of the store; the newest when left out.")] = None,
    threads: Annotated[int | None, typer.Option(help="DuckDB threads of each notebook.")] = None,
    identity: IdentityOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a month's control and seal it: exit code 0 when complete, 3 when a notebook failed. Findings are no error."""
    from audit_kernel.evidence.month import run_month
    from audit_kernel.run_progress import month_run_progress
    from audit_kernel.site import find_site

    opened = find_site(site)
    to = printer(opened, language)
    drawn = {"seed": seed, "seed_witness": seed_witness, "draw_again": draw_again}
    asked = {**drawn, "run_by": run_by, "approved_by": approved_by, "purpose": purpose, "language": to.language}
    asked["identity"] = identity
    with month_run_progress(Console(stderr=True, quiet=as_json), to.language, opened) as progress:
        run = run_month(opened, month, **asked, snapshot=snapshot, threads=threads, progress=progress)
    to.sealed(run, as_json=as_json)
    run.require_complete()


@app.command(epilog="Example: audit-kernel verify archive --public-key signing-key.pub.pem")
def verify(
    path: Annotated[Path | None, typer.Argument(help="A bag or an archive; the site's archive when left out.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="The trusted public key.")] = None,
    code: Annotated[
        list[str] | None, typer.Option(help="A head record's code filed in the minutes; may be repeated.")
    ] = None,
    authority: Annotated[Path | None, typer.Option(help="The time authority's certificates, PEM.")] = None,
    language: LanguageOption = "",
    site: SiteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check sealed evidence, and the site's own journals: exit code 1 when something was changed, naming each file."""
    from audit_kernel.evidence.keys import PUBLIC_NAME
    from audit_kernel.evidence.restricted_run import site_problems
    from audit_kernel.evidence.site_signing import authority_certificate
    from audit_kernel.evidence.verify import trusted_key
    from audit_kernel.evidence.verify import verify as verify_path
    from audit_kernel.site import find_site

    own: Site | None = None
    with contextlib.nullcontext() if site or not path else contextlib.suppress(SettingsError):
        own = find_site(site)  # evidence is verified without a site too
    target = path or find_site(site).archive_folder
    site_key = own.keys_folder / PUBLIC_NAME if own else None
    language = language or (own.settings.language if own else "")
    authority = authority or (authority_certificate(own) if own else None)
    problems = verify_path(target, public_key or site_key, codes=code or [], authority=authority)
    key = trusted_key(target, public_key, site_key)
    if own and target.resolve() == own.archive_folder.resolve():
        problems += site_problems(own, key.path, language, authority)
    printing.Printer(console, language or "en").verification(target, problems, key, as_json=as_json)
    if any(problem.is_failure for problem in problems):
        raise typer.Exit(1)


def printer(site: Site, language: str = "") -> printing.Printer:
    """Return what prints in the language asked for, else the site's."""
    return printing.Printer(console, language or site.settings.language)


for topic in TOPICS:
    import_module(f"audit_kernel.commands_{topic}").register(app)


def main() -> None:
    """Run the command; errors become one sentence and an exit code."""
    try:
        app()
    except AuditKernelError as error:
        language = language_of(sys.argv[1:])
        printing.Printer(warnings, language).say(error.text(language))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _ = translator(language_of(sys.argv[1:]))
        warnings.print(_("Stopped. Nothing half-done was kept."))
        sys.exit(1)


if __name__ == "__main__":
    main()
