"""A small site that knows people by name, and whose logs name them wherever a log can."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import yaml

from audit_kernel.journal import Journal
from audit_kernel.restriction import JOURNAL
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all
from tests.evidence.hostile_site import HEADER, quoted

FIRST, LAST = ("Kari", "Ola", "Siri", "Nils", "Åse"), ("Fjellgård", "Myrvold", "Sæther", "Brattbakk", "Lunde")
N_EMPLOYEES, N_PATIENTS, N_ROWS = 25, 20, 320
MONTH_START = datetime.fromisoformat("2026-10-01T06:00:00")
FAILED = "Misslyckad inloggning"
RESPONSIBLE, APPROVER, WITNESS = "Gudrun Haugerud", "Torbjørn Kvalvåg", "Ingeborg Rødseth"


def name(kind: str, number: int) -> str:
    return f"{FIRST[number % 5]} {kind}{LAST[number // 5]}"


def employee(number: int) -> dict[str, str]:
    given = name("An", number)
    numbers = {"id": f"ANS{4400 + number}", "account": f"KVLD{number:02}", "personal_number": f"{11057012300 + number}"}
    return {**numbers, "name": given, "mail": f"{given.split()[0].lower()}.{number}@nordli.example"}


def patient(number: int) -> dict[str, str]:
    # a number of its own, as a log writes it: eleven digits
    return {"id": f"{24123598700 + number}", "name": name("Br", number), "personal_number": f"{24123598700 + number}"}


EMPLOYEES = [employee(number) for number in range(N_EMPLOYEES)]
PATIENTS = [patient(number) for number in range(N_PATIENTS)]
UNKNOWN = {
    "employee": "UKJENTVIKAR9",
    "patient": "31128899887",
    "word": "Solveig Tangerud",
    "device": "PC-SIRI-MYRVOLD",
}
OFFICIALS = (RESPONSIBLE, APPROVER, WITNESS, "Asbjørn Nordeng")


def everybody() -> set[str]:
    """Every id, name, personal number, account, e-mail address and identifier there is, and the people in settings."""
    people = {value for each in (*EMPLOYEES, *PATIENTS) for value in each.values()}
    return people | set(UNKNOWN.values()) | set(OFFICIALS) | {"10.7.7."}


def log_lines() -> list[str]:
    lines = [HEADER]
    for number in range(N_ROWS):
        at = MONTH_START + timedelta(hours=2, minutes=19) * number
        who, whom = EMPLOYEES[number % 7 % N_EMPLOYEES], PATIENTS[number * number % N_PATIENTS]
        account = UNKNOWN["employee"] if number % 41 == 0 else who["mail"] if number % 5 == 0 else who["account"]
        post = UNKNOWN["patient"] if number % 37 == 0 else whom["id"]
        kind = "Brukersøk sperret" if number % 11 == 0 else who["name"] if number % 29 == 0 else "Lesing"
        table = whom["name"] if number % 31 == 0 else "Bruker"
        message = f"Lest for {whom['name']} {whom['id']}" if number % 6 == 0 else "Post vist"
        fields = [kind, account, table, post, message]
        lines.append(";".join([str(number + 1), f"{at:%d.%m.%Y};{at:%H:%M:%S}", *map(quoted, fields)]))
    return lines


def sign_in_lines() -> list[str]:
    header = "Tidpunkt;Användare;Konto;Händelse;Orsak;Metod;Nätadress;Enhet;Session;Antal"
    moments = [(MONTH_START + timedelta(hours=9) * number, "Inloggning") for number in range(82)]
    moments += [(MONTH_START + timedelta(days=11, seconds=20 * number), FAILED) for number in range(60)]
    return [header] + [
        f"{at:%Y-%m-%d %H:%M:%S};{who['id']};{who['account']};{kind};fel för {who['name']};SITHS;10.7.7.{number % 4};"
        f"{UNKNOWN['device']};S{number};1"
        for number, (at, kind) in enumerate(moments)
        for who in [EMPLOYEES[number % 3]]
    ]


def make_masked_site(folder: Path, identity: str = "masked") -> Site:
    """Make the site, with people in its settings, thresholds and file names, and one employee in an open case."""
    site = create_site(folder / "site", "NO", "Nordli kommune")
    files = {
        "reference:employees": ["employee_id;name;personal_number;valid_from;valid_to"]
        + [f"{each['id']};{each['name']};{each['personal_number']};;" for each in EMPLOYEES],
        "reference:identifiers": ["system;kind;identifier;id;valid_from;valid_to"]
        + [f"gerica;employee;{each[key]};{each['id']};;" for each in EMPLOYEES for key in ("account", "mail")],
        "reference:units": ["unit_id;name;unit_type;place;valid_from;valid_to", "U1;Lia;sykehjem;Nordli;;"],
        "reference:unit_assignments": ["employee_id;unit_id;role;share_percent;valid_from;valid_to"]
        + [f"{each['id']};U1;sykepleier;100;;" for each in EMPLOYEES],
        "reference:patients": ["patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to"]
        + [f"{each['id']};{each['name']};{each['personal_number']};U1;;;;" for each in PATIENTS],
        "gerica": log_lines(),
        "mcss_authentication": sign_in_lines(),
    }
    for source, lines in files.items():
        path = folder / f"{source.removeprefix('reference:')}_{PATIENTS[0]['id']}.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        _done, refused = take_in_all(site, [path], source)
        assert not refused, refused
    settings = site.folder / "settings.yml"
    content = yaml.safe_load(settings.read_text(encoding="utf-8"))
    content["identity"] = identity
    content["routine"] = {"name": "Loggkontroll", "version": "3", "person_responsible": RESPONSIBLE}
    content["review"] = {"reviewers": [{"id": EMPLOYEES[9]["id"], "name": OFFICIALS[3]}]}
    settings.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    decided = {"value": 8, "approved_by": APPROVER, "valid_from": "2026-01-01"}
    reason = dict.fromkeys(("en", "sv", "nb"), f"Besluttet av {APPROVER}.")
    decisions = {
        "minimum_openings": [{**decided, "reason": reason}],
        "spot_check_size": [{**decided, "reason": reason}],
    }
    (site.folder / "parameters" / "thresholds.yml").write_text(yaml.safe_dump(decisions), encoding="utf-8")
    entry = {"did": "restricted", "subject": "employee", "subject_id": EMPLOYEES[0]["id"], "reason": "sak 2026/9"}
    Journal(site.journals_folder / JOURNAL).append({**entry, "user": "kari"})
    return Site(site.folder)
