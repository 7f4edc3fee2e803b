"""One reader per log format; each yields the same staged rows. Nothing here knows the store."""

from __future__ import annotations

from audit_kernel.sources.definition import (
    ReferenceDefinition,
    SourceDefinition,
    load_reference,
    load_source,
    reference_kinds,
    source_ids,
)
from audit_kernel.sources.dictionary import code_rows, record_table_rows, source_rows
from audit_kernel.sources.prepare import PreparedFile, prepare
from audit_kernel.sources.reference import stage_reference
from audit_kernel.sources.stage import stage
from audit_kernel.sources.unpack import UnpackingLimits

__all__ = [
    "PreparedFile",
    "ReferenceDefinition",
    "SourceDefinition",
    "UnpackingLimits",
    "code_rows",
    "load_reference",
    "load_source",
    "prepare",
    "record_table_rows",
    "reference_kinds",
    "source_ids",
    "source_rows",
    "stage",
    "stage_reference",
]
