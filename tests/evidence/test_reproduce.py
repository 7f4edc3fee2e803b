"""A sealed month made again: the same in another environment and after changes, and plain words where it is not."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow
import pytest
from rich.console import Console
from typer.testing import CliRunner

from audit_kernel import restriction
from audit_kernel.cli import app
from audit_kernel.commands_reproduce import ReproductionPrinter
from audit_kernel.errors import JournalError, RunError, UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import keys, reproduce
from audit_kernel.evidence.bag_check import check_bag
from audit_kernel.evidence.month import run_month
from audit_kernel.evidence.repeat import Repeated
from audit_kernel.evidence.reproduce import Difference, Disposed, Reproduction
from audit_kernel.evidence.sealed_inputs import copy_journals
from audit_kernel.journal import Journal
from audit_kernel.site import Site
from audit_kernel.store.connection import latest_snapshot
from audit_kernel.store.deliver import reading, take_in_all
from audit_kernel.store.dispose import Request, dispose
from audit_kernel.store.unexplained_days import keep_unexplained_days
from tests.evidence.hostile_site import HEADER, log_lines, make_hostile_site

SCHEDULE = ("completeness", "checks/units", "random_sample")
STRANGE = {"TZ": "Pacific/Auckland", "LC_ALL": "sv_SE.UTF-8", "PYTHONHASHSEED": "4242"}
NO_FONTS = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none /usr/share/fonts && exec "$@"', "sh"]
DAYS = {"employee_id": ["E4"], "patient_id": ["P5"], "local_date": [date(2026, 9, 3)], "unit_id": ["U1"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("reproduce")
    made = make_hostile_site(folder, n_rows=120)
    (made.folder / "parameters" / "schedule.yml").write_text(f"monthly: [{', '.join(SCHEDULE)}]\n", encoding="utf-8")
    broken = folder / "broken.csv"
    broken.write_text("no;header\n", encoding="utf-8")
    assert take_in_all(made, [broken], "gerica")[1]
    restriction.restrict(made, "employee", "E2", "sak 2026/17")
    return made


@pytest.fixture(scope="module")
def month(site: Site) -> Path:
    run = run_month(site, "2026-10", seed="dice 4 1 6", threads=1)
    run.require_complete()
    return run.bag


@pytest.fixture(scope="module")
def changed(site: Site, month: Path) -> Site:
    """The same site when time has gone by: rows and names came, another month ran, people decided otherwise."""
    folder = site.folder.parent
    new = [line.replace(line.split(";")[0], str(9000 + number), 1) for number, line in enumerate(log_lines(40))]
    (folder / "late.csv").write_text("\n".join([HEADER, *new]) + "\n", encoding="utf-8")
    assert not take_in_all(site, [folder / "late.csv"], "gerica")[1]
    days = pyarrow.table({**DAYS, "n_accesses": pyarrow.array([7], pyarrow.int64())})
    keep_unexplained_days(site, date(2026, 9, 1), days, 0)
    restriction.release(site, "employee", "E2", "sak 2026/17")
    restriction.restrict(site, "employee", "E3", "sak 2026/18")
    take_in_all(site, [folder / "units.csv"], "gerica")  # refused too
    settings = site.folder / "settings.yml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("language: nb", "language: sv"), encoding="utf-8")
    reason = "{en: x, sv: x, nb: x}"
    decided = f"sample_confidence:\n  - {{value: '0.8', reason: {reason}, approved_by: N, valid_from: 2020-01-01}}\n"
    (site.folder / "parameters" / "thresholds.yml").write_text(decided, encoding="utf-8")
    return Site(site.folder)


@pytest.fixture
def copy(site: Site, month: Path, tmp_path: Path) -> Site:
    return Site(shutil.copytree(site.folder, tmp_path / "site"))


def is_possible(command: list[str]) -> bool:
    return bool(shutil.which(command[0])) and subprocess.run([*command, "true"], check=False).returncode == 0


def state(site: Site) -> list[object]:
    """Return all that must stay as it is: journals but the use log, the archives, the store's snapshot."""
    journals = sorted(path for path in site.journals_folder.glob("*.jsonl") if path.name != "use_log.jsonl")
    with reading(site) as connection:
        snapshot = latest_snapshot(connection)
    archives = [sorted(folder.rglob("*")) for folder in (site.archive_folder, site.restricted_folder)]
    return [*(path.read_bytes() for path in journals), *archives, snapshot]


