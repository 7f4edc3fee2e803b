"""The reasons of each access, as columns beside the rows that they explain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from audit_kernel.explanations import explanations
from audit_kernel.investigation.table import TableColumn
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.investigation.table import TableContent
    from audit_kernel.query import Result
    from audit_kernel.site import Site

BEST, ABSENT = "best_reason", "absent_reasons"


def reason_titles(site: Site, language: str) -> dict[str, str]:
    """Return the title of each reason; one that a few people's accesses cannot show says so."""
    _ = translator(language)
    needs = _("needs everybody's accesses: see the month's pages")
    found = {each.name: each for each in explanations(site)}
    words = {name: each.description.title.in_language(language) for name, each in found.items()}
    return {name: f"{text} ({needs})" if found[name].needs_everybody else text for name, text in words.items()}


def with_reasons(shown: TableContent, reasons: Result, titles: Mapping[str, str], language: str) -> TableContent:
    """Return a table with the best reason of each row, and those searched for and absent, in words."""
    _ = translator(language)
    found = {str(row["access_id"]): row for row in reasons.table.to_pylist()}
    best, absent = [], []
    for access_id in shown.rows["access_id"].to_pylist():
        row = found.get(str(access_id), {})
        reason = row.get("explanation_found")
        words = titles.get(str(reason), str(reason)) if reason else _("No reason found")
        is_weak = reason is not None and not row["is_enough"]
        best.append(_("Not enough alone: {reason}").format(reason=words) if is_weak else words)
        absent.append(", ".join(titles.get(each, each) for each in row.get("explanations_absent") or []))
    rows = shown.rows.append_column(BEST, pa.array(best, pa.string())).append_column(
        ABSENT, pa.array(absent, pa.string())
    )
    added = [
        TableColumn(BEST, _("Best reason"), BEST, _("Why the access is legitimate, as far as the data show.")),
        TableColumn(ABSENT, _("Searched and absent"), ABSENT, _("Reasons that the data could show and do not.")),
    ]

    def as_text(piece: pa.Table) -> Sequence[Sequence[str]]:
        said = zip(piece[BEST].to_pylist(), piece[ABSENT].to_pylist(), strict=True)
        return [(*row, *map(str, more)) for row, more in zip(shown.as_text(piece), said, strict=True)]

    return replace(shown, rows=rows, columns=[*shown.columns, *added], as_text=as_text)
