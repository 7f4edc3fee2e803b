"""The demo municipality: its size, its files, its oddities, its snoopers, and the same bytes for the same seed."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy
import pytest

from audit_kernel.demo import generator, places
from audit_kernel.demo.generator import GeneratedWorld, generate
from audit_kernel.demo.people import make_people, norwegian_test_number, plain_letters
from audit_kernel.demo.settings import WorldSettings, calendar_of, stream
from audit_kernel.errors import UsageError
from tests.oracle import HEADER, Oracle, read_records, read_reference

SMALL = WorldSettings(n_months=2, activity=0.04)
COMPLETE = WorldSettings(missing_share=0.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> GeneratedWorld:
    """Return the demo municipality in its full size, with reference files that miss nothing."""
    return generate(tmp_path_factory.mktemp("world"), settings=COMPLETE)


@pytest.fixture(scope="module")
def oracle(world: GeneratedWorld) -> Oracle:
    """Return all entries with the people they are about."""
    return Oracle(world.log_files, world.reference_files["patients"].parent)


@pytest.fixture(scope="module")
def references(world: GeneratedWorld) -> dict[str, list[dict[str, str]]]:
    """Return the rows of the reference files."""
    return {kind: list(read_reference(path)) for kind, path in world.reference_files.items()}


@pytest.fixture(scope="module")
def truth(world: GeneratedWorld) -> dict[str, dict[str, str]]:
    """Return the episodes by scenario."""
    return {row["scenario"]: row for row in read_reference(world.truth)}


def hashes(folder: Path) -> dict[str, str]:
    """Return each file below the folder with its SHA-256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_municipality_has_the_promised_size(
    world: GeneratedWorld, references: dict[str, list[dict[str, str]]]
) -> None:
    assert 250_000 <= world.n_records <= 320_000
    assert len({row["employee_id"] for row in references["employees"]}) == 300
    assert len({row["patient_id"] for row in references["patients"]}) == 900
    assert len({row["unit_id"] for row in references["units"]}) == 60
    assert len({row["place"] for row in references["units"]}) == 12
    assert len({row["role"] for row in references["unit_assignments"]}) == 9


def test_every_file_is_written_the_way_its_system_would(world: GeneratedWorld) -> None:
    assert [path.name[-11:] for path in world.log_files] == ["2026-08.csv", "2026-09.csv", "2026-10.csv"]
    for path, encoding in zip(world.log_files, ("cp1252", "cp1252", "utf-8"), strict=True):
        raw = path.read_bytes()
        assert raw.endswith(b"\r\n")
        assert raw.count(b"\n") == raw.count(b"\r\n")
        assert raw.decode(encoding).startswith(";".join(HEADER))
        assert "Brukersøk sperret;" in raw.decode(encoding)
    with pytest.raises(UnicodeDecodeError):
        world.log_files[0].read_bytes().decode("utf-8")


def test_running_numbers_have_no_gap_over_all_files(world: GeneratedWorld) -> None:
    numbers = [int(record[0]) for path in world.log_files for record in read_records(path)]
    assert numbers == list(range(numbers[0], numbers[0] + world.n_records))


def test_each_file_holds_its_own_month_in_order_of_time(world: GeneratedWorld) -> None:
    for path in world.log_files:
        days = [record[1] for record in read_records(path)]
        days = [day for day in days if re.fullmatch(r"\d\d\.(08|09|10)\.2026", day) and day != "31.09.2026"]
        assert {day[3:5] for day in days} == {path.name[-6:-4]}
        assert days == sorted(days)


def test_a_few_bad_values_wait_for_quarantine(oracle: Oracle, world: GeneratedWorld) -> None:
    assert oracle.n_unreadable == 4
    assert len(oracle.entries) == world.n_records - 4


def test_some_journals_are_in_no_key_list(oracle: Oracle) -> None:
    unresolved = [entry for entry in oracle.entries if entry.patient and ":" in entry.patient]
    assert len(unresolved) == 40
    assert {entry.table for entry in unresolved} == {"Journal"}


def test_every_other_person_and_record_is_in_the_reference_files(oracle: Oracle) -> None:
    assert all(re.fullmatch(r"E1\d\d\d", entry.employee) for entry in oracle.entries)
    patients = {entry.patient for entry in oracle.entries if entry.patient and ":" not in entry.patient}
    assert all(re.fullmatch(r"P1\d\d\d\d", patient) for patient in patients)
    assert len(patients) == 900


