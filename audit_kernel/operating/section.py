"""A section of the page: a form, what came of it, and tables below it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import pyarrow

from audit_kernel.investigation.questions import sentence_of
from audit_kernel.investigation.table import Table, TableColumn, TableContent
from audit_kernel.investigation.widgets import Form, Trail, harmless_texts
from audit_kernel.locale import format_percent, translator

if TYPE_CHECKING:
    from audit_kernel.operating.desk import Desk

Report = Callable[[str], None]
# A screen reader says each change; more often it would not finish its sentence.
SECONDS_BETWEEN_REPORTS = 2.0


class Section(ipywidgets.VBox):  # type: ignore[misc]
    """One step of the page.

    Parameters
    ----------
    n_tables: tables below the answer, in order.
    parts: what stands between the answer and the tables.
    choose: gets a chosen row of a table that offers it.
    """

    def __init__(
        self,
        desk: Desk,
        n_tables: int,
        parts: Sequence[Any] = (),
        form: type[Form] = Form,
        choose: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.desk = desk
        self._ = translator(desk.language)
        self.form = form(self.texts(), desk.language, self.act)
        self.answer = Trail(desk.language, lambda _position: None)
        self.tables = [Table(desk.language, choose) for _number in range(n_tables)]
        super().__init__([self.form, self.answer, *parts, *self.tables])
        self.add_class("ak-section")

    def __repr__(self) -> str:
        """Name the section only: its state would be written into the notebook."""
        return f"<{type(self).__name__}>"

    def texts(self) -> dict[str, Any]:
        """Return the form's title, lead, fields and buttons."""
        raise AssertionError  # every section has its own

    def act(self, values: dict[str, str]) -> None:
        """Do what the form asks."""
        raise AssertionError(values)  # every section has its own

    def refresh(self) -> None:
        """Show the form anew: its lists may have changed."""
        self.form.texts = harmless_texts(self.texts())

    def start(self, job: Callable[[Report], None]) -> None:
        """Run a job beside the page, which shows its own answer. An error becomes a sentence at the form."""
        self.form.say("")

        def begin() -> None:
            self.form.is_busy = True
            self.clear()

        def work() -> None:
            try:
                job(self._report)
            except Exception as error:  # noqa: BLE001 - whatever failed, the page must say so and stay usable
                self.clear()
                self.complain(error)
            self.form.is_busy = False

        if not self.desk.worker.start(begin, work):
            _ = self._
            self.form.say(_("Something else is still running."), _("Wait until it is done, then try again."))

    def complain(self, error: Exception) -> None:
        """Show an error as its sentence, at the field it is about where it names one."""
        self.form.say(*sentence_of(error, self.desk.language), getattr(error, "field", ""))

    def clear(self) -> None:
        """Show no answer."""
        self.answer.show({})
        for table in self.tables:
            table.hide()

    def say(
        self,
        title: str,
        lead: str,
        facts: Sequence[tuple[str, str]] = (),
        notices: Sequence[str] = (),
        status: str = "",
    ) -> None:
        """Show an answer's heading, which gets the focus, its facts and notices; tables stand there already."""
        _ = self._
        texts = {"trail": title, "notices": _("What to know about it")}
        view = {"crumbs": [title], "title": title, "question": lead, "facts": facts, "notices": notices}
        self.answer.show({**view, "status": status, "texts": texts})

    def _report(self, text: str) -> None:
        self.answer.show({"status": text})


def byte_report(report: Report, text: str, language: str) -> Callable[[int, int], None]:
    """Return a progress callback in bytes that says now and then how far a job is; `{share}` in the text."""
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if total and time.monotonic() - last >= SECONDS_BETWEEN_REPORTS:
            last = time.monotonic()
            report(text.format(share=format_percent(done / total, language, 0)))

    return progress


def text_table(
    caption: str,
    columns: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    numbers: frozenset[str] = frozenset(),
    folded: str = "",
) -> TableContent:
    """Return a table of texts.

    Parameters
    ----------
    columns: label by name, in order. numbers: the names whose texts are numbers.
    """
    cells = {name: [row[position] for row in rows] for position, name in enumerate(columns)}
    schema = pyarrow.schema([pyarrow.field(name, pyarrow.string()) for name in columns])

    def as_text(piece: pyarrow.Table) -> list[list[str]]:
        return [list(row.values()) for row in piece.to_pylist()]

    shown = [TableColumn(name, label, name, is_number=name in numbers) for name, label in columns.items()]
    return TableContent(pyarrow.table(cells, schema=schema), shown, as_text, caption, folded=folded)
