"""A month from log to sealed pages: the same bytes twice, verifiable without us, harmless to its reader."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet
import pytest
import yaml

from audit_kernel.errors import MonthIncompleteError, ParameterError, UsageError
from audit_kernel.evidence.month import MonthRun, month_days, run_month, run_report
from audit_kernel.evidence.verify import verify
from audit_kernel.site import Site
from tests.conftest import VNU
from tests.evidence.browser import chromium, look, look_in_firefox
from tests.evidence.hostile_site import HOSTILE, make_hostile_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEDULE = Path(__file__).parents[2] / "parameters" / "schedule.yml"
EVERY = tuple(yaml.safe_load(SCHEDULE.read_text(encoding="utf-8"))["monthly"])
# Every kind of page; `make soak` makes all of them in each language.
AGAIN = ("completeness", "explained_share", "checks/many_accesses", "checks/units", "random_sample", "ranked_findings")
EMPTY = (*AGAIN, "checks/controlled_drugs", "checks/third_country", "control_of_the_controllers")
AGAIN, EMPTY = (EVERY, EVERY) if "SOAK" in os.environ else (AGAIN, EMPTY)
# These rest on what else the month asked.
OF_THE_WHOLE = {"index", "certificate", "ranked_findings"}


def pages_of(names: Iterable[str]) -> set[str]:
    return {name.split("/")[-1] for name in names} | {"index", "certificate"}


PAGES = pages_of(EVERY)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_hostile_site(tmp_path_factory.mktemp("hostile"))


@contextmanager
def scheduled(site: Site, names: Iterable[str]) -> Iterator[None]:
    """Let a month of the site have these notebooks only."""
    own = site.folder / "parameters" / "schedule.yml"
    before = own.read_text(encoding="utf-8") if own.is_file() else None
    own.write_text(f"monthly: [{', '.join(names)}]\n", encoding="utf-8")
    yield
    own.unlink() if before is None else own.write_text(before, encoding="utf-8")


@pytest.fixture(scope="module")
def months(site: Site) -> tuple[MonthRun, MonthRun]:
    """A whole month with one thread, and some of its notebooks again with two; `make soak` makes whole ones again."""
    first = run_month(site, "2026-10", seed="dice 4 1 6", threads=1)
    with scheduled(site, AGAIN):
        return first, run_month(site, "2026-10", seed="dice 4 1 6", threads=2)


@pytest.fixture(scope="module")
def empty(site: Site) -> MonthRun:
    with scheduled(site, EMPTY):
        return run_month(site, "2027-02", seed="x", language="en")


@pytest.fixture(scope="module")
def thrown_again(site: Site, months: tuple[MonthRun, MonthRun], tmp_path_factory: pytest.TempPathFactory) -> MonthRun:
    copy = Site(shutil.copytree(site.folder, tmp_path_factory.mktemp("again") / "site"))
    with scheduled(copy, AGAIN):
        return run_month(copy, "2026-10", seed="dice 2 2 2", draw_again="the dice fell off the table", language="sv")


@pytest.fixture(scope="module")
def in_languages(months: tuple[MonthRun, MonthRun], thrown_again: MonthRun, empty: MonthRun) -> dict[str, list[Path]]:
    """Return the paths of pages by their language."""
    runs = {"nb": months[0], "sv": thrown_again, "en": empty}
    return {language: sorted((run.bag / "data" / "pages").glob("*.html")) for language, run in runs.items()}


def pages(run: MonthRun) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in sorted((run.bag / "data" / "pages").glob("*.html"))}


def test_every_notebook_of_the_schedule_succeeds(months: tuple[MonthRun, MonthRun]) -> None:
    for run, names in zip(months, (EVERY, AGAIN), strict=True):
        assert run.is_complete, [outcome.reason for outcome in run.outcomes]
        assert set(pages(run)) == pages_of(names)


def test_two_runs_give_identical_pages_with_one_thread_and_with_two(months: tuple[MonthRun, MonthRun]) -> None:
    first, second = map(pages, months)
    compared = pages_of(AGAIN) - (set() if AGAIN == EVERY else OF_THE_WHOLE)
    assert [name for name in compared if first[name] != second[name]] == []


def test_two_runs_give_identical_tables(months: tuple[MonthRun, MonthRun]) -> None:
    first, second = (sorted((run.bag / "data" / "tables").iterdir()) for run in months)
    before = {path.name: path for path in first if path.stem not in OF_THE_WHOLE or AGAIN == EVERY}
    same = [path for path in second if path.name in before]
    assert len(same) >= 8
    assert [path.name for path in same if path.read_bytes() != before[path.name].read_bytes()] == []


def test_another_seed_draws_another_sample_and_changes_no_table_of_a_check(
    months: tuple[MonthRun, MonthRun], thrown_again: MonthRun
) -> None:
    first, again = (run.bag / "data" / "tables" for run in (months[0], thrown_again))
    assert (first / "draw.parquet").read_bytes() != (again / "draw.parquet").read_bytes()
    assert (first / "many_accesses.parquet").read_bytes() == (again / "many_accesses.parquet").read_bytes()


def test_pages_hold_no_script_handler_or_outside_address(months: tuple[MonthRun, MonthRun]) -> None:
    for name, page in pages(months[0]).items():
        text = page.decode()
        tags = re.findall(r"<[a-zA-Z!/][^>]*>", text)
        assert not re.search(r"<script", text, re.IGNORECASE), name
        assert not [tag for tag in tags if re.search(r"\son\w+\s*=", tag)], name
        assert not [tag for tag in tags if re.search(r"(src|href)\s*=\s*[\"']?(https?:|//|javascript:)", tag)], name
        assert not [mark for mark in "\u202e\u200b\ufeff\x00\x1b\ufffe" if mark in text], name


def test_hostile_text_is_shown_as_text(months: tuple[MonthRun, MonthRun]) -> None:
    text = pages(months[0])["random_sample"].decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_formulas_in_csv_are_neutralised_and_parquet_holds_the_raw_text(months: tuple[MonthRun, MonthRun]) -> None:
    tables = months[0].bag / "data" / "tables"
    raw = {
        value
        for path in tables.glob("*.parquet")
        for column in pyarrow.parquet.read_table(path).columns
        for value in column.to_pylist()
        if isinstance(value, str)
    }
    assert {"=cmd|' /C calc'!A0", "@import"} & raw
    text = "".join(path.read_text(encoding="utf-8") for path in tables.glob("*.csv"))
    assert not re.search(r"(^|,)\"?[=@]", text, re.MULTILINE)


@pytest.mark.requires("sha256sum")
def test_sha256sum_accepts_every_bag(months: tuple[MonthRun, MonthRun]) -> None:
    for run in months:
        done = subprocess.run(["sha256sum", "-c", "manifest-sha256.txt"], cwd=run.bag, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_the_archive_verifies_and_a_removed_month_is_named(site: Site, months: tuple[MonthRun, MonthRun]) -> None:
    assert [problem for problem in verify(site.archive_folder) if problem.is_failure] == []
    copy = site.folder.parent / "copy"
    shutil.copytree(site.archive_folder, copy)
    shutil.rmtree(copy / months[0].bag.name)
    assert months[0].bag.name in {problem.run for problem in verify(copy, site.keys_folder / "signing-key.pub.pem")}


def test_everything_the_run_depends_on_is_in_the_bag(months: tuple[MonthRun, MonthRun]) -> None:
    inputs = months[0].bag / "data" / "inputs"
    for name in (
        "settings.yml",
        "parameters/thresholds.yml",
        "parameters/legal_basis.yml",
        "parameters/schedule.yml",
        "parameters/sources/gerica.codes.yml",
        "sql/checks/many_accesses.sql",
        "sql/model/accesses.sql",
        "notebooks/check.ipynb",
        "template/template/page.css",
    ):
        assert (inputs / name).is_file(), name


def test_a_page_carries_no_time_and_no_run_id(months: tuple[MonthRun, MonthRun]) -> None:
    run_id = months[0].bag.name.removeprefix("2026-10-monthly-")
    assert not [name for name, page in pages(months[0]).items() if run_id.encode() in page]


@pytest.mark.soak  # `test_cli` and `test_kill` let notebooks fail too
def test_a_failing_notebook_leaves_its_page_and_the_others_go_on(site: Site, tmp_path: Path) -> None:
    copy = tmp_path / "site"
    shutil.copytree(site.folder, copy)
    broken = copy / "sql" / "checks" / "broken.sql"
    source = Path(__file__).parents[2] / "sql" / "checks"
    text = (source / "own_record.sql").read_text()
    broken.write_text(text.replace("from period_accesses", "from no_such_relation"))
    (copy / "sql" / "checks" / "broken.yml").write_text((source / "own_record.yml").read_text())
    (copy / "parameters" / "schedule.yml").write_text("monthly: [checks/broken, checks/blocked_searches]\n")
    run = run_month(Site(copy), "2026-10", seed="x")
    assert [outcome.succeeded for outcome in run.outcomes] == [False, True]
    with pytest.raises(MonthIncompleteError, match=r"broken failed.*run the month again"):
        run.require_complete()
    assert set(pages(run)) == {"broken", "blocked_searches", "index", "certificate"}
    assert [problem for problem in verify(copy / "archive") if problem.is_failure] == []


def test_a_report_leaves_a_bag_of_its_own(site: Site, months: tuple[MonthRun, MonthRun]) -> None:
    given = {"patient_id": "P1", "from_date": "2026-10-01", "to_date": "2026-10-31"}
    run = run_report(site, "activity", given, purpose="sak 2026/17", language="sv")
    assert run.is_complete, run.outcomes
    text = pages(run)["activity"].decode()
    assert '<html lang="sv"' in text
    assert text.count("<svg") == 2
    assert [problem for problem in verify(run.bag) if problem.is_failure] == []


@pytest.mark.soak  # a report by itself is sealed below
def test_a_check_can_be_archived_by_itself_as_it_can_be_printed(site: Site) -> None:
    period = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
    run = run_report(site, "many_accesses", period, purpose="sak 2026/17")
    assert run.is_complete, run.outcomes
    assert set(pages(run)) == {"many_accesses"}


def test_a_report_that_has_no_such_parameter_is_refused_before_anything_runs(site: Site) -> None:
    with pytest.raises(ParameterError, match="no parameter 'colour'"):
        run_report(site, "activity", {"colour": "blue"}, purpose="sak 2026/17")


def test_a_month_without_any_access_is_not_assessable_on_every_page(empty: MonthRun) -> None:
    assert empty.is_complete, empty.outcomes
    answers = {outcome.name: outcome.facts["is_assessable"] for outcome in empty.outcomes}
    of_no_log = ["completeness", "control_of_the_controllers"]
    assert [name for name, is_assessable in answers.items() if is_assessable] == of_no_log
    for name in pages_of(EMPTY) - {"completeness"}:
        assert "Not assessable" in pages(empty)[name].decode(), name


@pytest.mark.browser
@pytest.mark.requires("chromium")
def test_an_archive_on_a_stick_is_whole_in_a_browser_without_a_network(
    site: Site, months: tuple[MonthRun, MonthRun], tmp_path: Path
) -> None:
    stick = shutil.copytree(site.archive_folder, tmp_path / "stick" / "archive")
    paths = sorted((stick / months[0].bag.name / "data" / "pages").glob("*.html"))
    with chromium() as browser:
        seen = look(browser, paths)
    assert (seen.dialogs, seen.complaints, seen.too_wide) == ([], [], [])
    assert sorted(seen.requests) == [path.as_uri() for path in paths]
    assert {path.stem for path in paths} == PAGES


@pytest.mark.browser
@pytest.mark.requires("chromium")
@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("nb", 1280, "light"), ("sv", 390, "dark"), ("en", 320, "light")]
)
def test_axe_finds_no_fault_in_any_page_and_none_is_too_wide(
    in_languages: dict[str, list[Path]], language: str, width: int, scheme: str
) -> None:
    with chromium() as browser:
        seen = look(browser, in_languages[language], width, scheme=scheme, with_axe=True)
    assert (seen.faults, seen.too_wide, seen.complaints) == ([], [], [])


@pytest.mark.soak
@pytest.mark.requires("firefox-esr", "node", "vnu")
@pytest.mark.parametrize("language", ["nb", "sv", "en"])
def test_firefox_shows_every_page_whole_and_axe_finds_no_fault(
    in_languages: dict[str, list[Path]], language: str
) -> None:
    paths = in_languages[language]
    seen = look_in_firefox(paths[0].parent, 390)
    assert (seen["faults"], seen["too_wide"]) == ([], [])
    assert seen["pages"] == [path.name for path in paths]
    assert set(seen["requests"]) <= {path.as_uri() for path in paths}
    assert seen["tried"] == ["http://127.0.0.1:49151/tried"]


@pytest.mark.requires("java", "vnu")
def test_the_nu_validator_accepts_every_page(in_languages: dict[str, list[Path]]) -> None:
    paths = [str(path) for paths in in_languages.values() for path in paths]
    # It does not work out the hashes of a policy; chromium does, and shows the styles.
    asked = ["java", "-Xss4m", "-jar", str(VNU), "--filterpattern", "Inline style violates Content Security.*", *paths]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("month", ["2026-13", "2026", "oktober", "2026-1", "2026-10-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(UsageError, match=re.escape(repr(month))):
        month_days(month)


def test_the_hostile_texts_reach_the_store(site: Site) -> None:
    from audit_kernel import open_store

    with open_store(site, "testing") as store:
        seen = set(store.sql("select distinct employee_identifier from accesses").column(0).to_pylist())
    assert set(HOSTILE[:5]) <= seen
