"""Processes that begin warm: one process of a run loads the libraries, and those of each notebook are forked from it.

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
import threading
import time
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

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
    """One warm process, which starts notebooks side by side; begun again where it was killed.

    Parameters
    ----------
    working: the run's working folder.
    environment: the whole environment of the processes.
    """

    def __init__(self, working: Path, environment: Mapping[str, str]) -> None:
        self._working, self._environment = working, dict(environment)
        self._lock, self._numbers = threading.Lock(), count(1)
        self._process = self._begun()

    def _begun(self) -> subprocess.Popen[bytes]:
        """Begin to load, without waiting for it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "audit_kernel.evidence.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self._working,
            env=self._environment,
            bufsize=0,
        )
        self._waiting: dict[int, SimpleQueue[int | None]] = {}
        self._listener = threading.Thread(target=self._listen, args=(process, self._waiting), daemon=True)
        self._listener.start()
        return process

    def _listen(self, process: subprocess.Popen[bytes], waiting: dict[int, SimpleQueue[int | None]]) -> None:
        """Hand the process's lines on to whom they are for; None to all when it has ended."""
        for line in process.stdout or ():
            number, said = map(int, line.split())
            waiting[number].put(said)
        process.wait()
        with self._lock:
            for pipe in (process.stdin, process.stdout):
                pipe.close()  # type: ignore[union-attr]
            for each in waiting.values():
                each.put(None)

    def run(self, order: Path, answer: Path, seconds: float) -> int | None:
        """Execute one task; return its process's exit code, None when it was stopped after so many seconds."""
        ends, said = time.monotonic() + seconds, SimpleQueue[int | None]()
        with self._lock:
            if self._process.poll() is not None:
                self._process = self._begun()
            process, number = self._process, next(self._numbers)
            self._waiting[number] = said
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps([number, str(order), str(answer)]).encode() + b"\n")  # type: ignore[union-attr]
        pid = code = None
        try:
            pid = said.get(timeout=max(ends - time.monotonic(), 0))
            if pid is not None:
                code = said.get(timeout=max(ends - time.monotonic(), 0))
        except Empty:
            return None
        finally:
            if pid is not None:
                stop_group(pid)  # it, or what it left behind
        return code if code is not None else process.wait() or 1

    def close(self) -> None:
        """End the process."""
        stop_group(self._process.pid)
        self._listener.join()


@contextlib.contextmanager
def warm_starter(working: Path, environment: Mapping[str, str]) -> Iterator[Start]:
    """Keep a warm process; yield what `execute` starts a task with."""
    starter = Starter(working, environment)
    try:
        yield starter.run
    finally:
        starter.close()


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
    nbformat.validate(nbformat.v4.new_notebook())  # type: ignore[no-untyped-call]
    mappings = [resource_folder("parameters") / "sources"]
    for source_id in source_ids(mappings):
        load_source(source_id, mappings)
    # With the first chart of a process altair makes a table of its whole grammar.
    altair.layer(altair.Chart(altair.InlineData(values=[{"x": 0}])).mark_text().encode(x=altair.X("x:Q"))).to_dict()


def serve() -> None:
    """Load what notebooks need, then fork a process for each order that comes in, and say its id and how it ended.

    An order is a line of JSON on standard input: its number, the task's path, the answer's. An answer is a line of two
    numbers: the order's, and the process's id or its exit code. Where the runner is gone, the notebooks end.
    """
    load()
    gc.freeze()  # what is shared stays shared
    running: dict[int, tuple[int, int]] = {}  # by the descriptor that tells of its end: process, number of the order
    read = b""
    while True:
        ready, _writers, _errors = select.select([sys.stdin.fileno(), *running], [], [])
        for ended in ready:
            if ended in running:
                child, number = running.pop(ended)
                os.close(ended)
                _pid, status = os.waitpid(child, 0)
                _say(number, os.waitstatus_to_exitcode(status))
        if sys.stdin.fileno() not in ready:
            continue
        if not (part := os.read(sys.stdin.fileno(), 65536)):
            for child, _number in running.values():
                stop_group(child)
            return
        *lines, read = (read + part).split(b"\n")
        for line in lines:
            number, order, answer = json.loads(line)
            child = _begin(order, answer)
            running[os.pidfd_open(child)] = child, number
            _say(number, child)


def _say(number: int, what: int) -> None:
    os.write(sys.stdout.fileno(), f"{number} {what}\n".encode())


def _begin(order: str, answer: str) -> int:
    """Fork the process of one notebook and return its id."""
    from audit_kernel.evidence.kernel import ForkedKernel

    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        ForkedKernel.waiting = ForkedKernel()
        main(order, answer)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve()
