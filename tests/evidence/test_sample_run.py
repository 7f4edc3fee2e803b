"""A month's sample from frame to result: registered, drawn, shown, repeated with sha256sum, judged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml
from typer.testing import CliRunner

from audit_kernel import sampling
from audit_kernel.cli import app
from audit_kernel.errors import RunError, SettingsError, UsageError
from audit_kernel.evidence.month import MonthRun, run_month
from audit_kernel.evidence.sample_run import draw_month
from audit_kernel.evidence.sample_words import promises_in_words
from audit_kernel.journal import Journal
from audit_kernel.locale import LANGUAGES
from audit_kernel.sample_design import PLANS, Decisions, Design, decisions, design
from audit_kernel.sample_journal import Request, draws_of
from audit_kernel.sample_result import sealed_sample
from audit_kernel.site import Site, create_site
from audit_kernel.store.reading import Store
from tests.evidence.hostile_site import make_hostile_site
from tests.evidence.test_month import month_days, pages

if TYPE_CHECKING:
    from pathlib import Path

FIRST, LAST = month_days("2026-10")
USE_OF_THE_RUN = "use_of_the_run.jsonl"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = make_hostile_site(tmp_path_factory.mktemp("hostile"), 120)
    (made.folder / "parameters" / "schedule.yml").write_text("monthly: [random_sample]\n")
    return made


@pytest.fixture(scope="module")
def run(site: Site) -> MonthRun:
    ran = run_month(site, "2026-10", language="en")
    shutil.copy(site.journals_folder / "use_log.jsonl", site.folder / USE_OF_THE_RUN)  # other tests write on
    return ran


def drawn(run: MonthRun) -> list[dict[str, Any]]:
    table = pyarrow.parquet.read_table(run.bag / "data" / "tables" / "draw.parquet")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def test_the_page_prints_promise_hash_journal_and_seed(site: Site, run: MonthRun) -> None:
    assert run.is_complete, run.outcomes
    draw = draws_of(site, "2026-10")[0]
    text = pages(run)["random_sample"].decode()
    design, seeded = draw.design, draw.seeded or {}
    promise = promises_in_words(design, "en")[0].replace("'", "&#39;")
    assert promise in text
    assert f"of the {design.population:,} access-days" in promise
    for shown in (draw.frame["entry"]["frame_sha256"], draw.frame["hash"], seeded["hash"], draw.seed):
        assert shown in text
    assert "line 1 of samples.jsonl" in text
    assert len(drawn(run)) == design.drawn


def test_each_drawn_day_has_its_context_and_the_targeted_ones_are_apart(run: MonthRun) -> None:
    tables = run.bag / "data" / "tables"
    days = pyarrow.parquet.read_table(tables / "draw_days.parquet")
    assert set(days["unit_key"].to_pylist()) == {row["unit_key"] for row in drawn(run)}
    targeted = pyarrow.parquet.read_table(tables / "draw_targeted.parquet")
    assert targeted.num_rows == 10
    assert "never enter what it says" in pages(run)["random_sample"].decode()


def test_the_page_asks_nothing_but_names_for_the_month_has_answered_the_rest(site: Site, run: MonthRun) -> None:
    assert drawn(run)
    asked, is_page = set(), False
    for line in Journal(site.folder / USE_OF_THE_RUN).entries():
        entry = line["entry"]
        if entry["activity"] == "open":
            is_page = entry["snapshot"] is not None  # a month's pages read the snapshot that it was given
        elif is_page:
            asked.add(entry["activity"])
    assert asked == {"names", "answered"}


def test_the_month_repeated_gives_the_same_page_and_no_further_line(site: Site, run: MonthRun) -> None:
    before = draws_of(site, "2026-10")
    draw = before[0]
    asked = json.loads((run.bag / "data" / "statement.json").read_bytes())["predicate"]["buildDefinition"]
    snapshot = asked["internalParameters"]["snapshot"]
    again = run_month(site, "2026-10", language="en", seed=draw.seed, snapshot=int(snapshot))
    assert pages(again)["random_sample"] == pages(run)["random_sample"]
    assert draws_of(site, "2026-10") == before


@pytest.mark.requires("sha256sum")
def test_anyone_repeats_frame_and_draw_with_sha256sum(site: Site, run: MonthRun) -> None:
    """The list as the command prints it, its hash, the hash of each line's unit, the smallest of each stratum."""
    draw = draws_of(site, "2026-10")[0]
    assert run.is_complete
    command = ["sample", "list", "2026-10", "--purpose", "audit", "--site", str(site.folder)]
    printed = CliRunner().invoke(app, command).stdout_bytes
    done = subprocess.run(["sha256sum"], input=printed, capture_output=True, check=True)
    assert done.stdout.decode().split()[0] == draw.frame["entry"]["frame_sha256"]
    rows = drawn(run)
    for row in rows[:5]:
        hashed = subprocess.run(
            ["sha256sum"], input=f"{draw.seed}|{row['unit_key']}".encode(), capture_output=True, check=True
        )
        assert hashed.stdout.decode().split()[0] == row["draw_hash"]
    by_stratum: dict[str, list[str]] = {}
    for line in printed.decode().split("\n")[:-1]:
        stratum, key = line.split("\t")
        by_stratum.setdefault(stratum, []).append(sampling.draw_hash(draw.seed, key))
    for stratum, hashes in by_stratum.items():
        taken = [row["draw_hash"] for row in rows if row["stratum"] == stratum]
        assert taken == sorted(hashes)[: len(taken)]


