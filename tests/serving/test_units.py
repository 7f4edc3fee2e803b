"""systemd reads the units without a word, and judges each of them safe."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from audit_kernel.serving.settings import ServeSettings
from audit_kernel.serving.spawning import PROPERTIES
from audit_kernel.serving.write import configuration
from audit_kernel.site import create_site
from tests.serving.stack import settings_of

pytestmark = pytest.mark.requires("systemd-analyze")
SAFE_ENOUGH = 3.0


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units as written for a server, and one of a person's server with the properties that the Hub gives it."""
    folder = tmp_path_factory.mktemp("units")
    site = create_site(folder / "site", "SE", "Testregionen").folder
    values = settings_of(folder / "serve", site, (8002, 8000, 8001, 8081), host="ak.example.org")
    values["hub"] |= {"spawner": "systemd", "proxy_program": shutil.which("true")}
    settings = ServeSettings.model_validate(values | {"runtime": "/run/audit-kernel"})
    shutil.rmtree(values["runtime"])
    texts = configuration(settings, folder)
    texts = {name: text for name, text in texts.items() if name.endswith((".service", ".path"))}
    own = "".join(f"{name}={value}\n" for name, value in {**PROPERTIES, "ReadWritePaths": site}.items())
    texts["ak-person.service"] = f"[Service]\nExecStart={sys.executable}\nUser=daemon\n{own}"
    paths = []
    for name, text in texts.items():
        paths.append(folder / name)
        paths[-1].write_text(text, encoding="utf-8")
    assert len(paths) == 7
    return paths


def test_systemd_reads_the_units_without_a_word(units):
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_judges_each_unit_safe_enough(units):
    for unit in [unit for unit in units if unit.suffix == ".service"]:
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={SAFE_ENOUGH * 10:.0f}", str(unit)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        judged = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        assert judged, done.stdout + done.stderr
        assert float(judged[1]) <= SAFE_ENOUGH, done.stdout
        assert (done.returncode, done.stderr) == (0, "")
