"""The command line: what it prints and the exit codes that scripts rest on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.errors import MonthIncompleteError
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all
from audit_kernel.use_log import FILE
from tests.store.logs import gerica_file, row

PERIOD = ("--from", "2026-10-01", "--to", "2026-10-04", "--purpose", "sak 2026/17")
LONG = "x" * 700


def run(site, *arguments):
    """Run a command; returns exit code and what was printed, errors included."""
    answer = CliRunner().invoke(app, [*arguments, "--site", str(site.folder)])
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer.exit_code, answer.output


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A site with a gap and a silent day in its log, a record in quarantine, a refused file and a sealed month."""
    folder = tmp_path_factory.mktemp("command")
    site = create_site(folder / "site", "NO", "Test kommune")
    site = Site(site.folder)
    settings = site.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("language: nb", "language: en"), encoding="utf-8")
    site = Site(site.folder)
    rows = [row(1, "01.10.2026"), row(2, "02.10.2026"), row(5, "04.10.2026"), row(6, "x", post=LONG)]
    done, refused = take_in_all(site, [gerica_file(folder / "october.csv", rows)], "gerica")
    assert (done[0].n_quarantined, refused) == (1, [])
    (folder / "cut.csv").write_bytes(b"Id. nr.;Dato\r\n1;01.10.2026\r\n")
    assert take_in_all(site, [folder / "cut.csv"], "gerica")[1]
    (site.folder / "parameters" / "schedule.yml").write_text("monthly: [checks/blocked_searches]\n", encoding="utf-8")
    code, printed = run(site, "month", "2026-10", "--seed", "x", "--json")
    assert code == 0, printed
    (site.folder / "printed.json").write_text(printed, encoding="utf-8")
    return site


@pytest.fixture
def site(sealed, tmp_path):
    return Site(shutil.copytree(sealed.folder, tmp_path / "site"))


def test_a_month_says_what_it_lacks_on_its_index_and_on_the_terminal(sealed):
    printed = json.loads((sealed.folder / "printed.json").read_text(encoding="utf-8"))
    page = Path(printed["index"]).read_text(encoding="utf-8")
    for said in (
        "On 28 days of the period the log gerica delivered nothing",
        "2 running numbers are missing",
        "The log ends on",
        "1 file was refused and never taken in: cut.csv (",
    ):
        assert [said for warning in printed["warnings"] if said in warning] == [said]
        assert said in page
    control = next(Path(printed["index"]).parent.glob("blocked*.html")).read_text(encoding="utf-8")
    assert "The log gerica delivered nothing on 28 days" in control
    assert "1 record of the period" in control


def test_a_month_with_a_failed_notebook_ends_with_three_and_a_broken_journal_is_loud(site):
    described = (Path(__file__).parents[1] / "sql" / "checks" / "own_record.yml").read_text(encoding="utf-8")
    described = described.replace("needs: [accesses, period_accesses, employees]\ncomplete: [accesses]", "complete: []")
    assert "complete: []" in described
    (site.folder / "sql" / "checks" / "bad.yml").write_text(described, encoding="utf-8")
    (site.folder / "sql" / "checks" / "bad.sql").write_text("select * from no_such_relation\n", encoding="utf-8")
    (site.folder / "parameters" / "schedule.yml").write_text("monthly: [checks/bad]\n", encoding="utf-8")
    intake = site.journals_folder / "intake.jsonl"
    intake.write_bytes(b"")
    with pytest.raises(MonthIncompleteError) as caught:
        run(site, "month", "2026-10")
    assert caught.value.exit_code == 3
    newest = max(site.archive_folder.glob("2026-10-*"), key=lambda bag: bag.stat().st_mtime)
    assert "entry 1, which sealed evidence names" in (newest / "data/pages/index.html").read_text(encoding="utf-8")
    assert "intake.jsonl" in (newest / "data/statement.json").read_text(encoding="utf-8").split('"journal_breaks":')[1]


def test_verify_ends_with_zero_over_a_whole_site(site):
    code, printed = run(site, "verify")
    assert code == 0
    assert "Checked with the site's public key" in printed
    assert "Verified: nothing in" in printed


def test_verify_ends_with_one_and_names_a_changed_file(site):
    page = next(site.archive_folder.glob("*/data/pages/index.html"))
    page.chmod(0o600)
    page.write_bytes(page.read_bytes() + b" ")
    code, printed = run(site, "verify")
    assert code == 1
    assert "data/pages/index.html: The file was changed after it was sealed." in printed
    assert "Verified" not in printed


def test_verify_ends_with_one_when_the_use_log_was_emptied(site):
    (site.journals_folder / FILE).write_bytes(b"")
    code, printed = run(site, "verify")
    assert code == 1
    assert f"journals/{FILE}: The journal does not hold." in printed


def test_verify_warns_of_a_key_that_lies_beside_a_copy(site, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUDIT_KERNEL_SITE", raising=False)
    (site.folder / "settings.yml").unlink()
    answer = CliRunner().invoke(app, ["verify", str(site.archive_folder)])
    assert answer.exit_code == 0
    assert "compare the fingerprint" in answer.output


def test_the_ledger_lists_files_taken_in_and_refused(site):
    code, printed = run(site, "ledger")
    assert code == 0
    assert "october.csv" in printed
    assert "cut.csv" in printed
    assert "Refused on" in printed


def test_a_long_record_in_quarantine_is_cut_with_a_mark(site):
    code, printed = run(site, "ledger", "--quarantine", "--purpose", "log quality")
    assert code == 0
    assert f"{'x' * 400}" in printed
    assert LONG not in printed
    assert "characters in all)" in printed


def test_a_report_is_printed_as_a_table_with_what_the_period_lacks(site):
    code, printed = run(site, "report", "activity", "--patient", "1042", *PERIOD)
    assert code == 0
    assert "KANO01" in printed
    assert "3 accesses in the period were searched" in printed
    assert "On 1 day of the period the log gerica delivered nothing" in printed
    assert "2 running numbers are missing" in printed


def test_a_command_and_a_page_load_no_library_that_they_do_not_use():
    loaded = "[name for name in ('scipy', 'altair', 'nbformat', 'papermill', 'pandas', 'lark') if name in sys.modules]"
    code = f"import sys, audit_kernel.cli\nprint({loaded})\nimport audit_kernel.evidence.charts\nprint({loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['altair']"]
