"""What holds for every file of the repository."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 300
# In parts, so that this file does not name them itself.
INDEX_ADDRESS = re.compile(r"(--|_)(extra-)?index-" + r"url|https?://[^ \"]*/sim" + r"ple|\"resol" + r"ved\":")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + "Error")


@functools.cache
def repository_files() -> tuple[Path, ...]:
    """Every file that git tracks, or would if it were added."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("This folder is no git clone: clone the repository to run the tests about its files.")
    return tuple(ROOT / line for line in listed.splitlines() if (ROOT / line).is_file())


def text_files():
    for path in repository_files():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path, content.decode("utf-8", errors="replace")


def places(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in text_files()
        if not suffixes or path.suffix in suffixes
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_the_address_of_a_package_index():
    assert places(INDEX_ADDRESS) == []


def test_no_file_names_a_folder_of_the_machine_it_was_written_on():
    folders = (ROOT, ROOT.parent / "shared", Path.home())
    own = "|".join(re.escape(f"{folder}/") for folder in folders if len(folder.parts) > 1)
    assert places(re.compile(own)) == []


def test_every_locked_package_has_a_hash_and_comes_from_no_address_of_its_own():
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        entries = re.split(r"^(?=[a-zA-Z])", text, flags=re.MULTILINE)[1:]
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_the_locks_agree_on_every_version():
    pinned = re.compile(r"^([\w.-]+==\S+)", re.MULTILINE)
    run, lab, dev = (
        set(pinned.findall((ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")))
        for name in ("run", "lab", "dev")
    )
    assert run < lab < dev


def test_notebooks_are_kept_without_outputs():
    for path in repository_files():
        if path.suffix == ".ipynb":
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            code = [cell for cell in cells if cell["cell_type"] == "code"]
            assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == [], path.name


def test_no_module_is_longer_than_one_can_read_in_a_sitting():
    lengths = {
        str(path.relative_to(ROOT)): len(text.splitlines())
        for path, text in text_files()
        if path.suffix == ".py" and ROOT / "tests" not in path.parents
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_nothing_is_left_unfinished():
    assert places(UNFINISHED, ".py", ".sql", ".ipynb", ".yml", ".js", ".md") == []


def test_every_imported_package_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["lab"], *extras["demo"], *extras["serve"], *extras["spark"]]
    declared = {re.split(r"[<>=!~ ;\[]", line)[0].lower().replace("_", "-") for line in lines}
    imported = {
        name.split(".")[0]
        for path in (ROOT / "audit_kernel").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    providers = packages_distributions()
    undeclared = [
        name
        for name in sorted(imported - sys.stdlib_module_names - {"audit_kernel"})
        if not declared & {provider.lower().replace("_", "-") for provider in providers.get(name, ())}
    ]
    assert undeclared == []


def test_every_query_has_its_description_and_every_description_its_query():
    for room in ("reports", "checks", "sample"):
        queries = {path.stem for path in (ROOT / "sql" / room).glob("*.sql") if "." not in path.stem}
        described = {path.stem for path in (ROOT / "sql" / room).glob("*.yml")}
        assert queries == described


def test_every_link_of_the_docs_leads_to_a_file():
    link = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
    pages = [path for path in repository_files() if path.suffix == ".md"]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in link.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
