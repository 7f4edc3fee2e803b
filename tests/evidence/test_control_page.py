"""The page over the use log in a month's bag, and the data-protection officer's view of the same site."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest
import yaml
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.evidence import keys
from audit_kernel.evidence.control_page import ControlPage
from audit_kernel.evidence.masked_run import copy_masked_site
from audit_kernel.evidence.masking import Mask
from audit_kernel.evidence.month import MonthRun, is_used_apart, month_days, run_month
from audit_kernel.evidence.reproduce import reproduce
from audit_kernel.evidence.restricted import KeptApart
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.evidence.verify import verify
from audit_kernel.journal import Journal
from audit_kernel.locale import LANGUAGES
from audit_kernel.officer.page import officer_page, warnings
from audit_kernel.officer.reading import Overview, overview
from audit_kernel.pseudonyms import MONTHLY, pseudonym_key, scope_of
from audit_kernel.site import Site
from audit_kernel.store.reading import Store
from audit_kernel.use_log import FILE, login_user, operating_system_user, record_use
from audit_kernel.use_log_rows import place_now
from tests.evidence.hostile_site import HOSTILE, make_hostile_site
from tests.evidence.test_month import pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "control_of_the_controllers"
USER = login_user() or operating_system_user()
PURPOSE = f"nysgjerrig {HOSTILE[0]} {HOSTILE[10]}"


@pytest.fixture(scope="module")
def month() -> str:
    """This month: lines of the use log bear the day on which they were written."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return f"{datetime.now(ZoneInfo('Europe/Oslo')):%Y-%m}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site whose user is employee E1, and who looked at herself, at a colleague and at a patient."""
    made = make_hostile_site(tmp_path_factory.mktemp("controllers"), 30)
    (made.folder / "parameters" / "schedule.yml").write_text(f"monthly: [{NAME}]\n")
    with (made.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"use_log:\n    users: [{{user: {USER}, employee: E1}}]\n")
    made = Site(made.folder)
    with Store(made, PURPOSE) as store:
        for person in ({"employee_id": "E1"}, {"employee_id": "E2"}, {"patient_id": "P3"}):
            store.report("activity", from_date="2026-10-01", to_date="2026-10-31", **person)
    record_use(made, "sak 2026/17", "export", {"rows": 12})
    return made


@pytest.fixture(scope="module")
def run(site: Site, month: str) -> MonthRun:
    return run_month(site, month, language="en")


def table(run: MonthRun, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(run.bag / f"data/tables/{name}.parquet").to_pylist()
    return rows


def test_the_month_tells_who_looked_at_whom_and_without_a_case_number(site: Site, run: MonthRun) -> None:
    assert run.is_complete, run.outcomes
    assert verify(run.bag.parent, site.keys_folder / keys.PUBLIC_NAME) == []
    own = [row for row in table(run, NAME) if not row["is_control"]]
    assert [(row["employee_id"], row["n_questions"], row["n_without_case"], row["n_acts"]) for row in own] == [
        ("E1", 3, 3, 1)
    ]
    asked = {(row["employee_id"], row["patient_id"]) for row in table(run, f"{NAME}_use_by_person")}
    assert asked == {("E1", None), ("E2", None), (None, "P3")}
    ties = {(row["use_tie"], row["employee_id"]) for row in table(run, f"{NAME}_use_of_colleagues")}
    assert ties == {("own_log", "E1"), ("same_unit", "E2")}
    assert [row["n_rows"] for row in table(run, f"{NAME}_use_acts")] == [12]


def test_the_page_holds_no_markup_of_a_purpose_and_says_what_it_cannot_see(run: MonthRun) -> None:
    text = pages(run)[NAME].decode()
    assert "<script" not in text
    assert "\u202e" not in text
    assert "nysgjerrig &lt;script&gt;" in text
    assert "This page sees nobody who reads the store&#39;s files" in text
    index = pages(run)["index"].decode()
    assert "3 questions by people" in index


def test_the_page_is_made_again_byte_for_byte_after_more_use(site: Site, run: MonthRun) -> None:
    with Store(site, "sak 2026/18") as store:
        store.names("employee", {"E1"})
        store.sql("select 1 as one")
    again = reproduce(site, run.bag.name)
    assert again.is_identical, again


class Shown(ControlPage):
    """The page outside a notebook: what it shows is kept."""

    shown: list[Any]

    def _show(self, *objects: Any) -> None:
        self.__dict__.setdefault("shown", []).extend(objects)


def shown(site: Site, folder: Path, month: str, parts: Mapping[str, Any] | None = None, **given: Any) -> Shown:
    """Make the page over today's use log."""
    folder.mkdir(exist_ok=True)
    (bag,) = site.archive_folder.glob("*-monthly-*")
    statement = json.loads((bag / "data" / "statement.json").read_bytes())
    snapshot = int(statement["predicate"]["buildDefinition"]["internalParameters"]["snapshot"])
    path = folder / "run.json"
    path.unlink(missing_ok=True)
    RunFile(str(site.folder), snapshot, "testing", 1, str(folder / "tables"), **given).write(path)
    (folder / "tables").mkdir(exist_ok=True)
    period = {"from_date": f"{month}-01", "to_date": f"{month}-28", **(parts or {})}
    page = Shown(NAME, str(path), "en", period)
    for part in ("heading", "summary", "table", "purposes", "people", "colleagues", "acts", "method"):
        getattr(page, part)()
    page.store.close()
    return page