def test_every_kind_of_row_occurs(oracle: Oracle) -> None:
    kinds = {
        "Lesing",
        "Skriving",
        "Sletting",
        "Utskrift",
        "Signering",
        "Brukersøk",
        "Brukersøk sperret",
        "Innsyn avvist",
        "Rapport",
    }
    assert {entry.log_type for entry in oracle.entries} == kinds
    tables = {"Bruker", "Journal", "Tiltaksplan", "Medisinkort", "Tjenestetype", "Rapport"}
    assert {entry.table for entry in oracle.entries} == tables
    assert {entry.message_type for entry in oracle.entries} == {
        "Post vist",
        "Forhåndsvisning",
        "Post endret",
        "Post opprettet",
        "Post slettet",
        "Skrevet ut",
        "Signert",
        "Søk utført",
        "Søk på sperret bruker",
        "Ingen tilgang",
        "Rapport kjørt",
    }


def test_people_work_by_day_by_evening_and_by_night(oracle: Oracle) -> None:
    hours = Counter(entry.local.hour for entry in oracle.entries)
    assert hours[10] > hours[19] > hours[3] > 1000


def test_the_hour_that_occurs_twice_runs_twice(world: GeneratedWorld) -> None:
    times = [record[2] for record in read_records(world.log_files[-1]) if record[1] == "25.10.2026"]
    hours = [time[:2] for time in times if time[:2] in ("01", "02", "03")]
    assert hours == sorted(hours)
    repeated = [time for time in times if time.startswith("02:")]
    assert repeated != sorted(repeated)


def test_searches_on_blocked_patients_have_a_log_type_of_their_own(oracle: Oracle) -> None:
    blocked = {entry.number for entry in oracle.entries if entry.log_type == "Brukersøk sperret"}
    found = oracle.blocked_searches(None, None, date(2026, 8, 1), date(2026, 10, 31))
    assert blocked == {entry.number for entry in found}
    assert len(blocked) > 60


def test_some_searches_are_not_followed_by_an_opening(oracle: Oracle) -> None:
    found = oracle.patient_searches(None, None, date(2026, 10, 1), date(2026, 10, 31))
    not_followed = sum(1 for _, opened in found if opened is None)
    assert 0.1 < not_followed / len(found) < 0.5


def test_substitutes_are_booked_for_days_and_other_posts_change_hands(
    references: dict[str, list[dict[str, str]]],
) -> None:
    booked = [row for row in references["unit_assignments"] if row["valid_from"] and row["valid_to"]]
    lengths = [date.fromisoformat(row["valid_to"]) - date.fromisoformat(row["valid_from"]) for row in booked]
    assert len(booked) > 100
    assert max(lengths) < timedelta(days=14)
    assert Counter(bool(row["valid_to"]) for row in references["employees"]) == {False: 296, True: 4}
    assert Counter(bool(row["valid_from"]) for row in references["employees"]) == {False: 296, True: 4}


def test_everybody_works_while_employed(oracle: Oracle, references: dict[str, list[dict[str, str]]]) -> None:
    employed = {row["employee_id"]: row for row in references["employees"]}
    for entry in oracle.entries:
        row, day = employed[entry.employee], entry.local.date()
        assert not row["valid_from"] or date.fromisoformat(row["valid_from"]) <= day
        # the night shift of the last day ends on the next
        assert not row["valid_to"] or day <= date.fromisoformat(row["valid_to"])


def test_the_files_about_care_agree_with_the_lists_of_people_and_the_log(
    oracle: Oracle, references: dict[str, list[dict[str, str]]]
) -> None:
    employees = {row["employee_id"] for row in references["employees"]}
    assert {row["employee_id"] for row in references["employments"]} == employees
    assert {row["employee_id"] for row in references["care_teams"] + references["delegations"]} < employees
    places_of = [(row["patient_id"], row["unit_id"], row["valid_to"]) for row in references["patients"]]
    assert places_of == [(row["patient_id"], row["unit_id"], row["ends_at"][:10]) for row in references["stays"]]
    blocked = {(row["patient_id"], row["blocked_from"], row["blocked_to"]) for row in references["patients"]}
    blocks = {(row["patient_id"], row["valid_from"], row["valid_to"]) for row in references["blocks"]}
    assert len(blocks) == 12
    assert blocks < blocked
    worked: dict[str, list[tuple[str, str]]] = {}
    for row in references["shifts"]:
        worked.setdefault(row["employee_id"], []).append((row["starts_at"], row["ends_at"]))
    times = [(entry.employee, entry.local.strftime("%Y-%m-%d %H:%M")) for entry in oracle.entries]
    n_off_shift = sum(not any(a <= at < b for a, b in worked[employee]) for employee, at in times)
    # one planted person works from home
    assert 0 < n_off_shift < 200


