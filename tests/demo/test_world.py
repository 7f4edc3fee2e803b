"""The seeded world: what is planted in it and really delivered, what only looks so, and what it never tells."""

from __future__ import annotations

import csv
import hashlib
import time
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from audit_kernel.demo.places import make_units
from audit_kernel.demo.settings import NULL_WORLD, WorldSettings
from audit_kernel.demo.sweden import PLACES
from audit_kernel.demo.travels import DESTINATIONS
from audit_kernel.demo.world import write_truth, write_world
from audit_kernel.demo.world.accounts import COUNTRY_OF_NETWORK
from audit_kernel.demo.world.build import build
from audit_kernel.demo.world.disorder import with_wrong_clocks, without_lost
from audit_kernel.demo.world.planting import FAMILIES, planted_numbers
from tests.oracle import read_reference

if TYPE_CHECKING:
    from audit_kernel.demo.world.write import Deliveries

Rows = list[dict[str, str]]
SMALL = replace(NULL_WORLD, n_per_family=1, n_employees=280, accesses_per_month=100)
PROMISED = {
    "family",
    "colleague",
    "neighbour",
    "former_partner",
    "media_crowd",
    "slow_browser",
    "student_browsing",
    "protected_person",
    "former_patient",
    "own_record",
    "off_shift",
    "foreign_unit",
    "break_glass_hollow",
    "shared_password",
    "spraying",
    "lockouts",
    "third_country",
    "search_without_opening",
    "missing_signing",
    "delayed_signing",
    "wrong_patient_signing",
    "dose_skimming",
    "busy_shift",
    "blocked_search",
    "night_reader",
    "bulk_print",
    "left_account",
}
WITHOUT_EMPLOYEE = "spraying"


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    """Return a small world in which every family is planted once."""
    return write_world(tmp_path_factory.mktemp("deliveries"), SMALL, 5)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, Rows]:
    """Return its episodes and their events."""
    episodes, events = write_truth(tmp_path_factory.mktemp("truth"), SMALL, 5)
    return list(read_reference(episodes)), list(read_reference(events))


@pytest.fixture(scope="module")
def records(deliveries: Deliveries) -> dict[tuple[str, str], dict[str, str]]:
    """Return every delivered record by file name and line."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path in deliveries.log_files:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "cp1252")
        rows = csv.DictReader(text.splitlines(), delimiter=";", strict=True)
        found |= {(path.name, str(line)): row for line, row in enumerate(rows, start=2)}
    return found


@pytest.fixture(scope="module")
def references(deliveries: Deliveries) -> dict[str, Rows]:
    """Return the rows of the reference files."""
    return {kind: list(read_reference(path)) for kind, path in deliveries.reference_files.items()}


@pytest.fixture(scope="module")
def planted(truth: tuple[Rows, Rows], records: dict[tuple[str, str], dict[str, str]]) -> dict[str, Rows]:
    """Return the delivered records of each planted family."""
    family_of = {row["episode"]: row["family"] for row in truth[0] if row["is_planted"] == "1"}
    found: dict[str, Rows] = defaultdict(list)
    for row in truth[1]:
        if row["episode"] in family_of:
            found[family_of[row["episode"]]].append(records[row["file_name"], row["line_number"]])
    return found


def hashes(folder: Path) -> dict[str, str]:
    """Return each file below the folder with its SHA-256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_promised_family_is_planted_with_records_in_the_deliveries(planted: dict[str, Rows]) -> None:
    assert set(FAMILIES) == PROMISED
    assert set(planted) == PROMISED
    assert min(len(rows) for rows in planted.values()) >= 2


def test_honest_look_alikes_outnumber_each_planted_family_twenty_to_one(truth: tuple[Rows, Rows]) -> None:
    kinds = Counter((row["resembles"], row["is_planted"]) for row in truth[0])
    with_events = {row["episode"] for row in truth[1]}
    for family in PROMISED:
        assert kinds[family, "1"] == 1
        assert kinds[family, "0"] >= 20
    assert {row["episode"] for row in truth[0]} == with_events


