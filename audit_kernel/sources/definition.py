"""A source as its mapping in `parameters/sources/<source_id>.yml` describes it; an error names file and key."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.site import time_zones
from audit_kernel.sources.columns import ColumnMapping, Strict, check_columns, check_targets
from audit_kernel.sources.dictionary import Dictionary, load_dictionary
from audit_kernel.sources.formats import FormatName
from audit_kernel.sources.undecided import refuse_undecided
from audit_kernel.store.tables import TableDefinition, reference_tables, table_definitions
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

Encoding = Literal["utf-8", "utf-16", "iso-8859-1", "windows-1252"]
REFERENCE_PREFIX = "reference_"


class DelimitedLayout(Strict):
    """How a delimited file is written: encodings tried in this order, delimiter, quote, columns in the file's order."""

    encodings: tuple[Encoding, ...] = Field(default=("utf-8",), min_length=1)
    delimiter: Annotated[str, Field(pattern=r"^[;,|\t]$")] = ";"
    quote: Annotated[str, Field(pattern=r"^(\"|')?$")] = '"'
    columns: dict[str, ColumnMapping] = Field(default_factory=dict)
    replaces: str = ""
    _files: tuple[Path, ...] = PrivateAttr(default=())
    _mapping_hash: str = PrivateAttr(default="")

    @property
    def files(self) -> tuple[Path, ...]:
        """The mapping's own files: the mapping and, where there is one, its code dictionary."""
        return self._files

    @property
    def mapping_hash(self) -> str:
        """SHA-256 of the mapping's files as they were loaded, hexadecimal."""
        return self._mapping_hash

    def _loaded_from(self, *files: Path) -> None:
        self._files = files
        self._mapping_hash = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


class SourceDefinition(DelimitedLayout):
    """One log of the site."""

    source_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    format: FormatName
    table: Literal["accesses", "authentications", "medication_events"] = "accesses"
    title: Texts
    time_zone: str
    own_event_id: bool = False
    running_number: bool = False
    expects_rows_daily: bool = False
    registers: tuple[str, ...] = ()
    outcome: Literal["success", "unknown"] = "success"
    _dictionary: Dictionary = PrivateAttr(default_factory=Dictionary)

    @property
    def dictionary(self) -> Dictionary:
        """The code dictionary of this source."""
        return self._dictionary

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if value not in time_zones():
            message = "a time zone's name is allowed, for example Europe/Oslo or Europe/Stockholm"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _columns_are_complete(self) -> Self:
        if self.format == "delimited":
            check_columns(self.columns, self.table, own_event_id=self.own_event_id)
        elif self.columns:
            message = "`columns` is allowed for format `delimited` only"
            raise ValueError(message)
        return self


class ReferenceDefinition(DelimitedLayout):
    """One kind of reference data: `kind` is the table of `sql/model/tables.yml` that it fills.

    `delivery: complete` says that a file lists all there is: what it no longer has has ended.
    """

    kind: str
    delivery: Literal["changes", "complete"] = "changes"

    @model_validator(mode="after")
    def _columns_are_the_tables(self) -> Self:
        tables = reference_tables()
        if self.kind not in tables:
            message = f"`kind` must be one of {', '.join(sorted(tables))}"
            raise ValueError(message)
        if len(self.columns) < 2:  # noqa: PLR2004 - a blank line is told from a record by its delimiter
            message = "`columns` needs two columns or more"
            raise ValueError(message)
        allowed = tables[self.kind].columns
        check_targets(self.columns, frozenset(allowed))
        for mapping in self.columns.values():
            known = allowed[mapping.to].values if mapping.to else ()
            if known and (wrong := sorted(set(mapping.values.values()) - set(known))):
                message = f"`values` of the column that goes to {mapping.to} may be {', '.join(known)}, not {wrong[0]}"
                raise ValueError(message)
        given = {mapping.to for mapping in self.columns.values()}
        needed = [name for name, column in allowed.items() if not column.nullable and name not in given]
        if needed:
            message = f"`columns` lacks {', '.join(needed)}"
            raise ValueError(message)
        return self

    @property
    def table(self) -> TableDefinition:
        """The table that is filled."""
        return table_definitions()[self.kind]


