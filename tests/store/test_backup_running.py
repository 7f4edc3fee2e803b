"""Backups of a site at work, writers and backups killed at any moment: each finished one restores to one moment."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit_kernel.backup.folder import NAME
from audit_kernel.backup.make import back_up
from audit_kernel.backup.restore import restore
from audit_kernel.cases import lines, work
from audit_kernel.journal import Journal
from audit_kernel.site import Site
from tests.evidence.sealed_months import seal_month
from tests.store.logs import ask

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes")

CASE, SEED, ROWS = "sak 2026/17", 7, 50
# Forks writers and a backup for each turn, so that Python starts once, and kills one side after so many seconds.
AT_WORK = """
import itertools, os, signal, sys, time
from pathlib import Path
from audit_kernel.backup.make import back_up
from audit_kernel.cases.work import add_note
from audit_kernel.site import Site
from audit_kernel.store.intake import take_in
from tests.evidence.sealed_months import seal_month
from tests.store.logs import gerica_file, row
site, number, folder = Site(Path(sys.argv[1])), sys.argv[2], Path(sys.argv[3])

def begun(do):
    child = os.fork()
    if not child:
        try:
            do()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return child

def log(turn):
    for count in itertools.count():
        first = turn * 1_000_000 + count * 1_000
        path = gerica_file(folder / f"{first}.csv", [row(first + each) for each in range(50)])
        take_in(site, path, "gerica")

def notes(turn):
    for count in range(100_000):
        add_note(site, number, f"{turn} {count}")
        if count % 40 == 20:
            seal_month(site, f"20{turn + 10:02}-01", {"units": 1}, run_id=f"{turn:04x}{count:04x}")

for line in sys.stdin:
    turn, seconds, victim = line.split()
    writers = [begun(lambda: log(int(turn))), begun(lambda: notes(int(turn)))]
    time.sleep(0.3)
    backup = begun(lambda: back_up(site, folder / "backups"))
    time.sleep(float(seconds))
    if victim == "backup":
        os.kill(backup, signal.SIGKILL)
    elif victim == "writers":
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
    code = os.waitpid(backup, 0)[1]
    for writer in writers:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    print(turn, code, flush=True)
"""
VICTIMS = ("nobody", "writers", "backup")


def at_work(site, folder, n_turns):
    """Make so many backups while two processes write; return how many were finished."""
    work.start_case(site, CASE, "written in while it is backed up")
    seal_month(site, "2026-10", {"units": 1})
    generator, finished = random.Random(SEED), 0
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-P", "-c", AT_WORK, str(site.folder), CASE, str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        for turn in range(n_turns):
            victim = VICTIMS[turn % len(VICTIMS)]
            process.stdin.write(f"{turn} {generator.uniform(0.05, 0.9)} {victim}\n")
            process.stdin.flush()
            said, code = process.stdout.readline().split()
            assert said == str(turn)
            backups = sorted(path for path in (folder / "backups").iterdir() if NAME.fullmatch(path.name))
            if victim != "backup":
                assert (code, len(backups)) == ("0", finished + 1)
            for backup in backups[finished:]:
                is_of_one_moment(backup, folder / "restored")
            finished = len(backups)
        process.stdin.close()
    last = back_up(site, folder / "backups")  # what a killed one left is in nobody's way
    assert not list((folder / "backups").glob(".work-*"))
    assert min(is_of_one_moment(last.folder, folder / "restored")) > 0
    return finished + 1


def is_of_one_moment(backup, folder):
    """Restore a backup and hold it against itself: whole files, lines and runs; return how many rows, notes, runs."""
    done, counts = restore(backup, folder), (0,)
    assert done.problems == done.description.problems == ()
    site = Site(folder)
    if done.description.snapshot is not None:
        (counts,) = ask(
            site,
            "select (select count(*) from lake.accesses_by_patient), (select count(*) from lake.accesses_by_employee),"
            f" (select count(*) * {ROWS} from lake.intake_files)",
        )
        assert len(set(counts)) == 1, counts
    written = [entry["text"] for entry in lines.find(site, CASE).notes]
    assert len(written) == len(set(written))
    assert Journal(site.journals_folder / "use_log.jsonl").verify() == []
    runs = len(list(site.archive_folder.glob("*-monthly-*")))
    shutil.rmtree(folder)
    return counts[0], len(written), runs - 1


def test_backups_among_writers_killed_at_three_moments_restore_to_one_moment(site, tmp_path):
    assert at_work(site, tmp_path, 3) >= 3


@pytest.mark.soak
def test_backups_among_writers_killed_at_thirty_moments_restore_to_one_moment(site, tmp_path):
    assert at_work(site, tmp_path, 30) >= 21