def test_the_truth_says_which_families_leave_no_trace(truth: tuple[Rows, Rows]) -> None:
    traceless = {row["family"] for row in truth[0] if row["is_planted"] == "1" and row["leaves_trace"] == "0"}
    assert traceless == {"busy_shift"}
    assert {row["leaves_trace"] for row in truth[0] if row["is_planted"] == "0"} == {"0"}


def test_planted_people_plant_once_and_never_play_an_honest_part(truth: tuple[Rows, Rows]) -> None:
    culprits = [one for row in truth[0] if row["is_planted"] == "1" for one in row["employee_id"].split()]
    honest = {one for row in truth[0] if row["is_planted"] == "0" for one in row["employee_id"].split()}
    assert len(culprits) == len(set(culprits)) >= 24
    assert not honest & set(culprits)


def test_the_ids_of_the_truth_stand_in_the_deliveries(truth: tuple[Rows, Rows], references: dict[str, Rows]) -> None:
    known = {kind: {row[f"{kind[:-1]}_id"] for row in references[kind]} for kind in ("employees", "patients", "units")}
    for row in truth[0]:
        assert set(row["employee_id"].split()) <= known["employees"]
        assert set(row["patient_ids"].split()) <= known["patients"]
        assert not row["unit_id"] or row["unit_id"] in known["units"]
        assert row["employee_id"] or row["family"] == WITHOUT_EMPLOYEE
        assert row["first_at"] <= row["last_at"]
        assert row["first_at"].endswith("+00:00")


def test_event_ids_are_those_of_the_log_or_of_the_records_content(
    truth: tuple[Rows, Rows], records: dict[tuple[str, str], dict[str, str]]
) -> None:
    own = {"mcss_access": "Logg-id", "mcss_medication": "Händelse-id"}
    seen = set()
    for row in truth[1]:
        record = records[row["file_name"], row["line_number"]]
        if row["source_id"] in own:
            assert row["event_id"] == record[own[row["source_id"]]]
        else:
            digest = hashlib.sha256("\x1f".join(record.values()).encode()).hexdigest()
            assert row["event_id"].partition(":")[0] == digest
        seen.add(row["source_id"])
    assert len({(row["source_id"], row["event_id"]) for row in truth[1]}) == len(truth[1])
    assert seen == {"mcss_access", "mcss_authentication", "mcss_medication", "mcss_search"}


def test_planted_accesses_are_of_the_people_and_patients_that_the_truth_names(
    truth: tuple[Rows, Rows], records: dict[tuple[str, str], dict[str, str]], references: dict[str, Rows]
) -> None:
    names, numbers = defaultdict(set), {}
    for row in references["identifiers"]:
        names[row["id"]].add(row["identifier"])
        numbers[row["identifier"]] = row["id"]
    of_episode = {row["episode"]: row for row in truth[0]}
    for event in truth[1]:
        episode, record = of_episode[event["episode"]], records[event["file_name"], event["line_number"]]
        if episode["employee_id"]:
            known = set().union(*(names[one] for one in episode["employee_id"].split()))
            assert record["Användare"] in known
        if patient := numbers.get(record.get("Personnummer", "").replace("-", "")):
            assert patient in episode["patient_ids"].split()


