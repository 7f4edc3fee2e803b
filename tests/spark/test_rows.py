"""Each statement of a month's control gives the same rows on DuckDB and on Spark, over the same relations."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from audit_kernel.catalog import PARTS, USE_LINES, USE_PEOPLE, USE_USERS
from audit_kernel.errors import AuditKernelError, NotAssessableError
from audit_kernel.spark.transpile import named_parameters
from audit_kernel.use_log_rows import LINES, PEOPLE, USERS
from tests.spark.sites import SMALL_WORLD, make_site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audit_kernel.site import Site
    from tests.spark.twin import TwinStore

pytestmark = [
    pytest.mark.spark,
    pytest.mark.requires("java"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # Spark leaves its own to be collected
]
PERIOD = {"from_date": date(2026, 10, 1), "to_date": date(2026, 10, 31)}
SQL = Path(__file__).parents[2] / "sql"
COMPARED = ("checks", "explanations", "model", "period", "reports", "review", "sample")
# What a month's control does not ask, each with its reason: the trial with known incidents works on a copy in memory.
STAYS_WITH_DUCKDB = {"sensitivity", "sensitivity_checks"}


def texts(*rooms: str) -> tuple[str, ...]:
    """Return the texts of these rooms of `sql/`, without those beside a query, as they end a statement."""
    paths = [path for room in rooms for path in (SQL / room).glob("*.sql")]
    beside = tuple(f".{part}.sql" for part in PARTS)
    return tuple(path.read_text(encoding="utf-8").strip() for path in paths if not path.name.endswith(beside))


def questions(store: TwinStore, *rooms: str) -> list[tuple[Any, dict[str, Any]]]:
    """Return every query of these rooms and each part of it, with what it is asked about."""
    person = next(row for row in store.sql(
        "select employee_id, patient_id, recorded_at from accesses where is_access and employee_id is not null"
        " and patient_id is not null and not is_patient_unresolved and local_date >= date '2026-10-10'"
        " order by recorded_at, access_id limit 1"
    ).to_pylist())  # fmt: skip
    every = [
        each
        for query in store.catalog.queries.values()
        if query.room in rooms
        for each in (query, *(query.beside(part) for part in PARTS if part != "events"))
        if each is not None
    ]
    return [(each, values_for(each, person)) for each in every]


def values_for(query: Any, person: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a query is asked about: October, or somebody's day in it."""
    own = {
        "at": f"{person['recorded_at'].isoformat()}+00:00",
        "unit_keys": [f"{person['employee_id']}|{person['patient_id']}|{person['recorded_at']:%Y-%m-%d}"],
    }
    given: dict[str, Any] = {}
    for name, parameter in query.description.parameters.items():
        is_open = not parameter.threshold and parameter.default is None
        if parameter.type == "period":
            given |= PERIOD
        elif parameter.type in ("patient", "employee"):
            given[name] = person[f"{parameter.type}_id"]
        elif name in own:
            given[name] = own[name]
        elif parameter.type == "text" and parameter.required and is_open:
            given[name] = "a"
        elif parameter.type == "integer" and is_open:
            given[name] = 40
    return given


def compared(site: Site, size: str, wants: Callable[[str], bool], *rooms: str) -> TwinStore:
    """Ask every question of these rooms, the checks first; return the store with what was compared."""
    from tests.spark.twin import TwinStore, session_for

    with session_for(site, size) as session, TwinStore(site, session, wants) as store:
        asked = questions(store, *rooms)
        findings = []
        for query, given in (each for each in asked if each[0].room != "reports"):
            try:
                found = store.ask(query, given).table
            except NotAssessableError:  # what a site does not have is not compared
                continue
            if query.room == "checks" and not query.part:
                findings.append(found)
                behind_finding(store, query, found)
        if "reports" in rooms:
            store.unexplained_days(*PERIOD.values())
            store.keep_findings(findings)
            keep_use(store)
            who_reviews(store)
        for query, given in (each for each in asked if each[0].room == "reports"):
            with contextlib.suppress(AuditKernelError):
                store.ask(query, given)
        return store


