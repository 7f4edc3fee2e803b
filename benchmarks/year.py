"""A made-up year of logs: daily files of two sources, the reference data behind them, the same rows as plain Parquet.

Every value is a function of the row's number, so that any day can be written alone and any size is of one shape: 2,500
rows an employee, 500 a patient, 130 bytes a row. The sources differ in one thing: `bench_ids` has ids of its own,
the records of `bench_hashed` are known by their hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

SOURCES = ("bench_ids", "bench_hashed")
FIRST_DAY, N_DAYS = date(2025, 11, 1), 365
HEADER = (
    "Id. nr.", "Dato", "Tid", "Loggtype", "Ansatt", "Navn", "Tabell", "Bruker", "Relatert post", "Meldingstype",
    "Enhet", "Adresse",
)  # fmt: skip
MAPPING = """
format: delimited
title: {{en: Benchmark, sv: Benchmark, nb: Benchmark}}
source_id: {source_id}
time_zone: Europe/Oslo
own_event_id: {has_ids}
columns:
  Id. nr.: {{to: {first}, type: integer, required: true}}
  Dato: {{to: recorded_date, type: date, format: "%d.%m.%Y", required: true}}
  Tid: {{to: recorded_time, type: time, format: "%H:%M:%S", required: true}}
  Loggtype: {{to: log_type, required: true}}
  Ansatt: {{to: employee_id}}
  Navn: {{to: employee_name}}
  Tabell: {{to: table_name}}
  Bruker: {{to: patient_id}}
  Relatert post: {{to: record_ref}}
  Meldingstype: {{to: message_type}}
  Enhet: {{to: unit_id}}
  Adresse: {{to: network_address}}
"""
CODE = (
    "    {kind}\n    activity: {{en: seen, sv: sett, nb: sett}}\n    meaning: {{en: Seen., sv: Sett., nb: Sett.}}\n"
    "    origin: invented for the benchmark\n    is_confirmed: true\n"
)
CODES = {
    "log_type": {"Lesing": "action: read", "Skriving": "action: write"},
    "table_name": {"Journal": "area: journal", "Bruker": "area: patient"},
    "message_type": {"Post vist": "action: read", "Post endret": "action: write"},
}


@dataclass(frozen=True)
class Year:
    """The size of a year: `n_rows` over all days and both sources."""

    n_rows: int

    @property
    def n_employees(self) -> int:
        """Employees, 2,500 rows each."""
        return max(self.n_rows // 2500, 40)

    @property
    def n_patients(self) -> int:
        """Patients, 500 rows each."""
        return max(self.n_rows // 500, 200)

    def rows(self, first: int, n_rows: int, start: date, n_days: int) -> str:
        """SQL of the rows numbered from `first`, spread evenly over the days from `start` (UTC)."""
        step = n_days * 86_400_000_000 // n_rows
        return f"""(
            select
                {first} + number as number,
                timestamp '{start} 00:00:00' + to_microseconds(number * {step}) as recorded_at,
                'EMP' || lpad(cast(hash({first} + number) % {self.n_employees} as varchar), 6, '0') as employee,
                hash({first} + number) % {self.n_employees} as employee_number,
                cast(10000000 + hash({first} + number + 7) % {self.n_patients} as varchar) as patient,
                hash({first} + number + 13) % 10 as kind
            from range({n_rows}) as numbers(number)
        )"""

    def day(self, day: int) -> str:
        """SQL of one day's rows of both sources: those of the first have even numbers."""
        per_day = self.n_rows // N_DAYS
        return self.rows(day * per_day, per_day, FIRST_DAY + timedelta(days=day), 1)


def named(rows: str) -> str:
    """SQL of rows as the log words them, times in UTC."""
    return f"""
        select
            number, recorded_at, case when kind = 0 then 'Skriving' else 'Lesing' end as log_type, employee,
            'Ansatt Navn ' || lpad(cast(employee_number as varchar), 6, '0') as employee_name,
            case when kind < 6 then 'Journal' else 'Bruker' end as table_name, patient,
            'J' || patient || kind % 3 as record_ref,
            case when kind = 0 then 'Post endret' else 'Post vist' end as message_type,
            'Avdeling ' || employee_number % 300 as unit,
            '10.' || employee_number % 250 || '.' || number % 250 || '.' || (kind + 1) as address
        from {rows}
    """


def write_csv(connection: duckdb.DuckDBPyConnection, rows: str, path: Path) -> Path:
    """Write rows as a delimited file in local time."""
    columns = ", ".join(f'{value} as "{name}"' for name, value in zip(HEADER, (
        "500000000 + number", "strftime(local_at, '%d.%m.%Y')", "strftime(local_at, '%H:%M:%S')", "log_type",
        "employee", "employee_name", "table_name", "patient", "record_ref", "message_type", "unit", "address",
    ), strict=True))  # fmt: skip
    connection.execute(
        f"copy (select {columns} from (select *, timezone('Europe/Oslo', timezone('UTC', recorded_at)) as local_at"
        f" from ({named(rows)})) order by number) to '{path}' (header, delimiter ';')"
    )
    return path


def write_reference(connection: duckdb.DuckDBPyConnection, year: Year, folder: Path) -> dict[str, Path]:
    """Write the reference data: employees, patients, units and who works where; return the files by kind."""
    tables = {
        "employees": "select 'EMP' || lpad(cast(n as varchar), 6, '0') as employee_id, 'Ansatt Navn ' || n as name,"
        f" '' as personal_number, '' as valid_from, '' as valid_to from range({year.n_employees}) as t(n)",
        "units": "select 'Avdeling ' || n as unit_id, 'Avdeling ' || n as name, 'sykehjem' as unit_type, '' as place,"
        " '' as valid_from, '' as valid_to from range(300) as t(n)",
        "unit_assignments": "select 'EMP' || lpad(cast(n as varchar), 6, '0') as employee_id,"
        " 'Avdeling ' || n % 300 as unit_id, 'Sykepleier' as role, '100' as share_percent, '' as valid_from,"
        f" '' as valid_to from range({year.n_employees}) as t(n)",
        "patients": "select cast(10000000 + n as varchar) as patient_id, 'Pasient ' || n as name,"
        " '' as personal_number, 'Avdeling ' || n % 300 as unit_id, '' as blocked_from, '' as blocked_to,"
        f" '' as valid_from, '' as valid_to from range({year.n_patients}) as t(n)",
    }
    paths = {kind: folder / f"{kind}.csv" for kind in tables}
    for kind, select in tables.items():
        connection.execute(f"copy ({select}) to '{paths[kind]}' (header, delimiter ';')")
    return paths


def write_mappings(folder: Path) -> None:
    """Write the mappings of both sources, with their code dictionary."""
    for source_id in SOURCES:
        has_ids = source_id == "bench_ids"
        text = MAPPING.format(
            source_id=source_id, has_ids=str(has_ids).lower(), first="event_id" if has_ids else "session_id"
        )
        (folder / f"{source_id}.yml").write_text(text, encoding="utf-8")
        codes = "".join(
            f"{column}:\n"
            + "".join(
                f"  {code}:\n" + CODE.format(kind=f"{kind}\n    related: none" if column == "table_name" else kind)
                for code, kind in kinds.items()
            )
            for column, kinds in CODES.items()
        )
        (folder / f"{source_id}.codes.yml").write_text(codes, encoding="utf-8")