def load_source(source_id: str, folders: Sequence[Path]) -> SourceDefinition:
    """Read one source's mapping from the package's and the site's `parameters/sources`, in this order.

    Raises
    ------
    UsageError: there is none of that name; the message lists those there are.
    SettingsError: the mapping is wrong (file, key, allowed values) or a draft with keys not decided, or the site's has
        the package's name without saying `replaces`.
    """
    known = source_ids(folders)
    if source_id not in known:
        raise UsageError(
            "There is no source {source_id!r}.", "There are: {allowed}.", source_id=source_id, allowed=", ".join(known)
        )
    path = file_of(source_id, folders)
    source = read_model(path, SourceDefinition, refuse_undecided)
    if source.source_id != source_id:
        raise SettingsError(
            "{path}: key 'source_id' has the value {found!r}; allowed: {source_id!r}, the file's name.",
            "Correct the file and try again.",
            path=path,
            found=source.source_id,
            source_id=source_id,
        )
    codes_files = _codes_files(source_id, folders)
    source._loaded_from(path, *codes_files)  # noqa: SLF001 - set once, here
    source._dictionary = load_dictionary(source_id, codes_files)  # noqa: SLF001 - set once, here
    return source


def load_reference(kind: str, folders: Sequence[Path]) -> ReferenceDefinition:
    """Read the mapping of one kind of reference data; errors as `load_source`."""
    kinds = reference_kinds(folders)
    if kind not in kinds:
        raise UsageError(
            "There is no reference data {kind!r}.", "There are: {allowed}.", kind=kind, allowed=", ".join(kinds)
        )
    path = file_of(REFERENCE_PREFIX + kind, folders)
    definition = read_model(path, ReferenceDefinition)
    if definition.kind != kind:
        raise SettingsError(
            "{path}: key 'kind' has the value {found!r}; allowed: {kind!r}, as in the file's name.",
            "Correct the file and try again.",
            path=path,
            found=definition.kind,
            kind=kind,
        )
    definition._loaded_from(path)  # noqa: SLF001 - set once, here
    return definition


def source_ids(folders: Sequence[Path]) -> list[str]:
    """Return the names of all sources, sorted."""
    return sorted(name for name in _mapping_names(folders) if not name.startswith(REFERENCE_PREFIX))


def reference_kinds(folders: Sequence[Path]) -> list[str]:
    """Return the kinds of reference data that have a mapping, sorted."""
    names = _mapping_names(folders)
    return sorted(name.removeprefix(REFERENCE_PREFIX) for name in names if name.startswith(REFERENCE_PREFIX))


def file_of(name: str, folders: Sequence[Path]) -> Path:
    """Return the mapping file that holds for `name`: the last folder's that has one.

    Raises
    ------
    SettingsError: a later folder's file has an earlier one's name without saying `replaces`.
    """
    found = [path for folder in folders if (path := folder / f"{name}.yml").is_file()]
    for path in found[1:]:
        if read_model(path, _Replacement).replaces != name:
            raise SettingsError(
                "{path} has the name of one of the package's files.",
                "Give it another name, or write `replaces: {name}` in it.",
                path=path,
                name=name,
            )
    return found[-1]


class _Replacement(BaseModel):
    replaces: str = ""


def _mapping_names(folders: Sequence[Path]) -> set[str]:
    paths = [path for folder in folders for path in folder.glob("*.yml")]
    return {path.stem for path in paths if not path.stem.endswith(".codes")}


def _codes_files(source_id: str, folders: Sequence[Path]) -> tuple[Path, ...]:
    return tuple(path for folder in folders if (path := folder / f"{source_id}.codes.yml").is_file())
