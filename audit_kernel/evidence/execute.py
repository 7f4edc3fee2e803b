"""Executes one notebook by papermill and judges for itself whether it succeeded.

Papermill alone does not: after a killed kernel or a timeout it marks every cell "completed", and `sys.exit(0)` passes.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel import errors
from audit_kernel.errors import ParameterError
from audit_kernel.evidence.objects import MIME_TYPE
from audit_kernel.files import replace_whole, write_new
from audit_kernel.locale import translator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.evidence.warm import Start

TIMEOUT_SECONDS = 3600
GRACE_SECONDS = 15  # papermill stops a cell that runs too long, and its kernel, by itself


@dataclass(frozen=True)
class Task:
    """One notebook to execute: paths, parameters, language, the kind of query it shows, seconds until it is stopped."""

    name: str
    notebook: str
    executed: str
    page: str
    parameters: dict[str, Any]
    language: str
    room: str = "reports"
    timeout: int = TIMEOUT_SECONDS


@dataclass(frozen=True)
class Outcome:
    """What became of it: `reason` is empty when it succeeded; `facts` come from the page's last cell."""

    name: str
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    room: str = "reports"

    @property
    def succeeded(self) -> bool:
        """Whether no exception rose, every code cell ran, and the last cell reported done."""
        return not self.reason


def execute(task: Task, working: Path, start: Start | None = None) -> Outcome:
    """Execute a notebook in a process of its own; a killed or hanging one becomes an outcome, not an exception.

    Parameters
    ----------
    start: how its process is started (`warm_starter`); cold when None.
    """
    check_parameter_names(task.name, Path(task.notebook), task.parameters)
    _ = translator(task.language)
    began = time.monotonic()
    order = working / f"{task.name}.task.json"
    answer = working / f"{task.name}.outcome.json"
    write_new(order, json.dumps(asdict(task)).encode())
    code = (start or _cold(working))(order, answer, task.timeout + GRACE_SECONDS)
    if code is None:
        text = _("It ran longer than {seconds} seconds and was stopped.")
        return Outcome(task.name, text.format(seconds=task.timeout), room=task.room)
    if not answer.is_file():
        return Outcome(
            task.name, _("Its process ended without an answer (exit code {code}).").format(code=code), room=task.room
        )
    outcome = Outcome(**json.loads(answer.read_text(encoding="utf-8")))
    return replace(outcome, seconds=time.monotonic() - began, room=task.room)


def _cold(working: Path) -> Start:
    def start(order: Path, answer: Path, seconds: float) -> int | None:
        process = subprocess.Popen(
            [sys.executable, "-m", "audit_kernel.evidence.execute", str(order), str(answer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=working,
            env=environment(working),
        )
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            stop_group(process.pid)
            process.communicate()

    return start


def end_with_the_runner() -> None:
    """Wait until the runner is gone, which closes this process's input, and end: nobody would take the answer."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def environment(working: Path) -> dict[str, str]:
    """Return the environment of a run: nothing of the user's that could change a page."""
    passed = {
        key: os.environ[key] for key in ("PATH", "SYSTEMROOT", "HOME", "USERPROFILE", "TEMP") if key in os.environ
    }
    return {
        **passed,
        "TZ": "UTC",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",  # no module of the folder that the command was called from
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "IPYTHONDIR": str(working / "ipython"),
        "JUPYTER_CONFIG_DIR": str(working / "jupyter"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def declared_parameters(notebook: Path) -> set[str]:
    """Return the names that a notebook's first cell, the one tagged `parameters`, declares."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    lines = [line for cell in tagged for line in "".join(cell["source"]).splitlines() if "=" in line]
    return {line.split("=", 1)[0].strip() for line in lines}


def check_parameter_names(name: str, notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse names that the notebook does not declare: papermill pastes names as code.

    Raises
    ------
    ParameterError: a name is not declared.
    """
    declared = declared_parameters(notebook)
    for each in parameters:
        if not each.isidentifier() or each not in declared:
            problem = f"The page of {name} has no parameter {each!r}."
            raise ParameterError(problem, f"It has: {', '.join(sorted(declared))}.")


def outputs_hash(executed: Path) -> str:
    """Return SHA-256 over what an executed notebook shows, without its times and paths; empty where none can be read.

    It is over the `data` of every output in order, as JSON in ASCII with sorted keys and no blanks.
    """
    try:
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):  # its process was killed
        return ""
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    shown = [output["data"] for output in outputs if "data" in output]
    return hashlib.sha256(json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def stop_group(pid: int) -> None:
    """Kill a process and its group; its kernel, in a session of its own, ends when it finds its parent gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def reason_of(name: str, message: str, language: str) -> str:
    """Say why a notebook failed: only our own errors are quoted, any other could quote a row of the log."""
    own = getattr(errors, name, None)
    if isinstance(own, type) and issubclass(own, errors.AuditKernelError):
        return message
    _ = translator(language)
    return _("{error} in a cell of the notebook.").format(error=name)


def judge(notebook: Any, language: str) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - an nbformat notebook
    """Return why an executed notebook did not succeed (empty when it did), and the facts of its last cell."""
    _ = translator(language)
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for cell in code_cells:
        for output in cell.outputs:
            if output.output_type == "error":
                return reason_of(output.ename, output.evalue, language), {}
    if not code_cells or any(cell.execution_count is None for cell in code_cells):
        return _("Not every cell ran: its kernel ended early."), {}
    last = [output.data[MIME_TYPE] for output in code_cells[-1].outputs if MIME_TYPE in output.get("data", {})]
    if not last or last[-1].get("object") != "done":
        return _("Its last cell did not report that the page is complete."), {}
    return "", dict(last[-1].get("facts", {}))


def _run_papermill(task: Task) -> Outcome:
    import papermill

    from audit_kernel.evidence.exporter import ArchiveExporter
    from audit_kernel.evidence.kernel import KernelOverSockets

    reason = ""
    facts: dict[str, Any] = {}
    try:
        notebook = papermill.execute_notebook(
            task.notebook,
            task.executed,
            parameters=task.parameters,
            kernel_name="python3",
            kernel_manager_class=KernelOverSockets,
            progress_bar=False,
            log_output=False,
            report_mode=False,
            request_save_on_cell_execute=False,  # it is written once, at its end or at the cell that failed
            execution_timeout=task.timeout,
        )
        reason, facts = judge(notebook, task.language)
    except papermill.PapermillExecutionError as error:
        reason = reason_of(error.ename, error.evalue, task.language)
    except Exception as error:  # noqa: BLE001 - whatever ends a notebook is its outcome
        reason = reason_of(type(error).__name__, str(error), task.language)
    if not reason:
        html, _resources = ArchiveExporter().from_notebook_node(notebook)
        Path(task.page).write_text(html, encoding="utf-8", newline="\n")
    return Outcome(task.name, reason, facts)


def main(order: str, answer: str) -> None:
    """Execute one task file and write its outcome."""
    warnings.simplefilter("ignore")
    task = Task(**json.loads(Path(order).read_text(encoding="utf-8")))
    # Should the runner be killed, nobody else would stop a kernel that never answers.
    faulthandler.dump_traceback_later(task.timeout + GRACE_SECONDS, exit=True)
    try:
        outcome = _run_papermill(task)
    except Exception as error:  # noqa: BLE001 - the page could not be made: an outcome as well
        outcome = Outcome(task.name, reason_of(type(error).__name__, str(error), task.language))
    replace_whole(Path(answer), json.dumps(asdict(outcome)).encode())


if __name__ == "__main__":
    threading.Thread(target=end_with_the_runner, daemon=True).start()
    main(*sys.argv[1:])
