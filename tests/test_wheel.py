"""The wheel, installed elsewhere, is whole: SQL, notebooks and parameters are found and a command works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PERIOD = ("--from", "2026-10-01", "--to", "2026-10-31")
SHIPPED = ("sql", "notebooks", "parameters", "deploy")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Give a function that runs a program of an environment in which only the wheel stands for the product."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment_folder = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment_folder)], check=True)
    programs = environment_folder / ("Scripts" if os.name == "nt" else "bin")
    python = programs / Path(sys.executable).name
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    # The dependencies are those of this environment; a folder named in a .pth file has its own .pth files ignored,
    # so the editable install of the checkout stays out of it.
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    Path(own, "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AUDIT_"))}
    environment["JUPYTER_PATH"] = str(Path(sys.prefix, "share", "jupyter"))

    def run(program: str, *arguments: str, cwd: Path = folder) -> str:
        done = subprocess.run(
            [programs / program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_wheel_holds_every_query_notebook_parameter_file_and_template(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in SHIPPED:
        wanted = {
            f"audit_kernel/{path.relative_to(ROOT).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and not path.name.startswith(".") and ".ipynb_checkpoints" not in path.parts
        }
        assert wanted
        assert wanted <= names


def test_the_wheel_holds_what_the_package_needs_beside_its_modules(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "audit_kernel"
    wanted = {
        f"audit_kernel/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and path.suffix in {".js", ".css", ".po", ".txt", ".html", ".j2", ".json", ".py"}
    }
    assert wanted <= names


def test_the_wheel_holds_no_test_and_no_checkout(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if not name.startswith(("audit_kernel/", "audit_kernel-"))] == []


def test_the_installed_package_is_the_wheels_own(installed):
    said = installed("python", "-c", "from audit_kernel.catalog import resource_folder as f; print(f('sql'))")
    assert Path(said.strip()).parts[-2:] == ("audit_kernel", "sql")
    assert "elsewhere" in said


LOG = """\
Id. nr.;Dato;Tid;Loggtype;Ansatt;Tabell;Relatert post;Meldingstype
1;05.10.2026;08:15:00;Lesing;KANO01;Bruker;1042;Post vist
2;05.10.2026;08:16:30;Lesing;KANO01;Bruker;1042;Post vist
3;06.10.2026;23:10:00;Lesing;OLHA02;Bruker;1042;Post vist
"""


@pytest.fixture(scope="module")
def site(installed, tmp_path_factory):
    """A site made and filled by the installed program, in a folder far from the checkout."""
    folder = tmp_path_factory.mktemp("far")
    (folder / "log.csv").write_text(LOG, encoding="utf-8")
    installed("audit-kernel", "init", "site", "--country", "NO", cwd=folder)
    installed("audit-kernel", "intake", "log.csv", "--source", "gerica", "--site", "site", cwd=folder)
    return folder / "site"


def test_a_report_runs_from_a_folder_far_from_the_checkout(installed, site):
    question = ["report", "activity", "--patient", "1042", *PERIOD, "--purpose", "sak 2026/17", "--json"]
    answer = json.loads(installed("audit-kernel", *question, cwd=site))
    assert [(row["employee_id"], row["n_patient"]) for row in answer] == [("KANO01", 2), ("OLHA02", 1)]


def test_a_sealed_report_of_the_installed_wheel_verifies(installed, site):
    installed("audit-kernel", "report", "system_log", *PERIOD, "--purpose", "sak 1", "--archive", cwd=site)
    installed("audit-kernel", "verify", cwd=site)
    (page,) = (site / "archive").glob("*/data/pages/*system_log*.html")
    assert "KANO01" in page.read_text(encoding="utf-8")
