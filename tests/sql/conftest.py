"""Stand-ins for the lake: the tables of `tables.yml` in memory, with the model views over them."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from audit_kernel.store.dated import dated_sql, empty_sql
from audit_kernel.store.tables import reference_tables, with_access_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SQL = Path(__file__).parents[2] / "sql"
OSLO = ZoneInfo("Europe/Oslo")
DELIVERY = "delivery_id VARCHAR, delivered_at TIMESTAMP, row_number BIGINT"
CODE_COLUMNS = (
    "source_id VARCHAR, field VARCHAR, code VARCHAR, action VARCHAR, activity_en VARCHAR, activity_sv VARCHAR,"
    " activity_nb VARCHAR, access_type_en VARCHAR, access_type_sv VARCHAR, access_type_nb VARCHAR, area VARCHAR,"
    " meaning_en VARCHAR, meaning_sv VARCHAR, meaning_nb VARCHAR, origin VARCHAR, is_confirmed BOOLEAN,"
    " follows VARCHAR, outcome VARCHAR"
)
CODES: tuple[dict[str, Any], ...] = (
    {"field": "log_type", "code": "Lesing", "action": "read", "activity_en": "Read", "meaning_en": "Was read."},
    {"field": "log_type", "code": "Skriving", "action": "write", "activity_en": "Wrote", "meaning_en": "Was written."},
    {"field": "log_type", "code": "Utskrift", "action": "print", "activity_en": "Printed"},
    {"field": "log_type", "code": "Rapport", "action": "execute", "activity_en": "Report"},
    {"field": "log_type", "code": "Brukersøk", "action": "search", "follows": "patient_search"},
    {"field": "log_type", "code": "Brukersøk sperret", "action": "search", "follows": "blocked_search"},
    {"field": "table_name", "code": "Journal", "area": "journal", "activity_en": "the journal"},
    {"field": "table_name", "code": "Bruker", "area": "patient", "activity_en": "the person"},
    {"field": "table_name", "code": "Tiltaksplan", "area": "patient", "activity_en": "the care plan"},
    {"field": "table_name", "code": "Rapport", "area": "none"},
    {"field": "message_type", "code": "Post vist", "access_type_en": "Record shown", "is_confirmed": False},
)
RECORD_TABLES = {"Journal": "record", "Tiltaksplan": "record", "Bruker": "patient", "Rapport": "none"}

COMPARISON = {
    "comparison_weeks": 8, "least_comparable_days": 3, "least_share_of_expected": Decimal("0.5"),
    "clock_tolerance_minutes": 5, "clock_leap_hours": 12, "public_holidays": [date(2026, 5, 1), date(2026, 12, 25)],
}  # fmt: skip


@cache
def yaml_of(path: Path) -> Any:
    """Return what a YAML file says; read once, since reading took most of a test's time. Not to be changed."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Lake:
    """A small lake in memory; rows are given as mappings, every other column gets a plain value."""

    def __init__(self, threads: int = 1) -> None:
        self.connection = duckdb.connect(":memory:", config={"threads": str(threads)})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute("attach ':memory:' as lake")
        self.tables: dict[str, Any] = yaml_of(SQL / "model" / "tables.yml")
        for name, table in self.tables.items():
            columns = ", ".join(f'"{column}" {each["type"]}' for column, each in table["columns"].items())
            for stored in [] if table.get("reference") else table.get("stored_as", [name]):
                self.connection.execute(f"create table lake.{stored} ({columns})")
        self.connection.execute(f"create temp table codes ({CODE_COLUMNS})")
        self.connection.execute(
            "create temp table sources (source_id VARCHAR, time_zone VARCHAR, own_event_id BOOLEAN,"
            " running_number BOOLEAN, expects_rows_daily BOOLEAN, event_table VARCHAR)"
        )
        self.connection.execute(
            "create temp table record_tables (source_id VARCHAR, table_name VARCHAR, related VARCHAR)"
        )
        self.connection.execute("create temp table lawful_purposes (purpose VARCHAR, strength INTEGER)")
        self.connection.execute(
            "create temp table country_groups (country VARCHAR, country_group VARCHAR, is_partial BOOLEAN,"
            " valid_from DATE, valid_to DATE)"
        )
        self.connection.execute("create temp table country_neighbours (country VARCHAR, neighbour VARCHAR)")
        self.connection.execute(
            "create temp table site as select 'NO' as country, 'Europe/Oslo' as time_zone, 'nb' as language"
        )
        self.connection.execute(f"create temp view stored_accesses as {with_access_id('accesses_by_patient')}")
        self.sources("gerica")
        for code in CODES:
            self.insert("codes", {"source_id": "gerica", "is_confirmed": True, **code})
        for table_name, related in RECORD_TABLES.items():
            self.insert("record_tables", {"source_id": "gerica", "table_name": table_name, "related": related})
        self.connection.execute("create temp table source_registers (source_id VARCHAR, register VARCHAR)")
        for kind in reference_tables():
            self.connection.execute(f"create temp view {kind} as {empty_sql(kind)}")
        for view in yaml_of(SQL / "model" / "order.yml"):
            self.connection.execute(
                f"create temp view {view} as {(SQL / 'model' / f'{view}.sql').read_text(encoding='utf-8')}"
            )
        # Rows stand here without the ledger's line of their file: count them as they are.
        self.connection.execute(
            "create or replace temp view uncounted_files as select distinct source_id, file_id,"
            " coalesce(running_number, false) as has_numbers from events left join sources using (source_id)"
        )
        self.n_accesses = 0
        self.delivered: set[str] = set()

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert one row by column name."""
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        self.connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))

    def sources(
        self,
        source_id: str,
        *,
        running_number: bool = True,
        expects_rows_daily: bool = True,
        event_table: str = "accesses",
    ) -> None:
        """Declare one log."""
        row = {"source_id": source_id, "time_zone": "Europe/Oslo", "own_event_id": True, "event_table": event_table}
        self.insert("sources", {**row, "running_number": running_number, "expects_rows_daily": expects_rows_daily})

    def reference(self, table: str, *, delivered: str = "2026-01-01", **row: Any) -> None:
        """Deliver one row of reference data; the table is made for the first."""
        if table not in self.delivered:
            self.delivered.add(table)
            columns = ", ".join(f'"{name}" {each["type"]}' for name, each in self.tables[table]["columns"].items())
            self.connection.execute(f"create table lake.{table} ({columns}, {DELIVERY})")
            self.connection.execute(f"create or replace temp view {table} as {dated_sql(table)}")
        self.n_accesses += 1
        delivery = {"delivery_id": f"file {delivered}", "delivered_at": delivered, "row_number": self.n_accesses}
        self.insert(f"lake.{table}", {**row, **delivery})

    def access(self, at: str, **row: Any) -> str:
        """Store one access at a UTC time; the local columns follow from Europe/Oslo. Returns the access_id."""
        self.n_accesses += 1
        number = str(row.pop("event_id", self.n_accesses))
        local = datetime.fromisoformat(f"{at}+00:00").astimezone(OSLO)
        source_id = row.get("source_id", "gerica")
        access_id = UUID(
            bytes=hashlib.sha256(f"{source_id}\x1f{number}\x1f{row.get('item', 0)}".encode()).digest()[:16]
        )
        full = {
            "source_id": "gerica", "event_id": number, "item": 0, "record_hash": number,
            "file_id": "file", "line_number": self.n_accesses, "recorded_at": at, "local_date": local.date(),
            "local_hour": local.hour, "local_weekday": local.isoweekday(), "is_holiday": False, "time_flag": "ok",
            "employee_id": "E1", "patient_id": "P1", "log_type": "Lesing", "table_name": "Bruker",
            "message_type": None, "outcome": "success", "is_break_glass": False, "flags": [], **row,
        }  # fmt: skip
        if "record_ref" not in row:
            full["record_ref"] = full["patient_id"]
        if RECORD_TABLES.get(full["table_name"] or "") == "record" and "patient_id" not in row and "record_ref" in row:
            full["patient_id"] = f"{full['table_name']}:{full['record_ref']}"
        for stored in self.tables["accesses"]["stored_as"]:
            self.insert(f"lake.{stored}", full)
        return str(access_id)

    def sign_in(self, at: str, kind: str = "login", **row: Any) -> None:
        """Store one event of logging in or out at a UTC time, of account e1 of employee E1."""
        self.n_accesses += 1
        local = datetime.fromisoformat(f"{at}+00:00").astimezone(OSLO)
        full = {
            "source_id": "keycloak", "event_id": str(self.n_accesses), "file_id": "file",
            "line_number": self.n_accesses, "recorded_at": at, "local_date": local.date(), "local_hour": local.hour,
            "local_weekday": local.isoweekday(), "is_holiday": False, "time_flag": "ok", "employee_id": "E1",
            "account": "e1", "kind": kind, "repeated": 1, **row,
        }  # fmt: skip
        self.insert("lake.authentications", full)

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Run a statement; each row as a mapping."""
        cursor = self.connection.execute(sql, parameters or None)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def query(self, name: str, **given: Any) -> list[dict[str, Any]]:
        """Run a query of the catalogue over whole Oslo days; parameters that it does not name are left out."""
        self.read_first(name, **given)
        text = (SQL / f"{name}.sql").read_text(encoding="utf-8")
        return self.rows(text, **self.bound(text, **given))

    def read_first(self, name: str, **given: Any) -> None:
        """Make the TEMP tables that a query reads: queries of its own folder."""
        path = SQL / f"{name.split('.', maxsplit=1)[0]}.yml"
        reads = yaml_of(path).get("reads", []) if path.is_file() else []
        for each in reads:
            text = read_path(path, each).read_text(encoding="utf-8")
            self.rows(f"create or replace temp table {each} as {text}", **self.bound(text, **given))

    def bound(self, text: str, *, first: str = "2026-10-01", last: str = "2026-10-31", **given: Any) -> dict[str, Any]:
        """Return the parameters that a query's text names; those not given are None."""
        values: dict[str, Any] = {"opening_gap_minutes": 5, "search_followed_minutes": 10, **COMPARISON, **given}
        values["start_at"] = utc_midnight(first)
        values["end_at"] = utc_midnight(str(datetime.fromisoformat(last).date() + timedelta(days=1)))
        names = duckdb.extract_statements(text)[0].named_parameters
        return {name: values.get(name) for name in sorted(names)}


def read_path(path: Path, name: str) -> Path:
    """Return the file that a query of this path reads under a name: a step, else a query of its folder."""
    step = path.with_name(f"{name}.step.sql")
    return step if step.is_file() else path.with_name(f"{name}.sql")


def utc_midnight(day: str) -> datetime:
    """Return when a local day begins, in UTC without offset."""
    return datetime.fromisoformat(day).replace(tzinfo=OSLO).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


@pytest.fixture
def lake() -> Iterator[Lake]:
    """Return an empty lake with one log, its codes and record tables."""
    made = Lake()
    yield made
    made.connection.close()
