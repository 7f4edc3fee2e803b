"""A whole month of a hostile site: what is kept apart is on no page, and the review lists go out and come back."""

from __future__ import annotations

import json
import re
import shutil

import openpyxl
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from audit_kernel import decisions
from audit_kernel.cli import app
from audit_kernel.errors import JournalError, SettingsError, UnknownSubjectError, UsageError, VerificationError
from audit_kernel.evidence import keys
from audit_kernel.evidence.month import run_month
from audit_kernel.evidence.restricted_run import restricted_problems
from audit_kernel.evidence.verify import verify
from audit_kernel.restriction import release, restrict, restrictions
from audit_kernel.review.export import export_lists
from audit_kernel.review.sealed_month import sealed_month
from audit_kernel.site import Site
from audit_kernel.store.deliver import take_in_all
from tests.evidence.hostile_site import make_hostile_site

EMPLOYEE, PATIENT, MANAGER = "E2", "P11", "E1"
REVIEW = """
review:
    reviewers: [{id: R1, name: "=Rut"}, {id: R2}]
    restrict_reporting_line: true
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """A month of one check, the sample and the ranking in which E2, patient P11 and the manager E1 are kept apart."""
    folder = tmp_path_factory.mktemp("review")
    made = make_hostile_site(folder, n_rows=600)
    files = {
        "employees": ["employee_id;name;personal_number;manager_id;valid_from;valid_to"]
        + [f"E{number};Person {number};;{MANAGER if number != 1 else ''};;" for number in range(25)],
        "patient_flags": ["patient_id;flag;detail;valid_from;valid_to"]
        + [f"P{number};sensitive;;2026-01-01;" for number in (0, 5, 8, 22)],
        # nobody's unit, so that no search has a reason
        "patients": ["patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to"]
        + [f"P{number};Person {number};;;;;;" for number in range(40)],
    }
    for kind, lines in files.items():
        path = folder / f"{kind}-2.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        _done, refused = take_in_all(made, [path], f"reference:{kind}")
        assert not refused, [str(each) for each in refused]
    settings = made.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8") + REVIEW, encoding="utf-8")
    schedule = "monthly: [checks/blocked_searches, random_sample, ranked_findings]\n"
    (made.folder / "parameters" / "schedule.yml").write_text(schedule, encoding="utf-8")
    made = Site(made.folder)
    restrict(made, "employee", EMPLOYEE, "sak 2026/17")
    restrict(made, "patient", PATIENT, "sak 2026/18")
    run = run_month(made, "2026-10", seed="dice 4 1 6", language="en", threads=1)
    run.require_complete()
    return made


def bags(site: Site):
    (ordinary,), (restricted,) = (
        [path for path in folder.iterdir() if path.is_dir()] for folder in (site.archive_folder, site.restricted_folder)
    )
    return ordinary, restricted


def findings(bag, name: str = "blocked_searches") -> list[dict]:
    return pyarrow.parquet.read_table(bag / "data" / "tables" / f"{name}.parquet").to_pylist()


def is_apart(row: dict) -> bool:
    return row["employee_id"] in (EMPLOYEE, MANAGER) or row["patient_id"] == PATIENT


def test_every_finding_is_either_on_the_ordinary_pages_or_kept_apart_and_none_is_lost(site, tmp_path):
    ordinary, restricted = bags(site)
    shown, apart = findings(ordinary), findings(restricted)
    assert [row for row in shown if is_apart(row)] == []
    assert [row for row in apart if not is_apart(row)] == []
    assert {row["employee_id"] for row in apart} >= {EMPLOYEE, MANAGER}
    assert PATIENT in {row["patient_id"] for row in apart}
    from audit_kernel import open_store

    with open_store(site, "testing") as store:
        whole = store.report("checks/blocked_searches", from_date="2026-10-01", to_date="2026-10-31").table
    assert sorted(row["finding_id"] for row in [*shown, *apart]) == sorted(whole.column("finding_id").to_pylist())


def test_no_ordinary_file_but_the_random_sample_names_a_finding_that_is_kept_apart(site):
    ordinary, restricted = bags(site)
    secret = {row["finding_id"] for row in findings(restricted)}
    for path in sorted(ordinary.rglob("*")):
        if path.is_file() and "inputs" not in path.parts:
            content = path.read_bytes()
            assert not [each for each in secret if each.encode() in content], path.name
    for name in ("blocked_searches.html", "ranked_findings.html"):
        cells = re.findall(r"<td[^>]*>([^<]*)</td>", (ordinary / "data" / "pages" / name).read_text(encoding="utf-8"))
        assert {EMPLOYEE, MANAGER, PATIENT} & {cell.strip() for cell in cells} == set()
        assert "E3" in {cell.strip() for cell in cells}


def test_index_and_certificate_say_how_many_over_all_checks_and_each_page_that_something_is_left_out(site):
    ordinary, restricted = bags(site)
    count = len(findings(restricted))
    assert count > 3
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (ordinary / "data" / "pages").glob("*.html")}
    said = f"{count} findings are kept for the privacy officer and stand on no page or list here."
    assert sorted(name for name, page in pages.items() if said in page) == ["certificate", "index"]
    left_out = "What is kept for the privacy officer is not on this page"
    assert sorted(name for name, page in pages.items() if left_out in page) == [
        "blocked_searches",
        "random_sample",
        "ranked_findings",
    ]
    own = (restricted / "data" / "pages" / "blocked_searches.html").read_text(encoding="utf-8")
    assert "this page holds only what is kept for the privacy officer" in own


def test_the_ordinary_statement_tells_number_and_fingerprint_but_neither_whom_nor_which_check(site):
    ordinary, restricted = bags(site)
    statement = json.loads((ordinary / "data" / "statement.json").read_bytes())
    told = statement["predicate"]["buildDefinition"]["externalParameters"]["restricted"]
    assert told["n_findings"] == len(findings(restricted))
    assert told["run"] == restricted.name
    assert set(told) == {"n_findings", "run", "tagmanifest_sha256"}
    listed = json.loads((restricted / "data" / "kept_apart.json").read_bytes())
    assert listed["employee_id"] == sorted([MANAGER, EMPLOYEE, "R1", "R2"])
    assert PATIENT in listed["patient_id"]  # with every identifier of any log


def test_the_ranking_is_split_too_and_each_counts_its_own_only(site):
    ordinary, restricted = bags(site)
    shown, apart = (findings(bag, "ranked_findings") for bag in (ordinary, restricted))
    assert [row for row in shown if is_apart(row)] == []
    assert {row["finding_id"] for row in apart} == {row["finding_id"] for row in findings(restricted)}
    assert min(row["place"] for row in shown if row["reviewer_id"] == MANAGER) == 1


def test_the_archive_beside_verifies_and_its_removal_or_change_shows(site, tmp_path):
    public = site.keys_folder / keys.PUBLIC_NAME
    assert [each for each in verify(site.archive_folder, public) if each.is_failure] == []
    assert restricted_problems(site, public) == []
    copy = tmp_path / "site"
    shutil.copytree(site.folder, copy)
    _ordinary, restricted = bags(Site(copy))
    page = restricted / "data" / "pages" / "index.html"
    page.chmod(0o600)
    page.write_bytes(page.read_bytes() + b" ")
    assert {each.code for each in restricted_problems(Site(copy), public)} == {"file_changed"}
    shutil.rmtree(copy / "restricted")
    (copy / "restricted").mkdir()
    assert [each.code for each in restricted_problems(Site(copy), public)] == ["restricted_missing"]
    done = CliRunner().invoke(app, ["verify", "--site", str(copy), "--json"])
    assert done.exit_code == 1
    assert "restricted_missing" in done.output


def test_who_is_kept_apart_is_looked_up_recorded_and_released(site, tmp_path):
    copy = tmp_path / "site"
    shutil.copytree(site.folder, copy)
    site = Site(copy)
    with pytest.raises(UnknownSubjectError):
        restrict(site, "employee", "NOBODY", "sak 2026/19")
    with pytest.raises(UsageError, match="on the list already"):
        restrict(site, "employee", EMPLOYEE, "sak 2026/19")
    with pytest.raises(UsageError, match="No purpose"):
        restrict(site, "employee", "E3", " ")
    with pytest.raises(UsageError, match="is not on the list"):
        release(site, "patient", "P1", "sak 2026/19")
    release(site, "patient", PATIENT, "sak 2026/18 avsluttet")
    assert [(each.kind, each.subject_id, each.reason) for each in restrictions(site)] == [
        ("employee", EMPLOYEE, "sak 2026/17")
    ]
    runner = CliRunner()
    shown = json.loads(runner.invoke(app, ["restrict", "show", "--site", str(site.folder), "--json"]).output)
    assert [each["subject_id"] for each in shown] == [EMPLOYEE]
    both = ["restrict", "add", "--reason", "sak 1", "--employee", "E3", "--patient", "P1", "--site", str(site.folder)]
    assert "Not one person was named" in str(runner.invoke(app, both).exception)
    journal = site.journals_folder / "restricted.jsonl"
    lines = journal.read_text(encoding="utf-8")
    assert lines.count("\n") == 3
    journal.write_text(lines.replace(EMPLOYEE, "E9"), encoding="utf-8")
    with pytest.raises(JournalError, match="is damaged"):  # whom to keep apart is not known, so nothing is shown
        run_month(site, "2026-10", seed="x")


def test_lists_go_out_for_the_sample_and_the_ranked_findings_and_come_back(site, tmp_path):
    ordinary, _restricted = bags(site)
    runner, folder = CliRunner(), tmp_path / "lists"
    command = ["review", "export", "2026-10", str(folder), "--site", str(site.folder), "--json"]
    out = json.loads(runner.invoke(app, command).output)
    lists = {each["reviewer_id"]: each for each in out["lists"]}
    expected = {("sample", row["unit_key"]) for row in findings(ordinary, "draw")}
    expected |= {
        ("finding", row["finding_id"]) for row in findings(ordinary, "ranked_findings") if row["is_within_budget"]
    }
    targeted = {row["unit_key"]: row for row in findings(ordinary, "draw_targeted")}
    assert [row for row in targeted.values() if is_apart(row)] == []
    expected |= {("targeted", key) for key in targeted if ("sample", key) not in expected}
    known = decisions.lists(site, "2026-10")
    assert {(row["kind"], key) for entry in known for row in entry["rows"] for key in row["keys"]} == expected
    assert sum(each["n_rows"] for each in lists.values()) == sum(len(entry["rows"]) for entry in known)
    assert {"R1", MANAGER} <= set(lists)
    assert oct((folder).stat().st_mode)[-3:] == "700"
    assert {oct(path.stat().st_mode)[-3:] for path in folder.iterdir()} == {"600"}
    by_key = targeted | {row["unit_key"]: row for row in findings(ordinary, "draw")}
    by_key |= {row["finding_id"]: row for row in findings(ordinary, "ranked_findings")}
    for entry in known:
        whose = {by_key[key]["employee_id"] for row in entry["rows"] for key in row["keys"]}
        assert entry["reviewer_id"] not in whose
    again = json.loads(runner.invoke(app, command).output)
    assert [each["list_id"] for each in again["lists"]] == [each["list_id"] for each in out["lists"]]
    assert decisions.lists(site, "2026-10") == known

    book = openpyxl.load_workbook(lists[MANAGER]["path"])
    sheet = book.worksheets[0]
    protected = {row["patient_name"] for row in by_key.values() if row["patient_id"] in {"P0", "P5", "P8", "P22"}}
    assert protected
    masked = [line for line in sheet.iter_rows(min_row=5, values_only=True) if "masked" in str(line[3])]
    assert masked
    assert {line[5] for line in masked} == {None}
    assert {cell.data_type for line in sheet.iter_rows() for cell in line if cell.value is not None} == {"s"}
    sheet["I5"], sheet["K5"] = "Justified", "on duty"
    sheet["J5"] = "Justified: took part in the patient's care"
    book.save(lists[MANAGER]["path"])

    refused = runner.invoke(app, command)
    assert "a reviewer's answers" in str(refused.exception)
    import_ = ["review", "import", lists[MANAGER]["path"], "--site", str(site.folder), "--json"]
    assert json.loads(runner.invoke(app, import_).output)["taken_in"][0]["n_decided"] == 1
    assert json.loads(runner.invoke(app, import_).output)["taken_in"][0]["is_repeated"] is True
    show = ["review", "show", "2026-10", "--site", str(site.folder), "--json"]
    open_rows = {
        each["reviewer_id"]: each["n_open"] for each in json.loads(runner.invoke(app, show).output)["reviewers"]
    }
    assert open_rows == {key: each["n_rows"] - (key == MANAGER) for key, each in lists.items()}


def test_who_came_on_the_list_after_the_month_was_run_is_left_off_the_lists_and_counted(site, tmp_path):
    copy = tmp_path / "site"
    shutil.copytree(site.folder, copy)
    site = Site(copy)
    (site.journals_folder / decisions.FILE).unlink(missing_ok=True)
    ordinary, _restricted = bags(site)
    ranked = [row for row in findings(ordinary, "ranked_findings") if row["is_within_budget"]]
    someone = next(row["employee_id"] for row in ranked if str(row["employee_id"]).startswith("E"))
    reviews = {(row["employee_id"], row["patient_id"]) for row in ranked if row["employee_id"] == someone}
    restrict(site, "employee", someone, "sak 2026/20")
    _made, warnings = export_lists(site, "2026-10", tmp_path / "lists")
    keys = {key for entry in decisions.lists(site) for row in entry["rows"] for key in row["keys"]}
    assert keys & {row["finding_id"] for row in ranked} == {
        row["finding_id"] for row in ranked if row["employee_id"] != someone
    }
    assert [text for text in warnings if f"{len(reviews)} row" in text and "kept for the privacy officer" in text]


def test_no_list_is_made_from_a_changed_run_an_unknown_month_or_a_month_without_ranking(site, tmp_path):
    copy = tmp_path / "site"
    shutil.copytree(site.folder, copy)
    site = Site(copy)
    with pytest.raises(UsageError, match="has no sealed run"):
        sealed_month(site, "2026-09")
    ordinary, _restricted = bags(site)
    table = ordinary / "data" / "tables" / "ranked_findings.parquet"
    content = table.read_bytes()
    table.chmod(0o600)
    table.write_bytes(content[:-1] + b"\0")
    with pytest.raises(VerificationError, match="was changed"):
        export_lists(site, "2026-10", tmp_path / "lists")
    assert not (tmp_path / "lists").exists()


def test_a_month_whose_checks_are_not_ranked_makes_no_list(site, tmp_path, monkeypatch):
    from audit_kernel.review import candidates

    monkeypatch.setattr(candidates, "RANKING", "no_such_table")
    with pytest.raises(SettingsError, match="ranks no findings"):
        export_lists(site, "2026-10", tmp_path / "lists")
    assert not (tmp_path / "lists").exists()


def test_rows_about_the_managers_home_go_to_the_next_and_every_row_of_a_whole_double_share_has_two(site, tmp_path):
    copy = tmp_path / "site"
    shutil.copytree(site.folder, copy)
    settings = copy / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8") + "    double_share: 100\n", encoding="utf-8")
    site, home = Site(copy), tmp_path / "households.csv"
    lines = ["household_id;employee_id;patient_id;valid_from;valid_to", f"H1;{MANAGER};;;", "H1;E3;;;", "H2;E4;;;"]
    home.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _done, refused = take_in_all(site, [home], "reference:households")
    assert not refused
    (site.journals_folder / decisions.FILE).unlink(missing_ok=True)
    export_lists(site, "2026-10", tmp_path / "lists")
    ordinary, _restricted = bags(site)
    whose = {row["unit_key"]: row["employee_id"] for row in findings(ordinary, "draw")}
    whose |= {row["finding_id"]: row["employee_id"] for row in findings(ordinary, "ranked_findings")}
    listed: dict[str, list[tuple[str, bool]]] = {}
    for entry in decisions.lists(site):
        for row in entry["rows"]:
            for key in row["keys"]:
                listed.setdefault(key, []).append((entry["reviewer_id"], row.get("is_second", False)))
    assert {len(each) for each in listed.values()} == {2}
    assert {tuple(sorted(is_second for _who, is_second in each)) for each in listed.values()} == {(False, True)}
    first = {key: next(who for who, is_second in each if not is_second) for key, each in listed.items()}
    of_home = {first[key] for key in first if whose.get(key) == "E3"}
    assert of_home == {"R1"}
    assert MANAGER in {first[key] for key in first if whose.get(key) == "E4"}
    assert MANAGER not in {who for key, each in listed.items() if whose.get(key) == "E3" for who, _second in each}
