"""A year from sealed bags alone: every cell of its overview, what measures were followed by, what changed."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest
from lxml import html
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.closing.close import close_month
from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.evidence.verify import verify
from audit_kernel.site import Site
from audit_kernel.yearly.reading import read_year
from audit_kernel.yearly.run import YearRun, run_year
from tests.evidence.sealed_months import days, decide, finding, make_site, seal_month
from tests.evidence.sealing import rewrite

CHANGED = """
foreign_unit_minimum_patients:
  - value: 5
    reason: {en: "Too many", sv: "För många", nb: "For mange"}
    approved_by: "K. Lie"
    valid_from: 2026-03-01
"""
NOT_RUN = "not run"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """January, twice; February, closed with a measure; March with a failed check and another threshold."""
    site = make_site(tmp_path_factory.mktemp("year"))
    seal_month(site, "2026-01", {"own_record": 9, "media_interest": 0, "units": 1}, run_id="20260201T000000Z-aaaa")
    seal_month(site, "2026-01", {"own_record": 5, "media_interest": 0, "units": "no units"}, n_restricted=2)
    seal_month(site, "2026-02", {"own_record": 2, "media_interest": 0, "units": "no units"})
    said = dict.fromkeys([*days(), finding("2026-02", "own_record", 0)], ("justified", "care_team"))
    decide(site, "2026-02", {**said, finding("2026-02", "own_record", 1): ("unjustified", "curiosity")})
    close_month(site, "2026-02", "Kari Lie", "MAS", ["own_record: staff reminded", "all talked to"])
    (site.folder / "parameters" / "thresholds.yml").write_text(CHANGED, encoding="utf-8")
    seal_month(site, "2026-03", {"own_record": 0, "media_interest": 0, "units": "!"}, is_sampled=False)
    return site


@pytest.fixture(scope="module")
def made(site) -> YearRun:
    return run_year(site, "2026", "en", date(2026, 11, 30))


def table(path, caption):
    page = html.document_fromstring(path.read_text(encoding="utf-8"))
    (found,) = (each for each in page.iter("table") if each.find("caption").text_content().strip().startswith(caption))
    return [[cell.text_content() for cell in row] for row in found.iterfind("tbody/tr")]


def text(path):
    return html.document_fromstring(path.read_text(encoding="utf-8")).find(".//main").text_content()


def test_every_cell_is_findings_none_not_assessable_failed_not_run_or_not_over(made):
    rows = table(made.overview, "The same as a table")
    assert [row[:5] for row in rows] == [
        ["One's own record", "5", "2", "0", NOT_RUN],
        ["Searches for a person of media interest", "0", "0", "0", NOT_RUN],
        ["Access at residences and units", "not assessable", "not assessable", "failed", NOT_RUN],
        ["Kept for the privacy officer, all checks", "2", "0", "0", NOT_RUN],
        ["Random sample: unjustified at most", "not closed", "52.0%", "not closed", NOT_RUN],
    ]
    assert {len(row) for row in rows} == {13}
    assert rows[0][9:] == [NOT_RUN, NOT_RUN, "not over", "not over"]  # read on the last day of November


def test_the_picture_tells_cells_apart_by_sign_and_draws_a_line_for_each_check(made):
    page = html.document_fromstring(made.overview.read_text(encoding="utf-8"))
    (picture,) = page.iter("svg")
    signs = [each.text for each in picture.iter("text")]
    assert (signs.count("?"), signs.count("\N{MULTIPLICATION SIGN}"), signs.count("\N{EN DASH}")) == (2, 1, 21)
    assert signs.count("\N{MIDDLE DOT}") == 6
    assert (signs.count("0"), signs.count("5"), signs.count("2")) == (4, 1, 1)
    lines = [each for each in picture.iter("line") if "line-series" in each.get("class", "")]
    assert len(lines) == 4  # two checks over three months each; the third was never assessed


def test_the_months_say_what_lacks_and_who_closed(made):
    rows = table(made.evaluation, "The months")
    assert rows[0][:6] == ["January 2026", "5", "1", "\N{EN DASH}", "\N{EN DASH}", "not closed"]
    assert rows[1][:6] == ["February 2026", "2", "1", "1", "0", "52.0%"]
    assert rows[1][6].startswith("Kari Lie, MAS, 20")
    assert rows[3][1:] == [NOT_RUN, NOT_RUN, "\N{EN DASH}", "\N{EN DASH}", NOT_RUN, "not closed"]
    said = text(made.evaluation)
    assert "No row was given to two reviewers, so nothing is known of how far reviewers agree." in said
    assert "Not controlled: April 2026, May 2026" in said
    assert "October 2026." in said
    assert rows[10][1:3] == rows[11][1:3] == ["not over", "not over"]
    assert "Controlled but not closed: January 2026, March 2026." in said
    assert "3 of 12 months were controlled and 1 closed. 7 findings in all, and 2 kept for the privacy officer." in said


def test_decisions_stand_by_check_and_unit_and_measures_with_what_followed(made):
    assert [row[2:] for row in table(made.evaluation, "Decisions by check")] == [
        ["1", "1", "0", "0", "0"],
        ["1", "0", "1", "0", "0"],
        ["2", "2", "0", "0", "0"],
        ["2", "2", "0", "0", "0"],
    ]
    assert table(made.evaluation, "Measures taken") == [
        ["February 2026", "One's own record", "staff reminded", "5, 2", "0"],
        ["February 2026", "All checks", "all talked to", "5, 2", "0"],
    ]


def test_checks_that_found_nothing_stand_apart_from_those_that_could_not_look(made):
    assert table(made.evaluation, "Found nothing") == [["Searches for a person of media interest", "3", "0"]]
    said = "Without an answer in every month: Access at residences and units. Nothing is known of what they ask."
    assert said in text(made.evaluation)


def test_a_threshold_that_changed_stands_with_both_values_from_the_sealed_inputs(made):
    (row,) = table(made.evaluation, "Changes")
    assert row == ["March 2026", "Fewest patients of a finding", "3", "5", "Too many", "K. Lie, 2026-03-01"]


def test_the_year_is_a_bag_that_names_all_it_rests_on_and_nothing_of_the_store(site, made):
    statement = json.loads((made.bag / "data" / "statement.json").read_bytes())["predicate"]["buildDefinition"]
    named = [each["name"] for each in statement["resolvedDependencies"]]
    assert [name[:16] for name in named] == [
        "2026-01-monthly-",
        "2026-02-monthly-",
        "2026-02-closing-",
        "2026-03-monthly-",
    ]
    assert "20260201T000000Z-aaaa" not in named[0]  # January's newest run
    assert [each for each in verify(site.archive_folder) if each.is_failure] == []
    assert not list(site.store_folder.iterdir())


def test_an_archive_that_does_not_verify_gives_no_year(site, tmp_path):
    copy = Site(shutil.copytree(site.folder, tmp_path / "site"))
    old = next(copy.archive_folder.glob("2026-01-monthly-*-aaaa"))  # not even the run that would be shown
    rewrite(old / "data" / "pages" / "index.html", b"<p>y</p>")
    with pytest.raises(VerificationError, match=old.name):
        run_year(copy, "2026")
    shutil.rmtree(old)
    with pytest.raises(VerificationError, match=old.name):
        read_year(copy, "2026", date(2027, 1, 1))


def test_a_year_without_a_run_and_what_is_no_year_are_refused(site, tmp_path):
    with pytest.raises(UsageError, match="No month of 2025 has a sealed run"):
        run_year(site, "2025")
    with pytest.raises(UsageError, match="is not a year"):
        run_year(site, "2026-01")
    with pytest.raises(UsageError, match="No month of 2026"):
        run_year(make_site(tmp_path), "2026")


def test_a_month_that_ran_again_after_its_closing_is_named(site, tmp_path):
    copy = Site(shutil.copytree(site.folder, tmp_path / "site"))
    seal_month(copy, "2026-02", {"own_record": 3}, is_sampled=False)
    done = CliRunner().invoke(app, ["year", "2026", "--language", "sv", "--json", "--site", str(copy.folder)])
    assert done.exit_code == 0, done.output
    page = json.loads(done.output)["evaluation"]
    said = "Kördes på nytt efter avslutet, så bedömningarna hör till en tidigare körning: februari 2026."
    assert said in html.parse(page).getroot().text_content()


@pytest.mark.browser
@pytest.mark.requires("chromium")
def test_axe_finds_no_fault_in_the_years_pages_and_the_closing_and_none_is_too_wide_for_a_phone(site, made):
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="This test drives a browser. Install it: pip install playwright"
    )
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="This test asks axe: pip install axe-playwright-python"
    )
    closing = next(site.archive_folder.glob("2026-02-closing-*")) / "data" / "pages" / "closing.html"
    found = {}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 390, "height": 800})
        for path in (closing, made.evaluation, made.overview):
            page.goto(path.as_uri())
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found[path.name] = (overflow, axe.Axe().run(page).response["violations"])
        browser.close()
    assert found == dict.fromkeys(("closing.html", "evaluation.html", "overview.html"), (0, []))
