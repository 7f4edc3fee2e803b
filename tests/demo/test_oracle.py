"""The oracle against a log small enough to count by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from tests.oracle import Oracle

at = datetime.fromisoformat  # in UTC, as every time of an entry
AUGUST = (date(2026, 8, 1), date(2026, 8, 31))
LOG = '''Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype
1;03.08.2026;08:00:00;Brukersøk;KANO01;Bruker;500001;Søk utført
2;03.08.2026;08:00:10;Lesing;KANO01;Bruker;500001;Post vist
3;03.08.2026;08:01:00;Lesing;KANO01;Journal;J1;Post vist
4;03.08.2026;08:05:59;Skriving;KANO01;Journal;J2;Post opprettet
5;03.08.2026;08:10:59;Signering;KANO01;Journal;J2;Signert
6;03.08.2026;08:11:00;Lesing;KANO01;Medisinkort;M1;Forhåndsvisning
7;03.08.2026;08:12:00;Lesing;KANO01;Tiltaksplan;T1;Post vist
8;03.08.2026;08:13:00;Skriving;KANO01;Tiltaksplan;T1;Post endret
9;03.08.2026;09:00:00;Innsyn avvist;KANO01;Journal;J1;Ingen tilgang
10;31.02.2026;09:00:00;Lesing;KANO01;Journal;J1;Post vist
11;04.08.2026;10:00:00;Brukersøk sperret;OLHA01;Bruker;500002;Søk på sperret bruker
12;04.08.2026;10:10:01;Lesing;OLHA01;Journal;J3;Post vist
13;05.08.2026;10:00:00;Brukersøk;OLHA01;Bruker;500002;Søk utført
14;05.08.2026;10:10:00;Lesing;OLHA01;Bruker;500002;Post vist
15;05.08.2026;11:00:00;Lesing;OLHA01;Tjenestetype;"Praktisk bistand; opplæring";Post vist
16;05.08.2026;11:00:00;Rapport;OLHA01;Rapport;"Liste ""Dagens oppdrag""";Rapport kjørt
17;06.08.2026;11:00:00;Lesing;KADE01;Journal;J1;Post vist
18;07.08.2026;11:00:00;Lesing;OLHA01;Journal;J99;Post vist
'''
REFERENCES = {
    "identifiers": """system;kind;identifier;id;valid_from;valid_to
gerica;employee;KANO01;E1;;2026-08-06
gerica;employee;KADE01;E1;2026-08-06;
gerica;employee;OLHA01;E2;;
gerica;patient;500001;P1;;
gerica;patient;500002;P2;;
""",
    "record_keys": """source_id;table_name;record_ref;patient_id;valid_from;valid_to
gerica;Journal;J1;P1;;
gerica;Journal;J2;P1;;
gerica;Journal;J3;P2;;
gerica;Medisinkort;M1;P1;;
gerica;Tiltaksplan;T1;P1;;
""",
    "patients": """patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to
P1;Kari;;U1;;;;
P2;Ola;;U1;2026-08-01;2026-08-05;;
""",
}


@pytest.fixture
def oracle(tmp_path: Path) -> Oracle:
    """Return the answers for LOG."""
    for name, text in REFERENCES.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    log = tmp_path / "log.csv"
    log.write_bytes(LOG.replace("\n", "\r\n").encode("cp1252"))
    return Oracle([log], tmp_path)


def test_rows_and_openings_in_the_journal_are_counted_apart_from_readings_on_the_patient(oracle: Oracle) -> None:
    found = oracle.activity("P1", None, *AUGUST)
    assert list(found) == [("E1", "P1")]
    journal, patient = found["E1", "P1"].journal, found["E1", "P1"].patient
    # rows 3, 4, 5, 6 and, under the new log-in name, 17; 4 is 4:59 after 3 and 5 exactly 5:00 after 4
    assert (journal.rows, journal.openings) == (5, 4)
    assert (journal.first, journal.last) == (at("2026-08-03 06:01:00"), at("2026-08-06 09:00:00"))
    # rows 2, 3, 6, 7 and 17
    assert (patient.rows, patient.openings) == (5, 5)
    assert (patient.first, patient.last) == (at("2026-08-03 06:00:10"), at("2026-08-06 09:00:00"))


def test_first_and_last_are_those_within_the_period(oracle: Oracle) -> None:
    found = oracle.activity("P1", "E1", date(2026, 8, 3), date(2026, 8, 5))
    assert found["E1", "P1"].journal.last == at("2026-08-03 06:11:00")


def test_a_search_and_a_refusal_are_no_access(oracle: Oracle) -> None:
    assert oracle.activity("P2", "E1", *AUGUST) == {}
    assert [entry.number for entry in oracle.detailed_activity("P1", "E1", *AUGUST)] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 17]


def test_an_employee_is_shown_by_patient_and_a_record_without_key_stands_by_itself(oracle: Oracle) -> None:
    assert sorted(oracle.activity(None, "E2", *AUGUST)) == [("E2", "Journal:J99"), ("E2", "P2")]


def test_the_system_log_joins_its_filters_with_and(oracle: Oracle) -> None:
    assert [entry.number for entry in oracle.system_log(employee="E2", table="Journal")] == [12, 18]
    assert [entry.number for entry in oracle.system_log("P2", "E2", None, date(2026, 8, 4))] == [11, 12]
    assert [entry.number for entry in oracle.system_log(log_type="Innsyn avvist")] == [9]
    assert oracle.system_log("P1", "E2") == []


def test_a_record_with_an_impossible_date_is_counted_and_left_out(oracle: Oracle) -> None:
    assert (len(oracle.entries), oracle.n_unreadable) == (17, 1)


def test_quoted_fields_keep_their_semicolons_and_quotes(oracle: Oracle) -> None:
    found = [entry.reference for entry in oracle.system_log(employee="E2") if entry.patient is None]
    assert found == ["Praktisk bistand; opplæring", 'Liste "Dagens oppdrag"']


def test_a_block_counts_on_its_own_days_only(oracle: Oracle) -> None:
    assert [entry.number for entry in oracle.blocked_searches(None, None, *AUGUST)] == [11]
    assert oracle.activity("P2", None, date(2026, 8, 4), date(2026, 8, 4))["E2", "P2"].is_blocked
    assert not oracle.activity("P2", None, date(2026, 8, 5), date(2026, 8, 31))["E2", "P2"].is_blocked


def test_a_search_is_followed_when_an_opening_comes_within_ten_minutes_to_the_second(oracle: Oracle) -> None:
    found = {entry.number: opened for entry, opened in oracle.patient_searches(None, None, *AUGUST)}
    assert found == {1: at("2026-08-03 06:00:10"), 11: None, 13: at("2026-08-05 08:10:00")}


def test_a_record_delivered_twice_counts_once(tmp_path: Path, oracle: Oracle) -> None:
    again = tmp_path / "again.csv"
    again.write_bytes((tmp_path / "log.csv").read_bytes())
    assert Oracle([tmp_path / "log.csv", again], tmp_path).entries == oracle.entries


def test_another_header_is_not_read(tmp_path: Path, oracle: Oracle) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(LOG.replace("Dato;Tid", "Tid;Dato"), encoding="utf-8")
    with pytest.raises(ValueError, match="another header"):
        Oracle([bad], tmp_path)
    assert oracle.n_unreadable == 1


def test_the_hour_that_occurs_twice_is_taken_as_its_first(tmp_path: Path, oracle: Oracle) -> None:
    log = tmp_path / "october.csv"
    header = LOG.splitlines()[0]
    log.write_text(f"{header}\n1;25.10.2026;02:30:00;Lesing;KADE01;Journal;J1;Post vist\n", encoding="utf-8-sig")
    assert [entry.at for entry in Oracle([log], tmp_path).entries] == [at("2026-10-25 00:30:00")]
    assert oracle.entries[0].at == at("2026-08-03 06:00:00")