def made_again(site: Site, bag: Path, folder: Path, threads: int, environment: dict[str, str]) -> dict[str, object]:
    hidden = NO_FONTS if is_possible(NO_FONTS) else []
    command = [sys.executable, "-P", "-m", "audit_kernel.cli", "reproduce", str(bag), "--json", "--threads"]
    done = subprocess.run(
        [*hidden, *command, str(threads), "--site", str(site.folder)],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_a_month_is_the_same_in_a_strange_environment_after_changes_and_with_its_pages_gone(
    changed: Site, month: Path, tmp_path: Path
) -> None:
    bag = shutil.copytree(month, tmp_path / "stick" / month.name)
    for name in ("pages", "tables", "notebooks"):
        shutil.rmtree(bag / "data" / name)
    (tmp_path / "empty").mkdir()
    before = state(changed)
    found = made_again(changed, bag, tmp_path / "empty", 2, STRANGE)
    assert (found["is_identical"], found["differences"], found["versions"]) == (True, [], [])
    listed = bags.parse_manifest((month / bags.MANIFEST).read_bytes()) or {}
    made = {path for path in listed if path.startswith(("data/pages", "data/tables", "data/notebooks"))}
    assert set(found["unread"]) == made  # type: ignore[call-overload]
    assert found["n_compared"] == len(made)
    assert (found["is_other_program"], found["is_other_store"]) == (False, False)
    assert found["changed_inputs"] == ["settings.yml", "site/parameters/thresholds.yml"]
    assert state(changed) == before
    last = list(Journal(changed.journals_folder / "use_log.jsonl").entries())[-1]["entry"]
    assert last["purpose"] == f"reproduce {month.name}"
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.fixture(scope="module")
def whole(site: Site, month: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[Path]]:
    """A month of the whole schedule with what is kept apart in it, and a later one after it."""
    made = Site(shutil.copytree(site.folder, tmp_path_factory.mktemp("whole") / "site"))
    (made.folder / "parameters" / "schedule.yml").unlink()
    run = run_month(made, "2026-10", draw_again="the whole schedule")
    run.require_complete()
    run_month(made, "2026-11", seed="x")
    return made, [run.bag, *made.restricted_folder.glob("2026-10-restricted-*")]


@pytest.mark.soak
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "environment",
    [STRANGE, {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, {"LANG": "nb_NO.UTF-8"}],
)
def test_a_whole_month_is_the_same_in_every_environment(
    whole: tuple[Site, list[Path]], tmp_path: Path, threads: int, environment: dict[str, str]
) -> None:
    made, sealed = whole
    for bag in sealed:
        assert made_again(made, bag, tmp_path, threads, environment)["is_identical"], bag.name


def test_a_changed_input_is_named_and_nothing_is_made_of_it(site: Site, month: Path, tmp_path: Path) -> None:
    bag = shutil.copytree(month, tmp_path / month.name)
    with (bag / "data" / "inputs" / "settings.yml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    (bag / "data" / "tables" / "units.csv").unlink()
    with pytest.raises(VerificationError, match=r"was changed.*: data/inputs/settings.yml\.") as caught:
        reproduce.reproduce(site, str(bag))
    assert "units.csv" not in str(caught.value)


def test_a_changed_page_is_no_lost_page(site: Site, month: Path, tmp_path: Path) -> None:
    bag = shutil.copytree(month, tmp_path / month.name)
    (bag / "data" / "pages" / "index.html").write_text("nothing was found", encoding="utf-8")
    with pytest.raises(VerificationError, match=r"data/pages/index.html"):
        reproduce.reproduce(site, str(bag))


def test_a_folder_that_cannot_be_read_is_named_once_and_hides_nothing_else(
    site: Site, month: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def scan(place: Path) -> object:
        if Path(place).name == "pages":
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", scan)
    run, problems = check_bag(month, keys.load_public(site.keys_folder))
    assert run is not None
    assert [(each.file, each.code) for each in problems] == [("data/pages", "unreadable")]


def test_disposed_inputs_are_told_with_their_day_and_the_disposal_itself_is_not_made_again(
    copy: Site, month: Path
) -> None:
    (disposal,) = dispose(copy, Request(patient="P1", decision="IVO 2026/1"))
    day = f"{disposal.disposed_at:%Y-%m}"
    told = CliRunner().invoke(app, ["reproduce", month.name, "--site", str(copy.folder), "--language", "en"])
    assert told.exit_code == 1
    assert f"disposed of on {day}" in " ".join(told.output.split())
    assert disposal.disposal_id in told.output.replace("\n", "")
    as_json = CliRunner().invoke(app, ["reproduce", month.name, "--site", str(copy.folder), "--json"])
    assert json.loads(as_json.output)["disposed"]["kind"] == "patient"
    with pytest.raises(RunError, match="is not made again"):
        reproduce.reproduce(copy, disposal.disposal_id)


def test_a_run_that_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(UsageError, match="no sealed run '2025-01-monthly'"):
        reproduce.reproduce(site, "2025-01-monthly")


def test_what_differs_is_told_by_file_with_the_reason(
    site: Site, month: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = bags.parse_manifest((month / bags.MANIFEST).read_bytes()) or {}
    files = {**listed, "data/pages/units.html": "0" * 64, "data/tables/more.csv": "0" * 64}
    del files["data/tables/draw.parquet"]
    statement = json.loads((month / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]
    pages = statement["internalParameters"]["pages"]
    outputs = {each["page"]: each["outputs_sha256"] for each in pages} | {"units": "1" * 64}
    ours = {path: digest for path, digest in files.items() if path.startswith(("data/pages", "data/tables"))}
    made = Repeated(str(tmp_path), ours, outputs, {"units": "Killed."}, is_other_store=True)
    monkeypatch.setattr(reproduce, "_carried_out", lambda *_given: made)
    monkeypatch.setattr(reproduce, "versions", lambda: {"python": "4.0"})
    monkeypatch.setattr(reproduce, "program_hash", lambda: "2" * 64)
    found = reproduce.reproduce(site, str(month))
    assert [(each.file, each.what, each.reason) for each in found.differences] == [
        ("data/notebooks/units.ipynb", "differs", "Killed."),
        ("data/pages/units.html", "differs", "Killed."),
        ("data/tables/draw.parquet", "lacking", ""),
        ("data/tables/more.csv", "added", ""),
    ]
    assert (found.is_identical, found.is_other_program, found.is_other_store) == (False, True, True)
    assert ("duckdb", "1.5.5", "") in found.versions
    monkeypatch.setattr(reproduce, "_carried_out", lambda *_given: Repeated(error="Snapshot 3 is gone."))
    with pytest.raises(RunError, match=r"could not be made again\. Snapshot 3 is gone"):
        reproduce.reproduce(site, str(month))


def printed(found: Reproduction, language: str) -> str:
    console = Console(file=io.StringIO(), width=400)
    ReproductionPrinter(console, language).reproduction(found)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Not identical: 1 of 1,044", "page.html: Killed.", "duckdb 1.5.5 → -", "0 more"]),
        ("sv", ["Inte identiskt: 1 av 1\N{NO-BREAK SPACE}044", "page.html: Killed.", "duckdb 1.5.5 → -"]),
        ("nb", ["Ikke identisk: 1 av 1\N{NO-BREAK SPACE}044", "page.html: Killed.", "duckdb 1.5.5 → -"]),
    ],
)
def test_every_answer_is_said_in_the_readers_language(language: str, words: list[str]) -> None:
    bad = Reproduction("run", 1044, (Difference("data/pages/page.html", "differs", "Killed."),))
    files = tuple(f"sql/{number}.sql" for number in range(20))
    told = printed(dataclasses.replace(bad, versions=(("duckdb", "1.5.5", ""),), changed_inputs=files), language)
    assert [word for word in words if word not in told] == []
    unexplained = printed(dataclasses.replace(bad, differences=(Difference("f", "added"),)), language)
    gone = printed(Reproduction("run", disposed=Disposed()), language)
    same = printed(Reproduction("run", 3, unread=("a", "b"), not_compared=("c",)), language)
    english = [printed(each, "en") for each in (Reproduction("run", disposed=Disposed()), Reproduction("run", 3))]
    assert "No reason was found" in unexplained or language != "en"
    assert len({*unexplained.splitlines()}) > 3
    assert (gone in english, "Identical: all 3" in same) == (language == "en", language == "en")


def test_journals_are_cut_where_the_statement_says_and_a_lost_line_is_told(site: Site, tmp_path: Path) -> None:
    path = site.journals_folder / "restricted.jsonl"
    first = next(Journal(path).entries())
    head = {"sequence": 1, "hash": first["hash"]}
    copy_journals(site, {"restricted.jsonl": head, "use_log.jsonl": {"sequence": 5, "hash": "x"}}, tmp_path / "then")
    assert [each.name for each in (tmp_path / "then").iterdir()] == ["restricted.jsonl"]
    assert list(Journal(tmp_path / "then" / "restricted.jsonl").entries()) == [first]
    with pytest.raises(JournalError, match="does not hold the line 9"):
        copy_journals(site, {"restricted.jsonl": {"sequence": 9, "hash": "x"}}, tmp_path / "other")