def behind_finding(store: TwinStore, query: Any, found: Any) -> None:
    """Ask for the events behind a check's first finding."""
    if behind := query.beside("events"):
        start_at, end_at = store.site.period(*PERIOD.values())
        of_finding = (found.slice(0, 1).to_pylist() or [{}])[0]
        names = {"employee_id": None, "patient_id": None, "start_at": start_at, "end_at": end_at, "unit_id": None}
        names |= of_finding
        store.twin.execute(behind.sql, {name: names[name] for name in named_parameters(behind.sql)})


def keep_use(store: TwinStore) -> None:
    """Make a use log the relations that the control of the controllers reads."""
    people = [each["employee_id"] for each in store.sql("select employee_id from employees order by 1").to_pylist()]
    at = datetime(2026, 10, 5, 12)
    line = {
        "recorded_at": at,
        "local_date": at.date(),
        "purpose": "case 1",
        "case_number": "1",
        "n_rows": 3,
        "use_kind": "question",
        "use_activity": "report",
        "query_name": "reports/activity",
        "is_control": False,
    }
    users = [{"user_name": f"user-{place}", "employee_id": who} for place, who in enumerate(people[:4])]
    lines = [{**line, "sequence": place, "user_name": f"user-{place % 5}"} for place in range(1, 41)]
    lines += [{**line, "sequence": 41, "user_name": "user-1", "use_kind": "act", "use_activity": "decision"}]
    about = [
        {"sequence": place, "employee_id": people[place % 7], "patient_id": None if place % 3 else "P-1"}
        for place in range(1, 42)
    ]
    for name, rows, schema in ((USE_LINES, lines, LINES), (USE_PEOPLE, about, PEOPLE), (USE_USERS, users, USERS)):
        store.keep_rows(name, pa.Table.from_pylist(rows, schema))


def who_reviews(store: TwinStore) -> None:
    """Ask who is too close to whom, and who manages: the lists of a month's review."""
    start_at, end_at = store.site.period(*PERIOD.values())
    people = store.sql("select distinct manager_id from employees where manager_id is not null order by 1")
    values = {
        "reviewer_ids": people.column(0).to_pylist(),
        "start_at": start_at,
        "end_at": end_at,
        "first_date": PERIOD["from_date"],
        "last_date": PERIOD["to_date"],
    }
    for path in sorted((SQL / "review").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        store.sql(text, {name: values[name] for name in named_parameters(text)})


def test_a_small_months_checks_give_the_same_rows(tmp_path: Path) -> None:
    wanted = texts("checks", "explanations")
    store = compared(
        make_site(tmp_path, "SE", SMALL_WORLD), "small", lambda text: any(each in text for each in wanted), "checks"
    )
    assert store.twin.different == {}
    assert len(store.twin.same) >= 40
    assert sum(n_rows > 0 for n_rows in store.twin.same.values()) >= 20


@pytest.mark.soak
def test_every_file_of_a_months_control_gives_the_same_rows_over_both_municipalities(tmp_path: Path) -> None:
    missing = {path.stem for room in COMPARED for path in (SQL / room).glob("*.sql")}
    for country in ("NO", "SE"):
        (tmp_path / country).mkdir()
        store = compared(
            make_site(tmp_path / country, country), lambda text: "\n" in text, "checks", "sample", "reports"
        )
        assert store.twin.different == {}
        assert len(store.twin.same) >= 180
        assert sum(n_rows > 0 for n_rows in store.twin.same.values()) >= 150
        missing -= {
            path.stem
            for room in COMPARED
            for path in (SQL / room).glob("*.sql")
            if any(path.read_text(encoding="utf-8").strip() in text for text in store.twin.same)
        }
    assert missing == STAYS_WITH_DUCKDB