def test_each_family_does_what_it_is_called_after(planted: dict[str, Rows], references: dict[str, Rows]) -> None:
    personal = {row["identifier"]: row["id"] for row in references["identifiers"]}

    def patients(family: str) -> set[str]:
        rows = planted[family]
        return {personal[row["Personnummer"].replace("-", "")] for row in rows if row.get("Personnummer")}

    def kinds(family: str) -> Counter[str]:
        return Counter(row["Händelse"] for row in planted[family] if "Händelse" in row)

    flagged = {row["patient_id"] for row in references["patient_flags"] if row["flag"] != "deceased"}
    assert patients("protected_person") <= flagged
    assert patients("media_crowd") <= {row["patient_id"] for row in references["media_interest"]}
    assert len(patients("slow_browser")) >= 15
    assert len(patients("student_browsing")) >= 30
    assert len(patients("night_reader")) >= 15
    assert not any("Logg-id" in row for row in planted["search_without_opening"])
    assert len(patients("search_without_opening")) >= 14
    assert any(row.get("Söktyp") == "Sökning på spärrad patient" for row in planted["blocked_search"])
    opened = [row for row in planted["break_glass_hollow"] if "Nödöppning" in row]
    assert {row["Nödöppning"] for row in opened} == {"Ja"}
    assert max(len(row["Ändamål"]) for row in opened) < 8
    ended = {row["patient_id"] for row in references["stays"] if row["ends_at"] and row["ends_at"] < "2026-09-20"}
    assert patients("former_patient") <= ended
    assert len({row["Konto"] for row in planted["spraying"]}) >= 18
    assert len({row["Nätadress"] for row in planted["spraying"]}) == 1
    assert kinds("lockouts")["Låsning"] + kinds("lockouts")["Inloggning"] >= 3
    assert all(row["Nätadress"].startswith(("198.51.100.", "203.0.113.")) for row in planted["third_country"])
    assert kinds("missing_signing") == {"Uttag": len(planted["missing_signing"])}
    assert kinds("delayed_signing")["Uttag"] == pytest.approx(kinds("delayed_signing")["Signering"], abs=1)
    assert len(patients("wrong_patient_signing")) >= 2
    assert kinds("dose_skimming")["Signering"] >= 13
    printed = [row for row in planted["bulk_print"] if row.get("Händelse") == "Skrivit ut"]
    assert len({row["Personnummer"] for row in printed}) >= 10
    assert len({row["Tidpunkt"][:10] for row in printed}) <= 2
    assert {row["Händelse"] for row in planted["busy_shift"] if "Logg-id" in row} == {"Läst"}


def test_somebody_else_uses_the_shared_password_from_another_place(
    planted: dict[str, Rows], records: dict[tuple[str, str], dict[str, str]]
) -> None:
    rows = [row for row in planted["shared_password"] if "Logg-id" in row]
    foreign = {row["Nätadress"] for row in rows}
    name = rows[0]["Användare"]
    own = {row["Nätadress"] for row in records.values() if "Logg-id" in row and row["Användare"] == name} - foreign
    assert len(foreign) == 1
    assert own
    days = {row["Tidpunkt"][:10] for row in rows}
    at_work = {
        row["Tidpunkt"][:10]
        for row in records.values()
        if "Logg-id" in row and row["Användare"] == name and row["Nätadress"] in own
    }
    assert len(days & at_work) >= 3


def test_an_account_that_was_left_open_is_used_weeks_after_the_employment(
    truth: tuple[Rows, Rows], planted: dict[str, Rows], references: dict[str, Rows]
) -> None:
    (episode,) = (row for row in truth[0] if row["family"] == "left_account")
    (left,) = {row["valid_to"] for row in references["employees"] if row["employee_id"] == episode["employee_id"]}
    used = {row["Tidpunkt"][:10] for row in planted["left_account"]}
    assert (date.fromisoformat(min(used)) - date.fromisoformat(left[:10])).days >= 20
    assert any("Logg-id" in row for row in planted["left_account"])


def test_a_world_without_incidents_has_only_honest_episodes(tmp_path: Path) -> None:
    settings = replace(NULL_WORLD, accesses_per_month=60, n_employees=130)
    episodes, _events = write_truth(tmp_path, settings, 2)
    rows = list(read_reference(episodes))
    assert {row["is_planted"] for row in rows} == {"0"}
    assert {row["resembles"] for row in rows} == PROMISED


def test_the_deliveries_hold_nothing_of_the_truth_and_are_the_same_with_and_without_it(tmp_path: Path) -> None:
    settings = replace(NULL_WORLD, accesses_per_month=40, n_employees=130, n_per_family=1, hard_case_ratio=1)
    write_world(tmp_path / "one", settings, 3)
    write_truth(tmp_path / "truth", settings, 3)
    write_world(tmp_path / "two", settings, 3)
    one = hashes(tmp_path / "one")
    assert one == hashes(tmp_path / "two")
    assert {path.split("/")[0] for path in one} == {"logs", "reference"}
    write_world(tmp_path / "other", settings, 4)
    assert one["logs/mcss_access_2026-10.csv"] != hashes(tmp_path / "other")["logs/mcss_access_2026-10.csv"]


