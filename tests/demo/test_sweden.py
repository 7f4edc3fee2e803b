"""The Swedish municipality: its four logs, its oddities, what is planted in it, and that nobody in it can exist."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from audit_kernel.demo.generator import GeneratedWorld, generate
from audit_kernel.demo.mcss import BAD_MOMENTS
from audit_kernel.demo.people import luhn_digit, make_people
from audit_kernel.demo.settings import WorldSettings, stream
from audit_kernel.demo.steps import SERVICE, STEPS
from audit_kernel.demo.sweden import EVENT_WORDS, WORDS
from tests.oracle import read_reference

Rows = list[dict[str, str]]
MEDIUM = WorldSettings(n_months=2, activity=0.3)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> GeneratedWorld:
    """Return two months of the Swedish municipality, with fewer visits than in the demo."""
    return generate(tmp_path_factory.mktemp("world"), settings=MEDIUM, country="SE")


@pytest.fixture(scope="module")
def logs(world: GeneratedWorld) -> dict[str, Rows]:
    """Return the records of each log, with the file and line of each."""
    found: dict[str, Rows] = defaultdict(list)
    for path, source_id in zip(world.log_files, world.sources, strict=True):
        found[source_id] += records(path)
    return found


@pytest.fixture(scope="module")
def truth(world: GeneratedWorld) -> dict[str, dict[str, str]]:
    """Return the episodes by scenario."""
    return {row["scenario"]: row for row in read_reference(world.truth)}


@pytest.fixture(scope="module")
def planted(world: GeneratedWorld, logs: dict[str, Rows], truth: dict[str, dict[str, str]]) -> dict[str, Rows]:
    """Return the planted records of each scenario, found by file and line."""
    at = {(row["file"], row["line"]): row for rows in logs.values() for row in rows}
    scenario_of = {row["episode"]: scenario for scenario, row in truth.items()}
    found: dict[str, Rows] = defaultdict(list)
    for row in read_reference(world.truth.parent / "truth_events.csv"):
        found[scenario_of[row["episode"]]].append(at[row["file_name"], row["line_number"]])
    return found


def records(path: Path) -> Rows:
    """Return the records of a file by column."""
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "cp1252")
    rows = csv.DictReader(text.splitlines(), delimiter=";", strict=True)
    return [row | {"file": path.name, "line": str(line)} for line, row in enumerate(rows, start=2)]


def test_each_log_is_one_file_a_month_and_the_last_is_in_utf_8(world: GeneratedWorld) -> None:
    names = ("mcss_access", "mcss_authentication", "mcss_medication", "mcss_search")
    expected = [f"{name}_2026-{month}.csv" for name in names for month in ("09", "10")]
    assert [path.name for path in world.log_files] == expected
    assert world.sources == [name for name in names for _ in range(2)]
    for path in world.log_files:
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf") == path.name.endswith("2026-10.csv")
        assert raw.count(b"\n") == raw.count(b"\r\n")
    assert sum(len(records(path)) for path in world.log_files) == world.n_records


def test_records_stand_in_order_of_time_and_the_access_logs_own_numbers_have_no_gap(logs: dict[str, Rows]) -> None:
    numbers = [int(row["Logg-id"]) for row in logs["mcss_access"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for source_id in ("mcss_authentication", "mcss_search"):
        moments = [row["Tidpunkt"] for row in logs[source_id] if not row["Tidpunkt"].startswith("2026-10-25 02")]
        assert moments == sorted(moments)


def test_every_kind_of_record_occurs(logs: dict[str, Rows]) -> None:
    def values(source_id: str, column: str) -> set[str]:
        return {row[column] for row in logs[source_id]}

    assert values("mcss_access", "Händelse") == {word for word, _result in EVENT_WORDS.values()}
    assert values("mcss_access", "Uppgiftstyp") == {WORDS[table] for _log_type, table, _type in STEPS.values()}
    assert values("mcss_access", "Resultat") == {"Lyckad", "Nekad"}
    assert values("mcss_access", "Spärrad") == {"Ja", "Nej", ""}
    assert values("mcss_search", "Söktyp") == {"Patientsökning", "Sökning på spärrad patient"}
    kinds = {"Inloggning", "Utloggning", "Misslyckad inloggning", "Låsning", "Upplåsning"}
    assert values("mcss_authentication", "Händelse") == kinds
    kinds = {"Uttag", "Signering", "Kassation", "Retur", "Överföring", "Inventering"}
    assert values("mcss_medication", "Händelse") == kinds


def test_no_norwegian_word_is_left(world: GeneratedWorld, logs: dict[str, Rows]) -> None:
    units = list(read_reference(world.reference_files["units"]))
    roles = {row["role"] for row in read_reference(world.reference_files["unit_assignments"])}
    assert roles == {row["Befattning"] for row in logs["mcss_access"]}
    words = set(WORDS.values())
    assert roles < words
    assert {row["unit_type"] for row in units} < words
    assert not any(letter in row["name"] + row["place"] for row in units for letter in "æøÆØ")
    assert {row["Uppgift"] for row in logs["mcss_access"] if row["Uppgiftstyp"] == WORDS[SERVICE]} < words


def test_all_but_a_few_mistyped_personal_numbers_are_in_the_list_of_identifiers(
    world: GeneratedWorld, logs: dict[str, Rows]
) -> None:
    rows = list(read_reference(world.reference_files["identifiers"]))
    assert {row["system"] for row in rows} == {""}
    listed = {row["identifier"] for row in rows if row["kind"] == "patient"}
    numbers = Counter(
        row["Personnummer"].replace("-", "")
        for source_id in ("mcss_access", "mcss_search", "mcss_medication")
        for row in logs[source_id]
        if row["Personnummer"]
    )
    unlisted = {number: count for number, count in numbers.items() if number not in listed}
    assert sum(unlisted.values()) == 40
    assert all(luhn_digit(number[2:11]) != int(number[11]) for number in unlisted)


def test_no_real_person_can_have_one_of_the_personal_numbers(world: GeneratedWorld) -> None:
    for kind in ("employees", "patients"):
        for row in read_reference(world.reference_files[kind]):
            number = row["personal_number"]
            assert 81 <= int(number[4:6]) <= 92, "no calendar has that month"
            assert 980 <= int(number[8:11]) <= 999
            assert luhn_digit(number[2:11]) == int(number[11])


def test_personal_numbers_differ_and_tell_women_from_men() -> None:
    people = make_people(stream(1, "test"), 300, (1950, 1950), country="SE")
    assert len({person.personal_number for person in people}) == 300
    assert {int(person.personal_number[10]) % 2 for person in people} == {0, 1}


def test_the_luhn_digit_is_that_of_skatteverkets_example() -> None:
    assert luhn_digit("640823323") == 4


def test_every_sitting_has_its_log_in_before_and_its_log_out_after(logs: dict[str, Rows]) -> None:
    sessions: dict[str, dict[str, str]] = defaultdict(dict)
    for row in logs["mcss_authentication"]:
        if row["Session"]:
            sessions[row["Session"]][row["Händelse"]] = row["Tidpunkt"]
    n_checked = 0
    for row in [*logs["mcss_access"], *logs["mcss_search"]]:
        of_row = sessions[row["Session"]]
        moments = [of_row.get("Inloggning", ""), row["Tidpunkt"], of_row.get("Utloggning", "")]
        # a sitting may be cut off at the period's ends, and the clock is set back on the 25th
        if "" in moments or row["Tidpunkt"] in BAD_MOMENTS or any(each.startswith("2026-10-25") for each in moments):
            continue
        assert moments == sorted(moments)
        n_checked += 1
    assert n_checked > 10_000


def test_eight_stories_are_planted_by_eight_employees(truth: dict[str, dict[str, str]]) -> None:
    assert sorted(truth) == [
        "blocked_search",
        "drug_withdrawals",
        "former_partner",
        "intrusion_attempts",
        "neighbour",
        "night_reader",
        "slow_browser",
        "third_country",
    ]
    assert len({row["employee_id"] for row in truth.values()}) == 8


def test_the_truth_names_file_and_line_of_each_planted_record(
    planted: dict[str, Rows], truth: dict[str, dict[str, str]], world: GeneratedWorld
) -> None:
    names: dict[str, set[str]] = defaultdict(set)
    for row in read_reference(world.reference_files["identifiers"]):
        names[row["id"]].add(row["identifier"])
    for scenario, row in truth.items():
        assert len(planted[scenario]) == int(row["n_records"])
        assert {each["Användare"] for each in planted[scenario]} - {""} <= names[row["employee_id"]]


def test_the_intruder_guesses_from_abroad_until_the_account_is_locked(planted: dict[str, Rows]) -> None:
    rows = planted["intrusion_attempts"]
    assert {row["Nätadress"] for row in rows} == {"203.0.113.66"}
    kinds = Counter(row["Händelse"] for row in rows)
    assert kinds["Låsning"] == 3
    assert kinds["Misslyckad inloggning"] > 30


def test_the_week_abroad_shows_in_the_log_ins_and_the_accesses(planted: dict[str, Rows], logs: dict[str, Rows]) -> None:
    rows = planted["third_country"]
    assert {row["Nätadress"] for row in rows} == {"198.51.100.23"}
    assert {row["file"][:-12] for row in rows} >= {"mcss_access", "mcss_authentication"}
    others = [row for name in ("mcss_access", "mcss_search") for row in logs[name]]
    assert sum(row["Nätadress"] == "198.51.100.23" for row in others) == sum(
        not row["file"].startswith("mcss_auth") for row in rows
    )


def test_one_nurse_withdraws_what_nobody_signs(logs: dict[str, Rows], planted: dict[str, Rows]) -> None:
    taken, signed = Counter[str](), Counter[str]()
    for row in logs["mcss_medication"]:
        taken[row["Användare"]] += row["Händelse"] == "Uttag"
        signed[row["Användare"]] += row["Händelse"] in ("Signering", "Retur", "Kassation")
    worst = max(taken, key=lambda name: taken[name] - signed[name])
    assert {row["Användare"] for row in planted["drug_withdrawals"]} == {worst}
    assert len(planted["drug_withdrawals"]) == 24
    assert {row["Händelse"] for row in planted["drug_withdrawals"]} == {"Uttag"}


def test_ordinary_rounds_have_a_few_slips_too(logs: dict[str, Rows]) -> None:
    kinds = Counter(row["Händelse"] for row in logs["mcss_medication"])
    assert 0.85 * kinds["Uttag"] < kinds["Signering"] < kinds["Uttag"]
    assert 0 < kinds["Kassation"] < 0.1 * kinds["Uttag"]
    assert all(Decimal(row["Mängd"].replace(",", ".")) > 0 for row in logs["mcss_medication"])
    assert any("," in row["Mängd"] for row in logs["mcss_medication"])


def test_addresses_are_private_or_set_apart_for_documentation(logs: dict[str, Rows]) -> None:
    prefixes = ("10.", "192.0.2.", "198.51.100.", "203.0.113.")
    for source_id in ("mcss_access", "mcss_authentication", "mcss_search"):
        assert all(row["Nätadress"].startswith(prefixes) for row in logs[source_id])


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    small = WorldSettings(n_months=1, activity=0.05)
    found = []
    for name in ("one", "two"):
        generate(tmp_path / name, seed=3, settings=small, country="SE")
        files = sorted((tmp_path / name).rglob("*.csv"))
        found.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
    assert found[0] == found[1]
    assert len(found[0]) == 4 + 23 + 2
