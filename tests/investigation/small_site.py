"""A real site whose log carries hostile text in every field that may hold any."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from audit_kernel.site import Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reference import take_in_reference

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
BIDI = "\u202egpj.exe\u2066"
HOSTILE_USER = f"ZZ{SCRIPT}{BIDI}"
HEADER = "Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype"
FIRST_AT = datetime.fromisoformat("2026-10-05T07:30:00")
PATIENT = "1042"
N_ROWS = 140
RECORD = f"J7{SCRIPT}{BIDI}"


def log_rows() -> list[list[str]]:
    """Rows of the export: every third by the hostile user, every other of them in a journal with a hostile name."""
    rows = []
    for number in range(N_ROWS):
        at = FIRST_AT + timedelta(hours=1, minutes=17) * number
        user = HOSTILE_USER if number % 3 == 0 else f"KANO{number % 7:02}"
        table, record = ("Journal", RECORD) if number % 2 == 0 else ("Bruker", PATIENT)
        message = f"Post vist{SCRIPT}" if number % 5 == 0 else "Post vist"
        rows.append([str(9000 + number), f"{at:%d.%m.%Y}", f"{at:%H:%M:%S}", "Lesing", user, table, record, message])
    return rows


def write(path: Path, header: str, rows: list[list[str]]) -> Path:
    """Write a delimited file; no value of ours holds a quote or a separator."""
    lines = [header, *(";".join(row) for row in rows)]
    path.write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8", newline="")
    return path


def make_site(folder: Path, country: str) -> tuple[Site, Path]:
    """Return a site with the log taken in, and the log's file."""
    site = create_site(folder / "site", country)
    employees = [[f"E{number}", f"Kari {SCRIPT}{BIDI} {number}", "", "", ""] for number in range(7)]
    keys = [["gerica", "employee", f"KANO{number:02}", f"E{number}", "", ""] for number in range(7)]
    files = {
        "employees": ("employee_id;name;personal_number;valid_from;valid_to", employees),
        "identifiers": ("system;kind;identifier;id;valid_from;valid_to", keys),
        "patients": (
            "patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to",
            [[PATIENT, f"Ola {SCRIPT}{BIDI}", "", "", "2026-10-08", "2026-10-09", "", ""]],
        ),
        "record_keys": (
            "source_id;table_name;record_ref;patient_id;valid_from;valid_to",
            [["gerica", "Journal", RECORD, PATIENT, "", ""]],
        ),
    }
    for kind, (header, rows) in files.items():
        take_in_reference(site, write(folder / f"{kind}.csv", header, rows), kind)
    export = write(folder / "gerica_119.csv", HEADER, log_rows())
    take_in(site, export, "gerica")
    return site, export