def test_the_rate_is_of_all_families_together_and_chosen_families_are_the_only_ones() -> None:
    settings = WorldSettings(n_employees=1000, incident_rate=1.0)
    totals = [sum(planted_numbers(seed, settings).values()) for seed in range(50)]
    assert totals == [1] * 50
    small = [sum(planted_numbers(seed, replace(settings, n_employees=300)).values()) for seed in range(200)]
    assert 40 <= sum(small) <= 80
    assert planted_numbers(1, replace(settings, families=("family",), n_per_family=3)) == {"family": 3}


def test_the_world_is_as_untidy_as_a_real_one(
    records: dict[tuple[str, str], dict[str, str]], references: dict[str, Rows]
) -> None:
    roles = {row["role"] for row in references["roles"]}
    assert {"Biomedicinsk analytiker", "Avgiftshandläggare", "Specialistsjuksköterska"} <= roles
    assert {row["mandate"] for row in references["roles"]} >= {"laboratory", "billing", "archive", "system_support"}
    assert len(references["units"]) == 65
    opened = Counter[str]()
    broken = Counter[str]()
    for row in records.values():
        if row.get("Nödöppning"):
            opened[row["Enhet"]] += 1
            broken[row["Enhet"]] += row["Nödöppning"] == "Ja"
    shares = sorted(broken[unit] / opened[unit] for unit in opened if opened[unit] > 200)
    assert shares[0] < 0.03
    assert 0.2 < shares[-1] < 0.6
    floated = {(row["employee_id"], row["unit_id"]) for row in references["shifts"]}
    homes = {(row["employee_id"], row["unit_id"]) for row in references["unit_assignments"]}
    assert len(floated - homes) > 50
    kinds = Counter(row["Händelse"] for row in records.values() if "Ordination" in row)
    assert kinds["Signering"] < kinds["Uttag"]
    assert {"Kassation", "Retur", "Inventering"} < set(kinds)


def test_the_count_of_a_cabinet_fits_what_was_taken_out_but_for_a_slip_now_and_then(
    records: dict[tuple[str, str], dict[str, str]],
) -> None:
    moved: dict[tuple[str, str], float] = defaultdict(float)
    counted: dict[tuple[str, str], float] = {}
    fits = Counter[bool]()
    sign = {"Uttag": -1, "Retur": 1, "Överföring": 1}
    for row in records.values():
        if "Ordination" not in row:
            continue
        key, amount = (row["Enhet"], row["ATC-kod"]), float(row["Mängd"].replace(",", "."))
        if row["Händelse"] == "Inventering":
            if key in counted:
                fits[counted[key] + moved[key] == amount] += 1
            counted[key], moved[key] = amount, 0.0
        else:
            moved[key] += sign.get(row["Händelse"], 0) * amount
    assert fits[True] > 4 * fits[False]
    assert fits.total() > 100


def test_addresses_lie_in_the_networks_set_apart_for_documentation() -> None:
    assert {network.rsplit(".", 1)[0] for network in COUNTRY_OF_NETWORK} == {"192.0.2", "198.51.100", "203.0.113"}


def test_the_log_names_no_unit_for_patients_who_have_left(planted: dict[str, Rows]) -> None:
    opened = [row for row in planted["former_patient"] if "Logg-id" in row]
    assert opened
    assert {row["Boende"] for row in opened} == {""}


def test_a_null_world_takes_a_few_seconds(tmp_path: Path) -> None:
    begins = time.process_time()
    assert write_world(tmp_path, NULL_WORLD, 9).n_records > 20_000
    assert time.process_time() - begins < 5


def test_a_larger_municipality_has_more_places_of_the_same_kinds() -> None:
    units = make_units(PLACES, 130)
    assert len(units) == len({unit.unit_id for unit in units}) == len({unit.name for unit in units}) == 130
    assert len({unit.place for unit in units}) == 26
    assert {unit.unit_type for unit in units} == {unit.unit_type for unit in make_units(PLACES, 65)}
    assert len({unit.unit_type for unit in make_units(PLACES, 60)}) == 8


