"""Why an access is legitimate: each reason of `sql/explanations` searched for over a period, and put together.

An access has enough reason when one reason of strength 2 or 3 is found, or two different ones of strength 1
(Fabbri and LeFevre, 2011, call them explanation templates; the strengths are ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pydantic import Field

from audit_kernel.catalog import CHANCE_PAIRS, Parameter, Strict, resource_folder
from audit_kernel.errors import SettingsError
from audit_kernel.parameters import answer, convert
from audit_kernel.store.views import fill, has_rows, is_made, temporary_tables
from audit_kernel.subjects import point_at
from audit_kernel.thresholds import decision, thresholds_valid_on
from audit_kernel.yaml_file import Texts, read_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import duckdb

    from audit_kernel.site import Site

ROOM = "explanations"
MOST_EXPLANATIONS = 62  # each is one bit of a BIGINT


class ExplanationDescription(Strict):
    """What stands in an explanation's `.yml`.

    own_accesses: of `period_accesses` it needs no rows but those of the employee whose access it explains.
    """

    title: Texts
    meaning: Texts
    needs: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    legal_basis: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    own_accesses: bool = False
    replaces: str = ""


@dataclass(frozen=True)
class Explanation:
    """One reason: its name and its two files."""

    name: str
    path: Path

    @cached_property
    def description(self) -> ExplanationDescription:
        """What stands in its `.yml`."""
        return read_model(self.path.with_suffix(".yml"), ExplanationDescription)

    @cached_property
    def sql(self) -> str:
        """The reason's text."""
        return self.path.read_text(encoding="utf-8")

    @property
    def needs_everybody(self) -> bool:
        """Whether it needs everybody's accesses of the period, so that it cannot be searched for over a few."""
        return "period_accesses" in self.sql and not self.description.own_accesses


def explanations(site: Site) -> list[Explanation]:
    """Return the reasons that can be searched for in the site's country, the package's and the site's, by name.

    Raises
    ------
    SettingsError: a site's reason has the name of one of the package's without saying that it replaces it.
    """
    found = {path.stem: Explanation(path.stem, path) for path in (resource_folder("sql") / ROOM).glob("*.sql")}
    for path in (site.folder / "sql" / ROOM).glob("*.sql"):
        own = Explanation(path.stem, path)
        if path.stem in found and own.description.replaces != path.stem:
            raise SettingsError(
                "{path} has the name of a query of the package.",
                "Give it another name, or write `replaces: {name}` in its .yml.",
                path=path,
                name=path.stem,
            )
        found[path.stem] = own
    country = site.settings.country
    of_country = [found[name] for name in sorted(found) if country in (found[name].description.countries or (country,))]
    if len(of_country) > MOST_EXPLANATIONS:
        raise SettingsError(
            "There are {count} explanations, more than {most}.",
            "Put some of them together.",
            count=len(of_country),
            most=MOST_EXPLANATIONS,
        )
    return of_country


def explain_period(connection: duckdb.DuckDBPyConnection, site: Site, bound: Mapping[str, Any], day: date) -> None:
    """Create the TEMP relations of one period: `period_accesses`, `explained_accesses`, `unexplained_accesses`.

    They stay until another period is asked for. `explanations_searched` holds each reason and whether the data that it
    needs were ever taken in.

    Parameters
    ----------
    bound: `start_at` and `end_at` (UTC, half open; NULL = open).
    day: the thresholds valid on this day count.
    """
    period = {name: bound[name] for name in ("start_at", "end_at")}
    if _is_of_period(connection, period):
        return
    connection.execute(f"create or replace temp table period_accesses as {period_sql('period_accesses')}", period)
    connection.execute("create or replace temp view asked_accesses as select * from period_accesses")
    _put_together(connection, _search(connection, site, period, day))
    connection.execute("create or replace temp table explained_period (start_at timestamp, end_at timestamp)")
    connection.execute("insert into explained_period values ($start_at, $end_at)", period)


def explain_people(
    connection: duckdb.DuckDBPyConnection, site: Site, bound: Mapping[str, Any], day: date, asked: str
) -> None:
    """Create the relations of `explain_period` over few people: fast enough to be asked beside a row.

    `period_accesses` holds the employee's own rows, or those of all the patient's readers where no employee is asked
    about. A reason that needs everybody's is not searched for: an access may lack one here that the whole period would
    show, never the other way about.

    Parameters
    ----------
    bound: `start_at`, `end_at`, and ids of an employee, a patient or both.
    asked: whether the reasons of the `pair` are searched for, or of all that the `employee` opened.
    """
    forget_period(connection)  # the same names hold other rows now
    names = ("start_at", "end_at", "patient_id", "employee_id")
    people = {**{name: bound.get(name) for name in names}, "of_readers": None}
    connection.execute("create or replace temp table readers (employee_id varchar)")
    if people["employee_id"] is None:
        _people_accesses(connection, "people_asked", people)
        connection.execute("insert into readers select distinct employee_id from people_asked")
        _people_accesses(connection, "period_accesses", {**people, "patient_id": None, "of_readers": True})
    else:
        _people_accesses(connection, "period_accesses", {**people, "patient_id": None})
        connection.execute(
            "create or replace temp table people_asked as select * from period_accesses"
            " where $patient_id is null or patient_id = $patient_id",
            {"patient_id": people["patient_id"] if asked == "pair" else None},
        )
    connection.execute("create or replace temp view asked_accesses as select * from people_asked")
    period = {name: people[name] for name in ("start_at", "end_at")}
    _put_together(connection, _search(connection, site, period, day, are_few=True))


