"""Masked evidence: nobody's name or number is in the bag, a case's pages can be joined, and the key alone resolves."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

from audit_kernel.catalog import PARTS, Catalog, Identity, Query
from audit_kernel.decisions import journal as decisions_journal
from audit_kernel.errors import KeyFileError, RunError, UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence.masked_run import shown
from audit_kernel.evidence.masking import LANGUAGE_ENDING, Mask, decision, decisions
from audit_kernel.evidence.month import MonthRun, run_month, run_report
from audit_kernel.evidence.verify import verify
from audit_kernel.identity import resolve
from audit_kernel.journal import Journal
from audit_kernel.pseudonyms import KEY_NAME, MONTHLY, PATTERN, Pseudonyms, pseudonym_key, scope_of
from audit_kernel.review.export import export_lists
from audit_kernel.site import Site
from audit_kernel.store.reading import Store
from tests.evidence.masked_site import EMPLOYEES, PATIENTS, WITNESS, everybody, make_masked_site

SCHEDULE = ("checks/authentication", "random_sample", "ranked_findings")
ASKED = (
    "activity",
    "system_log",
    "blocked_searches",
    "patient_searches",
    "patient_extract",
    "new_codes",
    "quarantine_reasons",
)
PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
PURPOSE = f"sak 2026/17 om {PATIENTS[1]['name']}"
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = make_masked_site(tmp_path_factory.mktemp("masked"))
    schedule = made.folder / "parameters" / "schedule.yml"
    schedule.write_text(yaml.safe_dump({"monthly": list(SCHEDULE)}), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def month(site: Site) -> MonthRun:
    return run_month(site, "2026-10", seed="dice 4 1 6", seed_witness=WITNESS, purpose=f"kontroll for {WITNESS}")


@pytest.fixture(scope="module")
def report(site: Site) -> MonthRun:
    asked = {"patient_id": PATIENTS[1]["id"], **PERIOD}
    return run_report(site, "detailed_activity", asked, purpose=PURPOSE)


def texts(bag: Path) -> dict[str, str]:
    """What a bag's files hold, decoded, with escapes undone, and the files' names."""
    found = {"names": "\n".join(str(path.relative_to(bag)) for path in bag.rglob("*")) + bag.name}
    for path in (path for path in bag.rglob("*") if path.is_file()):
        if path.suffix == ".parquet":
            content = repr(pyarrow.parquet.read_table(path).to_pydict())
        else:
            content = path.read_text(encoding="utf-8", errors="replace")  # a signature is no text
        undone = re.sub(r"\\u([0-9a-f]{4})", lambda sign: chr(int(sign[1], 16)), content)
        found[str(path.relative_to(bag))] = content + undone + html.unescape(content)
    return found


def leaks(bag: Path) -> list[tuple[str, str]]:
    return sorted((name, each) for name, text in texts(bag).items() for each in everybody() if each in text)


def pseudonyms(text: str) -> set[str]:
    return set(PATTERN.findall(text))


def test_no_name_or_number_of_anybody_is_in_a_masked_month(month: MonthRun) -> None:
    assert month.is_complete, [each.reason for each in (*month.outcomes, *month.restricted)]
    assert leaks(month.bag) == []
    assert len(pseudonyms((month.bag / "data/pages/random_sample.html").read_text(encoding="utf-8"))) > 10


def test_no_name_or_number_of_anybody_is_in_what_a_masked_month_keeps_for_the_privacy_officer(
    site: Site, month: MonthRun
) -> None:
    assert month.restricted
    (bag,) = [path for path in site.restricted_folder.iterdir() if (path / "data").is_dir()]
    assert leaks(bag) == []
    apart = json.loads((bag / "data/kept_apart.json").read_text(encoding="utf-8"))
    ours = Pseudonyms(pseudonym_key(site.keys_folder), scope_of(pseudonym_key(site.keys_folder), MONTHLY))
    assert ours.of("employee", EMPLOYEES[0]["id"]) in apart["employee_id"]


def test_no_name_or_number_of_anybody_is_in_a_masked_report_about_one_patient(report: MonthRun) -> None:
    assert report.outcomes[0].reason == ""
    assert report.outcomes[0].facts["n_rows"] > 10
    assert leaks(report.bag) == []
    assert [problem for problem in verify(report.bag) if problem.is_failure] == []


def test_no_answer_printed_masked_names_anybody(site: Site) -> None:
    with Store(site, PURPOSE) as store:
        for name in ASKED:
            declared = store.catalog.query(name).description.parameters
            about = {"employee_id": EMPLOYEES[1]["id"]} if "employee_id" in declared else {}
            plain = store.report(name, **about, **PERIOD)
            masked = shown(store, plain, "masked", PURPOSE)
            found = {each for each in everybody() if each in repr((masked.table.to_pydict(), masked.parameters))}
            assert (name, found) == (name, set())
            assert masked.table.num_rows == plain.table.num_rows
            assert shown(store, plain, "full", PURPOSE) is plain
            with pytest.raises(UsageError, match="no way to show people"):
                shown(store, plain, "half", PURPOSE)


def test_the_search_finds_what_is_in_each_kind_of_file(tmp_path: Path) -> None:
    name = PATIENTS[4]["name"]
    pyarrow.parquet.write_table(pa.table({"who": [[name]]}), tmp_path / "a.parquet")
    (tmp_path / "b.html").write_text(html.escape(name).replace("Å", "&Aring;"), encoding="utf-8")
    (tmp_path / "c.ipynb").write_text(json.dumps({"source": name}), encoding="utf-8")
    (tmp_path / f"d {name}").write_bytes(b"\xff")
    assert {found for found, _each in leaks(tmp_path)} == {"a.parquet", "b.html", "c.ipynb", "names"}


def test_the_key_is_in_no_bag_and_no_journal_and_only_its_owner_reads_it(
    site: Site, month: MonthRun, report: MonthRun
) -> None:
    path = site.keys_folder / KEY_NAME
    key = path.read_text(encoding="ascii")
    written = "".join(text for run in (month, report) for text in texts(run.bag).values())
    written += "".join(each.read_text(encoding="utf-8") for each in site.journals_folder.glob("*.jsonl"))
    assert key not in written
    assert path.stat().st_mode & 0o077 == 0
    assert path.stat().st_size == 64
    copy = path.parent / "copy"
    copy.mkdir()
    shutil.copyfile(path, copy / KEY_NAME)
    (copy / KEY_NAME).chmod(0o644)
    with pytest.raises(KeyFileError, match="read by others") as refused:
        pseudonym_key(copy)
    assert key not in str(refused.value)


def test_the_statement_says_that_people_are_masked_and_in_which_scope(site: Site, report: MonthRun) -> None:
    asked = json.loads((report.bag / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]
    told = asked["externalParameters"]
    assert told["identity"] == "masked"
    assert told["identity_scope"] == scope_of(pseudonym_key(site.keys_folder), PURPOSE)
    assert PATTERN.fullmatch(told["purpose"])
    assert PATTERN.fullmatch(told["notebooks"][0]["parameters"]["patient_id"])


def test_a_pseudonym_is_resolved_by_the_site_alone_and_the_use_log_says_whose(site: Site, report: MonthRun) -> None:
    told = json.loads((report.bag / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]
    shown = told["externalParameters"]["notebooks"][0]["parameters"]["patient_id"]
    found = resolve(site, shown.lower(), "tilsyn 2026/3")
    assert (found.kind, found.id, found.name) == ("patient", PATIENTS[1]["id"], PATIENTS[1]["name"])
    logged = json.dumps(list(Journal(site.journals_folder / "use_log.jsonl").entries())[-6:], ensure_ascii=False)
    assert shown in logged
    assert PATIENTS[1]["id"] in logged
    for nobody in ("P-00000-00000", "X-00000-00000", ""):
        with pytest.raises(UsageError, match="nobody whom this site knows"):
            resolve(site, nobody, "tilsyn 2026/3")
    with pytest.raises(UsageError, match="No purpose"):
        resolve(site, shown, "")


def test_the_lists_of_a_masked_month_name_people_to_who_reviews_them(
    site: Site, month: MonthRun, tmp_path: Path
) -> None:
    made, _warnings = export_lists(site, "2026-10", tmp_path / "lists")
    rows = [row for each in made for row in openpyxl.load_workbook(each.path).worksheets[0].iter_rows(values_only=True)]
    words = " ".join(str(cell) for row in rows for cell in row)
    assert EMPLOYEES[1]["name"] in words
    assert [each["name"] for each in PATIENTS if each["name"] in words]
    assert [each for each in PATTERN.findall(words) if each[0] in "AP"] == []
    drawn = pyarrow.parquet.read_table(month.bag / "data/tables/draw.parquet").column("unit_key").to_pylist()
    listed = {key for each in decisions_of(site) for key in each["keys"]}
    assert set(drawn) <= listed


def decisions_of(site: Site) -> list[dict[str, Any]]:
    lists = [line["entry"] for line in Journal(decisions_journal(site).path).entries() if line["entry"].get("rows")]
    return [row for each in lists for row in each["rows"]]


def test_a_masked_report_is_not_asked_with_a_word_that_no_dictionary_has(site: Site) -> None:
    with pytest.raises(UsageError, match="stands in no dictionary"):
        run_report(site, "system_log", {"log_type": EMPLOYEES[1]["name"], **PERIOD}, purpose=PURPOSE)


def test_pages_of_one_scope_can_be_joined_and_two_scopes_cannot() -> None:
    scopes = [scope_of(KEY, text) for text in (MONTHLY, "sak 2026/17", " Sak  2026/17 ", "sak 2026/18", "purpose")]
    assert scopes[1] == scopes[2]
    assert len(set(scopes)) == 4
    made = [Pseudonyms(KEY, scope).of("patient", "1042") for scope in scopes]
    assert made[1] == made[2]
    assert len(set(made)) == 4
    assert made[0] != Pseudonyms(bytes(32), scopes[0]).of("patient", "1042")
    assert Pseudonyms(KEY, scopes[0]).of("employee", "1042")[1:] != made[0][1:]
    assert all(PATTERN.fullmatch(each) for each in made)


def test_two_people_with_the_same_pseudonym_stop_the_run() -> None:
    ours = Pseudonyms(KEY, "s")
    ours.known[Pseudonyms(KEY, "s").of("patient", "1")] = "2"
    with pytest.raises(RunError, match="same pseudonym"):
        ours.of("patient", "1")


def columns() -> list[tuple[Query, str]]:
    queries = [each for query in Catalog().queries.values() for each in (query, *map(query.beside, PARTS[:3])) if each]
    return [
        (query, name)
        for query in queries
        for name, column in query.description.columns.items()
        if column.type in ("text", "id", "code") and name != "reason_values"
    ]


def test_somebody_decided_what_becomes_of_each_column_of_text() -> None:
    known = decisions()
    undecided = [
        f"{query.name}.{query.part} {name}"
        for query, name in columns()
        if not {f"{query.name}.{name}", LANGUAGE_ENDING.sub("", name)} & set(known)
    ]
    assert undecided == []
    assert set(known.values()) <= set(Identity.__args__)  # type: ignore[attr-defined]


def test_each_text_in_a_finding_s_sentence_is_decided_too() -> None:
    undecided = {
        word
        for query in Catalog().queries.values()
        for sentence in query.description.sentences.values()
        for word in re.findall(r"\{(\w+)\}", sentence.en)
        if decision(query, word) == "left_out"
    }
    figures = re.compile(r"n_\w+|percent_\w+|\w*minutes|(grace_)?days|hours|amount|burst|left_from|local_date")
    assert sorted(word for word in undecided if not figures.fullmatch(word)) == []


def test_what_nobody_decided_is_left_out_and_words_that_nobody_knows_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    mask = Mask(Site(_settings(tmp_path)), "s")
    mask.words = frozenset({"sykepleier", "sykehjem", "-", "lest", "journal"})
    query = Catalog().query("reports/activity")
    table = pa.table(
        {
            "employee_id": ["E1"], "surprise": ["Kari Nordmann"], "country": ["NO - SE"], "n_accesses": [4],
            "peer_group": ["sykepleier | sykehjem"], "role": ["Kari"], "meaning_en": ["lest journal"],
            "unit_key": ["E1|P1|2026-10-05"], "patient_id": ["P1"], "draw_hash": ["ab"],
            "reason_values": [{"account": "kari", "n_days": 3, "note": "Kari"}], "log_type": ["lest Kari"],
        }
    )  # fmt: skip
    (row,) = mask.table(query, table).to_pylist()
    who, whom = mask.pseudonyms.of("employee", "E1"), mask.pseudonyms.of("patient", "P1")
    kept = {name: row[name] for name in ("country", "n_accesses", "peer_group", "meaning_en")}
    assert kept == {
        "country": "NO - SE",
        "n_accesses": 4,
        "peer_group": "sykepleier | sykehjem",
        "meaning_en": "lest journal",
    }
    assert (row["surprise"], row["draw_hash"]) == (None, None)
    assert (row["employee_id"], row["unit_key"]) == (who, f"{who}|{whom}|2026-10-05")
    assert PATTERN.fullmatch(row["role"])
    assert PATTERN.fullmatch(row["log_type"])
    reasons: dict[str, Any] = row["reason_values"]
    assert (reasons["account"], reasons["n_days"], reasons["note"]) == (mask.pseudonyms.of("employee", "kari"), 3, None)
    shown, described = mask.without_left_out(query, mask.table(query, table), query.description.columns)
    assert "surprise" not in shown.column_names
    assert "employee_name" not in described or "employee_name" not in table.column_names


def test_a_key_that_is_there_is_kept_and_a_missing_or_damaged_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="no key"):
        pseudonym_key(tmp_path, is_made=False)
    made = pseudonym_key(tmp_path)
    assert pseudonym_key(tmp_path) == made
    assert len(made) == 32
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]
    (tmp_path / KEY_NAME).write_text("00ff", encoding="ascii")
    with pytest.raises(KeyFileError, match="not a pseudonym key"):
        pseudonym_key(tmp_path)


def _settings(folder: Path) -> Path:
    text = 'name: Nordli\ncountry: "NO"\nlanguage: nb\ntime_zone: Europe/Oslo\n'
    (folder / "site" / "settings.yml").write_text(text, encoding="utf-8")
    return folder / "site"
