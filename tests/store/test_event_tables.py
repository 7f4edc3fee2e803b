"""Intake of delimited logs that are no access logs: identity, overlaps, conflicts and balance in each table."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_kernel.site import Site
from audit_kernel.store.deliver import read_quarantine
from audit_kernel.store.intake import take_in
from tests.store.logs import ask

LOG_IN_HEADER = "Tidpunkt;Användare;Konto;Händelse;Orsak;Metod;Nätadress;Enhet;Session;Antal"
DOSE_HEADER = (
    "Händelse-id;Datum;Klockslag;Händelse;Användare;Vittne;Personnummer;Enhet;ATC-kod;Läkemedel;Styrka;Mängd;"
    "Mängdenhet;Ordination"
)


def log_in(minute: int, kind: str = "Inloggning", repeated: str = "") -> str:
    return f"2026-10-25 02:{minute:02d}:00;ANLI01;anli01;{kind};;SITHS;192.0.2.7;PC-17;S1;{repeated}"


def dose(number: int, quantity: str = "2,5", kind: str = "Uttag") -> str:
    return f"H{number};2026-10-01;08:00:00;{kind};ANLI01;;19401002-9819;U1;N02AA01;Morfin;10 mg;{quantity};tablett;"


@pytest.fixture
def deliver(site: Site, tmp_path: Path):
    """Take a file of those records in; return read, stored, known, quarantined and conflicts."""

    def take(name: str, header: str, records: list[str], source_id: str):
        path = tmp_path / name
        path.write_text("".join(f"{line}\r\n" for line in (header, *records)), encoding="utf-8-sig")
        done = take_in(site, path, source_id)
        return done.n_read, done.n_stored, done.n_known, done.n_quarantined, done.n_conflicts

    return take


def test_log_ins_without_ids_are_known_by_content_and_an_overlap_adds_nothing(site, deliver):
    same, other = log_in(1), log_in(2, "Misslyckad inloggning", "3")
    bad = log_in(3, "Okänd")
    assert deliver("a.csv", LOG_IN_HEADER, [same, same, other, bad], "mcss_authentication") == (4, 3, 0, 1, 0)
    assert deliver("b.csv", LOG_IN_HEADER, [other, same, same, same], "mcss_authentication") == (4, 1, 3, 0, 0)
    found = ask(site, "select kind, repeated, time_flag, local_hour, country from lake.authentications")
    assert sorted(found) == [("failure", 3, "ambiguous", 2, None), *[("login", 1, "ambiguous", 2, None)] * 3]
    assert ask(site, "select count(distinct event_id) from lake.authentications") == [(4,)]
    (waiting,) = read_quarantine(site, "log quality")
    assert (waiting["column_name"], waiting["code"], waiting["raw_record"]) == ("Händelse", "unknown_value", bad)


def test_withdrawals_with_ids_come_in_once_and_other_content_is_a_conflict(site, deliver):
    assert deliver("a.csv", DOSE_HEADER, [dose(1), dose(2, kind="Signering")], "mcss_medication") == (2, 2, 0, 0, 0)
    again = [dose(2, kind="Signering"), dose(1, "3"), dose(3, "x"), dose(4)]
    assert deliver("b.csv", DOSE_HEADER, again, "mcss_medication") == (4, 1, 1, 2, 1)
    found = ask(site, "select event_id, kind, quantity, patient_id from lake.medication_events order by 1")
    assert [(event_id, kind, str(quantity)) for event_id, kind, quantity, _patient in found] == [
        ("H1", "withdrawal", "2.5000"),
        ("H2", "administration", "2.5000"),
        ("H4", "withdrawal", "2.5000"),
    ]
    assert {patient for *_others, patient in found} == {"194010029819"}
    assert [each["code"] for each in read_quarantine(site, "log quality")] == ["conflict", "not_a_number"]
