"""A month's control certificate, one sheet: what was controlled, over what, by whom, and what each check answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from babel import Locale

from audit_kernel.bag_inputs import fingerprints
from audit_kernel.catalog import Catalog
from audit_kernel.evidence import coverage
from audit_kernel.evidence import sample_words as words
from audit_kernel.evidence.certificate_checks import checks
from audit_kernel.evidence.display import (
    DisplayObject,
    Facts,
    Heading,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
)
from audit_kernel.evidence.index import summary
from audit_kernel.evidence.masked_run import as_told, official
from audit_kernel.evidence.masking import masked_notice
from audit_kernel.evidence.rendering import render_page
from audit_kernel.evidence.sample_run import NOTEBOOK
from audit_kernel.evidence.signatory import signatory_in_words
from audit_kernel.locale import format_date, format_month, format_number, translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from audit_kernel.evidence.coverage import Lacking
    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.evidence.run import Plan
    from audit_kernel.sample_journal import Draw
    from audit_kernel.site import Site
    from audit_kernel.store.ledger import Delivery

FILE, HOME = "certificate.html", "index.html"
SHOWN = 16  # of 64 digits


@dataclass(frozen=True)
class Rests:
    """What a month rests on beside its plan: its days, what its logs lack, files that were refused, the draw."""

    first: date
    last: date
    lacking: Lacking
    refused: Sequence[Mapping[str, str]] = ()
    draw: Draw | None = None


def title(period: str, language: str) -> str:
    """Return the certificate's title for a month, YYYY-MM."""
    _ = translator(language)
    month = format_month(date.fromisoformat(f"{period}-01"), language)
    return _("Control certificate for {month}").format(month=month)


def certificate_page(
    site: Site, plan: Plan, outcomes: Sequence[Outcome], rests: Rests, warnings: Sequence[str] = ()
) -> str:
    """Return the certificate as HTML; `warnings` are those of the index page."""
    _, plan = translator(plan.language), as_told(site, plan)
    heading = title(plan.period, plan.language)
    named = _named(site, plan)
    lacking = [label for label, value in named if not value]
    stated = [(label, value or _("not stated")) for label, value in named]
    said = list(warnings)
    if lacking:
        said.insert(0, _("Not stated: {labels}.").format(labels=", ".join(lacking)))
    objects: list[DisplayObject] = [
        Heading(heading, 1),
        Paragraph(summary(plan.language, outcomes), "summary"),
        *([Paragraph(" ".join(said), "warning")] if said else []),
        *([Paragraph(masked_notice(plan.language), "notice")] if plan.scope else []),
        Facts([*_scope(site, plan, rests), *stated, *_versions(site, plan.language)]),
        _sources(site, plan, rests),
        *checks(site, plan, {each.name: each for each in outcomes}),
        *_sample(plan, rests, outcomes),
    ]
    return render_page(
        objects, PageInformation(heading, plan.language, "certificate", site.settings.name, HOME), is_one_sheet=True
    )


def _scope(site: Site, plan: Plan, rests: Rests) -> list[tuple[str, str]]:
    _ = translator(plan.language)
    first, last = (format_date(each, plan.language) for each in (rests.first, rests.last))
    country = Locale.parse(plan.language).territories[site.settings.country]
    logs = ", ".join(dict.fromkeys(each.source_id for each in _logs(plan.deliveries)))
    text = _("All that these logs say of patients' records, log-ins and drugs: {logs}")
    return [
        (_("Organisation"), site.settings.name),
        (_("Country"), country),
        (_("Period"), _("{first} to {last}, both included").format(first=first, last=last)),
        (_("Scope"), text.format(logs=logs) if logs else _("No log was taken in.")),
        (_("Snapshot of the store"), str(plan.snapshot)),
    ]


def _named(site: Site, plan: Plan) -> list[tuple[str, str]]:
    """Return what only people can state; what they did not state is empty."""
    _ = translator(plan.language)
    routine = site.settings.routine
    informed = [format_date(routine.staff_informed_on, plan.language)] if routine.staff_informed_on else []
    informed += [routine.staff_informed_how] if routine.staff_informed_how else []
    return [
        (_("Routine in force"), routine.name),
        (_("Version of the routine"), routine.version),
        (_("Person responsible"), official(site, plan, routine.person_responsible)),
        (_("Run by"), signatory_in_words(str(plan.parameters.get("run_by", "")), plan.language)),
        (_("Approved by"), signatory_in_words(str(plan.parameters.get("approved_by", "")), plan.language)),
        (_("Staff last informed of log control"), ", ".join(informed)),
    ]


