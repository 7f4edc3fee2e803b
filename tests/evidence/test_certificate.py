"""The control certificate: zeros as loud as findings, what nobody stated is called so, and one sheet of paper."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime

import pytest
import yaml
from lxml import html

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.evidence.certificate import certificate_page
from audit_kernel.evidence.signatory import checked_signatory, signatories, signatory_in_words
from audit_kernel.locale import LANGUAGES
from audit_kernel.site import Site, create_site
from tests.evidence.certified import EVERYTHING, delivery, lacking, outcome, plan, rests

SQL = resource_folder("sql")
FOUR = ("checks/own_record", "checks/media_interest", "checks/units", "checks/two_places", "random_sample")
DASH = "\N{EN DASH}"
WHY = "This cannot be assessed, because no units have been taken in."
STATED = """
routine:
    name: "Rutine 7 <b>"
    version: "3.2"
    person_responsible: "Kari Lie"
    staff_informed_on: 2026-01-15
    staff_informed_how: "staff meeting"
"""


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO", "<script>Lillevik</script>\u202e")


def shown(site, outcomes, language="en", deliveries=(), warnings=(), names=FOUR, asked=None, **more):
    made = plan(language, names, deliveries, **(asked or {}))
    return html.document_fromstring(certificate_page(site, made, outcomes, rests(**more), warnings))


def table(page, number):
    rows = page.xpath("//table")[number].xpath(".//tbody/tr")
    return [[cell.text_content() for cell in row] for row in rows]


def facts(page):
    return {each.find("dt").text: each.find("dd").text for each in page.xpath("//dl[@class='facts']/div")}


def four():
    sample = outcome("random_sample", 83)
    return [
        outcome(FOUR[0], 0, 99129),
        outcome(FOUR[1], 3, 1200),
        outcome(FOUR[2], not_assessable=WHY),
        outcome(FOUR[3], reason="KeyError in cell 3"),
        sample,
    ]


def test_zeros_findings_not_assessable_and_failed_stand_in_one_table_as_loud_as_each_other(site):
    rows = table(shown(site, four()), 1)
    assert [(row[0], row[4], row[5]) for row in rows] == [
        ("One's own record", "99,129", "0 findings"),
        ("Searches for a person of media interest", "1,200", "3 findings"),
        ("Access at residences and units", DASH, "Not assessable"),
        ("One account at two places at once", DASH, "Failed"),
    ]
    assert rows[2][1].startswith("How often were records opened at each unit, and who opened those of units where")
    assert rows[2][2] == "Fewest patients of a finding: 3 (audit-kernel, 2020-01-01)"
    assert rows[0][2] == DASH


def test_what_has_no_answer_is_not_switched_on_or_not_decided_here_is_said(site):
    notices = [each.text for each in shown(site, four()).xpath("//div[@class='notice']/p[2]")]
    assert notices[0] == f"No answer: Access at residences and units. {WHY}"
    assert notices[1] == "No answer: One account at two places at once. KeyError in cell 3"
    assert notices[2].startswith("3 thresholds are the program's own proposals (audit-kernel)")
    assert notices[3].startswith("Not switched on, so not controlled: Access at abnormal times, ")
    assert len(notices) == 4


def test_each_law_stands_once_and_the_rows_name_it_by_number(site):
    page = shown(site, four())
    laws = page.xpath("//p[@class='method']")[0].text
    numbered = dict(re.findall(r"(\d+) ([^;]+)", laws.removeprefix("Law: ")))
    assert numbered["1"].startswith("Pasientjournalloven")
    assert {number for row in table(page, 1) for number in row[3].split(", ")} == set(numbered)
    assert "Patientdatalagen" not in laws  # another country's


def test_what_nobody_stated_is_called_so_and_never_made_up(site):
    page = shown(site, four())
    unstated = ("Routine in force", "Version of the routine", "Person responsible", "Run by", "Approved by")
    unstated += ("Staff last informed of log control",)
    assert {name: facts(page)[name] for name in unstated} == dict.fromkeys(unstated, "not stated")
    warning = page.xpath("//div[@class='warning']/p[2]")[0].text
    assert warning == f"Not stated: {', '.join(unstated)}."


def test_what_was_stated_stands_with_title_and_date(site):
    path = site.folder / "settings.yml"
    path.write_text(path.read_text(encoding="utf-8").split("routine:")[0] + STATED, encoding="utf-8")
    people = {"run_by": "Ola Berg, adviser, 2026-11-02", "approved_by": "Kari Lie, MAS, 2026-11-03"}
    page = shown(Site(site.folder), four(), asked=people)
    said = facts(page)
    assert said["Routine in force"] == "Rutine 7 <b>"
    assert said["Run by"] == "Ola Berg, adviser, 2026-11-02"
    assert said["Approved by"] == "Kari Lie, MAS, 2026-11-03"
    assert said["Staff last informed of log control"] == "2026-01-15, staff meeting"
    assert page.xpath("//div[@class='warning']") == []


def test_a_log_counts_with_the_files_that_reach_into_the_month_and_with_what_was_refused(site):
    september = {"first_at": datetime(2026, 9, 1), "last_at": datetime(2026, 9, 30, 21, 59)}
    deliveries = [
        delivery("gerica"),
        delivery("gerica", "september.csv", 5000, **september),
        delivery("mcss", n_read=0, n_quarantined=0, n_stored=0, n_known=0, **september),
        delivery("reference:units", "units.csv", 60, 0, first_at=None, last_at=None),
    ]
    refused = [{"file": "bad.csv", "source_id": "gerica", "at": "2026-11-01T10:00:00+00:00"}]
    gaps = [lacking("gerica", n_silent_days=2, n_missing_numbers=1)]
    page = shown(site, four(), deliveries=deliveries, refused=refused, lacking=gaps)
    assert table(page, 0) == [
        ["gerica", "1", "1,200", "1,188", "10", "2", "1", "2 days without rows; 1 running number missing"],
        ["mcss", "0", "0", "0", "0", "0", "0", "No rows in the month: nothing can be said."],
        ["Reference data, all deliveries", "1", "60", "50", "10", "0", "0", DASH],
    ]


def test_the_sample_stands_with_its_promise_and_says_when_its_bound_comes(site):
    text = shown(site, four()).xpath("//main/p")[-1].text
    assert text.startswith("If at least 5% of the 23,395 access-days were unjustified")
    assert text.endswith("83 of 23,395 drawn by the seed 4 1 6. The bound comes with the month's closing.")
    without = shown(site, four()[:-1], names=FOUR[:-1])
    warned = [each.text for each in without.xpath("//div[@class='warning']/p[2]")]
    assert warned[-1] == "No random sample was drawn: the month's schedule has none."


def test_a_check_whose_threshold_nobody_decided_still_stands_on_the_certificate(site):
    folder = site.folder / "sql" / "checks"
    own = yaml.safe_load((SQL / "checks" / "own_record.yml").read_text(encoding="utf-8"))
    own["parameters"]["fewest"] = {"type": "integer", "threshold": "nobody_decided"}
    (folder / "ours.sql").write_text("select 1", encoding="utf-8")
    (folder / "ours.yml").write_text(yaml.safe_dump(own), encoding="utf-8")
    page = shown(site, [outcome("checks/ours", reason="SettingsError")], names=("checks/ours",))
    assert table(page, 1) == [["One's own record", DASH, DASH, DASH, DASH, "Failed"]]


def test_the_certificate_is_the_same_twice_and_carries_no_time_of_its_own(site):
    pages = [certificate_page(site, plan("nb", FOUR), four(), rests()) for _ in range(2)]
    assert pages[0] == pages[1]
    assert "<script>Lillevik" not in pages[0]
    assert "\u202e" not in pages[0]


def test_the_settings_say_who_runs_a_month_where_nobody_was_named_and_the_day_is_the_sites(site):
    path = site.folder / "settings.yml"
    empty = path.read_text(encoding="utf-8")
    path.write_text(empty.replace('run_by: ""', 'run_by: "Kari Lie, MAS"'), encoding="utf-8")
    named, late = Site(site.folder), datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert signatories(named, "", "", late) == {"run_by": "Kari Lie, MAS, 2026-11-01", "approved_by": ""}
    assert signatories(named, "Ola Berg, adviser, 2026-11-02", "", late)["run_by"] == "Ola Berg, adviser, 2026-11-02"
    path.write_text(empty.replace('run_by: ""', 'run_by: "Kari Lie"'), encoding="utf-8")
    with pytest.raises(SettingsError, match="run_by"):
        Site(site.folder)


@pytest.mark.parametrize("text", ["Kari Lie", "Kari Lie, MAS", "Kari Lie, MAS, today", ", MAS, 2026-11-02"])
def test_who_signs_needs_name_title_and_date(text):
    with pytest.raises(UsageError, match="name, title and date are needed"):
        checked_signatory(text)


def test_a_signatory_is_written_as_the_reader_writes_dates():
    assert signatory_in_words(checked_signatory(" Kari  Lie ,MAS, 2026-11-02"), "nb") == "Kari Lie, MAS, 02.11.2026"
    assert checked_signatory("") == ""


@pytest.mark.browser
@pytest.mark.requires("chromium")
def test_every_check_and_several_logs_print_on_one_sheet_in_every_language(site, tmp_path):
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="This test drives a browser. Install it: pip install playwright"
    )
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="This test asks axe: pip install axe-playwright-python",
    )
    sources = ("gerica", "mcss_access", "his_fhir", "windows", "keycloak", "drugs")
    outcomes = [outcome(name, number % 4) for number, name in enumerate(EVERYTHING)]
    for number in range(5, 12):
        outcomes[number] = outcome(
            EVERYTHING[number], not_assessable=f"{WHY} It does not mean that none was found. {number}"
        )
    people = {"run_by": "Kari Lie, personvernrådgiver, 2026-11-02"}
    deliveries = [delivery(source) for source in sources]
    sheets = {}
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for language in LANGUAGES:
            path = tmp_path / f"{language}.html"
            made = plan(language, EVERYTHING, deliveries, **people)
            text = certificate_page(site, made, outcomes, rests(lacking=[lacking(each) for each in sources]))
            path.write_text(text, encoding="utf-8")
            page = browser.new_page(viewport={"width": 390, "height": 800})
            page.goto(path.as_uri())
            pdf = page.pdf(prefer_css_page_size=True)
            sheets[language] = len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        faults = axe.Axe().run(page).response["violations"]
        browser.close()
    assert sum(name.startswith("checks/") for name in EVERYTHING) == 21
    assert sheets == dict.fromkeys(LANGUAGES, 1)
    assert (overflow, faults) == (0, [])
