"""The product's reports against the oracle, which reads the raw export with Python's csv module and nothing else.

Some subjects are drawn at random from the log, some are chosen because something is special about them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from audit_kernel import open_store
from audit_kernel.demo.generator import generate
from audit_kernel.demo.settings import WorldSettings
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import take_in_reference
from tests.demo.test_oracle import AUGUST, LOG, REFERENCES
from tests.oracle import Activity, Counter, Oracle

EVERYTHING = (date(2026, 9, 1), date(2026, 10, 31))
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
LONG_DAY = (date(2026, 10, 25), date(2026, 10, 25))  # 25 hours
pytestmark = pytest.mark.slow
Subject = tuple[str | None, str | None]


@pytest.fixture(scope="module")
def store_and_oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Oracle]]:
    """Return a store over a small world, and the oracle over the same files."""
    folder = tmp_path_factory.mktemp("agreement")
    world = generate(folder, seed=20, settings=WorldSettings(n_months=2, activity=0.1))
    site = create_site(folder / "site", "NO")
    for kind, path in world.reference_files.items():
        take_in_reference(site, path, kind)
    for path in world.log_files:
        take_in(site, path, "gerica")
    with open_store(site, purpose="test") as store:
        yield store, Oracle(world.log_files, folder / "reference")


def questions(oracle: Oracle, seed: int, n_drawn: int = 5) -> Iterator[tuple[Subject, tuple[date, date]]]:
    """Draw patients, employees and pairs, each with a period; add those about whom something is special."""
    draws = random.Random(seed)
    known = [entry for entry in oracle.entries if entry.patient and ":" not in entry.patient]
    blocked = [entry for entry in known if entry.log_type == "Brukersøk sperret"]
    denied = [entry for entry in known if entry.log_type == "Innsyn avvist"]
    long_day = [entry for entry in known if entry.local.date() == LONG_DAY[0] and entry.local.hour == 2]
    renamed = [employee for employee, names in log_in_names(oracle).items() if len(names) > 1]
    yield (draws.choice(blocked).patient, None), EVERYTHING
    yield (None, draws.choice(blocked).employee), EVERYTHING
    yield (None, draws.choice(denied).employee), OCTOBER
    yield (draws.choice(long_day).patient, None), LONG_DAY
    yield (None, draws.choice(long_day).employee), LONG_DAY
    yield (None, draws.choice(renamed)), EVERYTHING
    for _ in range(n_drawn):
        entry = draws.choice(known)
        yield (entry.patient, None), draws.choice((EVERYTHING, OCTOBER))
        yield (None, entry.employee), draws.choice((EVERYTHING, OCTOBER))
        yield (entry.patient, entry.employee), EVERYTHING


def log_in_names(oracle: Oracle) -> dict[str, set[str]]:
    """Return the log-in names that each employee used."""
    names: dict[str, set[str]] = {}
    for entry in oracle.entries:
        names.setdefault(entry.employee, set()).add(entry.log_in_name)
    return names


def asked(subject: Subject, period: tuple[date, date]) -> dict[str, Any]:
    """Return the parameters of a report about that subject in that period."""
    patient, employee = subject
    about = {"patient_id": patient, "employee_id": employee}
    return {key: value for key, value in about.items() if value} | {"from_date": period[0], "to_date": period[1]}


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    """Return the running numbers in order of time and number, whichever way a report orders equal times."""
    return [int(row["event_id"]) for row in sorted(rows, key=lambda row: (row["recorded_at"], int(row["event_id"])))]


def counter(row: dict[str, Any], kind: str) -> Counter:
    """Return one of a row's two counters."""
    names = (f"n_{kind}", f"n_{kind}_openings", f"first_{kind}_at", f"last_{kind}_at")
    return Counter(*(row[name] for name in names))


def test_activity_counts_what_the_raw_export_holds(store_and_oracle: tuple[Store, Oracle]) -> None:
    store, oracle = store_and_oracle
    found: list[Activity] = []
    for subject, period in questions(oracle, seed=1):
        rows = store.report("activity", **asked(subject, period)).table.to_pylist()
        expected = oracle.activity(*subject, *period)
        assert {(row["employee_id"], row["patient_id"]) for row in rows} == set(expected)
        assert len(rows) == len(expected)
        for row in rows:
            one = expected[row["employee_id"], row["patient_id"]]
            assert counter(row, "journal") == one.journal
            assert counter(row, "patient") == one.patient
            assert row["is_blocked"] == one.is_blocked
            found.append(one)
    # the agreement is about something
    assert len(found) > 50
    assert sum(one.journal.rows > one.journal.openings > 0 for one in found) > 10
    assert any(one.is_blocked for one in found)


