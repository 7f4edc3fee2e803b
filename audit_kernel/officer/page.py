"""The data-protection officer's page: plain HTML without scripts, made anew each time; what it names is sealed."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from audit_kernel.due import FINISHED, STATES
from audit_kernel.evidence.display import (
    DisplayObject,
    Facts,
    Heading,
    PageInformation,
    Paragraph,
    Table,
    TableColumn,
)
from audit_kernel.evidence.rendering import render_page
from audit_kernel.locale import format_date, format_month, format_number, format_timestamp, translator
from audit_kernel.officer.reading import EARLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.officer.reading import Overview
    from audit_kernel.site import Site

Column = tuple[str, bool]  # label, and whether it holds numbers


def officer_page(site: Site, found: Overview, language: str) -> str:
    """Return the page as HTML."""
    _ = translator(language)
    title = _("What the log control did")
    objects: list[DisplayObject] = [
        Heading(title, 1),
        Paragraph(summary(found, language), "summary"),
        *(Paragraph(text, "warning") for text in warnings(found, language)),
        Facts(_facts(site, found, language)),
        Heading(_("Months")),
        _months(found, language),
        Heading(_("Use of the program")),
        Paragraph(
            _(
                "How often, never about whom: who looked at whom stands on each month's page of the control of the"
                " controllers. A purpose is shown by its case number alone, since free text may name somebody."
            )
        ),
        _uses(found, language),
        Heading(_("Course of the cases")),
        _cases(site, found, language),
        Heading(_("Journals")),
        _journals(site, found, language),
        Paragraph(
            _(
                "This page is not sealed: it is made anew from the archive and the journals, and shows no patient. What"
                " it cannot see: who reads the files with another program, and what was cut off the journals since the"
                " last sealed run."
            ),
            "method",
        ),
    ]
    return render_page(objects, PageInformation(title, language, "officer", site.settings.name))


def summary(found: Overview, language: str) -> str:
    """Return how many months have a finished control and are closed, and how many cases there are."""
    _ = translator(language)
    figures = {
        "finished": sum(each.state == FINISHED for each in found.months),
        "months": len(found.months),
        "closed": sum(bool(each.closed_on) for each in found.months),
        "cases": len(found.cases),
    }
    text = _("Months with a finished control: {finished} of {months}. Closed: {closed}. Cases: {cases}.")
    return text.format(**{name: format_number(count, language) for name, count in figures.items()})


def warnings(found: Overview, language: str) -> list[str]:
    """Return what is wrong: months without a finished control, archive, journals, and what could not be verified."""
    _ = translator(language)
    words = _state_words(language)
    told = [f"{_month(each.month, language)}: {words[each.state]}" for each in found.months if each.state != FINISHED]
    told += [*found.problems, *(text for each in found.journals for text in each.breaks)]
    if not found.used.is_whole:
        told.append(_("The use log's last line is damaged: nothing of it is counted here."))
    if not found.reads_restricted:
        told.append(
            _(
                "Verified with the archive's own copy of the key: compare its fingerprint with the filed one. What only"
                " the privacy officer reads was not verified."
            )
        )
    return told


def _facts(site: Site, found: Overview, language: str) -> list[tuple[str, str]]:
    _ = translator(language)
    routine, lacking = site.settings.routine, _("not stated")
    days = {"first": format_date(found.first, language), "last": format_date(found.last, language)}
    return [
        (_("Organisation"), site.settings.name),
        (_("Period"), _("{first} to {last}, both included").format(**days)),
        (_("Routine in force"), routine.name or lacking),
        (_("Version of the routine"), routine.version or lacking),
        (_("Person responsible"), routine.person_responsible or lacking),
        (_("Code of the archive's head"), found.head_code or lacking),
        (_("Fingerprint of the key"), found.fingerprint),
        (_("Lines of the use log"), format_number(found.used.n_lines, language)),
    ]


def _months(found: Overview, language: str) -> Table:
    _ = translator(language)
    words, lacking = _state_words(language), _("no certificate")
    columns = [
        *((_("Month"), False), (_("Control"), False), (_("Certificate, in archive/"), False), (_("Checks"), True)),
        *((_("Without an answer"), True), (_("Findings"), True), (_("Kept for the privacy officer"), True)),
        *((_("Closed"), False), (_("Signed off by"), False), (_("Undecided"), True)),
    ]
    rows = [
        (
            _month(each.month, language),
            words[each.state],
            each.certificate or (f"{each.run}: {lacking}" if each.run else ""),
            *(format_number(count, language) if each.run else "" for count in (each.n_checks, each.n_unanswered)),
            *(format_number(count, language) if each.run else "" for count in (each.n_findings, each.n_restricted)),
            format_date(date.fromisoformat(each.closed_on), language) if each.closed_on else _("not closed"),
            each.signed_by,
            format_number(each.n_undecided, language) if each.closed_on else "",
        )
        for each in found.months
    ]
    return _table(_("Controls and closings"), columns, rows, language)


def _state_words(language: str) -> dict[str, str]:
    _ = translator(language)
    states = {state: _(text) for state, text in STATES.items()}
    return {**states, FINISHED: _("finished"), EARLY: _("a run from before the month's end")}


def _uses(found: Overview, language: str) -> Table:
    _ = translator(language)
    columns = [
        *((_("User"), False), (_("Case number"), False), (_("Openings"), True), (_("Questions"), True)),
        *((_("Decisions and exports"), True), (_("Rows"), True), (_("People asked about"), True)),
    ]
    rows = [
        (
            each.user,
            _("the control's own run") if each.is_control else each.case_number or _("without a case number"),
            *(format_number(count, language) for count in (each.n_openings, each.n_questions, each.n_acts)),
            *(format_number(count, language) for count in (each.n_rows, len(each.people))),
        )
        for each in found.uses
    ]
    return _table(_("Use by user and case number"), columns, rows, language)


def _cases(site: Site, found: Overview, language: str) -> Table:
    _ = translator(language)
    words = {
        "opened": _("opened"),
        "note": _("note"),
        "conversation": _("conversation"),
        "explanation": _("the employee's explanation"),
        "attached": _("evidence added"),
        "decided": _("decision"),
        "deviation": _("deviation"),
        "known": _("breach known"),
        "measure": _("measure"),
        "notified": _("notification"),
        "exported": _("exported"),
        "closed": _("closed"),
        "reopened": _("opened again"),
        "shared": _("shared with a user"),
        "unshared": _("no longer shared with a user"),
    }
    rows = [
        (each.number, _timestamp(at, site, language), words.get(did, did))
        for each in found.cases
        for at, did in each.lines
    ]
    return _table(
        _("Cases, line by line"), [(_("Case number"), False), (_("Time"), False), (_("Line"), False)], rows, language
    )


def _journals(site: Site, found: Overview, language: str) -> Table:
    _ = translator(language)
    columns = [(_("Journal"), False), (_("Lines"), True), (_("Last line"), False), (_("Verified"), False)]
    rows = [
        (
            each.file,
            format_number(each.n_lines, language),
            _timestamp(each.last_at, site, language),
            _("does NOT hold") if each.breaks else _("holds"),
        )
        for each in found.journals
    ]
    return _table(_("Journals and their chains"), columns, rows, language)


def _table(caption: str, columns: Sequence[Column], rows: Sequence[tuple[str, ...]], language: str) -> Table:
    _ = translator(language)
    made = [
        TableColumn(f"c{place}", label, "integer" if is_number else "text", "end" if is_number else "start")
        for place, (label, is_number) in enumerate(columns)
    ]
    return Table(caption, made, rows, len(rows), "" if rows else _("None."), language)


def _month(month: str, language: str) -> str:
    return format_month(date.fromisoformat(f"{month}-01"), language)


def _timestamp(text: str, site: Site, language: str) -> str:
    """Return a journal's time as a reader writes it; a text that is none as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return format_timestamp(moment, language, site.settings.time_zone)
