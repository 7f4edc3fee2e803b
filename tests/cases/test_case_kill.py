"""Two people write in one case and are killed at any moment: no note that was taken is lost, and the chain holds."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from audit_kernel.cases import lines, work
from audit_kernel.journal import Journal
from audit_kernel.site import create_site

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes")

NUMBER, SEED, LONGEST_SECONDS = "sak 2026/17", 7, 0.25
# Forks two writers for each time that it is asked, so that Python starts once: each writes down a note's name only when
# the program has said that the note is in the case. Killed by a signal, a writer says no more.
WRITERS = """
import os, signal, sys, time
from pathlib import Path
from audit_kernel.cases.work import add_note
from audit_kernel.site import Site
site, number, folder = Site(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
for line in sys.stdin:
    turn, seconds = line.split()
    writers = []
    for name in ("kari", "ola"):
        writer = os.fork()
        if not writer:
            taken = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for count in range(10_000):
                note = f"{turn} {name} {count}"
                add_note(site, number, note + "." * (count % 7 * 700))
                os.write(taken, f"{note}\\n".encode())
            os._exit(0)
        writers.append(writer)
    time.sleep(float(seconds))
    for writer in writers:
        os.kill(writer, signal.SIGKILL)
    for writer in writers:
        os.waitpid(writer, 0)
    print(turn, flush=True)
"""


def killed(folder, n_kills):
    """Kill two writers so many times, looking at the case after each; return how many notes were taken in all."""
    site = create_site(folder / "site", "NO")
    path = work.start_case(site, NUMBER, "written by two").path
    generator = random.Random(SEED)
    command = [sys.executable, "-P", "-c", WRITERS, str(site.folder), NUMBER, str(folder)]
    torn = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for turn in range(n_kills):
            process.stdin.write(f"{turn} {generator.uniform(0.02, LONGEST_SECONDS)}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{turn}\n"
            if turn % 4 == 3:  # as a power cut leaves it: a signal seldom tears a short line
                with path.open("ab") as file:
                    file.write(b'{"at":"2026-11-02T')
            torn += not path.read_bytes().endswith(b"\n")
            case = work.add_note(site, NUMBER, f"{turn} after")  # whoever comes next mends what was torn
            assert Journal(path).verify() == []
            written = [entry["text"].rstrip(".") for entry in case.notes]
            assert len(written) == len(set(written))
            for name in ("kari", "ola"):
                taken = (folder / name).read_text(encoding="utf-8").splitlines() if (folder / name).exists() else []
                own = [text for text in written if f" {name} " in text]
                assert [text for text in own if text in set(taken)] == taken  # every one, in its order
                assert len(own) <= len(taken) + turn + 1  # at most one a kill was on the disk and not yet said
        process.stdin.close()
    assert {entry.user for entry in lines.find(site, NUMBER).entries}
    assert len(path.with_name(f"{path.name}.torn").read_bytes().splitlines()) == torn >= n_kills // 4
    print({"torn": torn, "notes": len(written)})
    return len(written)


def test_a_case_killed_at_twelve_moments_while_two_write_loses_no_note(tmp_path):
    began = time.monotonic()
    assert killed(tmp_path, 12) > 24
    print(time.monotonic() - began)


@pytest.mark.soak
def test_a_case_killed_at_fifty_moments_while_two_write_loses_no_note(tmp_path):
    assert killed(tmp_path, 50) > 100