def test_detailed_activity_lists_every_record_of_the_raw_export(store_and_oracle: tuple[Store, Oracle]) -> None:
    store, oracle = store_and_oracle
    for subject, period in questions(oracle, seed=2):
        rows = store.report("detailed_activity", **asked(subject, period)).table.to_pylist()
        expected = oracle.detailed_activity(*subject, *period)
        assert numbers(rows) == [entry.number for entry in expected]
        by_number = {entry.number: entry for entry in expected}
        for row in rows:
            entry = by_number[int(row["event_id"])]
            assert (row["recorded_at"], row["employee_id"]) == (entry.at, entry.employee)
            assert (row["patient_id"], row["is_blocked"]) == (entry.patient, entry.is_blocked)


def test_the_system_log_shows_the_rows_as_the_export_wrote_them(store_and_oracle: tuple[Store, Oracle]) -> None:
    store, oracle = store_and_oracle
    draws = random.Random(3)
    for (patient, employee), period in questions(oracle, seed=3):
        table, log_type = draws.choice([None, "Journal", "Bruker"]), draws.choice([None, "Lesing"])
        filters = {key: value for key, value in (("table_name", table), ("log_type", log_type)) if value}
        rows = store.report("system_log", **asked((patient, employee), period), **filters).table.to_pylist()
        expected = oracle.system_log(patient, employee, *period, table, log_type)
        assert numbers(rows) == [entry.number for entry in expected]
        by_number = {entry.number: entry for entry in expected}
        for row in rows:
            entry = by_number[int(row["event_id"])]
            written = (row["log_type"], row["employee_identifier"], row["table_name"], row["record_ref"])
            assert written == (entry.log_type, entry.log_in_name, entry.table, entry.reference)
            assert row["message_type"] == entry.message_type
            assert (row["local_date"], row["time_local"]) == (entry.local.date(), f"{entry.local:%H:%M:%S}")


def test_the_system_log_without_a_subject_holds_every_readable_record(store_and_oracle: tuple[Store, Oracle]) -> None:
    store, oracle = store_and_oracle
    rows = store.report("system_log", from_date=EVERYTHING[0], to_date=EVERYTHING[1]).table.to_pylist()
    assert numbers(rows) == [entry.number for entry in oracle.entries]
    denied = store.report("system_log", from_date=OCTOBER[0], to_date=OCTOBER[1], log_type="Innsyn avvist")
    assert denied.table.num_rows == len(oracle.system_log(None, None, *OCTOBER, None, "Innsyn avvist")) > 0


def test_blocked_searches_and_what_followed_a_search_agree(store_and_oracle: tuple[Store, Oracle]) -> None:
    store, oracle = store_and_oracle
    n_blocked = n_followed = n_not_followed = 0
    for subject, period in questions(oracle, seed=4, n_drawn=3):
        rows = store.report("blocked_searches", **asked(subject, period)).table.to_pylist()
        expected = oracle.blocked_searches(*subject, *period)
        assert numbers(rows) == [entry.number for entry in expected]
        n_blocked += len(expected)
        rows = store.report("patient_searches", **asked(subject, period)).table.to_pylist()
        followed = {int(row["event_id"]): row["opened_at"] for row in rows}
        assert followed == {entry.number: opened for entry, opened in oracle.patient_searches(*subject, *period)}
        assert all(row["is_followed"] == (row["opened_at"] is not None) for row in rows)
        n_not_followed += list(followed.values()).count(None)
        n_followed += len(followed)
    assert n_blocked > 0
    assert n_followed > n_not_followed > 0


def test_report_and_oracle_draw_the_same_line_to_the_second(tmp_path: Path) -> None:
    for kind, text in REFERENCES.items():
        (tmp_path / f"{kind}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    site = create_site(tmp_path / "site", "NO")
    for kind in REFERENCES:
        take_in_reference(site, tmp_path / f"{kind}.csv", kind)
    take_in(site, tmp_path / "log.csv", "gerica")
    oracle = Oracle([tmp_path / "log.csv"], tmp_path)
    with open_store(site, purpose="test") as store:
        for subject in (("P1", None), ("P2", None), (None, "E1"), (None, "E2")):
            given = asked(subject, AUGUST)
            expected = oracle.activity(*subject, *AUGUST)
            rows = store.report("activity", **given).table.to_pylist()
            assert {(row["employee_id"], row["patient_id"]) for row in rows} == set(expected)
            for row in rows:
                one = expected[row["employee_id"], row["patient_id"]]
                assert (counter(row, "journal"), counter(row, "patient")) == (one.journal, one.patient)
                assert row["is_blocked"] == one.is_blocked
            rows = store.report("patient_searches", **given).table.to_pylist()
            followed = {int(row["event_id"]): row["opened_at"] for row in rows}
            assert followed == {entry.number: opened for entry, opened in oracle.patient_searches(*subject, *AUGUST)}
