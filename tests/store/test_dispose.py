"""Disposal: what goes is gone from every byte, what is held stays, and the archive says what happened."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date, datetime

import pytest

from audit_kernel.errors import AuditKernelError, StoreError, UnknownSubjectError, UsageError
from audit_kernel.evidence.verify import verify
from audit_kernel.site import Site
from audit_kernel.store import erase
from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.deliver import reading
from audit_kernel.store.dispose import Request, counted, dispose, plan_disposal, selections
from audit_kernel.store.hold import Hold, list_holds, place_hold, release_hold, written_forms
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import take_in_reference
from audit_kernel.store.retention import refuse_young
from audit_kernel.store.tables import table_definitions
from tests.store.logs import ask, everything, row
from tests.store.servers import with_store

GONE, NUMBER = "7654321", "01018099999"
TEXT = f"søk etter {NUMBER[:6]} {NUMBER[6:]}"  # a search names her number as people write it
MEDICATION = (
    "insert into lake.medication_events (source_id, event_id, record_hash, file_id, line_number, recorded_at,"
    " local_date, local_hour, local_weekday, is_holiday, time_flag, patient_id, kind)"
    " values ('gerica', $event, 'h', 'f', 1, '2026-10-05 10:00:00', '2026-10-05', 12, 1, false, 'ok',"
    " $patient, 'withdrawal')"
)
BY_DECISION = {"patient": GONE, "decision": "IVO 2026/1"}


def reference(tmp_path, name, *lines):
    path = tmp_path / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def fill(site, gerica, tmp_path):
    """Five old rows and six new ones; the patient is the smallest and the largest, in quarantine and in a text."""
    old = [row(n, "03.02.2019", employee=f"OLD{n}", post=GONE if n == 1 else f"888000{n}") for n in range(1, 6)]
    take_in(site, gerica("old.csv", [*old, row("x98765", "03.02.2019", post=GONE)]), "gerica")
    new = [row(n, "05.10.2026", employee=f"NEW{n}", post=GONE if n > 14 else f"555000{n}") for n in range(11, 17)]
    take_in(site, gerica("new.csv", new), "gerica")
    patients = ("patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to",)
    rows = (f"{GONE};Ola Borte;{NUMBER};;;;2010-01-01;", "5550011;Kari Blir;;;;;2010-01-01;")
    take_in_reference(site, reference(tmp_path, "patients.csv", *patients, *rows), "patients")
    with writing(site, site.temporary_folder) as connection, transaction(connection):
        for number, patient in enumerate((f"A-{GONE}", "A-5550011")):
            connection.execute(MEDICATION, {"event": str(number), "patient": patient})
        connection.execute("update lake.accesses_by_patient set message = $text where event_id = '12'", {"text": TEXT})
        connection.execute("update lake.accesses_by_employee set message = $text where event_id = '12'", {"text": TEXT})
    keys = (f"gerica;patient;A-{GONE};{GONE};;", "gerica;patient;A-5550011;5550011;;")
    header = "system;kind;identifier;id;valid_from;valid_to"
    take_in_reference(site, reference(tmp_path, "identifiers.csv", header, *keys), "identifiers")
    return site


@pytest.fixture(scope="module")
def filled(empty_sites, tmp_path_factory):
    from tests.store.logs import gerica_file

    folder = tmp_path_factory.mktemp("filled")
    site = Site(shutil.copytree(empty_sites / "NO", folder / "site"))
    return fill(site, lambda name, rows: gerica_file(folder / name, rows), folder)


@pytest.fixture(scope="module")
def opened(filled):
    with reading(filled) as connection:
        yield connection


@pytest.fixture
def site(filled, tmp_path):
    return Site(shutil.copytree(filled.folder, tmp_path / "site"))


def words_left(site, *words):
    """Where any of these words stands: in a row of any table, or in the bytes of any file of the store."""
    found = [
        f"{table}: {word}"
        for table, rows in everything(site).items()
        if table != "snapshot"
        for word in words
        if word in repr(rows)
    ]
    files = [path for folder in ("store", "temporary") for path in (site.folder / folder).rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    assert any(path.name == "catalog.sqlite" for path in files)
    return found + [f"{path.name}: {word}" for path in files for word in words if word.encode() in path.read_bytes()]


def count(site, table):
    return ask(site, f"select count(*) from lake.{table}")[0][0]


def test_what_would_go_is_shown_by_table_log_and_month_and_nothing_changes(site):
    before = everything(site)
    lines = plan_disposal(site, Request(before=date(2020, 1, 1)))
    shown = [(line.table, line.source_id, line.month, line.n_rows, line.n_held, line.n_files) for line in lines]
    assert shown == [
        ("accesses_by_patient", "gerica", "2019-02", 5, 0, 1),
        ("accesses_by_employee", "gerica", "2019-02", 5, 0, 1),
        ("quarantine", "gerica", "", 1, 0, 1),
    ]
    by_decision = plan_disposal(site, Request(**BY_DECISION))
    assert {(line.table, line.month): line.n_rows for line in by_decision} == {
        ("accesses_by_patient", "2019-02"): 1,
        ("accesses_by_patient", "2026-10"): 3,
        ("accesses_by_employee", "2019-02"): 1,
        ("accesses_by_employee", "2026-10"): 3,
        ("medication_events", "2026-10"): 1,
        ("patients", ""): 1,
        ("identifiers", ""): 1,
        ("quarantine", ""): 1,
    }
    assert everything(site) == before


def test_what_is_old_goes_from_every_byte_and_the_rest_stays(site):
    assert words_left(site, "OLD3", "8880002", GONE) != []
    (done,) = dispose(site, Request(before=date(2020, 1, 1)))
    assert (done.n_rows, done.n_held) == (11, 0)
    assert words_left(site, "OLD1", "OLD3", "OLD5", "8880002", "8880005", "x98765") == []
    assert [count(site, name) for name in ("accesses_by_patient", "accesses_by_employee", "quarantine")] == [6, 6, 0]
    assert count(site, "intake_files") == 4  # the ledger still says what came in
    with Store(site, "test after disposal") as store:
        assert store.sql("select count(*) as n from accesses").to_pylist() == [{"n": 6}]


def test_a_patient_goes_by_all_identifiers_from_every_byte_and_a_record_is_sealed(site):
    (done,) = dispose(site, Request(**BY_DECISION))
    assert done.n_rows == 12
    assert words_left(site, GONE, NUMBER, "Borte", TEXT) == []
    assert [count(site, name) for name in ("accesses_by_patient", "patients", "identifiers")] == [7, 1, 1]
    assert ask(site, "select patient_id from lake.medication_events") == [("A-5550011",)]
    order = ask(site, "select patient_id, event_id from lake.accesses_by_patient where local_date > '2026-01-01'")
    assert [patient for patient, _event in order] == [f"Bruker:555000{number}" for number in (11, 13, 14)]
    kept = site.archive_folder / done.disposal_id
    named = [path for path in (*kept.rglob("*"), *site.journals_folder.iterdir()) if path.is_file()]
    assert {"disposals.jsonl", "use_log.jsonl"} <= {path.name for path in named}
    assert [path.name for path in named if GONE.encode() in path.read_bytes()] == []
    assert verify(site.archive_folder) == []
    record = json.loads((kept / "data" / "disposal.json").read_text(encoding="utf-8"))
    said = (record["kind"], record["decision"], record["rows"], record["user"])
    assert said == ("patient", "IVO 2026/1", 12, done.disposed_by)
    assert record["rows_by_table"][0]["table"] == "accesses_by_patient"
    assert ask(site, "select disposal_id, sealed_at is not null from lake.disposals") == [(done.disposal_id, True)]


def test_everything_can_go_and_leaves_no_smallest_or_largest_value(site, monkeypatch):
    monkeypatch.setattr("audit_kernel.store.dispose.refuse_young", lambda _site, _before: None)
    (done,) = dispose(site, Request(before=date(2027, 1, 1)))
    assert done.n_rows == 2 * 11 + 2 + 1
    assert words_left(site, "OLD1", "OLD5", "NEW11", "NEW16", "8880002") == []
    with Store(site, "test after disposal") as store:
        assert store.sql("select count(*) as n from accesses where recorded_at > '2019-01-01'").to_pylist() == [
            {"n": 0}
        ]


@pytest.mark.parametrize(
    ("hold", "held"),
    [
        ({"patient_id": GONE}, (1, 1, 1)),
        ({"patient_id": f"A-{GONE}"}, (1, 1, 1)),  # whatever identifier the hold names her by
        ({"employee_id": "OLD3"}, (1, 1, 0)),
        ({"employee_id": "OLD3", "patient_id": GONE}, (0, 0, 0)),
        ({"source_id": "gerica"}, (5, 5, 1)),
        ({"source_id": "other"}, (0, 0, 0)),
        ({"from_date": date(2019, 2, 3), "to_date": date(2019, 2, 3)}, (5, 5, 1)),
        ({"to_date": date(2019, 2, 2)}, (0, 0, 1)),  # when a record in quarantine was written, nobody knows
        ({"employee_id": "OLD3", "from_date": date(2019, 2, 4)}, (0, 0, 0)),
    ],
)
def test_a_hold_wins_over_disposal_by_date(filled, opened, monkeypatch, hold, held):
    named = {"patient_id": None, "employee_id": None, "source_id": None, "from_date": None, "to_date": None} | hold
    placed = Hold("h", **named, reason="sak 2026/9", placed_at=datetime(2026, 1, 1), placed_by="x")
    monkeypatch.setattr("audit_kernel.store.hold.active_holds", lambda _connection: [placed])
    lines = counted(opened, selections(opened, filled, Request(before=date(2020, 1, 1))))
    assert [line.table for line in lines] == ["accesses_by_patient", "accesses_by_employee", "quarantine"]
    assert tuple(line.n_held for line in lines) == held
    assert [line.n_rows + line.n_held for line in lines] == [5, 5, 1]


def test_what_is_held_stays_and_is_counted_when_the_rest_goes(site):
    place_hold(site, "sak 2026/9", employee_id="OLD3")
    (done,) = dispose(site, Request(before=date(2020, 1, 1)))
    assert (done.n_rows, done.n_held) == (9, 2)
    assert count(site, "accesses_by_patient") == count(site, "accesses_by_employee") == 7
    assert dispose(site, Request(before=date(2019, 1, 1))) == []  # nothing so old


def test_a_hold_on_a_patient_keeps_everything_that_names_her_until_it_is_released(site):
    placed = place_hold(site, "sak 2026/9", patient_id=GONE)
    (done,) = dispose(site, Request(**BY_DECISION))
    assert (done.n_rows, done.n_held) == (0, 12)
    assert count(site, "patients") == 2
    release_hold(site, placed.hold_id, "sak 2026/9 avsluttet")
    (done,) = dispose(site, Request(**BY_DECISION))
    assert (done.n_rows, done.n_held) == (13, 0)  # the released hold named her too
    assert words_left(site, GONE) == []
    assert GONE not in (site.journals_folder / "holds.jsonl").read_text(encoding="utf-8")


def test_what_explains_a_held_row_stays_with_it(site):
    place_hold(site, "sak 2026/9", employee_id="NEW15")
    (done,) = dispose(site, Request(**BY_DECISION))
    assert (count(site, "accesses_by_patient"), count(site, "patients"), count(site, "identifiers")) == (8, 2, 2)
    assert done.n_held == 2 + 2


def test_a_hold_knows_a_personal_number_as_people_write_it():
    assert written_forms("01018099999") == ["01018099999", "010180 99999", "010180-99999"]
    swedish = [
        "191212121212",
        "19121212 1212",
        "19121212-1212",
        "1212121212",
        "121212-1212",
        "121212+1212",
        "121212 1212",
    ]
    assert written_forms("191212121212") == swedish


def test_holds_are_listed_and_released_once(site):
    placed = place_hold(site, "sak 2026/9", employee_id="NEW15")
    release_hold(site, placed.hold_id, "avsluttet")
    (listed,) = list_holds(site)
    assert (listed.employee_id, listed.reason, listed.release_reason) == ("NEW15", "sak 2026/9", "avsluttet")
    for wrong in (lambda: release_hold(site, placed.hold_id, "again"), lambda: release_hold(site, "none", "again")):
        with pytest.raises(UsageError, match="No hold"):
            wrong()
    for wrong in ({"reason": "sak 1"}, {"reason": "", "source_id": "gerica"}):
        with pytest.raises(UsageError):
            place_hold(site, **wrong)


def test_young_logs_and_half_a_request_are_refused(site, swedish_site):
    for country, newest in ((swedish_site, date(2021, 3, 1)), (site, date(2023, 3, 1))):
        refuse_young(country, newest, today=date(2026, 3, 1))
        with pytest.raises(UsageError, match=f"nothing from {newest} or later may go"):
            refuse_young(country, date(newest.year, 3, 2), today=date(2026, 3, 1))
    refuse_young(site, date(2025, 2, 28), today=date(2028, 2, 29))
    own = swedish_site.folder / "parameters" / "retention.yml"
    for years, newest in ((1, 2021), (10, 2016)):  # a site may lengthen, never shorten
        own.write_text(f"SE: {{minimum_years: {years}}}\n", encoding="utf-8")
        with pytest.raises(UsageError, match=f"nothing from {newest}-03-01"):
            refuse_young(swedish_site, date(2026, 1, 1), today=date(2026, 3, 1))
    with pytest.raises(UsageError, match="kept at least"):
        dispose(site, Request(before=date(2026, 1, 1)))
    for half in (
        {},
        {"before": date(2020, 1, 1), "patient": GONE},
        {"patient": GONE},
        {"patient": GONE, "decision": " "},
    ):
        with pytest.raises(UsageError):
            Request(**half)
    before = everything(site)
    with pytest.raises(UnknownSubjectError):
        dispose(site, Request(patient="404404404", decision="IVO 2026/1"))
    assert everything(site) == before


def test_a_reader_pinned_to_a_snapshot_that_is_gone_gets_a_sentence(site):
    with Store(site, "test of a pinned reader") as store:
        pinned = store.snapshot
        dispose(site, Request(before=date(2020, 1, 1)))
        with pytest.raises(StoreError, match="Open the store again"):
            store.sql("select max(event_id) as n from accesses")
    with pytest.raises(StoreError, match=f"snapshot {pinned} was not disposed of"):
        Store(site, "test", snapshot=pinned)


KILLED = """
import os, signal, sys
from datetime import date, datetime
from pathlib import Path
from audit_kernel.site import Site
from audit_kernel.store import catalogue, dispose, erase

