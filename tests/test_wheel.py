"""The wheel, installed elsewhere, is whole: SQL, notebooks and parameters are found and a command works."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ("sql", "notebooks", "parameters")


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


def test_the_wheel_holds_every_query_notebook_and_parameter_file(wheel):
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
