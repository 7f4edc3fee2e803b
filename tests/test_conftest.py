"""Skips: a sentence for a newcomer, a failure in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")


def run(folder: Path, body: str, *, in_ci: bool) -> str:
    """Run pytest in a folder of its own, with the project's conftest, and give what it prints."""
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_it.py").write_text(body, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST_"))}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | ({"CI": "true"} if in_ci else {})
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("in_ci", [False, True])
def test_a_skip_is_a_failure_in_ci_only(tmp_path, in_ci):
    printed = run(tmp_path, "import pytest\n\ndef test_it():\n    pytest.skip('no moon')\n", in_ci=in_ci)
    assert "no moon" in printed
    assert ("1 failed" if in_ci else "1 skipped") in printed


def test_a_module_skipped_whole_is_a_failure_in_ci(tmp_path):
    printed = run(tmp_path, "import pytest\npytest.importorskip('no_such_module')\n", in_ci=True)
    assert "With CI=true a skip is a failure" in printed


def test_an_expected_failure_is_no_skip(tmp_path):
    body = "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    assert "1 xfailed" in run(tmp_path, body, in_ci=True)


def test_a_missing_program_is_named_with_its_remedy(tmp_path):
    body = "import pytest\n\n@pytest.mark.requires('chromium')\ndef test_it():\n    pass\n"
    body = f"import shutil\nshutil.which = lambda name, **_where: None\n{body}"
    assert "apt-get install chromium" in run(tmp_path, body, in_ci=False)


def test_an_unknown_need_is_refused(tmp_path):
    body = "import pytest\n\n@pytest.mark.requires('the moon')\ndef test_it():\n    pass\n"
    assert "requires('the moon') is not known" in run(tmp_path, body, in_ci=False)