def kill(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[2]
if moment == "before-commit":
    dispose.record_disposal = kill
elif moment == "sealed":
    whole = erase.seal_record
    erase.seal_record = lambda *given: (whole(*given), kill())
dispose.dispose(Site(Path(sys.argv[1])), dispose.Request(patient="7654321", decision="IVO 2026/1"))
"""


@pytest.mark.parametrize("moment", ["before-commit", pytest.param("sealed", marks=pytest.mark.soak)])
def test_a_killed_disposal_leaves_a_whole_store_and_the_next_one_finishes(site, moment):
    before = everything(site)
    words = [sys.executable, "-c", KILLED, str(site.folder), moment]
    victim = subprocess.run(words, capture_output=True, text=True, check=False)
    assert victim.returncode == -9, victim.stderr
    if moment == "before-commit":
        assert everything(site) == before
    else:
        assert count(site, "accesses_by_patient") == count(site, "accesses_by_employee") == 7
    (done,) = dispose(site, Request(**BY_DECISION))
    assert (done.kind, done.n_rows) == ("patient", 12)
    assert words_left(site, GONE, NUMBER) == []
    assert [path.name for path in site.archive_folder.iterdir() if path.is_dir()] == [done.disposal_id]
    assert verify(site.archive_folder) == []


def test_a_disposal_that_is_hindered_says_so_and_is_finished_later(site, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(erase, "CLEANING", ("no_such_function()",))  # as a full disk would
        with pytest.raises(StoreError, match="not yet every byte"):
            dispose(site, Request(**BY_DECISION))
        patched.undo()
        patched.setattr(erase, "vacuum", lambda _site: False)
        with pytest.raises(StoreError, match="while somebody reads"):
            dispose(site, Request(**BY_DECISION))
    assert words_left(site, GONE) != []
    (done,) = dispose(site, Request(**BY_DECISION))
    assert done.n_rows == 12
    assert words_left(site, GONE) == []


@pytest.mark.requires("postgresql")
def test_a_patient_goes_from_every_byte_of_postgresql_too(empty_sites, postgres, gerica, tmp_path):
    words = postgres.new_database()
    site = Site(shutil.copytree(empty_sites / "SE", tmp_path / "site"))
    site = with_store(site, f"postgres:{words} user=postgres", str(tmp_path / "share"))
    fill(site, gerica, tmp_path)
    name = words.split()[0].removeprefix("dbname=")
    assert GONE.encode() in postgres.bytes_on_disk(name)
    (done,) = dispose(site, Request(**BY_DECISION))
    assert done.n_rows == 12
    on_disk = postgres.bytes_on_disk(name)
    assert [word for word in (GONE, NUMBER) if word.encode() in on_disk] == []
    assert b"5550011" in on_disk  # what stays is found by the same look
    assert GONE not in repr(everything(site))


def test_no_column_of_a_reference_table_names_a_patient_unseen():
    """A column that may hold a patient's id is called so: else disposal would leave it standing."""
    odd = {"id", "identifier", "patient_id", "personal_number", "record_ref"}
    tables = {name: table for name, table in table_definitions().items() if table.reference}
    named = {
        column for table in tables.values() for column in table.columns if "person" in column or "patient" in column
    }
    assert named <= odd
    assert issubclass(StoreError, AuditKernelError)
