"""A notebook succeeded only if no exception rose, every code cell ran, and the last cell reported done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from audit_kernel.errors import ParameterError
from audit_kernel.evidence.execute import Outcome, Task, environment, execute
from audit_kernel.evidence.warm import Starter, warm_starter

if TYPE_CHECKING:
    from audit_kernel.evidence.warm import Start

BEGIN = """from audit_kernel.evidence.display import Done, PageInformation, Heading, Paragraph
PageInformation("Title", "en", "tiny")"""
DONE = "Done({'n_rows': 3})"


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    working = tmp_path_factory.mktemp("warm")
    with warm_starter(working, environment(working)) as start:
        yield start


class Started:
    """How the tests' notebooks are started: cold, and by a process that is warm."""

    start: Start | None = None


# Cold is the way where no process can be forked; the soak tries all of it, the last test here a notebook that succeeds.
@pytest.fixture(params=[pytest.param("cold", marks=pytest.mark.soak), "warm"], autouse=True)
def _each_way(request: pytest.FixtureRequest) -> None:
    Started.start = request.getfixturevalue("warm") if request.param == "warm" else None


def task(folder: Path, cells: list[str], timeout: int = 60, **parameters: object) -> Task:
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    first = nbformat.v4.new_code_cell('run = ""\nlanguage = "en"', metadata={"tags": ["parameters"]})
    notebook.cells = [first, *map(nbformat.v4.new_code_cell, cells)]
    path = folder / "tiny.ipynb"
    nbformat.write(notebook, path)
    return Task(
        "tiny", str(path), str(folder / "executed.ipynb"), str(folder / "page.html"), parameters, "en", timeout=timeout
    )


def run(folder: Path, cells: list[str], timeout: int = 60, **parameters: object) -> Outcome:
    return execute(task(folder, cells, timeout, **parameters), folder, Started.start)


def test_a_notebook_that_reports_done_succeeds_and_leaves_its_page(tmp_path: Path) -> None:
    outcome = run(tmp_path, [BEGIN, "Heading('Hello', 1)", DONE])
    assert outcome.succeeded, outcome.reason
    assert outcome.facts == {"n_rows": 3}
    assert "Hello" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([BEGIN, "raise ValueError('no')", DONE], "ValueError"),
        ([BEGIN, "import sys; sys.exit(0)", DONE], "SystemExit"),
        ([BEGIN, "import os; os._exit(0)", DONE], "DeadKernel"),
        ([BEGIN, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", DONE], "DeadKernel"),
        ([BEGIN, DONE, "1 + 1"], "did not report"),
        ([BEGIN], "did not report"),
    ],
)
def test_a_notebook_that_ends_early_fails_and_leaves_no_page(tmp_path: Path, cells: list[str], words: str) -> None:
    outcome = run(tmp_path, cells)
    assert not outcome.succeeded
    assert words in outcome.reason
    assert not (tmp_path / "page.html").exists()


def test_a_notebook_that_hangs_is_stopped_with_its_kernel(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        [BEGIN, f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))\nwhile True: pass"],
        8,
    )
    assert "longer" in outcome.reason or "Timeout" in outcome.reason
    kernel = int((tmp_path / "pid").read_text())
    for _attempt in range(100):
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the kernel outlived its notebook")


def test_a_kernel_ends_when_the_process_of_its_notebook_was_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    cell = f"import os, signal, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\nos.kill(os.getppid(), 9)"
    assert not run(tmp_path, [BEGIN, cell, "time.sleep(60)", DONE]).succeeded
    kernel = int(pid.read_text())
    for _attempt in range(100):
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the kernel outlived the process of its notebook")


def test_only_declared_parameters_reach_the_notebook(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="has no parameter"):
        run(tmp_path, [BEGIN, DONE], **{"x = 1; import os": "y"})


def test_a_hostile_value_stays_a_value(tmp_path: Path) -> None:
    hostile = "'''\"\"\"\\\n{}raise SystemExit"
    outcome = run(tmp_path, [BEGIN, f"assert run == {hostile!r}", DONE], run=hostile)
    assert outcome.succeeded, outcome.reason


def test_the_kernel_is_reached_over_sockets_and_not_over_a_port(tmp_path: Path) -> None:
    cell = "import ipykernel, json\nassert json.load(open(ipykernel.get_connection_file()))['transport'] == 'ipc'"
    outcome = run(tmp_path, [BEGIN, cell, DONE])
    assert outcome.succeeded, outcome.reason


def test_a_module_of_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("audit_kernel", "papermill"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a stranger')")
    monkeypatch.chdir(tmp_path)
    outcome = run(tmp_path, [BEGIN, DONE])
    assert outcome.succeeded, outcome.reason


def test_no_setting_of_the_user_reaches_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KERNEL_SITE", "elsewhere")
    monkeypatch.setenv("LANG", "nb_NO.UTF-8")
    passed = environment(tmp_path)
    assert "AUDIT_KERNEL_SITE" not in passed
    assert passed["LANG"] == "C.UTF-8"
    assert passed["TZ"] == "UTC"


def test_a_kernel_that_began_warm_has_its_own_memory_and_the_runs_environment(tmp_path: Path) -> None:
    cell = """import os, audit_kernel
assert not hasattr(audit_kernel, "left_behind"), "an earlier notebook is seen"
audit_kernel.left_behind = True
assert os.environ["TZ"] == "UTC" and os.environ["PYTHONHASHSEED"] == "0"
assert os.getpid() == os.getsid(0)"""
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        outcome = run(folder, [BEGIN, cell, DONE])
        assert outcome.succeeded, outcome.reason


def test_a_warm_process_that_was_killed_is_begun_again(tmp_path: Path) -> None:
    starter = Starter(tmp_path, environment(tmp_path))
    try:
        starter._process.kill()  # as the operating system may do at any time
        first = execute(task(tmp_path, [BEGIN, DONE]), tmp_path, starter.run)
        (tmp_path / "again").mkdir()
        again = execute(task(tmp_path / "again", [BEGIN, DONE]), tmp_path / "again", starter.run)
    finally:
        starter.close()
    assert again.succeeded, again.reason
    assert first.succeeded or "without an answer" in first.reason


def test_notebooks_run_side_by_side_from_one_warm_process_and_end_each_by_itself(warm: Start, tmp_path: Path) -> None:
    cells = {"ends": [BEGIN, "import os; os._exit(0)", DONE], "stays": [BEGIN, "import time; time.sleep(1)", DONE]}
    tasks = {}
    for name, of_one in cells.items():
        (tmp_path / name).mkdir()
        tasks[name] = task(tmp_path / name, of_one)
    with ThreadPoolExecutor(2) as pool:
        done = {name: pool.submit(execute, each, tmp_path / name, warm) for name, each in tasks.items()}
    assert "DeadKernel" in done["ends"].result().reason
    assert done["stays"].result().succeeded, done["stays"].result().reason


def test_a_notebook_begins_cold_where_no_process_can_be_forked(tmp_path: Path) -> None:
    outcome = execute(task(tmp_path, [BEGIN, "Heading('Hello', 1)", DONE]), tmp_path, start=None)
    assert outcome.succeeded, outcome.reason
    assert outcome.facts == {"n_rows": 3}
    assert "Hello" in (tmp_path / "page.html").read_text()
