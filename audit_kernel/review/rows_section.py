"""The part of a page that shows rows of a list and takes the decision about the one that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from audit_kernel.investigation.questions import sentence_of
from audit_kernel.investigation.widgets import HIDDEN, SHOWN, Form, Trail, harmless_texts
from audit_kernel.operating.section import Section
from audit_kernel.review.work_words import entry_texts, row_view, state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit_kernel.operating.desk import Desk
    from audit_kernel.review.work import WorkRow


class RowsSection(Section):
    """The question, the lists or one list's rows, and the decision about the row that was chosen."""

    def __init__(self, desk: Desk, n_tables: int = 1) -> None:
        self.rows: Sequence[WorkRow] = ()
        self.row: WorkRow | None = None
        self.row_trail = Trail(desk.language, lambda _position: None)
        self.entry = Form(entry_texts(desk.language, (), None), desk.language, self.enter)
        self.deciding = ipywidgets.VBox([self.row_trail, self.entry], layout={"display": HIDDEN})
        self.deciding.add_class("ak-section")
        super().__init__(desk, n_tables, [self.deciding], choose=self.choose)

    def offered(self) -> Sequence[Sequence[str]]:
        """Return the written reasons: what is saved, what is shown, and the decision that each belongs to."""
        raise AssertionError  # every page has its own, here and below

    def row_words(self, row: WorkRow) -> tuple[str, str, Sequence[str]]:
        """Return the sentence below a row's title, the heading of its notices, and those."""
        raise AssertionError(row)

    def open_list(self, key: str) -> None:
        """Show the rows of a list."""
        raise AssertionError(key)

    def show_rows(self, status: str, marked: str) -> None:
        """Show the rows anew."""
        raise AssertionError(status, marked)

    def save(self, row: WorkRow, values: Mapping[str, str]) -> bool:
        """Write the decision; say whether it was new."""
        raise AssertionError(row, values)

    def clear(self) -> None:
        """Show no answer and no row."""
        super().clear()
        self.leave()

    def leave(self) -> None:
        """Show no row."""
        self.row = None
        self.entry.texts = harmless_texts(entry_texts(self.desk.language, (), None))
        self.deciding.layout.display = HIDDEN
        self.row_trail.show({})

    def choose(self, chosen: dict[str, Any]) -> None:
        """Open a list, or a row of it."""
        self.form.say("")
        try:
            if self.rows and chosen["kind"] == "row":
                self.open_row(next(row for row in self.rows if row.key == chosen["key"]))
            else:
                self.open_list(chosen["key"])
        except Exception as error:  # noqa: BLE001 - whatever failed, the page must say so and stay usable
            self.complain(error)

    def open_row(self, row: WorkRow, status: str = "") -> None:
        """Show a row with what was said of it, and the form for its decision."""
        self.row = row
        self.entry.say("")
        self.entry.texts = harmless_texts(entry_texts(self.desk.language, self.offered(), row))
        self.deciding.layout.display = SHOWN
        self.show_row(row, status)

    def show_row(self, row: WorkRow, status: str = "") -> None:
        """Show a row's cells and what was said of it; what is typed in the form stays."""
        self.row_trail.show({**row_view(self.desk.language, row, *self.row_words(row)), "status": status})

    def enter(self, values: dict[str, str]) -> None:
        """Save the decision about the row and go to the next open one, or leave the row."""
        row = self.row
        if row is None:
            return
        if values.get("action") == "leave":
            self._show_again(row.key)
            return
        try:
            is_new = self.save(row, values)
        except Exception as error:  # noqa: BLE001 - whatever failed, the page must say so and stay usable
            self.entry.say(*sentence_of(error, self.desk.language), getattr(error, "field", ""))
            return
        _ = self._
        said = state(values["decision"], self.desk.language)
        text = _("Saved: row {row}, {decision}.") if is_new else _("Row {row} was decided so already: {decision}.")
        self._show_again(row.key, text.format(row=row.key, decision=said))

    def _show_again(self, key: str, status: str = "") -> None:
        """Show the rows as they are now, and after a decision the next open one."""
        self.leave()
        coming = self._next_open(key) if status else None
        self.show_rows("" if coming else status, key)  # the status is said once
        if coming:
            self.open_row(next(row for row in self.rows if row.key == coming), status)

    def _next_open(self, key: str) -> str:
        """Return the key of the next row that is open, from the top again after the last; empty where none is."""
        keys = [row.key for row in self.rows]
        after = keys.index(key) + 1
        following = [*self.rows[after:], *self.rows[:after]]
        return next((row.key for row in following if row.is_open and row.key != key), "")
