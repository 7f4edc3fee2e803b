"""Processes that begin warm: one process loads the libraries, and those of each notebook are forked from it.

A notebook still has its processes to itself, one that executes and its kernel; only the loading, most of a page's
time, is done once. Where processes cannot be forked (Windows) each begins cold.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import subprocess
import sys
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import resource_folder
from audit_kernel.evidence.execute import main, stop_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    # Of an order's and an answer's path, and seconds: the exit code, None where it was stopped after so many seconds.
    Start = Callable[[Path, Path, float], int | None]

CAN_FORK = hasattr(os, "fork") and sys.platform == "linux"
# What a notebook's two processes import; those that start threads or sockets when imported do not belong here.
LOADED = (
    "papermill",
    "ipykernel.kernelapp",
    "altair",
    "pandas",
    "duckdb",
    "pyarrow.ipc",
    "scipy.stats",
    "audit_kernel.evidence.exporter",
    "audit_kernel.evidence.kernel",
    "audit_kernel.evidence.charts",
    "audit_kernel.evidence.page",
    "audit_kernel.store.reading",
)


class Starter:
    """One warm process, which executes one notebook at a time.

    Parameters
    ----------
    working: the run's working folder.
    environment: the whole environment of the processes.
    """

    def __init__(self, working: Path, environment: Mapping[str, str]) -> None:
        self._working, self._environment = working, dict(environment)
        self._process = self._begun()

    def _begun(self) -> subprocess.Popen[bytes]:
        """Begin to load, without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "audit_kernel.evidence.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self._working,
            env=self._environment,
            bufsize=0,  # what is read ahead, select would not see
        )

    def run(self, order: Path, answer: Path, seconds: float) -> int | None:
        """Execute one task; return its process's exit code, None when it was stopped after so many seconds."""
        if self._process.poll() is not None:
            self.close()
            self._process = self._begun()
        ends = time.monotonic() + seconds
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([str(order), str(answer)]).encode() + b"\n")  # type: ignore[union-attr]
        pid = self._said(ends)
        code = self._said(ends) if pid else pid
        if pid:
            stop_group(int(pid))  # it, or what it left behind
        if code is None:
            self.close()
            return None
        return int(code) if code else self._process.wait() or 1

    def _said(self, ends: float) -> str | None:
        """Return the process's next line, "" when it has ended, None when time is up."""
        pipe: Any = self._process.stdout
        is_ready, _writers, _errors = select.select([pipe], [], [], max(ends - time.monotonic(), 0))
        return pipe.readline().decode().strip() if is_ready else None

    def close(self) -> None:
        """End the process."""
        stop_group(self._process.pid)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]


@contextlib.contextmanager
def warm_starters(
    n_workers: int, working: Path, environment: Mapping[str, str]
) -> Iterator[Callable[[Path, Path, float], int | None]]:
    """Keep as many warm processes as there are workers; yield what `execute` starts a task with."""
    starters = [Starter(working, environment) for _worker in range(n_workers)]
    free: SimpleQueue[Starter] = SimpleQueue()
    for each in starters:
        free.put(each)

    def start(order: Path, answer: Path, seconds: float) -> int | None:
        taken = free.get()
        try:
            return taken.run(order, answer, seconds)
        finally:
            free.put(taken)

    try:
        yield start
    finally:
        for each in starters:
            each.close()


def _outlives(child: int) -> bool:
    """Wait for a notebook's end; where the runner is gone before, end the notebook and say False."""
    ended = os.pidfd_open(child)
    try:
        ready, _writers, _errors = select.select([ended, sys.stdin], [], [])  # no order comes before the answer
        if ended not in ready:
            stop_group(child)
        return ended in ready
    finally:
        os.close(ended)


def load() -> None:
    """Import the libraries, and do what each notebook would do alone on first use; nothing of it begins a thread."""
    for name in LOADED:
        importlib.import_module(name)
    import altair
    import nbformat

    from audit_kernel.evidence.rendering import compile_templates
    from audit_kernel.locale import LANGUAGES, translator
    from audit_kernel.sources import load_source, source_ids
    from audit_kernel.store.catalogue import checked_extension
    from audit_kernel.store.connection import EXTENSIONS

    for name in (*EXTENSIONS, "sqlite_scanner"):
        checked_extension(name)
    for language in LANGUAGES:
        translator(language)
    compile_templates()
    nbformat.validate(nbformat.v4.new_notebook())
    mappings = [resource_folder("parameters") / "sources"]
    for source_id in source_ids(mappings):
        load_source(source_id, mappings)
    # With the first chart of a process altair makes a table of its whole grammar.
    altair.layer(altair.Chart(altair.InlineData(values=[{"x": 0}])).mark_text().encode(x=altair.X("x:Q"))).to_dict()


def serve() -> None:
    """Load what notebooks need, then fork a process for each order that comes in, and say how it ended."""
    from audit_kernel.evidence.kernel import ForkedKernel

    load()
    gc.freeze()  # what is shared stays shared
    nothing = os.open(os.devnull, os.O_RDWR)
    while line := sys.stdin.readline():
        order, answer = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            for number in (0, 1, 2):
                os.dup2(nothing, number)
            code = 1
            try:
                ForkedKernel.waiting = ForkedKernel()
                main(order, answer)
                code = 0
            finally:
                os._exit(code)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        if not _outlives(child):
            return
        _pid, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
