"""The product's reports against the oracle, which reads the raw export with Python's csv module and nothing else.

Some subjects are drawn at random from the log, some are chosen because something is special about them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest

from audit_kernel.demo.generator import generate
from audit_kernel.demo.settings import WorldSettings
from audit_kernel.site import create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store, open_store
from audit_kernel.store.reference import take_in_reference
from tests.oracle import Counter, Entry, Oracle

PERIODS = [
    (date(2026, 9, 1), date(2026, 10, 31)),
    (date(2026, 10, 1), date(2026, 10, 31)),
    (date(2026, 10, 25), date(2026, 10, 25)),  # 25 hours long
]
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


def subjects(oracle: Oracle, seed: int) -> list[Subject]:
    """Draw patients, employees and pairs from the log; add those about whom something is special."""
    draws = random.Random(seed)
    known = [entry for entry in oracle.entries if entry.patient and ":" not in entry.patient]
    renamed = [names for names in log_in_names(oracle).values() if len(names) > 1]
    special: list[Subject] = [(entry.patient, None) for entry in known if entry.log_type == "Brukersøk sperret"][:2]
    special += [(None, entry.employee) for entry in oracle.entries if entry.log_type == "Innsyn avvist"][:2]
    special += [(entry.patient, None) for entry in known if entry.local.date() == date(2026, 10, 25)][:2]
    special += [(None, employee) for employee, names in log_in_names(oracle).items() if names in renamed]
    for _ in range(12):
        entry = draws.choice(known)
        special += [(entry.patient, None), (None, entry.employee), (entry.patient, entry.employee)]
    return special


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


def entry_numbers(entries: list[Entry]) -> list[int]:
    """Return the same of the oracle's entries."""
    return [entry.number for entry in entries]


def counter(row: dict[str, Any], kind: str) -> Counter:
    """Return one of a row's two counters."""
    names = (f"n_{kind}", f"n_{kind}_openings", f"first_{kind}_at", f"last_{kind}_at")
    return Counter(*(row[name] for name in names))


@pytest.mark.parametrize("period", PERIODS)
def test_activity_counts_what_the_raw_export_holds(
    store_and_oracle: tuple[Store, Oracle], period: tuple[date, date]
) -> None:
    store, oracle = store_and_oracle
    n_rows = 0
    for subject in subjects(oracle, seed=1):
        rows = store.report("activity", **asked(subject, period)).table.to_pylist()
        expected = oracle.activity(*subject, *period)
        assert {(row["employee_id"], row["patient_id"]) for row in rows} == set(expected)
        assert len(rows) == len(expected)
        for row in rows:
            one = expected[row["employee_id"], row["patient_id"]]
            assert counter(row, "journal") == one.journal
            assert counter(row, "patient") == one.patient
            assert row["is_blocked"] == one.is_blocked
        n_rows += len(rows)
    assert n_rows > 0


@pytest.mark.parametrize("period", PERIODS)
def test_detailed_activity_lists_every_record_of_the_raw_export(
    store_and_oracle: tuple[Store, Oracle], period: tuple[date, date]
) -> None:
    store, oracle = store_and_oracle
    for subject in subjects(oracle, seed=2):
        rows = store.report("detailed_activity", **asked(subject, period)).table.to_pylist()
        expected = oracle.detailed_activity(*subject, *period)
        assert numbers(rows) == entry_numbers(expected)
        by_number = {entry.number: entry for entry in expected}
        for row in rows:
            entry = by_number[int(row["event_id"])]
            assert (row["recorded_at"], row["employee_id"]) == (entry.at, entry.employee)
            assert (row["patient_id"], row["is_blocked"]) == (entry.patient, entry.is_blocked)


def test_the_system_log_shows_the_rows_as_the_export_wrote_them(store_and_oracle: tuple[Store, Oracle]) -> None:
    store, oracle = store_and_oracle
    draws = random.Random(3)
    for patient, employee in subjects(oracle, seed=3):
        filters = {"table_name": draws.choice([None, "Journal", "Bruker"]), "log_type": draws.choice([None, "Lesing"])}
        period = draws.choice(PERIODS)
        given = asked((patient, employee), period) | {key: value for key, value in filters.items() if value}
        rows = store.report("system_log", **given).table.to_pylist()
        expected = oracle.system_log(patient, employee, *period, filters["table_name"], filters["log_type"])
        assert numbers(rows) == entry_numbers(expected)
        by_number = {entry.number: entry for entry in expected}
        for row in rows:
            entry = by_number[int(row["event_id"])]
            written = (row["log_type"], row["employee_identifier"], row["table_name"], row["record_ref"])
            assert written == (entry.log_type, entry.log_in_name, entry.table, entry.reference)
            assert row["message_type"] == entry.message_type
            assert datetime.combine(row["local_date"], datetime.min.time()) == entry.local.replace(
                hour=0, minute=0, second=0
            )
            assert row["time_local"] == f"{entry.local:%H:%M:%S}"


@pytest.mark.parametrize("period", PERIODS)
def test_blocked_searches_and_what_followed_a_search_agree(
    store_and_oracle: tuple[Store, Oracle], period: tuple[date, date]
) -> None:
    store, oracle = store_and_oracle
    searching = [(None, entry.employee) for entry in oracle.entries if entry.log_type == "Brukersøk sperret"]
    for subject in [*subjects(oracle, seed=4), *searching[:10]]:
        given = asked(subject, period)
        blocked = store.report("blocked_searches", **given).table.to_pylist()
        assert numbers(blocked) == entry_numbers(oracle.blocked_searches(*subject, *period))
        rows = store.report("patient_searches", **given).table.to_pylist()
        found = {int(row["event_id"]): row["opened_at"] for row in rows}
        assert found == {entry.number: opened for entry, opened in oracle.patient_searches(*subject, *period)}
        assert all(row["is_followed"] == (row["opened_at"] is not None) for row in rows)


def test_the_agreement_is_about_something(store_and_oracle: tuple[Store, Oracle]) -> None:
    _, oracle = store_and_oracle
    chosen = subjects(oracle, seed=1)
    everything = (date(2026, 9, 1), date(2026, 10, 31))
    found = [one for subject in chosen for one in oracle.activity(*subject, *everything).values()]
    assert sum(one.journal.rows > one.journal.openings for one in found) > 10
    assert any(one.is_blocked for one in found)
    assert any(oracle.blocked_searches(*subject, *everything) for subject in chosen)
    assert any(opened is None for subject in chosen for _, opened in oracle.patient_searches(*subject, *everything))
    assert any(len(names) > 1 for names in log_in_names(oracle).values())
