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
WAITING = "\N{HORIZONTAL ELLIPSIS}"


def reason_titles(site: Site, language: str) -> dict[str, str]:
    """Return the title of each reason; one that a few people's accesses cannot show says so."""
    _ = translator(language)
    needs = _("needs everybody's accesses: see the month's pages")
    found = {each.name: each for each in explanations(site)}
    words = {name: each.description.title.in_language(language) for name, each in found.items()}
    return {name: f"{text} ({needs})" if found[name].needs_everybody else text for name, text in words.items()}


def with_reasons(shown: TableContent, reasons: Result | None, titles: Mapping[str, str], language: str) -> TableContent:
    """Return a table with the best reason of each row behind its heading, and those searched for and absent at its end.

    Parameters
    ----------
    reasons: None while they are searched for: the columns are there already, so that nothing moves when they come.
    """
    _ = translator(language)
    found = {str(row["access_id"]): row for row in reasons.table.to_pylist()} if reasons else {}
    best, absent = [], []
    for access_id in shown.rows["access_id"].to_pylist():
        row = found.get(str(access_id), {})
        reason = row.get("explanation_found")
        words = titles.get(str(reason), str(reason)) if reason else _("No reason found")
        is_weak = reason is not None and not row["is_enough"]
        best.append(_("Not enough alone: {reason}").format(reason=words) if is_weak else words)
        absent.append(", ".join(titles.get(each, each) for each in row.get("explanations_absent") or []))
    if reasons is None:
        best = absent = [WAITING] * shown.rows.num_rows
    rows = shown.rows
    for name, values in ((BEST, best), (ABSENT, absent)):
        rows = rows.append_column(name, pa.array(values, pa.string()))
    place = shown.heading + 1
    before = TableColumn(BEST, _("Best reason"), BEST, _("Why the access is legitimate, as far as the data show."))
    behind = TableColumn(ABSENT, _("Searched and absent"), ABSENT, _("Reasons that the data could show and do not."))

    def as_text(piece: pa.Table) -> Sequence[Sequence[str]]:
        said = zip(shown.as_text(piece), piece[BEST].to_pylist(), piece[ABSENT].to_pylist(), strict=True)
        return [(*row[:place], str(best), *row[place:], str(absent)) for row, best, absent in said]

    columns = [*shown.columns[:place], before, *shown.columns[place:], behind]
    return replace(shown, rows=rows, columns=columns, as_text=as_text)
