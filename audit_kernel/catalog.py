"""Finds queries and notebooks: the package's own and the site's additions, each query with its `.yml`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from audit_kernel.chart_description import ChartDescription
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.yaml_file import Texts, read_model

ROOMS = ("reports", "checks", "sample")
FRAME, OF_DAYS = "frame", "days"  # the second, as `sorted_by`: the rows of the patients of `unit_keys` alone
PERIOD_RELATIONS = ("period_accesses", "explained_rows", "explained_accesses", "unexplained_accesses")
PRESENCES, CHANCE_PAIRS = "period_presences", "chance_pairs"
MONTH_FINDINGS, TRIAL_FINDINGS = "month_findings", "trial_findings"
USE_LINES, USE_PEOPLE, USE_USERS = "use_lines", "use_people", "use_users"  # the use log as three relations
REASON_COLUMNS = ("explanation_found", "explanations_absent", "explanations_not_searchable")
PARTS = ("counts", "matrix", FRAME, "events")
STEP = "step"
STATISTICS_COLUMNS = ("measure", "expected", "tail_probability", "peer_group")
ParameterType = Literal[
    "text", "integer", "decimal", "boolean", "date", "timestamp", "text_list", "patient", "employee", "period"
]
EventTable = Literal["accesses", "authentications", "medication_events"]
EVENT_TABLES: tuple[EventTable, ...] = get_args(EventTable)
Identity = Literal[  # what becomes of a column in masked evidence: sql/identity.yml says what each one means
    "employee", "patient", "event", "finding", "record", "address", "sampling_unit", "known", "country", "shown",
    "left_out"]  # fmt: skip
ColumnKind = Literal["text", "id", "integer", "decimal", "percent", "date", "timestamp", "boolean", "code"]


class Strict(BaseModel):
    """A part of a query's description; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(Strict):
    """A parameter of a query: bound, typed, never pasted."""

    type: ParameterType
    required: bool = True
    unit: str = ""
    default: Any = None
    threshold: str = ""
    label: Texts | None = None


class Column(Strict):
    """A column of a query's result, in the SQL's order; a remark is a figure that should be zero."""

    type: ColumnKind
    label: Texts
    meaning: Texts
    localised: bool = False
    hidden: bool = False
    is_remark: bool = False
    identity: Identity | None = None
    words: dict[str, Texts] = Field(default_factory=dict, description="of a column of codes: what each one says")
    name: str = Field(default="", description="filled in from the key")


def is_field(need: str) -> bool:
    """Say whether a need is a field of a log, such as `accesses.country`, or one of several, joined by `|`."""
    return all("." in each and each.split(".")[0] in EVENT_TABLES for each in need.split("|"))


def name_columns(columns: dict[str, Column]) -> dict[str, Column]:
    """Give each column the name it stands under."""
    return {name: column.model_copy(update={"name": name}) for name, column in columns.items()}


class Description(Strict):
    """What stands in a query's `.yml`."""

    title: Texts
    question: Texts
    method: Texts
    legal_basis: tuple[str, ...] = ()
    sorted_by: Literal["patient", "employee", "subject", "days"] = "patient"
    needs: tuple[str, ...] = ("accesses",)
    complete: tuple[EventTable, ...] | None = None
    reads: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    columns: dict[str, Column] = Field(default_factory=dict)
    counts: dict[str, Column] = Field(default_factory=dict)
    matrix: dict[str, Column] = Field(default_factory=dict)
    chart: ChartDescription | str | tuple[str, ...] = ()
    sentences: dict[str, Texts] = Field(default_factory=dict)
    criterion: Texts | None = None
    events: str = ""
    statistics: tuple[str, ...] = ()
    spot_check_per_stratum: int = 0
    of_people: Literal["", "pair", "employee"] = ""
    replaces: str = ""

    _named = field_validator("columns", "counts", "matrix")(name_columns)

    @model_validator(mode="after")
    def _chart_is_of_its_columns(self) -> Description:
        if isinstance(self.chart, ChartDescription):
            of_findings = {**finding_columns(), **self.columns} if self.chart.of == "findings" else {}
            self.chart.refuse_other_columns(of_findings or getattr(self, self.chart.of))
        return self

    @property
    def needs_period(self) -> bool:
        """Whether it reads what is made for its period: accesses with and without a reason."""
        return bool({*PERIOD_RELATIONS, PRESENCES} & set(self.needs))


class PartDescription(Strict):
    """What stands in `finding.yml` and `spot_check.yml`: what every check has in common."""

    title: Texts | None = None
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    columns: dict[str, Column]

    _named = field_validator("columns")(name_columns)


