"""`due` runs what lacks a finished control: by verified runs, in order, never twice, never silently."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit_kernel import commands_schedule, due
from audit_kernel.cli import app
from audit_kernel.due import BROKEN, INCOMPLETE, MISSING, Due, find_due, only_one, run_due
from audit_kernel.errors import RunError, SettingsError, StoreError, UnavailableError
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.execute import Outcome
from audit_kernel.evidence.month import MonthRun
from audit_kernel.evidence.seal import seal
from audit_kernel.evidence.statement import provenance
from audit_kernel.site import Site, create_site
from audit_kernel.store.connection import transaction, writing
from audit_kernel.store.deliver import take_in_all
from audit_kernel.store.erase import record_disposal
from tests.evidence.sealing import change_byte, working_folder
from tests.store.logs import gerica_file, row

TODAY = date(2026, 11, 6)
AUTUMN = ["2026-08", "2026-09", "2026-10"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A site with rows in August and October: in September its log was silent."""
    folder = tmp_path_factory.mktemp("due")
    site = create_site(folder / "site", "NO")
    rows = [row(1, "20.08.2026"), row(2, "02.10.2026")]
    done, refused = take_in_all(site, [gerica_file(folder / "log.csv", rows)], "gerica")
    assert (len(done), refused) == (1, [])
    return site


@pytest.fixture
def bare(made, tmp_path):
    """Without settings: the store is asked for the first month."""
    return Site(shutil.copytree(made.folder, tmp_path / "site"))


@pytest.fixture
def site(bare):
    return beginning(bare, "2026-08")


def beginning(site, month):
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"schedule: {{first_month: {month}}}\n")
    return Site(site.folder)


def sealed(site, month, *, failed=(), kind="monthly", started_at=datetime(2026, 11, 6, tzinfo=UTC), **parameters):
    """Seal a run whose notebooks did nothing."""
    private = keys.load_private(site.keys_folder)
    number = len(list(site.folder.glob("*/20*")))
    pages = [{"page": name, "succeeded": name not in failed} for name in ("completeness", "random_sample")]
    predicate = provenance(
        build_type="urn:test",
        builder_id="urn:test",
        started_at=started_at,
        finished_at=started_at,
        external_parameters={"kind": kind, "period": month, **parameters},
        internal_parameters={"pages": pages},
    )
    working = working_folder(site.folder.parent / "working")
    archive = site.restricted_folder if kind == "restricted" else site.archive_folder
    try:
        name = f"{month}-{kind}-20261106T031500Z-{number:04x}"
        pem = keys.public_pem(private.public_key())
        return seal(working, archive, name, predicate, private, pem)
    finally:
        shutil.rmtree(working)


class Runner:
    """Takes the place of `run_month`: seals at once, fails or raises as told; the months it ran are in order."""

    def __init__(self):
        self.ran, self.failed, self.raised = [], {}, {}

    def __call__(self, site, month, *, language, progress):
        self.ran.append(month)
        if month in self.raised:
            raise self.raised[month]
        failed = self.failed.get(month, ())
        bag = sealed(site, month, failed=failed)
        outcomes = [Outcome(name, "no" if name in failed else "") for name in ("completeness", "random_sample")]
        return MonthRun(bag, bag / "data" / "pages" / "index.html", tuple(outcomes))


@pytest.fixture
def runner(monkeypatch):
    runner = Runner()
    monkeypatch.setattr(due, "run_month", runner)
    return runner


def run(site, found=None):
    found = found or find_due(site, TODAY)
    return list(run_due(site, found.months, "en", lambda _month: contextlib.nullcontext(print)))


def months(found: Due):
    return [(each.month, each.state) for each in found.months]


def call(site, *arguments):
    answer = CliRunner().invoke(app, [*arguments, "--site", str(site.folder)])
    error = answer.exception
    if error and not isinstance(error, SystemExit):
        return getattr(error, "exit_code", error), str(error)
    return answer.exit_code, answer.output


