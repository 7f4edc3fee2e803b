"""How far a run is: time left by the former month's times, plain lines where there is no terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from audit_kernel.evidence.execute import Outcome
from audit_kernel.run_progress import Estimate, duration, former_seconds, run_progress
from audit_kernel.site import create_site
from tests.test_due import sealed

NAMES = ["checks/a", "checks/b", "c"]


def test_nothing_is_promised_while_nothing_is_known():
    assert Estimate(["a", "b"], {}, 2).seconds_left() is None


def test_the_former_month_tells_the_time_left_and_two_at_a_time_take_half():
    former = {"a": 10.0, "b": 20.0, "c": 30.0}
    assert Estimate(["a", "b", "c"], former, 1).seconds_left() == 60
    assert Estimate(["a", "b", "c"], former, 2).seconds_left() == 30


def test_a_slower_machine_and_pages_of_its_own_are_reckoned_with():
    estimate = Estimate(["a", "b", "new"], {"a": 10.0, "b": 20.0}, 1)
    estimate.finished("a", 20.0)
    # b takes twice its 20 s; the new page the mean of the 20 s and 40 s that are known
    assert estimate.seconds_left() == 40 + 30


def test_without_a_former_month_those_done_tell():
    estimate = Estimate(["a", "b", "c"], {}, 1)
    estimate.finished("a", 6.0)
    assert estimate.seconds_left() == 12


@pytest.mark.parametrize(("seconds", "said"), [(59.6, "60 s"), (61, "1 min"), (3600 * 25, "1,500 min")])
def test_a_duration_is_rough(seconds, said):
    assert said in duration(seconds, "en")


def told(*, is_terminal):
    file = io.StringIO()
    console = Console(file=file, force_terminal=is_terminal, width=100)
    with run_progress(console, "en", NAMES, {"a": 1.0, "b": 2.0, "c": 600.0}) as report:
        report(Outcome("a", seconds=1.0))
        report(Outcome("b", "It failed.", seconds=2.0))
    return file.getvalue()


def test_a_pipe_gets_a_line_for_each_notebook_and_no_control_character():
    assert told(is_terminal=False) == "a finished (1 of 3)\nb failed (2 of 3)\n"


def test_a_terminal_gets_a_bar_with_the_time_left():
    text = told(is_terminal=True)
    assert "b failed" in text
    assert "min left" in text


def test_the_former_times_come_from_the_last_monthly_run_and_a_damaged_one_says_nothing(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    assert former_seconds(site) == {}
    bag = sealed(site, "2026-10")
    assert former_seconds(site) == {}  # a run of an earlier version, which tells no times
    statement = json.loads((bag / "data" / "statement.json").read_bytes())
    pages = statement["predicate"]["buildDefinition"]["internalParameters"]["pages"]
    pages[0] |= {"milliseconds": 1500}
    pages[1] |= {"milliseconds": 9, "succeeded": False}
    (bag / "data" / "statement.json").chmod(0o600)
    (bag / "data" / "statement.json").write_text(json.dumps(statement))
    assert former_seconds(site) == {"completeness": 1.5}