@dataclass(frozen=True)
class Query:
    """A catalogued query: its name, its files and its description.

    `path` is the file of the query itself; `part` names the file beside it that is meant: `counts`, `matrix` or
    `frame`, empty for the query itself. The rows behind a finding stand in the file that the description names.
    """

    name: str
    room: str
    path: Path
    part: str = ""

    @cached_property
    def description(self) -> Description:
        """What stands in the query's `.yml`, read when it is first asked for; a check's columns are a finding's."""
        described = read_model(self.path.with_suffix(".yml"), Description)
        if self.part == FRAME:
            drawn = read_model(resource_folder("sql") / "period" / "spot_check.yml", PartDescription)
            parameters = {**described.parameters, **drawn.parameters}
            changed = {"title": drawn.title, "columns": drawn.columns, "parameters": parameters, "statistics": ()}
            return described.model_copy(update=changed)
        if self.part:
            columns = getattr(described, self.part, {})
            return described.model_copy(update={"columns": columns, "statistics": (), "sentences": {}})
        if self.room != "checks":
            return described
        columns = {**finding_columns(), **described.columns}
        if described.needs_period:
            columns |= {name: columns[name].model_copy(update={"hidden": False}) for name in REASON_COLUMNS}
        if not described.statistics:
            columns |= {name: columns[name].model_copy(update={"hidden": True}) for name in STATISTICS_COLUMNS}
        return described.model_copy(update={"columns": columns})

    def beside(self, part: str) -> Query | None:
        """Return the query of a file beside this one, None where there is none."""
        query = replace(self, part=part)
        return query if query.text_path.is_file() else None

    @property
    def text_path(self) -> Path:
        """The file of the SELECT."""
        return self.path.with_suffix(f".{self.part}.sql") if self.part else self.path

    @property
    def complete(self) -> tuple[EventTable, ...]:
        """Event tables whose logs must be complete in the period: as declared; for a check at least those it needs."""
        if self.description.complete is not None or self.room != "checks":
            return self.description.complete or ()
        return tuple(table for table in EVENT_TABLES if table in self.description.needs)

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """What it reads besides stored rows and models: queries and steps of its own folder, each with its text."""
        paths = ((name, self.path.with_name(f"{name}.{STEP}.sql")) for name in self.description.reads)
        return tuple(
            (name, (path if path.is_file() else self.path.with_name(f"{name}.sql")).read_text(encoding="utf-8"))
            for name, path in paths
        )

    @cached_property
    def sql(self) -> str:
        """The query's text."""
        return self.text_path.read_text(encoding="utf-8")

    @cached_property
    def sql_hash(self) -> str:
        """SHA-256 of the query's text, of its description, of the files beside it and of what it reads, hexadecimal."""
        beside = [query.sql.encode() for part in PARTS if (query := self.beside(part))]
        steps = [text.encode() for _name, text in self.steps]
        texts = [self.sql.encode(), *beside, *steps, self.path.with_suffix(".yml").read_bytes()]
        return hashlib.sha256(b"\0".join(texts)).hexdigest()


@lru_cache
def finding_columns() -> dict[str, Column]:
    """Return the columns of a finding, the same for every check."""
    return read_model(resource_folder("sql") / "finding.yml", PartDescription).columns


def resource_folder(name: str) -> Path:
    """Return the folder of what ships with the package: sql, notebooks or parameters."""
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


class Catalog:
    """The queries and notebooks of one site.

    Raises
    ------
    SettingsError: a description is wrong, or a site's query has the name of one of the package's without saying so.
    """

    def __init__(self, site_folder: Path | None = None) -> None:
        self.site_folder = site_folder
        self.replaced: list[str] = []
        self.queries: dict[str, Query] = {}
        for room in ROOMS:
            for path in sorted((resource_folder("sql") / room).glob("*.sql")):
                self._add(room, path, of_site=False)
        if site_folder:
            for room in ROOMS:
                for path in sorted((site_folder / "sql" / room).glob("*.sql")):
                    self._add(room, path, of_site=True)
            self._check_notebooks(site_folder)

    def _add(self, room: str, path: Path, *, of_site: bool) -> None:
        name = path.stem
        if "." in name:  # a part of a query, or a step that it reads
            return
        query = Query(name, room, path)
        if of_site and f"{room}/{name}" in self.queries:
            if query.description.replaces != name:
                raise SettingsError(
                    "{path} has the name of a query of the package.",
                    "Give it another name, or write `replaces: {name}` in its .yml.",
                    path=path,
                    name=name,
                )
            self.replaced.append(f"sql/{room}/{name}.sql")
        self.queries[f"{room}/{name}"] = query

    def query(self, name: str, room: str | None = None) -> Query:
        """Return one query by name, or by room and name, also written `room/name`.

        Raises
        ------
        UsageError: there is none of that name; the message lists those there are.
        """
        if "/" in name:
            room, _slash, name = name.partition("/")
        for each in (room,) if room else ROOMS:
            if found := self.queries.get(f"{each}/{name}"):
                return found
        names = ", ".join(sorted(query.name for query in self.queries.values() if room in (None, query.room)))
        raise UsageError("There is no query {name!r}.", "There are: {names}.", name=name, names=names)

    def notebook(self, name: str) -> Path:
        """Return a notebook by name; for `checks/NAME` its own or else `check.ipynb`."""
        if name.startswith("checks/"):
            query = self.query(name)
            own_name = f"check_{query.name}"
            return self.notebook(own_name if self._has_notebook(own_name) else "check")
        package = resource_folder("notebooks") / f"{name}.ipynb"
        own = self.site_folder / "notebooks" / f"{name}.ipynb" if self.site_folder else package
        for candidate in (own, package):
            if candidate.is_file():
                return candidate
        names = ", ".join(sorted(path.stem for path in package.parent.glob("*.ipynb")))
        raise UsageError(
            "There is no notebook {name!r}.", "Check the name; there are: {names}.", name=name, names=names
        )

    def _check_notebooks(self, site_folder: Path) -> None:
        for own in sorted((site_folder / "notebooks").glob("*.ipynb")):
            if not (resource_folder("notebooks") / own.name).is_file():
                continue
            if json.loads(own.read_text(encoding="utf-8")).get("metadata", {}).get("replaces") != own.stem:
                raise SettingsError(
                    "{path} has the name of a notebook of the package.",
                    "Give it another name, or write `replaces: {name}` in its metadata.",
                    path=own,
                    name=own.stem,
                )
            self.replaced.append(f"notebooks/{own.name}")

    def _has_notebook(self, name: str) -> bool:
        folders = [resource_folder("notebooks"), *([self.site_folder / "notebooks"] if self.site_folder else [])]
        return any((folder / f"{name}.ipynb").is_file() for folder in folders)
