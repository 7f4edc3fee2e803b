"""Builds the elements of XML records from expat's events, within limits; what stands outside of records is not kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

DEEPEST = 100
MOST_ELEMENTS = 100_000
LONGEST_RECORD = 32 << 20


class DocumentTypeError(Exception):
    """The document declares a document type."""


class NestedRecordError(Exception):
    """A record that is a document of its own holds the beginning of another one: its end is missing."""


@dataclass
class Node:
    """An element: its namespace ("" for none), local name, attributes without a namespace, children and own text."""

    namespace: str
    name: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The element's own text without the white space around it."""
        return "".join(self.texts).strip(" \t\r\n")


@dataclass
class FoundNode:
    """A record: byte where it begins and where its last tag does, its line, and its element or a failure's code."""

    start: int
    line: int
    node: Node | None = None
    failure: str = ""
    last_tag: int = 0
    is_root: bool = False


class NodeBuilder:
    """Handlers of one expat parser; the records that it has completed are in `taken()`."""

    def __init__(self, names: frozenset[str], *, nests: bool) -> None:
        self.names = names
        self.nests = nests
        self.depth = 0
        self.is_closed = False  # the document's last tag was seen
        self.record: FoundNode | None = None
        self.found: list[FoundNode] = []
        self.open: list[Node] = []
        self.record_depth = 0
        self.n_elements = 0

    def attach(self, parser: XMLParserType) -> None:
        """Make these the handlers of a parser."""
        self.parser = parser
        parser.StartDoctypeDeclHandler = self._document_type
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def taken(self) -> list[FoundNode]:
        """Give the completed records, once."""
        found, self.found = self.found, []
        return found

    def _document_type(self, *_arguments: object) -> None:
        raise DocumentTypeError

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        namespace, _space, name = tag.rpartition(" ")
        if name in self.names and (self.record is None or not self.nests):
            if self.record is not None:
                if self.record.is_root:
                    raise NestedRecordError
                self._complete("not_readable")
            place, line = self.parser.CurrentByteIndex, self.parser.CurrentLineNumber
            self.record = FoundNode(place, line, is_root=self.depth == 1)
            self.record_depth, self.n_elements = self.depth, 0
            self.open.clear()
        record = self.record
        if record is None or record.failure:
            return
        self.n_elements += 1
        if self.depth - self.record_depth >= DEEPEST:
            self._fail("not_readable")
            return
        if self.n_elements > MOST_ELEMENTS or self.parser.CurrentByteIndex - record.start > LONGEST_RECORD:
            self._fail("too_long")
            return
        own = {key: value for key, value in attributes.items() if " " not in key}
        node = Node(namespace, name, own)
        if self.open:
            self.open[-1].children.append(node)
        else:
            record.node = node
        self.open.append(node)

    def _fail(self, failure: str) -> None:
        """Keep nothing more of the record than where it stands."""
        if self.record:
            self.record.failure, self.record.node = failure, None
            self.open.clear()

    def _end(self, _tag: str) -> None:
        if self.record is not None:
            if self.depth == self.record_depth:
                self._complete("")
            elif self.open:
                self.open.pop()
        self.depth -= 1
        self.is_closed = self.depth == 0

    def _complete(self, failure: str) -> None:
        if self.record:
            if failure:
                self._fail(failure)
            self.record.last_tag = self.parser.CurrentByteIndex
            self.found.append(self.record)
            self.record = None
            self.open.clear()

    def _characters(self, text: str) -> None:
        if self.open:
            self.open[-1].texts.append(text)
            if self.record and self.parser.CurrentByteIndex - self.record.start > LONGEST_RECORD:
                self._fail("too_long")
