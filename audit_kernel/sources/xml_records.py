"""The first reader of XML: finds a file's records with the standard library's expat, block by block.

expat rather than lxml because it says at which byte each element stands: quarantine keeps a record's text as it was
written, and where one of several documents in a file ends, the next begins. It opens no file and no connection; a
document type declaration, where entities would come from, is refused before any of it is used.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.parsers import expat

from audit_kernel.errors import DamagedFileError, Phrase
from audit_kernel.sources.formats import FoundRecord
from audit_kernel.sources.xml_nodes import DocumentTypeError, FoundNode, NestedRecordError, NodeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.prepare import PreparedFile
    from audit_kernel.sources.xml_nodes import Node

FIRST_BLOCK, BLOCK = 16 << 10, 256 << 10
LONGEST_TOKEN = 32 << 20
LONGEST_TEXT = 256 << 20
LONGEST_NAME = 1 << 10
BLANKS = b" \t\r\n"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
REMEDY = Phrase("Nothing was taken in. Export the file again.")
END_TAG = re.compile(rb"</[^>]*>")
BEFORE_ROOT = re.compile(rb"(?:\s|\xef\xbb\xbf|<\?xml\s[^>]*>|<!--.*?-->)*", re.DOTALL)


def parse_record(text: bytes, names: frozenset[str]) -> FoundNode:
    """Read one document that is one record; a `failure` says why it is none."""
    builder = NodeBuilder(names, nests=True)
    try:
        _parser(builder).Parse(text, True)  # noqa: FBT003 - expat's own argument: the end
    except DocumentTypeError:
        return FoundNode(0, 1, failure="document_type")
    except expat.ExpatError:
        return FoundNode(0, 1, failure="not_readable")
    found = builder.taken()
    return found[0] if len(found) == 1 and found[0].is_root else FoundNode(0, 1, failure="not_readable")


def starts_as_xml(text: Path) -> bool:
    """Say whether a file's first sign is that of a tag."""
    with text.open("rb") as stream:
        return stream.read(BLOCK).removeprefix(BYTE_ORDER_MARK).lstrip(BLANKS).startswith(b"<")


def find_xml_records(
    prepared: PreparedFile, names: frozenset[str], convert: Callable[[Node], Any], *, nests: bool = False
) -> Iterator[FoundRecord]:
    """Give a file's records in order: the elements of these local names, in one document or in several on end.

    A record that is a document of its own and not well-formed is given with a failure, up to where the next begins.

    Parameters
    ----------
    convert: makes a record's value of its element.
    nests: an element of these names within a record is part of it; otherwise it begins the next record.

    Raises
    ------
    DamagedFileError: any other text that is not well-formed, a file cut short, a document type declaration, a tag or
        comment of more than 32 MiB, a record of more than 256 MiB.
    """
    with prepared.text.open("rb") as stream:
        reader = _Reader(stream, prepared.name, names, nests=nests)
        for record in reader.records():
            yield replace(record, value=convert(record.value)) if record.value else record


def _parser(builder: NodeBuilder) -> expat.XMLParserType:
    # The text is UTF-8 by now, whatever encoding its declaration names.
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    builder.attach(parser)
    return parser


