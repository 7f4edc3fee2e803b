"""What a page rests on: the thresholds used, who approved them and since when, and the law."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.completeness import sentences
from audit_kernel.evidence.display import DisplayObject, Heading, Table, TableColumn
from audit_kernel.legal_basis import legal_basis
from audit_kernel.locale import format_date, translator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.errors import NotAssessableError
    from audit_kernel.query import Result
    from audit_kernel.site import Site


def grounds(result: Result, site: Site, language: str) -> list[DisplayObject]:
    """Return a heading and the tables of thresholds and legal basis, those there are."""
    _ = translator(language)
    description = result.query.description
    thresholds = [
        (
            label.in_language(language) if (label := description.parameters[name].label) else name,
            f"{decision.value} {unit_in_words(decision.unit, language)}".strip(),
            decision.reason.in_language(language),
            decision.approved_by,
            format_date(decision.valid_from, language),
        )
        for name, decision in result.thresholds.items()
    ]
    laws = [law for key in description.legal_basis if (law := legal_basis(key, site, language))]
    tables = [
        _table(
            _("Thresholds"),
            [_("Threshold"), _("Value"), _("Reason"), _("Approved by"), _("Valid from")],
            thresholds,
            language,
        ),
        _table(_("Legal basis"), [_("Source"), _("What it asks")], laws, language),
    ]
    shown: list[DisplayObject] = [table for table in tables if table.rows]
    return [Heading(_("What this page rests on")), *shown] if shown else []


def _table(caption: str, labels: list[str], rows: Sequence[tuple[str, ...]], language: str) -> Table:
    columns = [TableColumn(f"c{number}", label) for number, label in enumerate(labels)]
    return Table(caption=caption, columns=columns, rows=rows, n_rows=len(rows), note="", language=language)


def unit_in_words(unit: str, language: str) -> str:
    """Return a threshold's unit in a language."""
    _ = translator(language)
    words = {
        "minutes": _("minutes"),
        "hours": _("hours"),
        "days": _("days"),
        "weeks": _("weeks"),
        "people": _("people"),
    }
    return words.get(unit, unit)


def why_not_assessable(error: NotAssessableError, language: str) -> str:
    """Return what is missing, as a sentence in a language."""
    _ = translator(language)
    names = {
        "accesses": _("accesses"),
        "authentications": _("authentications"),
        "block_data": _("block data"),
        "employees": _("employees"),
        "identifiers": _("identifiers"),
        "medication_events": _("medication events"),
        "month_findings": _("findings of a month's run"),
        "patients": _("patients"),
        "use_lines": _("lines of the use log that hold"),
        "use_users": _("users who are employees (use_log.users)"),
        "trial_findings": _("findings of a run with known incidents"),
        "record_keys": _("record keys"),
        "unit_assignments": _("unit assignments"),
        "units": _("units"),
        "households": _("households"),
        "relations": _("relations"),
        "employees.surname": _("surnames of employees"),
        "stays": _("stays"),
        "patient_flags": _("flags of patients"),
        "media_interest": _("persons of media interest"),
        "shifts": _("shifts"),
    }
    text = _(
        "This cannot be assessed, because no {relation} have been taken in. It does not mean that nothing was found."
    )
    if error.is_period_empty:
        text = _(
            "This cannot be assessed, because no {relation} have been taken in for the period. It does not mean that"
            " nothing was found."
        )
    if error.lacks:
        text = _(
            "This cannot be assessed, because the period's logs are not whole. It does not mean that nothing was found."
        )
    relation = " / ".join(names.get(each, each) for each in error.relation.split("|"))
    return " ".join([text.format(relation=relation), *sentences(error.lacks, language)])
