"""A month that is killed at any moment is finished and verifies, or is not there; the next run succeeds."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audit_kernel.due import FINISHED, LEFT_BY_A_KILLED_RUN, OF_AN_EMPTY_ARCHIVE, archive_states, find_due, run_due
from audit_kernel.evidence import chain
from audit_kernel.evidence.restricted_run import site_problems
from audit_kernel.evidence.verify import verify
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all
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
    (site.folder / "parameters" / "schedule.yml").write_text(f"monthly: {json.dumps(notebooks)}\n", encoding="utf-8")
    return site


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


def assert_the_next_run_succeeds_and_clears_up(site, *words):
    if words:
        assert start(site, *words).wait(ALL_SECONDS) == 0
    else:  # in this process, which has loaded what it takes
        tried = list(run_due(site, find_due(site).months, "en", lambda _month: contextlib.nullcontext(print)))
        assert [each.sentence for each in tried if each.exit_code] == []
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
    assert_the_next_run_succeeds_and_clears_up(site)


@pytest.mark.soak
def test_a_run_killed_at_twenty_moments_leaves_a_month_that_verifies_or_none(made, tmp_path):
    """Half the moments are spread over the run, half lie where files are written."""
    site = copied(made, tmp_path, SEVERAL)
    generator, figures = random.Random(SEED), {"killed": 0, "finished": 0, "leftovers": 0}
    began = time.monotonic()
    assert_the_next_run_succeeds_and_clears_up(site, "month", MONTH)
    whole = time.monotonic() - began
    shutil.rmtree(site.archive_folder)
    site.archive_folder.mkdir(0o700)
    marks = [("", whole)] * (N_KILLS // 2) + [
        (BEGUN, 1.0),
        (NOTEBOOKS, whole / 2),
        (SEALING, 0.03),
        (SEALING, 0.005),
    ] * 3
    for mark, longest in marks[:N_KILLS]:
        before = len(chain.bag_folders(site.archive_folder))
        figures["killed"] += kill_after(site, start(site, "month", MONTH), mark, generator.uniform(0, longest))
        assert_finished_or_not_there(site)
        figures["finished"] += len(chain.bag_folders(site.archive_folder)) - before
        figures["leftovers"] += any(site.folder.glob(SEALING))
        assert_the_next_run_succeeds_and_clears_up(site, "month", MONTH)
        print(figures, flush=True)
    print(json.dumps({**figures, "seconds_a_run": round(whole, 1)}))
