"""What a page is made of: small objects that a notebook cell displays and the archive page is rendered from.

Every string of every object passes :func:`~audit_kernel.evidence.harmless.harmless` when the object is made, so
neither JupyterLab nor the archive ever sees a raw log field. Each object gives JupyterLab escaped HTML, and the
archive a JSON description under :data:`MIME_TYPE`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, ClassVar, Literal, cast, get_args

from audit_kernel.errors import RunError
from audit_kernel.evidence.addresses import relative_address
from audit_kernel.evidence.harmless import harmless
from audit_kernel.evidence.svg import clean_svg
from audit_kernel.locale.translation import LANGUAGES

MIME_TYPE = "application/vnd.audit-kernel+json"

KINDS = frozenset({"text", "id", "code", "integer", "decimal", "percent", "date", "timestamp", "boolean"})
Tone = Literal["plain", "summary", "notice", "warning", "method"]
Align = Literal["start", "end"]


class _Described:
    """Common to all objects: harmless strings, a JSON description."""

    def __post_init__(self) -> None:
        """Make every string harmless and every list a tuple; subclasses then check their own fields."""
        for item in fields(self):  # type: ignore[arg-type]
            self._set(item.name, _cleaned(getattr(self, item.name)))

    def as_json(self) -> dict[str, Any]:
        """Return every field, of plain types only."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}  # type: ignore[arg-type]

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _require(self, name: str, allowed: Sequence[object]) -> None:
        if getattr(self, name) not in allowed:
            raise RunError(
                "{object}.{name} has a value that a page cannot show.",
                "Use one of {allowed}.",
                object=type(self).__name__,
                name=name,
                allowed=", ".join(map(str, allowed)),
            )


class DisplayObject(_Described):
    """What a notebook cell displays."""

    object_name: ClassVar[str]

    def as_json(self) -> dict[str, Any]:
        """Return the JSON description: the object's name and every field."""
        return {"object": self.object_name, **super().as_json()}

    def plain_text(self) -> str:
        """Return the text for consoles."""
        return ""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return what IPython displays; its two arguments change nothing."""
        from audit_kernel.evidence.rendering import fragment

        del include, exclude
        return {MIME_TYPE: self.as_json(), "text/html": fragment(self), "text/plain": self.plain_text()}


@dataclass(frozen=True)
class PageInformation(DisplayObject):
    """The first object of a page: its title and language.

    ``name`` is the notebook's name, ``site`` the organisation's, ``home`` the relative address of the index page.
    """

    title: str
    language: str
    name: str
    site: str = ""
    home: str = ""
    object_name: ClassVar[str] = "page"

    def __post_init__(self) -> None:
        """Check the language and the address."""
        super().__post_init__()
        self._require("language", LANGUAGES)
        self._set("home", relative_address(self.home) if self.home else "")

    def plain_text(self) -> str:
        """Return the title."""
        return self.title


@dataclass(frozen=True)
class Heading(DisplayObject):
    """A heading; level 1 is the page's title and stands once."""

    text: str
    level: int = 2
    object_name: ClassVar[str] = "heading"

    def __post_init__(self) -> None:
        """Check the level."""
        super().__post_init__()
        self._require("level", (1, 2, 3))

    def plain_text(self) -> str:
        """Return the heading."""
        return self.text


@dataclass(frozen=True)
class Paragraph(DisplayObject):
    """A paragraph: the summary stands large on top, notices and warnings in a frame, the method small at the end."""

    text: str
    tone: Tone = "plain"
    object_name: ClassVar[str] = "paragraph"

    def __post_init__(self) -> None:
        """Check the tone."""
        super().__post_init__()
        self._require("tone", get_args(Tone))

    def plain_text(self) -> str:
        """Return the text."""
        return self.text


@dataclass(frozen=True)
class Facts(DisplayObject):
    """Labels and values, such as the period asked for or the number of findings."""

    pairs: Sequence[tuple[str, str]]
    object_name: ClassVar[str] = "facts"

    def plain_text(self) -> str:
        """Return one line a fact."""
        return "\n".join(f"{label}: {value}" for label, value in self.pairs)