def texts(page: Shown) -> str:
    return "\n".join(each.plain_text() for each in page.shown)


@pytest.fixture
def copy(site: Site, run: MonthRun, tmp_path: Path) -> Site:
    """A copy of the site with its sealed month, to be changed."""
    assert run.bag.is_dir()
    shutil.copytree(site.folder, tmp_path / "copy")
    return Site(tmp_path / "copy")


def without_users(site: Site) -> Site:
    path = site.folder / "settings.yml"
    path.write_text(path.read_text(encoding="utf-8").split("use_log:")[0], encoding="utf-8")
    return Site(site.folder)


def test_without_a_mapping_of_users_colleagues_are_not_assessable_and_never_none(copy: Site, tmp_path: Path) -> None:
    page = shown(without_users(copy), tmp_path / "page", "2020-01")
    said = texts(page)
    assert "Look-ups of oneself: not assessable" in said
    assert "does not say which employee a user is" in said
    assert "0 questions by people (users: 0). Lines of the use log read: 0." in said
    assert "None, among 0 lines of the use log." in said


def test_a_broken_use_log_is_told_on_the_page_and_a_broken_end_is_not_assessable(
    copy: Site, tmp_path: Path, month: str
) -> None:
    path = copy.journals_folder / FILE
    path.write_bytes(path.read_bytes().replace(b'"patient_id":"P3"', b'"patient_id":"P4"', 1))
    said = texts(shown(copy, tmp_path / "page", month))
    assert "1 line of the use log is damaged and was passed over" in said
    cut = {"use_log": f"9999 {'0' * 64}"}
    assert "it was changed or cut off" in texts(shown(copy, tmp_path / "page", month, cut))


def test_questions_about_somebody_in_an_open_case_are_not_on_the_ordinary_page(
    copy: Site, tmp_path: Path, month: str
) -> None:
    apart = tmp_path / "apart.json"
    apart.write_text(json.dumps({"employee_id": ["E2"], "patient_id": [], "n_findings": 0}))
    ordinary = shown(copy, tmp_path / "one", month, kept_apart=str(apart))
    assert "E2" not in texts(ordinary)
    assert "lines about people in open cases are left out" in texts(ordinary)
    own = shown(copy, tmp_path / "two", month, kept_apart=str(apart), shows_restricted=True)
    assert "E2" in texts(own)


def test_a_masked_page_names_nobody_and_shows_no_purpose_and_keeps_apart_all_the_same(
    copy: Site, tmp_path: Path, month: str
) -> None:
    scope = scope_of(pseudonym_key(copy.keys_folder), MONTHLY)
    page = shown(copy, tmp_path / "all", month, scope=scope)
    written = b"".join(path.read_bytes() for path in (tmp_path / "all" / "tables").iterdir())
    assert not [word for word in ("nysgjerrig", USER, "E1", "E2", "P3") if f"\t{word}\t" in texts(page)]
    assert b"nysgjerrig" not in written
    rows = page.parts["use_by_person"].table.to_pylist()  # type: ignore[union-attr]
    assert {(row[name] or "A-")[:2] for row in rows for name in ("user_name", "employee_id")} == {"A-"}
    apart = tmp_path / "apart.json"
    held = Mask(copy, scope).ids("employee", ["E2"])
    apart.write_text(json.dumps({"employee_id": sorted(held), "patient_id": [], "n_findings": 0}))
    ordinary = shown(copy, tmp_path / "one", month, scope=scope, kept_apart=str(apart))
    assert ordinary.parts["use_by_person"].table.num_rows == 0  # type: ignore[union-attr]


def test_settings_sealed_with_masked_evidence_name_no_user(copy: Site, tmp_path: Path) -> None:
    (tmp_path / "inputs" / "site").mkdir(parents=True)
    copy_masked_site(copy, scope_of(pseudonym_key(copy.keys_folder), MONTHLY), tmp_path / "inputs")
    (user,) = yaml.safe_load((tmp_path / "inputs" / "settings.yml").read_text(encoding="utf-8"))["use_log"]["users"]
    assert (user["user"][:2], user["employee"][:2]) == ("A-", "A-")