@pytest.mark.parametrize(
    ("today", "last"), [(date(2026, 11, 5), "2026-09"), (TODAY, "2026-10"), (date(2026, 12, 1), "2026-10")]
)
def test_a_month_is_due_when_it_has_ended_and_the_days_for_late_exports_are_over(site, today, last):
    assert months(find_due(site, today)) == [(month, MISSING) for month in AUTUMN if month <= last]


def test_the_months_are_run_in_order_the_silent_one_too_and_a_second_time_nothing_is(bare, runner):
    site = bare
    assert [(each.month, each.exit_code) for each in run(site)] == [(month, 0) for month in AUTUMN]
    assert runner.ran == AUTUMN
    assert find_due(site, TODAY) == Due((), ())


def test_an_incomplete_month_and_one_that_raised_are_tried_again_and_keep_no_other_from_being_run(site, runner):
    runner.failed = {"2026-08": ["random_sample"]}
    runner.raised = {"2026-09": RunError("No.", "Yes.")}
    assert [each.exit_code for each in run(site)] == [3, 1, 0]
    assert months(find_due(site, TODAY)) == [("2026-08", INCOMPLETE), ("2026-09", MISSING)]
    runner.failed, runner.raised = {}, {"2026-09": ZeroDivisionError("a name of the log")}
    tried = run(site)
    assert [each.exit_code for each in tried] == [0, 1]
    assert "ZeroDivisionError" in tried[1].sentence
    assert "a name" not in tried[1].sentence
    assert months(find_due(site, TODAY)) == [("2026-09", MISSING)]


def test_a_run_that_does_not_verify_is_no_control_and_is_loud_even_when_the_month_is_made_again(site, runner):
    bags = [each.run.bag for each in run(site)]
    change_byte(bags[1] / "data" / "pages" / "index.html", 3)
    found = find_due(site, TODAY)
    assert months(found) == [("2026-09", BROKEN)]
    assert {problem.run for problem in found.problems} == {bags[1].name}
    run(site, found)
    again = find_due(site, TODAY)
    assert again.months == ()
    assert again.problems


def test_a_removed_last_month_is_due_again_and_the_removal_is_named(site, runner):
    bag = run(site)[-1].run.bag
    shutil.rmtree(bag)
    found = find_due(site, TODAY)
    assert months(found) == [("2026-10", MISSING)]
    assert bag.name in {problem.run for problem in found.problems}


def test_a_run_begun_before_its_month_had_ended_is_no_control_of_it(site):
    sealed(site, "2026-10", started_at=datetime(2026, 10, 31, 22, 59, tzinfo=UTC))
    assert months(find_due(site, TODAY))[-1] == ("2026-10", MISSING)
    sealed(site, "2026-10", started_at=datetime(2026, 10, 31, 23, 0, tzinfo=UTC))  # midnight in Oslo
    assert months(find_due(site, TODAY))[-1] == ("2026-09", MISSING)


def test_what_is_kept_for_the_privacy_officer_must_have_succeeded_and_verify(bare):
    site = beginning(bare, "2026-10")
    apart = sealed(site, "2026-10", kind="restricted", failed=["completeness"])
    told = {"restricted": {"run": apart.name, "tagmanifest_sha256": chain.read_run(apart).tagmanifest_sha256}}
    sealed(site, "2026-10", **told)
    assert months(find_due(site, TODAY)) == [("2026-10", INCOMPLETE)]
    apart = sealed(site, "2026-10", kind="restricted")
    told = {"restricted": {"run": apart.name, "tagmanifest_sha256": chain.read_run(apart).tagmanifest_sha256}}
    sealed(site, "2026-10", **told)
    assert months(find_due(site, TODAY)) == []
    change_byte(apart / "data" / "pages" / "index.html", 3)
    assert months(find_due(site, TODAY)) == [("2026-10", INCOMPLETE)]  # the earlier run, which still verifies


