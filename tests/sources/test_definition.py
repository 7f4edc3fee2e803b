"""Mappings and code dictionaries: a wrong one is refused by file, key and allowed values; a site's adds or replaces."""

from __future__ import annotations

import hashlib

import pytest

from audit_kernel import sources
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.store.tables import reference_tables

MAPPING = """
source_id: care
format: delimited
title: {en: Care, sv: Vård, nb: Omsorg}
time_zone: Europe/Stockholm
columns:
  When: {to: recorded_timestamp, type: timestamp, format: "%Y-%m-%d %H:%M:%S"}
  Who: {to: employee_id}
"""


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def write(folder, text, name="care.yml"):
    (folder / name).write_text(text, encoding="utf-8")


def test_the_packages_sources_and_reference_data_are_all_readable(folders):
    assert {"cef", "dicom_audit", "fhir", "gerica", "rivta", "windows"} <= set(sources.source_ids(folders))
    kinds = sorted(reference_tables())
    assert len(kinds) == 23
    assert sources.reference_kinds(folders) == kinds
    for kind in kinds:
        definition = sources.load_reference(kind, folders)
        assert list(definition.columns) == list(definition.table.columns)
    gerica = sources.load_source("gerica", folders)
    files = [folders[0] / "gerica.yml", folders[0] / "gerica.codes.yml"]
    assert gerica.mapping_hash == hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def test_a_sites_own_source_stands_beside_the_packages(folders, site):
    write(site, MAPPING)
    both = [*folders, site]
    assert sources.source_ids(both) == sorted(["care", *sources.source_ids(folders)])
    source = sources.load_source("care", both)
    assert source.time_zone == "Europe/Stockholm"
    assert source.files == (site / "care.yml",)


def test_a_site_source_with_a_format_of_its_own_time_is_read(connection, site, tmp_path, temporary):
    write(site, MAPPING)
    source = sources.load_source("care", [site])
    path = tmp_path / "care.csv"
    path.write_text("When;Who\n2026-08-01 07:30:00;K\n2026-08-01;K\n;K\n")
    prepared = sources.prepare(path, source, temporary)
    assert sources.stage(connection, prepared, source) == 3
    found = connection.execute("select recorded_local::varchar, event_id, patient_id from staged_accesses").fetchall()
    assert found == [("2026-08-01 07:30:00", None, None)]
    bad = connection.execute("select column_name, code from staged_quarantine order by record_number").fetchall()
    assert bad == [("When", "not_a_time"), ("When", "missing_value")]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("time_zone: Europe/Stockholm", "time_zone: Oslo", ["time_zone", "Europe/Oslo"]),
        ("time_zone: Europe/Stockholm\n", "", ["time_zone", "missing"]),
        ("format: delimited", "format: csv", ["format", "'delimited', 'fhir'"]),
        ("format: delimited", "format: fhir", ["columns", "delimited"]),
        ("format: delimited", "format: delimited\nfromat: x", ["fromat", "allowed here", "encodings"]),
        ("source_id: care", "source_id: other", ["source_id", "'care'"]),
        ("source_id: care", "source_id: '../x'", ["source_id"]),
        ("to: employee_id", "to: employee", ["to: employee", "employee_id"]),
        ("to: employee_id", "to: access_id", ["to: access_id", "allowed"]),
        ("to: employee_id", "to: recorded_timestamp", ["stands twice"]),
        ("to: employee_id", "to: event_id", ["own_event_id"]),
        ("to: recorded_timestamp", "to: recorded_date", ["recorded_timestamp, or recorded_date and recorded_time"]),
        (', format: "%Y-%m-%d %H:%M:%S"', "", ["recorded_timestamp", "needs a `format`"]),
        ("type: timestamp", "type: clock", ["type", "'timestamp'"]),
        ("columns:", "delimiter: ';;'\ncolumns:", ["delimiter"]),
        ("columns:", "encodings: [latin1]\ncolumns:", ["encodings", "'windows-1252'"]),
        ("columns:", "encodings: []\ncolumns:", ["encodings"]),
        ("  Who: {to: employee_id}\n", "", ["columns", "two"]),
        ("  Who:", "  When:", ["stands twice"]),
        ("columns:", "columns: [", ["line"]),
    ],
)
def test_a_wrong_mapping_is_refused_with_file_key_and_allowed_values(site, old, new, words):
    write(site, MAPPING.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        sources.load_source("care", [site])
    for word in ("care.yml", *words):
        assert word in str(caught.value), str(caught.value)


def test_a_format_that_is_none_is_refused_when_a_file_is_read(connection, site, tmp_path, temporary):
    write(site, MAPPING.replace("%Y-%m-%d %H:%M:%S", "'; drop table x"))
    path = tmp_path / "care.csv"
    path.write_text("When;Who\n1;2\n")
    source = sources.load_source("care", [site])
    with pytest.raises(SettingsError, match="recorded_timestamp"):
        sources.stage(connection, sources.prepare(path, source, temporary), source)


def test_an_unknown_source_or_kind_lists_those_there_are(folders):
    with pytest.raises(UsageError, match=r"'gerika'.*gerica"):
        sources.load_source("gerika", folders)
    with pytest.raises(UsageError, match=r"'people'.*employees"):
        sources.load_reference("people", folders)


def test_a_sites_mapping_with_the_packages_name_must_say_replaces(folders, site):
    text = (folders[0] / "gerica.yml").read_text(encoding="utf-8")
    write(site, text, "gerica.yml")
    with pytest.raises(SettingsError, match="replaces: gerica"):
        sources.load_source("gerica", [*folders, site])
    write(site, text.replace("Europe/Oslo", "Europe/Stockholm") + "replaces: gerica\n", "gerica.yml")
    source = sources.load_source("gerica", [*folders, site])
    assert source.time_zone == "Europe/Stockholm"
    assert source.dictionary.log_type["Lesing"].action == "read"


CODES = """
log_type:
  Lesing: {meaning: {en: a, sv: b, nb: c}, origin: us, is_confirmed: true, action: write}
table_name:
  Ny: {meaning: {en: a, sv: b, nb: c}, origin: us, is_confirmed: false, related: patient}
"""


def test_a_sites_dictionary_adds_or_replaces_and_must_say_which(folders, site):
    both = [*folders, site]
    write(site, CODES, "gerica.codes.yml")
    with pytest.raises(SettingsError, match="adds_to: gerica"):
        sources.load_source("gerica", both)
    write(site, "adds_to: gerica\n" + CODES, "gerica.codes.yml")
    added = sources.load_source("gerica", both)
    assert added.dictionary.log_type["Lesing"].action == "write"
    assert {"Bruker", "Ny"} <= added.dictionary.table_name.keys()
    assert len(added.files) == 3
    write(site, "replaces: gerica\n" + CODES, "gerica.codes.yml")
    replaced = sources.load_source("gerica", both)
    assert list(replaced.dictionary.table_name) == ["Ny"]
    assert replaced.mapping_hash != added.mapping_hash


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("action: write", "action: look", ["log_type.Lesing.action", "'countersign'"]),
        (", related: patient", "", ["table_name.Ny.related", "patient, record or none"]),
        ("action: write", "related: none", ["log_type.Lesing.related", "tables only"]),
        ("nb: c}, origin: us, is_confirmed: true", "nb: c}, is_confirmed: true", ["origin", "missing"]),
        ("sv: b, ", "", ["meaning.sv", "missing"]),
    ],
)
def test_a_wrong_dictionary_is_refused(site, old, new, words):
    write(site, MAPPING)
    write(site, CODES.replace(old, new, 1), "care.codes.yml")
    with pytest.raises(SettingsError) as caught:
        sources.load_source("care", [site])
    for word in ("care.codes.yml", *words):
        assert word in str(caught.value), str(caught.value)