@dataclass(frozen=True)
class TableColumn(_Described):
    """One column: SQL name, heading, type as in the query's description, side its values lean to, meaning."""

    name: str
    label: str
    kind: str = "text"
    align: Align = "start"
    meaning: str = ""

    def __post_init__(self) -> None:
        """Check the side; a type that pages do not know is shown as text."""
        super().__post_init__()
        self._set("kind", self.kind if self.kind in KINDS else "text")
        self._require("align", get_args(Align))


@dataclass(frozen=True)
class Table(DisplayObject):
    """A table of texts that are already formatted; ``n_rows`` is the number of rows before any were left out."""

    caption: str
    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[str]]
    n_rows: int
    note: str = ""
    language: str = "en"
    object_name: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        """Check that every row has one text a column."""
        self._set("columns", [_made(TableColumn, column) for column in self.columns])
        super().__post_init__()
        self._require("language", LANGUAGES)
        if any(len(row) != len(self.columns) for row in self.rows):
            raise RunError(
                "A table's row has more or fewer cells than the table has columns.", "Give one text for each column."
            )

    def plain_text(self) -> str:
        """Return caption, heading and rows, separated by tabs."""
        lines = ["\t".join(column.label for column in self.columns), *("\t".join(row) for row in self.rows)]
        return "\n".join(filter(None, [self.caption, *lines, self.note]))


@dataclass(frozen=True)
class Chart(DisplayObject):
    """A picture with its title, what it shows in words, and its figures as a table."""

    title: str
    description: str
    svg: str
    table: Table
    object_name: ClassVar[str] = "chart"

    def __post_init__(self) -> None:
        """Let only allowed elements and attributes through."""
        self._set("table", _made(Table, self.table))
        self._set("svg", clean_svg(str(self.svg)))
        super().__post_init__()

    def plain_text(self) -> str:
        """Return title and figures."""
        return f"{self.title}\n{self.table.plain_text()}"


@dataclass(frozen=True)
class Link(_Described):
    """A link to another page or table of the same bag: a few words about it, and a reason where it has no answer."""

    label: str
    href: str
    detail: str = ""
    tone: Tone = "plain"
    reason: str = ""

    def __post_init__(self) -> None:
        """Check the address and the tone."""
        super().__post_init__()
        self._require("tone", get_args(Tone))
        self._set("href", relative_address(self.href))


@dataclass(frozen=True)
class Links(DisplayObject):
    """Links, given as (label, relative address) or (label, relative address, detail)."""

    links: Sequence[Link | tuple[Any, ...]]
    object_name: ClassVar[str] = "links"

    def __post_init__(self) -> None:
        """Make links of tuples."""
        self._set(
            "links", [Link(*link) if isinstance(link, tuple | list) else _made(Link, link) for link in self.links]
        )
        super().__post_init__()


@dataclass(frozen=True)
class Done(DisplayObject):
    """The last object of a page: the notebook reached its end. ``facts`` are for the runner, not for the page."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    object_name: ClassVar[str] = "done"


_OBJECTS: dict[str, type[DisplayObject]] = {
    made.object_name: made for made in (PageInformation, Heading, Paragraph, Facts, Table, Chart, Links, Done)
}


def from_description(description: Mapping[str, Any]) -> DisplayObject:
    """Make the object again from its JSON description; every check and replacement is done anew.

    Raises :class:`RunError` for a description that is not one of ours.
    """
    made = _OBJECTS.get(str(description.get("object", "")))
    if made is None:
        raise RunError(
            "A notebook's output describes an object that pages do not know.",
            "Show only objects of audit_kernel.evidence.display.",
        )
    return cast("DisplayObject", _made(made, description))


def _made(made: type[Any], value: Any) -> Any:  # noqa: ANN401 - descriptions come from JSON
    if isinstance(value, made):
        return value
    try:
        return made(**{name: content for name, content in value.items() if name != "object"})
    except (TypeError, AttributeError, KeyError) as error:
        raise RunError(
            "The description of a {object} lacks a field, has an unknown one, or one of a wrong type.",
            "Show only objects of audit_kernel.evidence.display.",
            object=made.__name__,
        ) from error


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - any field
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, Mapping):
        return {harmless(str(key)): _cleaned(content) for key, content in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_cleaned(content) for content in value)
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field
    if is_dataclass(value):
        return value.as_json()  # type: ignore[union-attr]
    if isinstance(value, Mapping):
        return {key: _plain(content) for key, content in value.items()}
    return [_plain(content) for content in value] if isinstance(value, list | tuple) else value
