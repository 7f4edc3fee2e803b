"""A table for any number of rows: sorted and paged here, one page of text sent to the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow
import traitlets
from pyarrow import compute

from audit_kernel.investigation.widgets import Part, harmless_texts, script
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    Formatter = Callable[[pyarrow.Table], Sequence[Sequence[str]]]

Order = Literal["ascending", "descending"]
ROWS_A_PAGE = 50
# Letters behind z, in the order of each alphabet; elsewhere they stand in the order of their code points.
ALPHABETS = {"sv": "åäæöø", "nb": "æäøöå", "en": ""}


@dataclass(frozen=True)
class TableColumn:
    """A column as the table shows it. `sorted_by` names the Arrow column behind it; a whole cell keeps to one line."""

    name: str
    label: str
    sorted_by: str
    meaning: str = ""
    is_number: bool = False
    is_whole: bool = False


@dataclass(frozen=True)
class TableContent:
    """What a table shows: Arrow rows, the columns, and a function that turns some of the rows into text.

    `action` is what choosing a row does; `ways` are further things, name and words, behind one button a row.
    """

    rows: pyarrow.Table
    columns: Sequence[TableColumn]
    as_text: Formatter
    caption: str
    heading: int = 0
    action: str = ""
    folded: str = ""
    marked: int | None = None
    ways: Sequence[tuple[str, str]] = ()


def alphabetical(values: Any, language: str) -> Any:  # noqa: ANN401 - an Arrow column of texts
    """Return keys that sort texts as a reader of the language expects: case aside, its own letters last."""
    keys = compute.utf8_lower(values)
    for position, letter in enumerate(ALPHABETS.get(language, "")):
        keys = compute.replace_substring(keys, pattern=letter, replacement=f"z\U0010ff00{position}")
    return keys


def sorted_indices(rows: pyarrow.Table, column: str, order: Order, language: str) -> pyarrow.UInt64Array:
    """Return the stable order of the rows by one column; rows without a value come last."""
    keys = rows.select([column]).rename_columns(["key"])
    kind = keys.schema.field("key").type
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        keys = keys.set_column(0, "key", alphabetical(keys["key"], language))
    return compute.sort_indices(keys, sort_keys=[("key", order)])


class Table(Part):
    """A real table in the browser.

    `on_choose` gets the chosen row as a dictionary of the Arrow row's values, `on_way` also which way was chosen.
    """

    _esm = script("table")
    view = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        language: str,
        on_choose: Callable[[dict[str, Any]], None] | None = None,
        on_way: Callable[[dict[str, Any], str], None] | None = None,
    ) -> None:
        super().__init__(language=language)
        self._on_choose, self._on_way = on_choose, on_way
        self.hide()

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return what each kind of message does."""
        return {
            "sort": lambda content: self.sort(str(content["column"])),
            "page": lambda content: self.turn(int(content["page"])),
            "choose": lambda content: self.choose(int(content["row"])),
            "way": lambda content: self.go(int(content["row"]), str(content["way"])),
        }

    def show(self, content: TableContent) -> None:
        """Show rows from their first page, or from the page of the marked row, in the order they came in."""
        self._content: TableContent | None = content
        self._indices: pyarrow.UInt64Array | None = None
        self._sorted_by = ""
        self._order: Order | None = None
        self._page = (content.marked or 0) // ROWS_A_PAGE
        self._draw()

    def update(self, content: TableContent) -> None:
        """Show more about the same rows: order and page stay."""
        self._content = content
        self._draw()

    def hide(self) -> None:
        """Show nothing."""
        self._content = None
        self.view = {}

    def sort(self, name: str) -> None:
        """Sort by a column: first ascending, then descending, then as it came in."""
        content = self._content
        column = next((column for column in content.columns if column.name == name), None) if content else None
        if content is None or column is None:
            return
        following: dict[Order | None, Order | None] = {None: "ascending", "ascending": "descending", "descending": None}
        self._order = following[self._order if self._sorted_by == name else None]
        self._sorted_by = name
        self._indices = (
            sorted_indices(content.rows, column.sorted_by, self._order, self.language) if self._order else None
        )
        self._page = 0
        self._draw()

    def turn(self, page: int) -> None:
        """Turn to a page, the first being 0; one that does not exist changes nothing."""
        if self._content is not None and 0 <= page < self._n_pages(self._content):
            self._page = page
            self._draw()

    def choose(self, row: int) -> None:
        """Choose a row of the page shown, as its button does."""
        if self._on_choose is not None and self._content is not None and self._content.action:
            for chosen in self._row(row):
                self._on_choose(chosen)

    def go(self, row: int, way: str) -> None:
        """Go one of the ways from a row of the page shown, as its button does."""
        if self._on_way is not None and self._content is not None and way in dict(self._content.ways):
            for chosen in self._row(row):
                self._on_way(chosen, way)

    def _row(self, row: int) -> list[dict[str, Any]]:
        piece = self._piece(self._content) if self._content is not None and row >= 0 else None
        found: list[dict[str, Any]] = piece.slice(row, 1).to_pylist() if piece is not None else []
        return found

    @staticmethod
    def _n_pages(content: TableContent) -> int:
        return max(1, -(-content.rows.num_rows // ROWS_A_PAGE))

    def _piece(self, content: TableContent) -> pyarrow.Table:
        start = self._page * ROWS_A_PAGE
        if self._indices is None:
            return content.rows.slice(start, ROWS_A_PAGE)
        return content.rows.take(self._indices.slice(start, ROWS_A_PAGE))

    def _marked(self, content: TableContent) -> int | None:
        if content.marked is None:
            return None
        position = content.marked if self._indices is None else self._indices.index(content.marked).as_py()
        on_page = position - self._page * ROWS_A_PAGE
        return on_page if 0 <= on_page < ROWS_A_PAGE else None

    def _draw(self) -> None:
        content = self._content
        if content is None:
            return
        piece = self._piece(content)
        columns = [
            {
                "name": column.name,
                "label": column.label,
                "meaning": column.meaning,
                "numeric": column.is_number,
                "whole": column.is_whole,
                "sort": (column.name == self._sorted_by and self._order) or "none",
            }
            for column in content.columns
        ]
        self.view = {
            "caption": harmless_texts(content.caption),
            "columns": harmless_texts(columns),
            "rows": harmless_texts([list(row) for row in content.as_text(piece)]),
            "heading": content.heading,
            "action": content.action,
            "folded": content.folded,
            "marked": self._marked(content),
            "ways": [list(way) for way in content.ways],
            "page": self._page,
            "pages": self._n_pages(content),
            "texts": self._texts(content, piece.num_rows),
        }

    def _texts(self, content: TableContent, n_shown: int) -> dict[str, str]:
        _ = translator(self.language)
        first = self._page * ROWS_A_PAGE
        where = _("Rows {first} to {last} of {total}").format(
            first=format_number(first + 1, self.language),
            last=format_number(first + n_shown, self.language),
            total=format_number(content.rows.num_rows, self.language),
        )
        return {
            "action": _("Next step"),
            "more": _("More"),
            "more_of": _("More questions about this row"),
            "first": _("First page"),
            "previous": _("Previous page"),
            "next": _("Next page"),
            "last": _("Last page"),
            "pages": _("Pages of the table"),
            "where": where,
        }