def test_a_second_draw_is_refused_before_anything_runs(site: Site, run: MonthRun) -> None:
    n_runs = len(list(site.archive_folder.glob("2026-10-*")))
    with pytest.raises(RunError, match="drawn already"):
        run_month(site, "2026-10", seed="another")
    assert len(list(site.archive_folder.glob("2026-10-*"))) == n_runs
    assert run.bag.is_dir()


def test_a_month_without_access_draws_nothing_and_registers_nothing(site: Site) -> None:
    first, last = month_days("2027-02")
    with Store(site, "testing") as store:
        assert draw_month(store, site, first, last, Request(seed="4183")) is None
    assert draws_of(site, "2027-02") == []


def test_a_frame_that_cannot_be_made_is_the_pages_to_say_and_the_month_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> Decisions:
        problem = "thresholds.yml: broken."
        raise SettingsError(problem)

    monkeypatch.setattr("audit_kernel.evidence.sample_run.decisions", broken)
    before = draws_of(site, "2026-10")
    with Store(site, "testing") as store:
        assert draw_month(store, site, FIRST, LAST, Request()) is None
    assert draws_of(site, "2026-10") == before


def test_the_frame_is_registered_and_the_seed_entered_by_command(site: Site, run: MonthRun) -> None:
    command = CliRunner()
    at = ["--site", str(site.folder)]
    assert run.is_complete
    frame = command.invoke(app, ["sample", "frame", "2026-10", "--draw-again", "one more", "--language", "en", *at])
    assert frame.exit_code == 0, frame.output
    waiting = draws_of(site, "2026-10")[-1]
    sha256 = waiting.frame["entry"]["frame_sha256"]
    assert f"draw 2: {sha256[:4]} {sha256[4:8]}" in frame.output
    assert "Now the seed may be drawn" in frame.output
    seed = command.invoke(app, ["sample", "seed", "2026-10", "--seed", "4183", "--witness", "K. Berg", "--json", *at])
    assert json.loads(seed.output)["seed"]["entry"]["witness"] == "K. Berg"
    assert draws_of(site, "2026-10")[-1].seed == "4183"


def test_the_result_counts_the_decisions_and_says_what_is_undecided(
    site: Site, run: MonthRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, draw, picked = sealed_sample(site, "2026-10")
    assert draw == draws_of(site, "2026-10")[0]
    keys = picked["unit_key"].to_pylist()
    decided = [{"subject_kind": "sample", "subject_key": key, "decision": "justified"} for key in keys[1:]]
    module = ModuleType("audit_kernel.decisions")
    module.latest_decisions = lambda _site, _month: pa.Table.from_pylist(decided)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "audit_kernel.decisions", module)
    at = ["2026-10", "--site", str(site.folder)]
    answer = json.loads(CliRunner().invoke(app, ["sample", "result", *at, "--json"]).output)
    assert (answer["run"], answer["total"]["undecided"], answer["total"]["unjustified"]) == (folder.name, 1, 0)
    for language in LANGUAGES:
        said = CliRunner().invoke(app, ["sample", "result", *at, "--language", language])
        assert said.exit_code == 0, said.output
    assert run.bag.is_dir()


def test_a_month_that_was_not_run_has_no_result(site: Site) -> None:
    with pytest.raises(UsageError, match="No sealed run of 2026-09"):
        sealed_sample(site, "2026-09")


def test_every_plan_says_what_it_promises_in_every_language(site: Site) -> None:
    with Store(site, "testing") as store:
        for plan in PLANS:
            decided = Decisions(plan, "unit_id", "0.95", "0.05", "0.1", 1, 1)
            table = store.report("sample/frame", from_date=FIRST, to_date=LAST, **decided.frame_parameters).table
            planned = design(table, decided)
            assert planned.drawn > 0
            assert Design.from_plain(json.loads(json.dumps(planned.as_plain()))) == planned
            said = [promises_in_words(planned, language) for language in LANGUAGES]
            assert len({" ".join(texts) for texts in said}) == len(LANGUAGES)
            assert not [text for texts in said for text in texts if "{" in text]
            assert len(planned.promises) == (1 if plan in ("days", "two_stages") else 2)
            drawing = {"from_date": FIRST, "to_date": LAST, "seed": "4183", **planned.draw_parameters}
            picked = store.report("sample/draw", **drawing).table
            assert len(set(zip(picked["stratum"].to_pylist(), picked["place"].to_pylist(), strict=True))) == (
                planned.drawn
            )


@pytest.mark.parametrize(("name", "value"), [("sample_plan", "all"), ("sample_strata", "unit_id, patient_id")])
def test_an_unknown_plan_or_column_is_refused(tmp_path: Path, name: str, value: str) -> None:
    site = create_site(tmp_path / "site", "NO")
    reason = dict.fromkeys(LANGUAGES, "a test")
    entry = {"value": value, "unit": "", "reason": reason, "approved_by": "test", "valid_from": date(2020, 1, 1)}
    (site.folder / "parameters" / "thresholds.yml").write_text(yaml.safe_dump({name: [entry]}))
    with pytest.raises(SettingsError, match=name):
        decisions(site, FIRST)
