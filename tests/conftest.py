"""What every test may use: what it needs of the machine, and a skip that CI does not accept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

NODE_MODULES = Path(__file__).parent / "node" / "node_modules"
PROXY = NODE_MODULES / ".bin" / "configurable-http-proxy"
VNU = NODE_MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
ADVICE = {
    "configurable-http-proxy": "This test starts the Hub's proxy. Install it: make node",
    "chromium": "This test looks at a page in a browser. Install Debian's chromium: apt-get install chromium",
    "firefox-esr": "This test looks at a page in Firefox. Install Debian's package: apt-get install firefox-esr",
    "java": "This test needs Java (Spark, the Nu HTML checker). Install Debian's: apt-get install default-jre-headless",
    "node": "This test drives Firefox. Install Debian's package: apt-get install nodejs npm",
    "nginx": "This test lets nginx decide who gets in. Install Debian's package: apt-get install nginx-light",
    "openssl": "This test verifies a signature the way an auditor does. Install openssl: apt-get install openssl",
    "postgresql": "This test starts PostgreSQL. Install Debian's package: apt-get install postgresql",
    "setpriv": "This test becomes another user. Install Debian's package: apt-get install util-linux",
    "systemd-sysusers": "This test makes users as systemd does. Install Debian's package: apt-get install systemd",
    "systemd-tmpfiles": "This test sets rights as systemd does. Install Debian's package: apt-get install systemd",
    "userdel": "This test removes the users that it made. Install Debian's package: apt-get install passwd",
    "root": "This test fills a small disk or changes owners, which only root may do.",
    "systemd-analyze": "This test lets systemd read the units. Install Debian's package: apt-get install systemd",
    "sha256sum": "This test verifies a bag the way an auditor does and needs sha256sum (coreutils).",
    "visudo": "This test lets sudo judge its rules. Install Debian's package: apt-get install sudo",
    "vnu": "This test asks the Nu HTML checker. Install it: make node",
}


def is_missing(need: str) -> bool:
    """Tell whether this machine lacks what a test needs; unknown needs are a mistake in the test."""
    if need not in ADVICE:
        message = f"requires({need!r}) is not known. Known: {', '.join(sorted(ADVICE))}."
        raise pytest.UsageError(message)
    if need == "root":
        return not hasattr(os, "geteuid") or os.geteuid() != 0
    if need == "postgresql":
        return postgres_program("initdb") is None
    if need == "configurable-http-proxy":
        return not PROXY.is_file()
    if need == "vnu":
        return not VNU.is_file()
    return shutil.which(need, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None  # where Debian keeps nginx


def postgres_program(name: str) -> str | None:
    """Return the path of a program of PostgreSQL, which Debian keeps off the PATH; None when there is none."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker: `@pytest.mark.requires("chromium", "root")`."""
    config.addinivalue_line("markers", "requires(*needs): skip with advice where the machine lacks one of them")


# A file is one worker's work, so that what its tests share is made once; the longest are begun first.
LONGEST_FIRST = (
    *("test_month", "test_make", "test_dispose", "test_intake", "test_kill", "test_masked", "test_reproduce"),
    *("test_interruption", "test_hourly_counts", "test_real_month", "test_extracts", "test_execute", "test_worlds"),
    *("test_sensitivity", "test_control_page", "test_move", "test_many_machines", "test_wheel", "test_sample_run"),
    *("test_oracle_agreement", "test_cli", "test_service", "test_accounts", "test_rows"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose needs this machine does not meet."""
    for marker in item.iter_markers("requires"):
        for need in marker.args:
            if is_missing(need):
                pytest.skip(ADVICE[need])


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With CI=true nothing may be left untested without being seen."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"With CI=true a skip is a failure. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Turn a skipped test into a failed one in CI."""
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """Turn a skipped module into a failed one in CI."""
    report = yield
    refuse_skip(report)
    return report