def _versions(site: Site, language: str) -> list[tuple[str, str]]:
    _ = translator(language)
    sql, parameters = fingerprints(site)
    return [
        (_("Replaced by this site"), ", ".join(Catalog(site.folder).replaced) or _("nothing of the program")),
        (_("Version of the program"), version("audit-kernel")),
        (_("SQL, SHA-256 begins"), sql[:SHOWN]),
        (_("Parameters, SHA-256 begins"), parameters[:SHOWN]),
    ]


def _logs(deliveries: Iterable[Delivery]) -> list[Delivery]:
    return [each for each in deliveries if not each.source_id.startswith(coverage.REFERENCE)]


def _sources(site: Site, plan: Plan, rests: Rests) -> Table:
    """Show a row for each log with rows in the month, or without any, and one for all reference data."""
    _ = translator(plan.language)
    start, end = site.instant(rests.first), site.instant(rests.last + timedelta(days=1))
    of_source: dict[str, list[Delivery]] = {each.source_id: [] for each in _logs(plan.deliveries)}
    reference = [each for each in plan.deliveries if each.source_id not in of_source]
    for each in _logs(plan.deliveries):
        if (each.first_at or start) < end and (each.last_at or start) >= start:  # without times: each month
            of_source[each.source_id].append(each)
    missing = coverage.missing_files(rests.refused, plan.deliveries)
    for _name, source, _at in missing:
        if not source.startswith(coverage.REFERENCE):
            of_source.setdefault(source, [])
    lacking = {str(each["source_id"]): each for each in rests.lacking}
    rows = [
        (source, *_figures(files, missing, source, plan.language), _completeness(lacking.get(source), plan.language))
        for source, files in sorted(of_source.items())
    ]
    figures = _figures(reference, missing, coverage.REFERENCE, plan.language)
    rows.append((_("Reference data, all deliveries"), *figures, ""))
    labels = (_("Files"), _("Records read"), _("Stored"), _("Already known"), _("In quarantine"), _("Files refused"))
    columns = [
        TableColumn("source", _("Log")),
        *(TableColumn(f"n{number}", label, "integer", "end") for number, label in enumerate(labels)),
        TableColumn("completeness", _("Completeness in the month")),
    ]
    caption = _("Logs, by the whole files that reach into the month")
    return Table(caption, columns, rows, len(rows), "", plan.language)


def _figures(
    files: Sequence[Delivery], missing: Sequence[tuple[str, str, datetime]], source: str, language: str
) -> list[str]:
    """Return files, records read, stored, known and in quarantine, and files that were refused and never taken in."""
    names = ("n_read", "n_stored", "n_known", "n_quarantined")
    sums = [sum(getattr(each, name) for each in files) for name in names]
    is_reference = source == coverage.REFERENCE
    refused = sum(each.startswith(source) if is_reference else each == source for _name, each, _at in missing)
    return [format_number(count, language) for count in (len(files), *sums, refused)]


def _completeness(lacks: Mapping[str, Any] | None, language: str) -> str:
    """Return what a log lacks in the month, in a few words."""
    _ = translator(language)
    if lacks is None or not lacks["n_rows"]:
        return _("No rows in the month: nothing can be said.")
    texts = {
        "n_silent_days": _.plural("{count} day without rows", "{count} days without rows", lacks["n_silent_days"]),
        "n_missing_numbers": _.plural(
            "{count} running number missing", "{count} running numbers missing", lacks["n_missing_numbers"]
        ),
        "n_odd_hours": _.plural("{count} uncertain time", "{count} uncertain times", lacks["n_odd_hours"]),
    }
    said = [text.format(count=format_number(lacks[name], language)) for name, text in texts.items() if lacks[name]]
    return "; ".join(said) or _("Nothing missing was seen")


def _sample(plan: Plan, rests: Rests, outcomes: Sequence[Outcome]) -> list[DisplayObject]:
    """Show what the random sample promises; its bound is known when it has been judged."""
    _ = translator(plan.language)
    shown: list[DisplayObject] = [Heading(_("Random sample"))]
    outcome = next((each for each in outcomes if each.name == NOTEBOOK), None)
    if outcome is None:
        return [*shown, Paragraph(_("No random sample was drawn: the month's schedule has none."), "warning")]
    if rests.draw is None or not outcome.succeeded:
        reason = outcome.reason or str(outcome.facts.get("not_assessable", ""))
        return [*shown, Paragraph(_("No random sample was drawn. {reason}").format(reason=reason), "warning")]
    design = rests.draw.design
    text = _("{drawn} of {frame} drawn by the seed {seed}. The bound comes with the month's closing.")
    counts = {"drawn": design.drawn, "frame": design.population}
    figures = {name: format_number(count, plan.language) for name, count in counts.items()}
    promise = words.promises_in_words(design, plan.language)[0]
    return [*shown, Paragraph(f"{promise} {text.format(seed=rests.draw.seed, **figures)}")]