class _Reader:
    """place, line: where the next document begins; place is -1 at the file's end."""

    def __init__(self, stream: BinaryIO, name: str, names: frozenset[str], *, nests: bool) -> None:
        self.stream = stream
        self.name = name
        self.names = names
        self.nests = nests
        self.n_records = 0
        self.line = 1
        self.place = 0
        element = rb"""(?:[^\s<>/:"'=!?]+:)?(?:%s)""" % b"|".join(sorted(name.encode() for name in names))
        self.root = re.compile(rb"<" + element + rb"(?=[\s/>])")
        self.beginning = re.compile(rb"<\?xml\s|<" + element + rb"[\s/>]")
        self.ending = re.compile(rb"</" + element + rb"\s*>\s*\Z")

    def records(self) -> Iterator[FoundRecord]:
        self._skip_blanks()
        while self.place >= 0:
            yield from self._document(self.place, self.line)

    def _read(self, place: int, size: int) -> bytes:
        self.stream.seek(place)
        return self.stream.read(size)

    def _skip_blanks(self) -> None:
        """Pass the blank lines before the first document, which XML itself does not allow before a declaration."""
        block = self._read(0, BLOCK)
        text = block.removeprefix(BYTE_ORDER_MARK).lstrip(BLANKS)
        self.place = len(block) - len(text)
        self.line += block.count(b"\n", 0, self.place)

    def _document(self, place: int, line: int) -> Iterator[FoundRecord]:
        """Read the document at `place` and set where the next begins."""
        builder = NodeBuilder(self.names, nests=self.nests)
        parser = _parser(builder)
        at, size, bad_line = place, FIRST_BLOCK, 0
        while not bad_line:
            block = self._read(at, size)
            at, size = at + len(block), BLOCK
            try:
                parser.Parse(block, not block)
            except DocumentTypeError:
                raise DamagedFileError(
                    "{name}, line {line} declares a document type, by which other text can be drawn in.",
                    "Nothing was taken in. No log needs one: ask where the file comes from.",
                    name=self.name,
                    line=line + parser.CurrentLineNumber - 1,
                ) from None
            except NestedRecordError:
                bad_line = parser.CurrentLineNumber
            except expat.ExpatError as error:
                bad_line = error.lineno
            for found in builder.taken():
                yield self._record(found, place, line)
            if bad_line and builder.is_closed:  # what follows the document's last tag is the next document
                self.place, self.line = place + parser.ErrorByteIndex, line + bad_line - 1
                return
            if not bad_line and not block:
                self.place = -1
                return
            if not bad_line and at - place - parser.CurrentByteIndex > LONGEST_TOKEN:
                self._refuse(line + parser.CurrentLineNumber - 1)
        yield self._bad_record(builder, place, line, bad_line)

    def _record(self, found: FoundNode, place: int, line: int) -> FoundRecord:
        self.n_records += 1
        if found.last_tag - found.start > LONGEST_TEXT:
            self._refuse(line + found.line - 1)
        text = self._text(place + found.start, place + found.last_tag)
        return FoundRecord(self.n_records, line + found.line - 1, text, found.node, found.failure)

    def _text(self, start: int, last_tag: int) -> str:
        """Return a record's text; only where its last tag begins is known."""
        text = self._read(start, last_tag - start + LONGEST_NAME)
        tag = END_TAG.match(text, last_tag - start)  # none after a record that is one empty tag
        return text[: tag.end() if tag else last_tag - start].decode("utf-8", errors="backslashreplace")

    def _bad_record(self, builder: NodeBuilder, place: int, line: int, bad_line: int) -> FoundRecord:
        """Give the record that is not well-formed, up to where the next begins; refuse the file where it is none."""
        start, first_line = self._start_of_bad(builder, place, line)
        following = self._find_next(start + 1) if start >= 0 else -1
        end = following if following >= 0 else self.stream.seek(0, 2)
        if start < 0 or end - start > LONGEST_TEXT:
            self._refuse(line + bad_line - 1)
        text = self._read(start, end - start)
        is_alone = following < 0 and not self.n_records
        if is_alone or (following < 0 and not self.ending.search(text)):
            self._refuse(line + bad_line - 1)
        self.place, self.line = following, first_line + text.count(b"\n")
        self.n_records += 1
        shown = text.strip(BLANKS).decode("utf-8", errors="backslashreplace")
        return FoundRecord(self.n_records, first_line, shown, failure="not_readable")

    def _start_of_bad(self, builder: NodeBuilder, place: int, line: int) -> tuple[int, int]:
        """Return place and line of the record in which the text is not well-formed, -1 where it is in none."""
        if builder.record:
            if not builder.record.is_root:
                return -1, 0
            return place + builder.record.start, line + builder.record.line - 1
        if builder.depth:
            return -1, 0
        # Its very first tag is not well-formed, so that no record has begun.
        text = self._read(place, BLOCK)
        before = BEFORE_ROOT.match(text)
        start = before.end() if before else 0
        is_record = self.root.match(text, start) is not None
        return (place + start if is_record else -1), line + text.count(b"\n", 0, start)

    def _find_next(self, at: int) -> int:
        """Return where the next document begins from `at` on, -1 where none does."""
        while block := self._read(at, BLOCK + LONGEST_NAME):
            if found := self.beginning.search(block):
                return at + found.start()
            if len(block) <= LONGEST_NAME:
                break
            at += len(block) - LONGEST_NAME
        return -1

    def _refuse(self, line: int) -> None:
        raise DamagedFileError(
            "{name}, line {line}: not well-formed XML, cut short, or longer than any record may be.",
            REMEDY,
            name=self.name,
            line=line,
        )