def test_honest_carers_care_for_patients_who_are_there(truth: tuple[Rows, Rows], references: dict[str, Rows]) -> None:
    left = {row["patient_id"] for row in references["stays"] if row["ends_at"]}
    left -= {row["patient_id"] for row in references["stays"] if not row["ends_at"]}
    in_care = [row for row in truth[0] if row["is_planted"] == "0" and row["family"].endswith("in_care")]
    assert len(in_care) >= 100
    assert not left & {patient for row in in_care for patient in row["patient_ids"].split()}
    late = {patient for row in truth[0] if row["family"] == "late_note" for patient in row["patient_ids"].split()}
    assert late <= left | {row["patient_id"] for row in references["stays"] if row["end_reason"] == "moved"}


def test_rosters_miss_units_and_weeks_and_other_lists_single_rows(references: dict[str, Rows], tmp_path: Path) -> None:
    whole = write_world(tmp_path, replace(SMALL, missing_share=0.0, missing_most=0.0), 5).reference_files
    missing = {}
    for kind, path in whole.items():
        rows = list(read_reference(path))
        kept = Counter(tuple(row.values()) for row in references[kind])
        missing[kind] = sum((Counter(tuple(row.values()) for row in rows) - kept).values()) / len(rows)
    for kind in ("appointments", "households", "shifts"):
        assert 0.03 < missing[kind] < 0.18
    planned = Counter(row["unit_id"] for row in read_reference(whole["shifts"]))
    known = Counter(row["unit_id"] for row in references["shifts"])
    assert 2 <= sum(known[unit] == 0 for unit in planned) <= 8
    assert max(missing[kind] for kind in ("employees", "patients", "units", "stays", "identifiers")) == 0


def test_fifteen_percent_of_the_rounds_have_a_slip(records: dict[tuple[str, str], dict[str, str]]) -> None:
    doses = defaultdict(list)
    for row in records.values():
        if row.get("Ordination"):
            doses[row["Ordination"], row["Datum"]].append((row["Händelse"], row["Mängd"]))
    single = [sorted(rows) for rows in doses.values() if len(rows) <= 2]
    regular = sum(
        [kind for kind, _amount in rows] == ["Signering", "Uttag"] and rows[0][1] == rows[1][1] for rows in single
    )
    assert 0.8 < regular / len(single) < 0.95  # a late signing has both rows too


def test_clocks_are_wrong_at_some_units_and_a_few_records_are_lost() -> None:
    built = build(replace(NULL_WORLD, accesses_per_month=60, n_employees=130), 6, "2026-10")
    events = built.log.events
    moved = with_wrong_clocks(7, built.desk, events).at - events.at
    units = built.desk.unit_of[events.employee, built.desk.days(events.at)]
    by_unit = {int(unit): set(moved[units == unit].tolist()) for unit in set(units.tolist())}
    assert all(len(skews) == 1 for skews in by_unit.values())
    assert 1 <= sum(skews != {0} for skews in by_unit.values()) <= 20
    assert 0 < len(events) - len(without_lost(7, events)) < 0.005 * len(events)


def test_the_docs_tell_every_family_its_look_alike_and_its_trace() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "world.md").read_text(encoding="utf-8").splitlines()
    told = [line.split("`")[1] for line in lines if line.startswith("| `")]
    trace = {True: "yes", False: "no"}
    assert sorted(told) == sorted(FAMILIES)
    for family in FAMILIES.values():
        line = next(line for line in lines if line.startswith(f"| `{family.name}`"))
        assert f"| {trace[family.leaves_trace]} | `{family.look_alike}` |" in line


def test_nobody_is_abroad_but_travellers_and_those_whom_the_truth_says_so_of(
    truth: tuple[Rows, Rows], records: dict[tuple[str, str], dict[str, str]], references: dict[str, Rows]
) -> None:
    addresses = {row["Nätadress"] for row in records.values() if row.get("Nätadress")}
    abroad = {address for address in addresses if address.startswith(("198.51.100.", "203.0.113."))}
    told = {row["address"] for row in truth[0]}
    assert abroad - told <= {address for _country, address in DESTINATIONS}  # who travels beside all episodes
    assert len(references["approved_travel"]) >= 2
    families = ("third_country", "honest_traveller", "spraying", "lockouts")
    assert abroad & told <= {row["address"] for row in truth[0] if row["family"] in families}