def _people_accesses(connection: duckdb.DuckDBPyConnection, table: str, people: Mapping[str, Any]) -> None:
    """Make a TEMP table of some people's accesses, read in the order in which they lie together."""
    point_at(connection, "employee" if people["patient_id"] is None else "patient")
    connection.execute(f"create or replace temp table {table} as {period_sql('people_accesses')}", people)


def forget_period(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget which period the relations made for one are of: they are made anew when it is next asked about."""
    # which period they are of stands in these, by their name
    for name in temporary_tables(connection):
        if name.endswith("_period"):
            connection.execute(f'drop table temp."{name}"')


def _put_together(connection: duckdb.DuckDBPyConnection, searched: list[tuple[int, str, bool]]) -> None:
    """Make the relations that say what is explained, from the reasons in `found`."""
    connection.execute(
        "create or replace temp table explanations_searched (number integer, reason varchar, is_searchable boolean)"
    )
    fill(connection, "explanations_searched", searched)
    for name in ("explained_masks", "reason_sets", "explained_rows", "explained_accesses", "unexplained_accesses"):
        kind = "view" if name in ("explained_rows", "explained_accesses") else "table"
        connection.execute(f"create or replace temp {kind} {name} as {period_sql(name)}")
    connection.execute("drop table found")


def explain_chance_pairs(
    connection: duckdb.DuckDBPyConnection, site: Site, bound: Mapping[str, Any], day: date
) -> None:
    """Create the TEMP table `chance_pairs`: employees at the times of real accesses, each with a patient by chance.

    `is_explained` says whether the reasons would excuse it: the price of a loose rule. `explain_period` comes first.
    """
    period = {name: bound[name] for name in ("start_at", "end_at")}
    n_pairs = int(thresholds_valid_on(day, site.folder)["chance_pairs"].value)
    connection.execute(
        f"create or replace temp table drawn_pairs as {period_sql('drawn_pairs')}", {"chance_pairs": n_pairs}
    )
    connection.execute("create or replace temp view asked_accesses as select * from drawn_pairs")
    _search(connection, site, period, day)
    for name, text in (("chance_masks", "explained_masks"), (CHANCE_PAIRS, "chance_pairs")):
        connection.execute(f"create or replace temp table {name} as {period_sql(text)}")
    connection.execute("create or replace temp view asked_accesses as select * from period_accesses")
    connection.execute("drop table found")


def _search(
    connection: duckdb.DuckDBPyConnection, site: Site, period: Mapping[str, Any], day: date, *, are_few: bool = False
) -> list[tuple[int, str, bool]]:
    """Fill the TEMP table `found` with the reasons of `asked_accesses`; return which reasons could be searched for.

    Parameters
    ----------
    are_few: `period_accesses` holds few people's accesses.
    """
    valid = thresholds_valid_on(day, site.folder)
    connection.execute("create or replace temp table found (access_id uuid, number utinyint, strength utinyint)")
    searched = []
    for number, explanation in enumerate(explanations(site)):
        described = explanation.description
        is_searchable = all(has_rows(connection, relation) for relation in described.needs)
        is_searchable = is_searchable and not (are_few and explanation.needs_everybody)
        searched.append((number, explanation.name, is_searchable))
        if not is_searchable:
            continue
        values: dict[str, Any] = {**period, "number": number}
        for name, each in described.parameters.items():
            decided = decision(valid, each.threshold or name, explanation.name)
            values[name] = convert(explanation.name, name, each.type, decided.value)
        text = explanation.sql.rstrip()
        answer(connection, f"insert into found select access_id, $number, strength from ({text})", values)
    return searched


def with_reasons(connection: duckdb.DuckDBPyConnection, findings: pa.Table) -> pa.Table:
    """Return findings with the reasons found, absent and not searchable for their employee and patient.

    `explanation_found` is the best reason that any access of the pair has in the period; a finding without an employee
    or a patient has none.
    """
    connection.register("finding_rows", findings.select(["finding_id", "employee_id", "patient_id"]))
    try:
        answered = connection.execute(period_sql("finding_reasons")).to_arrow_table()
    finally:
        connection.unregister("finding_rows")
    found = {row["finding_id"]: row for row in answered.to_pylist()}
    ids = findings.column("finding_id").to_pylist()
    for name in ("explanation_found", "explanations_absent", "explanations_not_searchable"):
        position = findings.schema.get_field_index(name)
        kind = findings.schema.field(name).type
        findings = findings.set_column(position, name, pa.array([found[each][name] for each in ids], kind))
    return findings


def searched(connection: duckdb.DuckDBPyConnection) -> tuple[tuple[str, bool], ...]:
    """Return each reason and whether the data that it needs were taken in, as of the last `explain_period`."""
    rows = connection.execute("select reason, is_searchable from explanations_searched order by number").fetchall()
    return tuple((str(reason), bool(is_searchable)) for reason, is_searchable in rows)


def titles(site: Site, language: str) -> dict[str, str]:
    """Return the title of each reason in a language."""
    return {each.name: each.description.title.in_language(language) for each in explanations(site)}


def _is_of_period(connection: duckdb.DuckDBPyConnection, period: Mapping[str, Any]) -> bool:
    same = "start_at is not distinct from $start_at and end_at is not distinct from $end_at"
    found = f"select 1 from explained_period where {same}"
    return is_made(connection, "explained_period") and connection.execute(found, dict(period)).fetchone() is not None


def period_sql(name: str) -> str:
    """Return one SELECT of `sql/period`."""
    return (resource_folder("sql") / "period" / f"{name}.sql").read_text(encoding="utf-8")