def test_a_patient_has_one_unit_at_a_time(references: dict[str, list[dict[str, str]]]) -> None:
    rows = Counter(row["patient_id"] for row in references["patients"])
    moved = {patient for patient, n_rows in rows.items() if n_rows == 2}
    assert 10 <= len(moved) <= 15
    assert max(rows.values()) == 2
    for patient in moved:
        before, after = (row for row in references["patients"] if row["patient_id"] == patient)
        assert before["valid_to"] == after["valid_from"] != ""


def test_five_snoopers_are_planted_and_stand_beside_the_files_the_product_reads(
    world: GeneratedWorld, truth: dict[str, dict[str, str]]
) -> None:
    assert sorted(truth) == ["blocked_search", "former_partner", "neighbour", "night_reader", "slow_browser"]
    assert len({row["employee_id"] for row in truth.values()}) == 5
    assert world.truth.parent not in {path.parent for path in [*world.log_files, *world.reference_files.values()]}


def test_the_truth_names_the_records_of_each_episode(
    oracle: Oracle, world: GeneratedWorld, truth: dict[str, dict[str, str]]
) -> None:
    by_number = {entry.number: entry for entry in oracle.entries}
    records = list(read_reference(world.truth.parent / "truth_events.csv"))
    for row in truth.values():
        entries = [by_number[int(one["record_number"])] for one in records if one["episode"] == row["episode"]]
        assert len(entries) == int(row["n_records"])
        assert {entry.employee for entry in entries} == {row["employee_id"]}
        assert {entry.patient for entry in entries} <= set(row["patient_ids"].split())


def test_the_neighbour_stands_above_all_ordinary_care(oracle: Oracle, truth: dict[str, dict[str, str]]) -> None:
    october = oracle.activity(None, None, date(2026, 10, 1), date(2026, 10, 31))
    counts = {pair: one.patient.rows for pair, one in october.items()}
    neighbour = truth["neighbour"]
    assert max(counts, key=lambda pair: counts[pair]) == (neighbour["employee_id"], neighbour["patient_ids"])


def test_the_slow_browser_reads_some_twenty_foreign_patients_a_month(
    oracle: Oracle, truth: dict[str, dict[str, str]]
) -> None:
    row = truth["slow_browser"]
    patients = set(row["patient_ids"].split())
    entries = [entry for entry in oracle.system_log(employee=row["employee_id"]) if entry.patient in patients]
    for month in (8, 9, 10):
        assert 12 <= len({entry.patient for entry in entries if entry.local.month == month}) <= 30


def test_the_blocked_patient_is_searched_and_never_opened(oracle: Oracle, truth: dict[str, dict[str, str]]) -> None:
    row = truth["blocked_search"]
    october = (date(2026, 10, 1), date(2026, 10, 31))
    assert len(oracle.blocked_searches(row["patient_ids"], row["employee_id"], *october)) == 9
    assert oracle.activity(row["patient_ids"], row["employee_id"], *october) == {}


def test_the_night_nurse_reads_at_night(oracle: Oracle, truth: dict[str, dict[str, str]]) -> None:
    row = truth["night_reader"]
    assert {entry.local.hour for entry in oracle.system_log(employee=row["employee_id"])} <= {22, 23, *range(8)}


def test_the_same_seed_gives_the_same_bytes_whatever_the_order_of_sets(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from audit_kernel.demo.generator import generate\n"
        "from audit_kernel.demo.settings import WorldSettings\n"
        "generate(Path(sys.argv[1]), seed=7, settings=WorldSettings(n_months=2, activity=0.04))"
    )
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / hash_seed)], check=True, env=environment)
    generate(tmp_path / "here", seed=7, settings=SMALL)
    assert len(hashes(tmp_path / "1")) == 27
    assert hashes(tmp_path / "1") == hashes(tmp_path / "2") == hashes(tmp_path / "here")


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    generate(tmp_path / "1", seed=1, settings=SMALL)
    generate(tmp_path / "2", seed=2, settings=SMALL)
    one, two = hashes(tmp_path / "1"), hashes(tmp_path / "2")
    same = sorted(Path(path).stem for path in one if one[path] == two[path])
    assert same == ["holidays", "networks", "role_permissions", "roles", "units"]


