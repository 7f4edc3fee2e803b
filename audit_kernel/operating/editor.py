"""The columns of a draft as a table of choices, for someone who never saw a mapping."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from audit_kernel.inspection import column_label, decided_word
from audit_kernel.investigation.widgets import Part, harmless_texts, script
from audit_kernel.locale import translator
from audit_kernel.sources.columns import DECIDED, TIME_PARTS, ColumnType
from audit_kernel.sources.draft import Table, mappable
from audit_kernel.sources.undecided import UNDECIDED

if TYPE_CHECKING:
    from audit_kernel.sources.draft import Draft, DraftColumn

STATIC = Path(__file__).parent / "static"
NOT_STORED = ""


class ColumnEditor(Part):
    """The table. `on_change` gets (column, field, value), `on_value` (column, position of the code, what it means)."""

    _esm = script("mapping", STATIC)
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self, language: str, on_change: Callable[[int, str, Any], None], on_value: Callable[[int, int, str], None]
    ) -> None:
        super().__init__(language=language)
        self._on_change = on_change
        self._on_value = on_value

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return what each kind of message does."""
        return {
            "change": lambda said: self._on_change(int(said["column"]), str(said["field"]), said["value"]),
            "value": lambda said: self._on_value(int(said["column"]), int(said["code"]), str(said["value"])),
        }

    def show(self, draft: Draft) -> None:
        """Draw the draft's columns; nothing for a format that has none."""
        if not draft.columns:
            self.view = {}
            return
        _ = translator(self.language)
        decide = [UNDECIDED, _("decide")]
        targets = sorted(
            ([name, column_label(name, self.language)] for name in mappable(draft.table)), key=lambda e: e[1]
        )
        types: dict[ColumnType, str] = {
            "text": _("text"),
            "integer": _("whole number"),
            "date": _("date"),
            "time": _("time of day"),
            "timestamp": _("date and time"),
        }
        headings = {
            "name": _("Column in the file"),
            "examples": _("For example"),
            "to": _("What it holds"),
            "type": _("Kind of value"),
            "format": _("Time format"),
            "required": _("Must have a value"),
        }
        view = {
            "caption": _("The columns of the file"),
            "headings": headings,
            "targets": [decide, [NOT_STORED, _("is not stored")], *targets],
            "types": [list(each) for each in types.items()],
            "columns": [self._column_view(column, draft.table, decide) for column in draft.columns],
        }
        self.view = harmless_texts(view)

    def _column_view(self, column: DraftColumn, table: Table, decide: list[str]) -> dict[str, Any]:
        is_timed = column.to in TIME_PARTS
        is_open = UNDECIDED in (column.to, column.format if is_timed else "", *column.values.values())
        return {
            "name": column.name,
            "examples": ", ".join(column.examples),
            "to": column.to,
            "type": column.type,
            "format": column.format,
            "timed": is_timed,
            "required": column.is_required,
            "open": is_open or (is_timed and not column.format),
            # The code itself never goes to the browser as a key: its position does.
            "values": [[position, code, to] for position, (code, to) in enumerate(column.values.items())],
            "allowed": [
                decide,
                *([value, self._word(column.to, value)] for value in DECIDED[table].get(column.to, ())),
            ],
        }

    def _word(self, target: str, value: str) -> str:
        return decided_word(target, value, self.language) or value
