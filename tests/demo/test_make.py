"""`audit-kernel demo`: from nothing to an index page, and what it says on the way."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import audit_kernel.demo
from audit_kernel import open_store
from audit_kernel.demo import make, make_demo
from audit_kernel.demo.generator import GeneratedWorld, generate
from audit_kernel.demo.settings import WorldSettings
from audit_kernel.errors import UnknownSubjectError, UsageError
from audit_kernel.evidence.execute import Outcome
from audit_kernel.evidence.month import MonthRun, run_month
from audit_kernel.site import Site
from audit_kernel.store.deliver import read_ledger
from tests.oracle import read_reference
from tests.store.logs import ask

FEW = ("checks/many_accesses", "checks/own_record", "random_sample", "ranked_findings")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the demo be a small world, and its month a few notebooks; tests of the month make all of them."""

    def generate_small(folder: Path, seed: int, last_month: str, country: str) -> GeneratedWorld:
        return generate(folder, seed, last_month, WorldSettings(n_months=1, activity=0.1), country)

    def run_few(site: Site, *given: str, **named: Any) -> MonthRun:
        (site.folder / "parameters" / "schedule.yml").write_text(f"monthly: [{', '.join(FEW)}]\n", encoding="utf-8")
        return run_month(site, *given, **named)

    monkeypatch.setattr(make, "generate", generate_small)
    monkeypatch.setattr(make, "run_month", run_few)


def made(folder: Path, **options: str) -> tuple[int, str]:
    """Make a demo; return its exit code and what it printed."""
    console = Console(file=io.StringIO(), width=200)
    code = make_demo(folder, console=console, **options)
    return code, console.file.getvalue()


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_the_demo_ends_with_the_path_of_an_index_page_and_what_was_found(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    code, printed = made(folder, language="en")
    assert code == 0, printed
    index = Path(printed.strip().splitlines()[-1])
    assert index.name == "index.html"
    assert index.is_file()
    assert index.is_relative_to(folder / "site" / "archive")
    assert re.search(r"[\d,]+ records read, [\d,]+ stored, 4 in quarantine\.", printed)
    assert re.search(r"\d+ findings", printed)


@pytest.mark.usefixtures("small")
def test_the_swedish_demo_takes_all_four_logs_in_and_knows_the_countries_of_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = MonthRun(Path("bag"), Path("bag/index.html"), ())
    monkeypatch.setattr(make, "run_month", lambda *_, **__: month)
    code, printed = made(tmp_path / "demo", country="SE")
    assert code == 0, printed
    assert "Öppna den här sidan i en webbläsare:" in printed
    site = Site(tmp_path / "demo" / "site")
    assert (site.settings.country, site.settings.time_zone) == ("SE", "Europe/Stockholm")
    ledger = read_ledger(site)
    references = [each for each in ledger if each.source_id.startswith("reference:")]
    assert len(references) == 23
    assert all(each.n_stored and not each.n_quarantined for each in references)
    logs = [each for each in ledger if not each.source_id.startswith("reference:")]
    expected = ["mcss_access", "mcss_authentication", "mcss_medication", "mcss_search"]
    assert [(each.source_id, each.n_conflicts, each.n_known) for each in logs] == [(name, 0, 0) for name in expected]
    assert sum(each.n_quarantined for each in logs) == 4
    where = "select distinct country from lake.{} where starts_with(network_address, '{}')"
    assert ask(site, where.format("authentications", "203.0.113.")) == [("BR",)]
    assert ask(site, where.format("accesses_by_employee", "198.51.100.")) == [("TH",)]
    assert ask(site, where.format("accesses_by_employee", "192.0.2.")) == [("SE",)]
    assert ask(site, where.format("accesses_by_employee", "10.")) == [(None,)]
    flagged = "select count(*) from lake.accesses_by_patient where list_contains(flags, 'personal_number_checksum')"
    assert ask(site, flagged) == [(40,)]
    kinds = "select count(distinct kind) from lake."
    assert ask(site, f"{kinds}authentications") == [(5,)]
    assert ask(site, f"{kinds}medication_events") == [(6,)]
    assert_the_reports_agree_with_the_files(site, tmp_path / "demo")


def assert_the_reports_agree_with_the_files(site: Site, folder: Path) -> None:
    """Count the neighbour's searches and journal rows in the files by the csv module alone, and ask the store."""
    (neighbour,) = [row for row in read_reference(folder / "truth" / "truth.csv") if row["scenario"] == "neighbour"]
    identifiers = list(read_reference(folder / "reference" / "identifiers.csv"))
    names = {row["identifier"] for row in identifiers if row["id"] == neighbour["employee_id"]}
    (number,) = [row["identifier"] for row in identifiers if row["id"] == neighbour["patient_ids"]]

    def rows(log: str) -> list[dict[str, str]]:
        found = list(read_reference(folder / "logs" / f"{log}_2026-10.csv"))
        return [row for row in found if row["Användare"] in names and row["Personnummer"].replace("-", "") == number]

    about = {"employee_id": neighbour["employee_id"], "patient_id": neighbour["patient_ids"]}
    october = {"from_date": date(2026, 10, 1), "to_date": date(2026, 10, 31)}
    with open_store(site, purpose="test") as store:
        searches = store.report("patient_searches", **about, **october).table
        (activity,) = store.report("activity", **about, **october).table.to_pylist()
        # a number may be asked for as the file writes it
        written = about | {"patient_id": f"{number[:8]}-{number[8:]}"}
        assert store.report("activity", **written, **october).table.to_pylist() == [activity]
        with pytest.raises(UnknownSubjectError, match="191212121212"):
            store.report("activity", patient_id="19121212-1212", **october)
    assert searches.num_rows == len(rows("mcss_search")) > 10
    in_journal = [row for row in rows("mcss_access") if row["Uppgiftstyp"] in ("Journal", "Läkemedelslista")]
    assert activity["n_journal"] == len(in_journal) > 100


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch, small: None) -> None:
    """Let the month be one of each outcome, and nothing be taken in."""
    outcomes = (
        Outcome("one", "its process ended"),
        Outcome("two", room="checks", facts={"title": "To", "room": "checks", "is_assessable": False}),
        Outcome(
            "three",
            room="checks",
            facts={"title": "Tre", "room": "checks", "is_assessable": True, "n_rows": 1234, "rows_searched": 5000},
        ),
        Outcome("four", facts={"title": "Fire", "room": "sample", "is_assessable": True, "n_rows": 7}),
    )
    monkeypatch.setattr(make, "_take_in", lambda *_arguments: [])
    monkeypatch.setattr(make, "run_month", lambda *_, **__: MonthRun(Path("bag"), Path("bag/index.html"), outcomes))


