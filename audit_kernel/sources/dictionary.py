"""The code dictionary of a source: what its codes mean, in three languages, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from audit_kernel.errors import Phrase, SettingsError
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from audit_kernel.sources.definition import SourceDefinition

Action = Literal["read", "write", "delete", "sign", "countersign", "print", "export", "search", "execute", "other"]
FIELDS = ("log_type", "table_name", "message_type", "reason")


class Code(BaseModel):
    """One code: what it does, on what, and where its meaning comes from.

    related (tables only): the related record is the patient's own number, a record to look up in record_keys, or about
    no patient. follows: the code stands for a search. outcome: the code says that the access was denied or failed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: Texts
    origin: str = Field(min_length=1)
    is_confirmed: bool
    action: Action | None = None
    activity: Texts | None = None
    access_type: Texts | None = None
    area: Literal["journal", "patient", "none"] | None = None
    related: Literal["patient", "record", "none"] | None = None
    follows: Literal["patient_search", "blocked_search"] | None = None
    outcome: Literal["denied", "failed"] | None = None


class Dictionary(BaseModel):
    """A file `<source_id>.codes.yml`; a site's says `adds_to` (code by code) or `replaces` (the whole file)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replaces: str = ""
    adds_to: str = ""
    log_type: dict[str, Code] = Field(default_factory=dict)
    table_name: dict[str, Code] = Field(default_factory=dict)
    message_type: dict[str, Code] = Field(default_factory=dict)
    reason: dict[str, Code] = Field(default_factory=dict)

    def entries(self) -> Iterator[tuple[str, str, Code]]:
        """Give every code as (field, code, entry)."""
        for field in FIELDS:
            for code, entry in getattr(self, field).items():
                yield field, code, entry


def load_dictionary(source_id: str, paths: Sequence[Path]) -> Dictionary:
    """Read the dictionary of one source from the package's file and the site's, in this order.

    Raises
    ------
    SettingsError: a file is wrong, or the site's says neither `adds_to` nor `replaces`.
    """
    dictionary = Dictionary()
    for number, path in enumerate(paths):
        added = read_model(path, Dictionary)
        if number == 0 or added.replaces == source_id:
            dictionary = added
        elif added.adds_to == source_id:
            merged = {field: {**getattr(dictionary, field), **getattr(added, field)} for field in FIELDS}
            dictionary = Dictionary(**merged)
        else:
            raise SettingsError(
                "{path} has the name of one of the package's files.",
                "Write `adds_to: {source_id}` or `replaces: {source_id}` in it.",
                path=path,
                source_id=source_id,
            )
    for field, code, entry in dictionary.entries():
        if (entry.related is None) == (field == "table_name"):
            allowed = Phrase("patient, record or none") if field == "table_name" else Phrase("tables only")
            raise SettingsError(
                "{path}: key '{field}.{code}.related'; allowed: {allowed}.",
                "Correct the file and try again.",
                path=paths[-1],
                field=field,
                code=code,
                allowed=allowed,
            )
    return dictionary


def code_rows(definitions: Iterable[SourceDefinition]) -> list[tuple[object, ...]]:
    """Return the rows of the TEMP table `codes`: source_id, field, code, action, activity_en, _sv, _nb, access_type_en,
    _sv, _nb, area, meaning_en, _sv, _nb, origin, is_confirmed, follows, outcome.
    """  # noqa: D205 - the columns are the summary
    return [
        (
            source.source_id,
            field,
            code,
            entry.action,
            *_texts(entry.activity),
            *_texts(entry.access_type),
            entry.area,
            *_texts(entry.meaning),
            entry.origin,
            entry.is_confirmed,
            entry.follows,
            entry.outcome,
        )
        for source in definitions
        for field, code, entry in source.dictionary.entries()
    ]


def source_rows(definitions: Iterable[SourceDefinition]) -> list[tuple[object, ...]]:
    """Return the rows of the TEMP table `sources`: its columns as in the mapping, `table` as event_table."""
    return [
        (
            source.source_id,
            source.time_zone,
            source.own_event_id,
            source.running_number,
            source.expects_rows_daily,
            source.table,
        )
        for source in definitions
    ]


def register_rows(definitions: Iterable[SourceDefinition]) -> list[tuple[object, ...]]:
    """Return the rows of the TEMP table `source_registers`: source_id and a register whose numbers the log writes."""
    return [(source.source_id, register) for source in definitions for register in source.registers]


def record_table_rows(definitions: Iterable[SourceDefinition]) -> list[tuple[object, ...]]:
    """Return the rows of the TEMP table `record_tables`: source_id, table_name, related."""
    return [
        (source.source_id, code, entry.related)
        for source in definitions
        for code, entry in source.dictionary.table_name.items()
    ]


def _texts(texts: Texts | None) -> tuple[str | None, str | None, str | None]:
    return (texts.en, texts.sv, texts.nb) if texts else (None, None, None)