def test_the_rows_of_the_dictionary_are_those_of_the_temporary_tables(folders):
    definitions = [sources.load_source(name, folders) for name in ("gerica", "fhir")]
    codes = sources.code_rows(definitions)
    assert {len(row) for row in codes} == {18}
    by_code = {row[:3]: row[3:] for row in codes}
    assert len(by_code) == len(codes)
    blocked = by_code["gerica", "log_type", "Brukersøk sperret"]
    assert (blocked[0], *blocked[-2:]) == ("search", "blocked_search", None)
    assert by_code["gerica", "log_type", "Innsyn avvist"][-1] == "denied"
    assert by_code["gerica", "table_name", "Journal"][7] == "journal"
    assert {row[1] for row in codes} == {"log_type", "table_name", "message_type"}
    assert ("gerica", "Europe/Oslo", True, True, True, "accesses") in sources.source_rows(definitions)
    assert ("gerica", "Bruker", "patient") in sources.record_table_rows(definitions)


def test_every_code_of_gerica_is_explained_in_three_languages_and_says_where_from(folders):
    dictionary = sources.load_source("gerica", folders).dictionary
    named = {
        "log_type": "Lesing|Skriving|Sletting|Utskrift|Signering|Brukersøk|Brukersøk sperret|Innsyn avvist|Rapport",
        "table_name": "Bruker|Journal|Tiltaksplan|Medisinkort|Tjenestetype|Rapport",
        "message_type": "Post vist|Forhåndsvisning|Post endret|Post opprettet|Post slettet|Skrevet ut|Signert|"
        "Søk utført|Søk på sperret bruker|Ingen tilgang|Rapport kjørt",
    }
    for field, codes in named.items():
        assert set(getattr(dictionary, field)) == set(codes.split("|"))
    for _field, _code, entry in dictionary.entries():
        for texts in (entry.meaning, entry.activity, entry.access_type):
            assert texts is None or all((texts.en, texts.sv, texts.nb))
        assert entry.origin
