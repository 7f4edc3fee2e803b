"""Windows event logs: binary (EVTX) or XML, as one event, a list, wevtutil's output or several documents on end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audit_kernel.sources.count_evtx import MARK, count_evtx_records
from audit_kernel.sources.count_xml import count_xml_records
from audit_kernel.sources.formats import BadValueError, Format, StagedRows
from audit_kernel.sources.windows_event import row_of
from audit_kernel.sources.windows_evtx import find_evtx_records
from audit_kernel.sources.xml_nodes import Node
from audit_kernel.sources.xml_records import find_xml_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from audit_kernel.sources.count import FileFacts
    from audit_kernel.sources.definition import SourceDefinition
    from audit_kernel.sources.formats import FoundRecord
    from audit_kernel.sources.prepare import PreparedFile

EVENT = frozenset(["Event"])
NAMESPACE = "schemas.microsoft.com/win/2004/08/events"
WRITTEN = tuple(NAMESPACE.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def _is_binary(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(MARK)) == MARK


def _count(text: Path, name: str, progress: Callable[[int], None]) -> FileFacts:
    if _is_binary(text):
        return count_evtx_records(text, name, progress)
    return count_xml_records(text, name, progress, EVENT)


def _records(prepared: PreparedFile) -> Iterator[FoundRecord]:
    if _is_binary(prepared.text):
        return find_evtx_records(prepared, EVENT)
    return find_xml_records(prepared, EVENT, lambda node: node)


def _rows(value: Any, _source: SourceDefinition) -> StagedRows:  # noqa: ANN401 - as every reader's
    if not isinstance(value, Node):
        raise BadValueError("", "not_readable")
    row, identity = row_of(value)
    return StagedRows("authentications", [row], identity)


def _looks_like(start: bytes) -> bool:
    return start.startswith(MARK) or any(namespace in start for namespace in WRITTEN)


FORMAT = Format(count=_count, records=_records, rows=_rows, looks_like=_looks_like, binary_mark=MARK)
