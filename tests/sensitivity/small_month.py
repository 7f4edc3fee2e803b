"""A small municipality's October, with relatives among the patients and staff who are patients."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa

from audit_kernel.site import Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reference import take_in_reference
from audit_kernel.store.unexplained_days import keep_unexplained_days
from tests.store.logs import HEADER

N_EMPLOYEES, N_UNITS, N_PATIENTS = 36, 3, 90
CHECKS = (
    "own_record",
    "colleague_record",
    "household_or_surname",
    "searches_without_opening",
    "prints_and_exports",
    "unauthorised_resources",
    "abnormal_times",
    "media_interest",
    "slow_browsing",
)


def days_at_work(employee: int) -> set[date]:
    """Four days at work, four days off."""
    return {date(2026, 10, 1) + timedelta(days=day) for day in range(31) if (day + employee) % 8 < 4}


def log_lines() -> list[str]:
    """Each employee opens on a day at work four patients of the own unit; some search, some print."""
    rows = []
    for number in range(31):
        day = date(2026, 10, 1) + timedelta(days=number)
        for employee in range(N_EMPLOYEES):
            if day in days_at_work(employee):
                for place in range(4):
                    patient = employee % N_UNITS + N_UNITS * ((number * 4 + place * 7 + employee) % 28)
                    at = f"{8 + place * 2:02}:{employee:02}:00"
                    kind = "Utskrift" if place == 3 and employee % 5 == 0 else "Lesing"
                    rows.append((day, at, kind, employee, patient))
                    if place == 2:
                        rows.append((day, at[:-2] + "30", "Brukersøk", employee, patient))
                        rows.append((day, at[:-2] + "50", "Lesing", employee, patient))
    rows.sort(key=lambda row: row[:2])
    return [
        f"{number};{day:%d.%m.%Y};{at};{kind};KA{employee:02};Bruker;P{patient:03};"
        for number, (day, at, kind, employee, patient) in enumerate(rows, start=1)
    ]


def make_small_month(folder: Path, checks: tuple[str, ...] = CHECKS) -> Site:
    """Return the site, its checks switched on."""
    site = create_site(folder / "site", "NO", "Lillevik kommune")
    who = [f"E{number:03}" for number in range(N_EMPLOYEES)]
    files = {
        "employees": ["employee_id;name;personal_number;manager_id;valid_from;valid_to"]
        + [f"{each};Navn {each};;M{number % N_UNITS};;" for number, each in enumerate(who)],
        "identifiers": ["system;kind;identifier;id;valid_from;valid_to"]
        + [f"gerica;employee;KA{number:02};{each};;" for number, each in enumerate(who)],
        "unit_assignments": ["employee_id;unit_id;role;share_percent;valid_from;valid_to"]
        + [f"{each};U{number % N_UNITS};Sykepleier;100;;" for number, each in enumerate(who)],
        "patients": ["patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to"]
        + [f"P{number:03};Pasient {number};;U{number % N_UNITS};;;;" for number in range(N_PATIENTS)],
        "relations": ["employee_id;patient_id;relation", "E003;P085;self", "E007;P086;self", "E010;P087;spouse"],
        "shifts": ["employee_id;unit_id;kind;role;status;starts_at;ends_at"]
        + [
            f"{each};U{number % N_UNITS};shift;Sykepleier;worked;{day} 07:00;{day} 20:00"
            for number, each in enumerate(who)
            for day in sorted(days_at_work(number))
        ],
    }
    for kind, lines in files.items():
        path = folder / f"{kind}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        take_in_reference(site, path, kind)
    log = folder / "log.csv"
    log.write_text("\r\n".join([HEADER, *log_lines()]) + "\r\n", encoding="utf-8", newline="")
    take_in(site, log, "gerica")
    nobody = pa.schema([(name, pa.string()) for name in ("employee_id", "patient_id")])
    nobody = nobody.append(pa.field("local_date", pa.date32())).append(pa.field("unit_id", pa.string()))
    for month in (date(2026, 8, 1), date(2026, 9, 1)):
        keep_unexplained_days(site, month, nobody.append(pa.field("n_accesses", pa.int64())).empty_table(), 0)
    monthly = ", ".join(f"checks/{name}" for name in checks)
    (site.folder / "parameters" / "schedule.yml").write_text(f"monthly: [{monthly}]\n", encoding="utf-8")
    return site