def test_what_was_disposed_of_is_not_due(bare, tmp_path):
    take_in_all(bare, [gerica_file(tmp_path / "old.csv", [row(3, "03.02.2019")])], "gerica")
    with writing(bare, bare.temporary_folder) as connection, transaction(connection):
        record_disposal(connection, "before", date(2021, 1, 1), "", [])
    assert months(find_due(bare, TODAY)) == [(month, MISSING) for month in AUTUMN]


def test_a_single_wrong_date_does_not_start_years_of_runs(bare, tmp_path):
    take_in_all(bare, [gerica_file(tmp_path / "old.csv", [row(3, "01.01.1999")])], "gerica")
    with pytest.raises(SettingsError, match="334 months from 1999-01 on"):
        find_due(bare, TODAY)
    assert months(find_due(beginning(bare, "2026-10"), TODAY)) == [("2026-10", MISSING)]


def test_a_store_or_archive_that_is_not_there_is_no_empty_one(bare):
    shutil.move(bare.archive_folder, bare.folder / "away")
    with pytest.raises(UnavailableError, match="archive"):
        find_due(bare, TODAY)
    shutil.move(bare.folder / "away", bare.archive_folder)
    shutil.rmtree(bare.store_folder)
    with pytest.raises(StoreError):
        find_due(bare, TODAY)


def test_two_at_once_work_one_after_the_other(site):
    order: list[str] = []
    waits = threading.Event()

    def second():
        with only_one(site, waits.set):
            order.append("second")

    with only_one(site, lambda: None):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_one_that_waits_too_long_says_so(site):
    with only_one(site, lambda: None):
        thrown: list[str] = []

        def second():
            try:
                with only_one(site, lambda: None, 0.1):
                    pass
            except UnavailableError as error:
                thrown.append(str(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join(10)
    assert "has been running for a long time" in thrown[0]


def test_the_command_lists_without_running_then_ends_with_the_worst_code_and_leaves_it_for_the_alarm(site, runner):
    code, printed = call(site, "due", "--list", "--json")
    assert (code, runner.ran) == (0, [])
    assert json.loads(printed)["months"] == [{"month": month, "state": MISSING} for month in AUTUMN]
    runner.failed = {"2026-09": ["completeness"]}
    code, printed = call(site, "due", "--language", "en")
    assert code == 3, printed
    assert "2026-08: done" in printed
    assert "2026-09: incomplete" in printed
    result = site.temporary_folder / "due.json"
    assert [(each["month"], each["exit_code"]) for each in json.loads(result.read_bytes())] == [("2026-09", 3)]
    runner.failed = {}
    code, printed = call(site, "due", "--json")
    assert (code, runner.ran) == (0, [*AUTUMN, "2026-09"])
    assert json.loads(result.read_bytes()) == []


def test_the_command_tries_again_and_then_sends_one_alarm(site, runner, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(commands_schedule.time, "sleep", pauses.append)
    sent: list[list[str]] = []
    monkeypatch.setattr(
        "audit_kernel.alarm.raise_alarm", lambda _site, failures: sent.append([each.month for each in failures])
    )
    runner.failed = {"2026-10": ["completeness"]}
    assert call(site, "due", "--tries", "3", "--alarm")[0] == 3
    assert (len(pauses), runner.ran.count("2026-10"), runner.ran.count("2026-08")) == (2, 3, 1)
    assert sent == [["2026-10"]]


def test_an_archive_that_does_not_verify_ends_with_one_though_no_month_is_due(site, runner):
    bag = run(site)[0].run.bag
    change_byte(bag / "data" / "statement.json", 9)
    code, printed = call(site, "due")
    assert code == 1
    assert bag.name in printed


def test_a_journal_that_cannot_be_written_ends_with_four(bare):
    shutil.rmtree(bare.journals_folder)
    bare.journals_folder.write_text("")
    assert call(bare, "due")[0] == 4
    assert Path(bare.temporary_folder / "due.json").is_file()
