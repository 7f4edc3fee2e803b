"""Each statement of a month's control gives the same rows on DuckDB and on Spark, over the same relations."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audit_kernel.catalog import PARTS
from audit_kernel.demo.settings import WorldSettings
from audit_kernel.errors import AuditKernelError, NotAssessableError
from tests.spark.sites import make_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.site import Site
    from tests.spark.twin import TwinStore

pytestmark = [
    pytest.mark.spark,
    pytest.mark.requires("java"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # Spark leaves its own to be collected
]
PERIOD = {"from_date": date(2026, 10, 1), "to_date": date(2026, 10, 31)}
SQL = Path(__file__).parents[2] / "sql"
SMALL = WorldSettings(n_months=1, activity=0.03)


@pytest.fixture(autouse=True)
def _lacking_days_are_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask every check of a log as thin as a test's: whether it is whole is not what is compared."""
    monkeypatch.setattr("audit_kernel.completeness.refuse_incomplete_logs", lambda *_given: None)


def texts(*rooms: str) -> tuple[str, ...]:
    """Return the texts of these rooms of `sql/`, as they stand at the end of a statement."""
    return tuple(path.read_text(encoding="utf-8").strip() for room in rooms for path in (SQL / room).glob("*.sql"))


def questions(store: TwinStore, *rooms: str) -> list[tuple[Any, dict[str, Any]]]:
    """Return every query of these rooms and each part of it, with what it is asked about."""
    person = next(row for row in store.sql(
        "select employee_id, patient_id, recorded_at from accesses where is_access and employee_id is not null"
        " and patient_id is not null and not is_patient_unresolved and local_date >= date '2026-10-10'"
        " order by recorded_at, access_id limit 1"
    ).to_pylist())  # fmt: skip
    asked = []
    for query in store.catalog.queries.values():
        for each in (query, *(query.beside(part) for part in PARTS if part != "events")):
            if each is None or query.room not in rooms:
                continue
            given: dict[str, Any] = {}
            for name, parameter in each.description.parameters.items():
                if parameter.type == "period":
                    given |= PERIOD
                elif parameter.type in ("patient", "employee"):
                    given[name] = person[f"{parameter.type}_id"]
                elif name == "at":
                    given[name] = f"{person['recorded_at'].isoformat()}+00:00"
                elif name == "unit_keys":
                    given[name] = [f"{person['employee_id']}|{person['patient_id']}|{person['recorded_at']:%Y-%m-%d}"]
                elif parameter.type == "text" and parameter.required and parameter.default is None:
                    given[name] = "a"
            asked.append((each, given))
    return asked


def compared(site: Site, wants: Callable[[str], bool], *rooms: str) -> TwinStore:
    """Ask every question of these rooms; return the store with what was compared."""
    from audit_kernel.spark.transpile import named_parameters
    from tests.spark.twin import TwinStore, small_session

    with small_session(site) as session, TwinStore(site, session, wants) as store:
        for query, given in questions(store, *rooms):
            try:
                found = store.ask(query, given).table
            except NotAssessableError:  # what a site does not have is not compared
                continue
            except AuditKernelError:
                if query.room != "reports":
                    raise
                continue
            if query.room == "checks" and not query.part and (behind := query.beside("events")):
                of_finding = found.slice(0, 1).to_pylist() or [{}]
                start_at, end_at = site.period(*PERIOD.values())
                values = {"start_at": start_at, "end_at": end_at, "unit_id": None, **of_finding[0]}
                names = {"employee_id": None, "patient_id": None, **values}
                store.twin.execute(behind.sql, {name: names[name] for name in named_parameters(behind.sql)})
        return store


def test_a_small_months_checks_give_the_same_rows(tmp_path: Path) -> None:
    wanted = texts("checks", "explanations")
    store = compared(make_site(tmp_path, "SE", SMALL), lambda text: any(each in text for each in wanted), "checks")
    assert store.twin.different == {}
    assert len(store.twin.same) >= 40
    assert sum(n_rows > 0 for n_rows in store.twin.same.values()) >= 20


@pytest.mark.soak
@pytest.mark.parametrize("country", ["NO", "SE"])
def test_every_statement_over_a_municipality_gives_the_same_rows(tmp_path: Path, country: str) -> None:
    store = compared(make_site(tmp_path, country), lambda text: "\n" in text, "checks", "sample", "reports")
    assert store.twin.different == {}
    assert len(store.twin.same) >= 120
