"""A month that is killed at any moment is finished and verifies, or is not there; the next run succeeds."""

from __future__ import annotations

import contextlib
import html
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from audit_kernel.due import (
    FINISHED,
    INCOMPLETE,
    LEFT_BY_A_KILLED_RUN,
    OF_AN_EMPTY_ARCHIVE,
    archive_states,
    find_due,
    run_due,
)
from audit_kernel.errors import MonthIncompleteError
from audit_kernel.evidence import chain
from audit_kernel.evidence.month import run_month
from audit_kernel.evidence.restricted_run import site_problems
from audit_kernel.evidence.verify import verify
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all
from tests.evidence.test_execute import BEGIN, DONE
from tests.store.logs import gerica_file, row

MONTH, SEED, N_KILLS = "2026-10", 5, 20
# More notebooks than cores begin warm, as a whole month's do.
ONE, SEVERAL = ["random_sample"], ["completeness", "checks/blocked_searches", "random_sample"]
# What is there when a run has come so far: its folder, its notebooks, a bag that is being written.
BEGUN, NOTEBOOKS, SEALING = "temporary/run-*", "temporary/run-*/*.task.json", "archive/.work-seal-*"
ALL_SECONDS = 300

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills a group of processes")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    site = create_site(folder / "site", "NO")
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"schedule: {{first_month: {MONTH}}}\n")
    rows = [row(number, f"{number % 28 + 1:02}.10.2026", post=str(1000 + number % 9)) for number in range(1, 60)]
    done, refused = take_in_all(site, [gerica_file(folder / "log.csv", rows)], "gerica")
    assert (len(done), refused) == (1, [])
    return site


def copied(made, folder, notebooks):
    site = Site(shutil.copytree(made.folder, folder / "site"))
    set_schedule(site, notebooks)
    return site


def set_schedule(site, notebooks):
    path = site.folder / "parameters" / "schedule.yml"
    path.write_text(f"monthly: {json.dumps(notebooks)}\n", encoding="utf-8")


# How a notebook may end before its time; each in a run of one month.
ENDS = {
    "exits": "import sys; sys.exit(0)",
    "leaves": "import os; os._exit(0)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "orphaned": "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
}


def test_notebooks_that_end_early_leave_their_pages_and_a_month_that_due_tries_again(made, tmp_path):
    site = copied(made, tmp_path, [*ENDS, "checks/blocked_searches"])
    for name, cell in ENDS.items():
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        )
        first = nbformat.v4.new_code_cell('run = ""\nlanguage = "en"', metadata={"tags": ["parameters"]})
        notebook.cells = [first, *map(nbformat.v4.new_code_cell, (BEGIN, cell, DONE))]
        nbformat.write(notebook, site.folder / "notebooks" / f"{name}.ipynb")
    (tried,) = run_due(site, find_due(site).months, "en", lambda _month: contextlib.nullcontext(print))
    assert tried.exit_code == MonthIncompleteError.exit_code
    assert [each.name for each in tried.run.outcomes if each.succeeded] == ["blocked_searches"]
    for name in ENDS:
        page = (tried.run.bag / "data" / "pages" / f"{name}.html").read_text(encoding="utf-8")
        assert name in page
        assert next(each.reason for each in tried.run.outcomes if each.name == name) in html.unescape(page)
    assert problems(site) == []
    assert [(each.month, each.state) for each in find_due(site).months] == [(MONTH, INCOMPLETE)]


def start(site, *words):
    command = [sys.executable, "-P", "-m", "audit_kernel.cli", *words, "--site", str(site.folder)]
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_after(site, process, mark, seconds):
    """Kill the run's group when it has come to a mark, and so many seconds have passed."""
    ends = time.monotonic() + ALL_SECONDS
    while mark and not list(site.folder.glob(mark)) and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.001)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process)
        return True
    return False


def problems(site):
    public = site.keys_folder / "signing-key.pub.pem"
    found = [*verify(site.archive_folder, public), *site_problems(site, public, "en")]
    return [each for each in found if each.is_failure]


def assert_finished_or_not_there(site):
    is_empty = not chain.bag_folders(site.archive_folder)
    noted = LEFT_BY_A_KILLED_RUN | (OF_AN_EMPTY_ARCHIVE if is_empty else frozenset())
    assert [each for each in problems(site) if each.code not in noted] == []
    assert archive_states(site)[0] in ({}, {MONTH: FINISHED})


def own_processes(site):
    """The processes that work in the site: a notebook's, its kernel."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            folder = Path(process, "cwd").readlink()
        except OSError:
            continue
        if str(folder).startswith(str(site.folder)):
            found.append(process.name)
    return found


def assert_whole_and_cleared(site):
    assert problems(site) == []
    assert archive_states(site)[0] == {MONTH: FINISHED}
    left = [path.name for mark in (BEGUN, SEALING) for path in site.folder.glob(mark)]
    assert left == []


def test_a_run_killed_among_its_notebooks_and_while_sealing_leaves_no_half_month(made, tmp_path):
    site = copied(made, tmp_path, ONE)
    generator = random.Random(SEED)
    for mark, longest in ((NOTEBOOKS, 0.5), (SEALING, 0.005)):
        assert kill_after(site, start(site, "due"), mark, generator.uniform(0, longest)), mark
        assert_finished_or_not_there(site)
    ends = time.monotonic() + 20
    while own_processes(site) and time.monotonic() < ends:
        time.sleep(0.05)
    assert own_processes(site) == []  # though they led groups of their own
    tried = list(run_due(site, find_due(site).months, "en", lambda _month: contextlib.nullcontext(print)))
    assert [each.sentence for each in tried if each.exit_code] == []
    assert_whole_and_cleared(site)


@pytest.mark.soak
def test_a_run_killed_at_twenty_moments_leaves_a_month_that_verifies_or_none(made, tmp_path):
    """Half the moments are spread over the run, half lie where files are written; every fourth run begins warm."""
    site = copied(made, tmp_path, ONE)
    generator, figures = random.Random(SEED), {"killed": 0, "finished": 0, "leftovers": 0}
    began = time.monotonic()
    assert start(site, "month", MONTH).wait(ALL_SECONDS) == 0
    whole = time.monotonic() - began
    among = [("", 0.8 * whole)] * (N_KILLS // 2)
    writing = [(BEGUN, 1.0), (NOTEBOOKS, whole / 2), (SEALING, 0.03), (SEALING, 0.005), (SEALING, 0.1)]
    for number, (mark, longest) in enumerate((among + writing * 2)[:N_KILLS]):
        before = len(chain.bag_folders(site.archive_folder))
        set_schedule(site, ONE if number % 4 else SEVERAL)
        figures["killed"] += kill_after(site, start(site, "month", MONTH), mark, generator.uniform(0, longest))
        assert_finished_or_not_there(site)
        figures["finished"] += len(chain.bag_folders(site.archive_folder)) - before
        figures["leftovers"] += any(site.folder.glob(SEALING))
        set_schedule(site, ONE)
        run_month(site, MONTH).require_complete()
        assert_whole_and_cleared(site)
        print(figures, flush=True)
    assert figures["killed"] > N_KILLS // 2