def test_the_run_for_the_privacy_officer_is_made_for_lines_about_people_in_open_cases_alone(
    copy: Site, month: str
) -> None:
    first, last = month_days(month)
    place = place_now(copy)
    assert is_used_apart(copy, place, first, last, KeptApart(frozenset({"E2"})))
    assert not is_used_apart(copy, place, first, last, KeptApart(frozenset({"E3"})))
    assert not is_used_apart(copy, place, first, last, KeptApart())
    assert not is_used_apart(copy, None, first, last, KeptApart(frozenset({"E2"})))


def seen(site: Site, month: str, **given: Any) -> Overview:
    return overview(site, month, month, **given)


def test_the_officer_sees_months_use_and_journals_without_a_store_and_without_people(copy: Site, month: str) -> None:
    shutil.rmtree(copy.store_folder)
    shutil.rmtree(copy.folder / "logs")
    before = {path: path.stat().st_mtime_ns for path in copy.folder.rglob("*") if path.suffix != ".lock"}
    found = seen(copy, month)
    assert [(each.month, each.n_checks, each.closed_on) for each in found.months] == [(month, 0, "")]
    assert [(use.case_number, use.n_questions, use.n_acts, len(use.people)) for use in found.uses][:2] == [
        ("", 3, 0, 3),
        ("2026/17", 0, 1, 0),
    ]
    assert found.uses[-1].is_control
    assert [(each.file, each.breaks) for each in found.journals if each.file == FILE] == [(FILE, ())]
    assert found.head_code
    for language in LANGUAGES:
        text = officer_page(copy, found, language)
        assert "nysgjerrig" not in text
        assert "<script" not in text
        assert not [each for each in (">E2<", ">P3<", ">E1<") if each in text]
    assert before == {path: path.stat().st_mtime_ns for path in copy.folder.rglob("*") if path.suffix != ".lock"}


def test_the_officer_needs_neither_keys_nor_what_only_the_privacy_officer_reads(copy: Site, month: str) -> None:
    shutil.rmtree(copy.keys_folder)
    shutil.rmtree(copy.restricted_folder)
    found = seen(copy, month)
    assert not found.reads_restricted
    assert any("compare its fingerprint with the filed one" in text for text in warnings(found, "en"))


def test_the_officer_is_told_of_a_cut_journal_a_changed_bag_and_a_month_without_a_run(copy: Site, month: str) -> None:
    path = copy.journals_folder / FILE
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    page = next(copy.archive_folder.glob(f"{month}-monthly-*")) / "data" / "pages" / "index.html"
    page.write_bytes(page.read_bytes() + b" ")
    found = overview(copy, "2026-01", "2026-02", "en")
    told = warnings(found, "en")
    assert [each.state for each in found.months] == ["missing", "missing"]
    assert any("which sealed evidence names, is missing" in text for text in told), told
    assert any("index.html" in text for text in told)


def test_the_officer_sees_the_course_of_a_case_and_nothing_that_was_said(copy: Site, month: str) -> None:
    journal = Journal(copy.journals_folder / "case-0123456789abcdef.jsonl")
    journal.append(
        {"did": "opened", "user": "kari", "number": "2026/99", "purpose": "secret words", "subjects": ["E2"]}
    )
    journal.append({"did": "note", "user": "kari", "text": "secret words"})
    journal.append({"did": HOSTILE[0], "user": "kari"})
    Journal(copy.journals_folder / "case-empty.jsonl").append({"did": "note", "user": "kari"})
    found = seen(copy, month)
    assert [(each.number, [did for _at, did in each.lines]) for each in found.cases] == [
        ("2026/99", ["opened", "note"])
    ]
    assert "secret words" not in officer_page(copy, found, "nb")


def test_the_command_prints_a_summary_writes_a_page_and_gives_json(copy: Site, month: str, tmp_path: Path) -> None:
    page = tmp_path / "control.html"
    at = ["--from", month, "--to", month, "--site", str(copy.folder)]
    done = CliRunner().invoke(app, ["officer", *at, "--out", str(page), "--language", "sv"])
    assert done.exit_code == 0, done.output
    assert page.stat().st_mode & 0o077 == 0
    assert "en körning från före månadens slut" in done.output
    again = CliRunner().invoke(app, ["officer", *at, "--out", str(page)])
    assert again.exit_code != 0
    plain = json.loads(CliRunner().invoke(app, ["officer", *at, "--json"]).stdout)
    assert plain["uses"][0]["n_people"] == 3
    assert "people" not in plain["uses"][0]
    assert not {"used", "people", "lines"} & set(plain)
