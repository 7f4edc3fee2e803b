"""`docs/adding-a-check.md`, followed word for word: a site gets a check of its own without Python."""

from __future__ import annotations

import csv
import datetime
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all
from audit_kernel.thresholds import thresholds_valid_on
from tests.store.logs import gerica_file, row

PAGE = Path(__file__).parents[1] / "docs" / "adding-a-check.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES = re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^```\naudit-kernel (.*?)\n```", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("follows")
    site = create_site(folder / "site", "NO", "Demovik")
    night = [
        row(number, f"{number:02d}.10.2026", "03:00:00", "NATT01", str(1000 + number % 3)) for number in range(1, 10)
    ]
    twice = [
        row(number, f"{number:02d}.10.2026", "03:10:00", "NATT02", str(1000 + number % 2)) for number in range(10, 20)
    ]
    by_day = [row(number, f"{number:02d}.10.2026", "11:00:00", "DAG001", str(number)) for number in range(20, 32)]
    done, refused = take_in_all(site, [gerica_file(folder / "october.csv", [*night, *twice, *by_day])], "gerica")
    assert (len(done), refused) == (1, [])
    for name, text in FILES:
        (site.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (site.folder / name).write_text(text, encoding="utf-8")
    return site


def test_the_page_names_its_files_and_its_commands() -> None:
    assert [name for name, _text in FILES] == [
        "sql/checks/night_reading.sql",
        "sql/checks/night_reading.yml",
        "parameters/thresholds.yml",
        "parameters/schedule.yml",
    ]
    assert len(COMMANDS) == 2


def test_the_new_check_finds_who_read_three_patients_at_night_and_nobody_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(site.folder)
    asked, month = (CliRunner().invoke(app, shlex.split(command)) for command in COMMANDS)
    assert (asked.exit_code, month.exit_code) == (0, 0), asked.output + month.output
    assert re.findall(r"NATT\d\d|DAG\d+", asked.output) == ["NATT01"]
    (bag,) = (site.folder / "archive").glob("2026-10-monthly-*")
    with (bag / "data" / "tables" / "night_reading.csv").open(encoding="utf-8-sig") as file:
        found = list(csv.DictReader(file))
    assert [(each["employee_id"], each["n_events"]) for each in found] == [("NATT01", "9")]
    text = (bag / "data" / "pages" / "night_reading.html").read_text(encoding="utf-8")
    assert "Leste 3 pasienter (9 rader) mellom midnatt og klokken 5 uten grunn." in text


def test_a_threshold_that_nobody_decided_is_named(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = site.folder / "parameters" / "thresholds.yml"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    monkeypatch.chdir(site.folder)
    done = CliRunner().invoke(app, shlex.split(COMMANDS[0]))
    path.write_text(text, encoding="utf-8")
    assert done.exit_code == 1
    assert "night_patients" in str(done.exception)


def test_a_query_of_the_site_that_names_a_threshold_of_the_program_leaves_its_decision(tmp_path: Path) -> None:
    written = tmp_path / "sql" / "explanations" / "own_mandate.yml"
    written.parent.mkdir(parents=True)
    written.write_text("parameters: {mandate_patients: {threshold: mandate_patients}}\n", encoding="utf-8")
    day = datetime.date(2026, 10, 1)
    assert thresholds_valid_on(day, tmp_path) == thresholds_valid_on(day)