def test_a_second_world_replaces_the_first(tmp_path: Path) -> None:
    generate(tmp_path, settings=SMALL)
    generate(tmp_path, last_month="2026-02", settings=SMALL)
    assert sorted(path.name[-11:] for path in (tmp_path / "logs").iterdir()) == ["2026-01.csv", "2026-02.csv"]


def test_a_world_over_the_spring_change_has_no_skipped_hour(tmp_path: Path) -> None:
    world = generate(tmp_path, last_month="2026-03", settings=WorldSettings(n_months=1, activity=0.5))
    hours = Counter(record[2][:2] for record in read_records(world.log_files[0]) if record[1] == "29.03.2026")
    assert hours["02"] == 0
    assert hours["01"] > 0
    assert hours["03"] > 0


@pytest.mark.parametrize("month", ["2026-13", "october", "2026", ""])
def test_a_month_that_is_none_is_refused_with_an_example(tmp_path: Path, month: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{month!r} is not a month. Write year and month")):
        generate(tmp_path, last_month=month)


def test_a_world_without_months_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one month"):
        generate(tmp_path, settings=WorldSettings(n_months=0))


def test_months_are_counted_back_over_the_new_year() -> None:
    calendar = calendar_of("2026-02", 4)
    assert calendar.months == (date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1))
    assert calendar.end == date(2026, 3, 1)


def test_personal_numbers_are_synthetic_and_their_check_digits_are_right(
    references: dict[str, list[dict[str, str]]],
) -> None:
    for row in [*references["employees"], *references["patients"]]:
        number = row["personal_number"]
        assert 81 <= int(number[2:4]) <= 92
        # by Skatteetaten's rule: both weighted sums, check digits included, are divisible by eleven
        digits = [int(digit) for digit in number]
        assert sum(w * d for w, d in zip((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), digits, strict=False)) % 11 == 0
        assert sum(w * d for w, d in zip((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), digits, strict=True)) % 11 == 0


def test_a_number_without_fitting_check_digits_is_not_used() -> None:
    born = date(1950, 1, 1)
    numbers = [norwegian_test_number(born, is_female=True, individual=individual) for individual in range(250)]
    assert None in numbers
    people = make_people(stream(1, "test"), 400, (1950, 1950))
    assert len({person.personal_number for person in people}) == 400


@pytest.mark.parametrize(("name", "letters"), [("Åse-Marie", "ASEMARIE"), ("Bjørn", "BJORN"), ("É lan", "ELAN")])
def test_log_in_names_have_plain_letters(name: str, letters: str) -> None:
    assert plain_letters(name) == letters


def test_a_part_of_the_world_draws_from_a_stream_of_its_own() -> None:
    one, again, other = stream(1, "staff"), stream(1, "staff"), stream(1, "patients")
    first = one.integers(1000, size=5)
    assert numpy.array_equal(first, again.integers(1000, size=5))
    assert not numpy.array_equal(first, other.integers(1000, size=5))


def test_the_generator_knows_no_rule_of_the_checks() -> None:
    folder = Path(generator.__file__).parent
    files = [path for path in sorted(folder.rglob("*.py")) if path != folder / "__init__.py" and path.stem != "make"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    imports = set(re.findall(r"^\s*(?:from|import) (audit_kernel[\w.]*)", text, re.MULTILINE))
    assert {name for name in imports if not name.startswith("audit_kernel.demo")} == {"audit_kernel.errors"}
    assert "thresholds" not in text


def test_units_of_a_place_lie_together() -> None:
    units = places.make_units()
    assert Counter(unit.place_number for unit in units) == dict.fromkeys(range(1, 13), 5)


def test_the_log_reads_back_as_csv_with_quoted_fields(world: GeneratedWorld) -> None:
    text = world.log_files[-1].read_text(encoding="utf-8")
    assert ';"Praktisk bistand; opplæring";' in text
    assert ';"Liste ""Dagens oppdrag""";' in text
    assert {len(record) for record in csv.reader(text.splitlines(), delimiter=";")} == {8}