@pytest.mark.usefixtures("stubbed")
def test_an_earlier_demo_is_replaced_and_speaks_norwegian_by_itself(tmp_path: Path) -> None:
    (tmp_path / make.MARKER).touch()
    (tmp_path / "left over").touch()
    _, printed = made(tmp_path)
    assert not (tmp_path / "left over").exists()
    assert (tmp_path / make.MARKER).exists()
    assert "Åpne denne siden i en nettleser:" in printed


@pytest.mark.usefixtures("stubbed")
def test_a_month_with_a_failed_page_is_said_to_be_incomplete(tmp_path: Path) -> None:
    code, printed = made(tmp_path / "demo", language="en")
    assert code == 3
    answers = [line.split(maxsplit=1) for line in printed.splitlines() if line.startswith(("one", "To", "Tre", "Fire"))]
    assert [(name, answer.strip()) for name, answer in answers] == [
        ("one", "Failed"),
        ("To", "Not assessable"),
        ("Tre", "1,234 findings, 5,000 rows examined"),
        ("Fire", "7 rows, 0 accesses searched"),
    ]


@pytest.mark.parametrize("is_file", [False, True])
def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, is_file: bool) -> None:
    other = tmp_path / "mine"
    kept = other if is_file else other / "thesis.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("years of work")
    with pytest.raises(UsageError, match=r"holds something that is not a demo\. Name a new folder"):
        make_demo(other)
    assert kept.read_text() == "years of work"


def test_a_country_without_a_demo_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no demo for country 'DK'\. Give one of NO, SE\."):
        make_demo(tmp_path / "demo", country="DK")
    with pytest.raises(UsageError, match="The language 'da' is not available"):
        make_demo(tmp_path / "demo", language="da")
    assert not (tmp_path / "demo").exists()


def test_without_the_generators_library_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in [name for name in sys.modules if name.startswith(("audit_kernel.demo.", "faker"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "faker", None)
    with pytest.raises(UsageError, match=re.escape("pip install 'audit-kernel[demo]'")):
        make_demo(tmp_path / "demo")


def test_the_product_knows_of_no_truth() -> None:
    package = Path(audit_kernel.demo.__file__).parent.parent
    readers = [path for path in sorted(package.rglob("*.py")) if "truth.csv" in path.read_text(encoding="utf-8")]
    assert {path.parent.name for path in readers} == {"demo"}
    assert "truth" not in Path(make.__file__).read_text(encoding="utf-8").replace("the folder with the truth", "")
