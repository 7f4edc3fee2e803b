"""What the reviewer's page shows, in the reader's language: the lists, a list's rows, one row, and its form."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow
from pyarrow import compute

from audit_kernel.investigation.table import TableColumn, TableContent
from audit_kernel.locale import format_number, format_timestamp, translator
from audit_kernel.review.lists import headings
from audit_kernel.review_reasons import DECISIONS, decision_words, review_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.review.work import Said, WorkRow
    from audit_kernel.site import Site


def state(decision: str, language: str) -> str:
    """Return a decision in words, or that the row is open."""
    _ = translator(language)
    return decision_words(language).get(decision) or _("Open")


def lists_table(rows: Sequence[tuple[str, int, int, str]], language: str, label: str) -> TableContent:
    """Return the table of lists: whose or of when each is, rows, open rows, and its key.

    Parameters
    ----------
    label: heading of what tells the lists apart.
    """
    _ = translator(language)
    cells = [(name, *(format_number(count, language) for count in counts), key, "list") for name, *counts, key in rows]
    columns = {"name": label, "rows": _("Rows"), "open": _("Open")}
    return _table(_("Lists"), columns, cells, _("Open the list"), numbers=("rows", "open"))


def rows_table(site: Site, rows: Sequence[WorkRow], *, marked: str = "", is_settling: bool = False) -> TableContent:
    """Return a list's rows: number, what was decided last, and the cells of the workbook in its own words."""
    language = site.settings.language
    _ = translator(language)
    names = {"number": _("No."), "state": _("Settled") if is_settling else _("Decision")}
    if is_settling:
        names |= {"first": _("First reviewer"), "second": _("Second reviewer")}
    names |= {f"cell{place}": label for place, label in enumerate(headings(language))}
    cells = []
    for row in rows:
        both = [_last(said, language) for said in (row.first, row.second)] if is_settling else []
        cells.append((row.key, _last(() if row.is_open else row.said, language), *both, *row.cells, row.key, "row"))
    keys = [row.key for row in rows]
    at = keys.index(marked) if marked in keys else None
    caption = _("Rows to settle") if is_settling else _("Rows of the list")
    return _table(caption, names, cells, _("Settle") if is_settling else _("Decide"), marked=at)


def row_view(language: str, row: WorkRow, lead: str, told: str, notices: Sequence[str]) -> dict[str, Any]:
    """Return one row for the trail: its cells as facts, and notices below the heading `told`."""
    _ = translator(language)
    title = _("Row {row}").format(row=row.key)
    facts = [(label, cell) for label, cell in zip(headings(language), row.cells, strict=True) if cell]
    texts = {"trail": title, "notices": told}
    return {"crumbs": [title], "title": title, "question": lead, "facts": facts, "notices": notices, "texts": texts}


def said_before(site: Site, row: WorkRow) -> list[str]:
    """Return what the journal holds about a row, one sentence each."""
    _ = translator(site.settings.language)
    templates = (
        (row.first, _("First reviewer, {reviewer}, {at}: {decision}, {reason}. “{remark}”")),
        (row.second, _("Second reviewer, {reviewer}, {at}: {decision}, {reason}. “{remark}”")),
        (row.said, _("Decided by {reviewer}, {at}: {decision}, {reason}. “{remark}”")),
    )
    return [_said(site, template, each) for given, template in templates for each in given]


def reason_options(site: Site) -> list[list[str]]:
    """Return the written reasons for a form: code, words, decision."""
    language = site.settings.language
    return [[each.code, each.title.in_language(language), each.decision] for each in review_reasons(site)]


def entry_texts(language: str, offered: Sequence[Sequence[str]], row: WorkRow | None) -> dict[str, Any]:
    """Return the form of a row's decision, filled with what was decided last; reasons follow the decision.

    Parameters
    ----------
    offered: the written reasons: what is saved, what is shown, and the decision that each belongs to.
    """
    _ = translator(language)
    last = row.said[-1] if row and row.said else {"decision": "", "reason": "", "remark": ""}
    words = decision_words(language)
    none = ["", _("Choose one"), ""]
    fields: list[dict[str, Any]] = [
        {"name": "decision", "type": "select", "label": _("Decision")}
        | {"options": [none[:2], *([name, words[name]] for name in DECISIONS)]},
        {"name": "reason", "type": "select", "label": _("Reason"), "follows": "decision", "options": [none, *offered]}
        | {"hint": _("The written reasons that fit the decision.")},
        {"name": "remark", "type": "textarea", "label": _("In your own words")},
    ]
    return {
        "level": "h2",
        # another row is another form: what was typed for the one before must not stand in it
        "title": _("Decision about row {row}").format(row=row.key) if row else _("Decision"),
        "lead": _("All three are required."),
        "submit": _("Save"),
        "actions": [["leave", _("Back to the list")]],
        "busy": _("Working …"),
        "fields": [{**each, "required": True, "value": last[each["name"]]} for each in fields],
    }


def _said(site: Site, template: str, said: Said) -> str:
    language = site.settings.language
    titles = {each.code: each.title.in_language(language) for each in review_reasons(site)}
    at = format_timestamp(datetime.fromisoformat(said["decided_at"]), language, site.settings.time_zone)
    reason = titles.get(said["reason"], said["reason"])
    words = {"at": at, "decision": state(said["decision"], language), "reason": reason, "remark": said["remark"]}
    return template.format(reviewer=said["decided_by"], **words)


def _last(said: Sequence[Said], language: str) -> str:
    return state(said[-1]["decision"] if said else "", language)


def _table(
    caption: str,
    names: dict[str, str],
    cells: Sequence[tuple[str, ...]],
    action: str,
    *,
    numbers: tuple[str, ...] = (),
    marked: int | None = None,
) -> TableContent:
    """Return a table whose rows hold key and kind behind what they show."""
    schema = pyarrow.schema([(name, pyarrow.string()) for name in (*names, "key", "kind")])
    rows = pyarrow.Table.from_pylist([dict(zip(schema.names, each, strict=True)) for each in cells], schema)
    # figures of any length in their order; a short name is a text
    padded = {name: compute.utf8_lpad(rows[name], 20, " ") for name in ("number", *numbers) if name in names}
    for name, keys in padded.items():
        rows = rows.append_column(f"{name}_order", keys)

    def as_text(piece: pyarrow.Table) -> list[list[str]]:
        return [[str(row[name]) for name in names] for row in piece.to_pylist()]

    columns = [
        TableColumn(name, label, f"{name}_order" if name in padded else name, is_number=name in numbers)
        for name, label in names.items()
    ]
    return TableContent(rows, columns, as_text, caption, action=action, marked=marked)
