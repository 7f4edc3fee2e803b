"""Which of the site's sources a file looks like, and why: a suggestion for a person. Intake takes a source by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from audit_kernel.errors import AuditKernelError
from audit_kernel.sources.definition import (
    ReferenceDefinition,
    SourceDefinition,
    load_reference,
    load_source,
    reference_kinds,
    source_ids,
)
from audit_kernel.sources.formats import FormatName, reader
from audit_kernel.sources.shape import records_of
from audit_kernel.yaml_file import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

REFERENCE = "reference:"
# Fewer of a mapping's names than this share is chance: "Dato" and "Tid" stand in many logs.
LEAST_SHARE = 0.5

Definition = SourceDefinition | ReferenceDefinition
Why = Literal["header", "format", "order", "some"]
STRENGTH: dict[Why, int] = {"header": 0, "format": 1, "order": 2, "some": 3}


@dataclass(frozen=True)
class Candidate:
    """A source that a file looks like.

    name: as `intake` takes it, or `reference:KIND`. why: the header is the mapping's; the format's own marks are there;
    the header's names in another order; some of them. n_matching of n_columns names were found. is_own: the site's own.
    """

    name: str
    title: Texts
    why: Why
    n_matching: int = 0
    n_columns: int = 0
    is_own: bool = False

    @property
    def rank(self) -> tuple[int, float, bool, str]:
        """Sorts the likeliest first; of two alike the site's own mapping."""
        share = self.n_matching / self.n_columns if self.n_columns else 1
        return STRENGTH[self.why], -share, not self.is_own, self.name


def all_definitions(folders: Sequence[Path]) -> tuple[dict[str, Definition], dict[str, AuditKernelError]]:
    """Load every log's and reference kind's mapping; return them by name, and what is wrong with the others."""
    names = [*source_ids(folders), *(REFERENCE + kind for kind in reference_kinds(folders))]
    good: dict[str, Definition] = {}
    wrong: dict[str, AuditKernelError] = {}
    for name in names:
        try:
            good[name] = definition_of(name, folders)
        except AuditKernelError as error:
            wrong[name] = error
    return good, wrong


def known_formats(folders: Sequence[Path]) -> list[FormatName]:
    """Return the formats of the site's logs, each once."""
    good, _wrong = all_definitions(folders)
    return sorted({each.format for each in good.values() if isinstance(each, SourceDefinition)})


def definition_of(name: str, folders: Sequence[Path]) -> Definition:
    """Load one mapping by the name that intake takes; errors as `load_source` and `load_reference`."""
    if name.startswith(REFERENCE):
        return load_reference(name.removeprefix(REFERENCE), folders)
    return load_source(name, folders)


def candidates(start: bytes, definitions: dict[str, Definition], folders: Sequence[Path]) -> list[Candidate]:
    """Return the sources that a file's beginning looks like, the likeliest first.

    Parameters
    ----------
    start: the first 64 KiB, unpacked.
    folders: where the mappings lie; the site's own in the last.
    """
    found = [each for name, definition in definitions.items() if (each := _compared(start, name, definition))]
    own = set(folders[-1].glob("*.yml")) if len(folders) > 1 else set()
    placed = [
        Candidate(each.name, each.title, each.why, each.n_matching, each.n_columns, is_own=bool(own & set(files)))
        for each in found
        for files in [definitions[each.name].files]
    ]
    return sorted(placed, key=lambda each: each.rank)


def title_of(definition: Definition) -> Texts:
    """Return what people call a source; reference data by its kind."""
    if isinstance(definition, SourceDefinition):
        return definition.title
    kind = definition.kind
    return Texts(en=f"reference data: {kind}", sv=f"referensdata: {kind}", nb=f"referansedata: {kind}")


def _compared(start: bytes, name: str, definition: Definition) -> Candidate | None:
    title = title_of(definition)
    if isinstance(definition, SourceDefinition) and definition.format != "delimited":
        return Candidate(name, title, "format") if reader(definition.format).looks_like(start) else None
    expected = list(definition.columns)
    best: Candidate | None = None
    for encoding in definition.encodings:
        names = (records_of(start, encoding, definition.delimiter, definition.quote) or [[]])[0]
        n_matching = len(set(names) & set(expected))
        wanted = [name for name in expected if name in names or not definition.columns[name].optional]
        if n_matching / len(wanted) < LEAST_SHARE or n_matching <= (best.n_matching if best else 0):
            continue
        same = sorted(names) == sorted(wanted)
        why: Why = "header" if names == wanted else "order" if same else "some"
        best = Candidate(name, title, why, n_matching, len(wanted))
    return best
