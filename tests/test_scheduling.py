"""The units, the Task Scheduler entry and the crontab line: as their own programs read them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from audit_kernel import scheduling, systemd_units
from audit_kernel.cli import app
from audit_kernel.errors import AuditKernelError, UsageError
from audit_kernel.site import Site, create_site

# Blank, systemd's specifier, quotes, a variable of a command line, a backslash, a letter beyond ASCII.
HARD = "log %n 100% \"a\" 'b' $HOME \\t å"
# Of the schema (MS-TSCH, version 1.2): what each element that we write may hold.
CHILDREN = {
    "Task": {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"},
    "RegistrationInfo": {"Description"},
    "Triggers": {"CalendarTrigger"},
    "CalendarTrigger": {"StartBoundary", "ScheduleByDay"},
    "ScheduleByDay": {"DaysInterval"},
    "Principals": {"Principal"},
    "Principal": {"UserId", "LogonType", "RunLevel"},
    "Settings": {
        "MultipleInstancesPolicy",
        "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries",
        "StartWhenAvailable",
        "ExecutionTimeLimit",
    },
    "Actions": {"Exec"},
    "Exec": {"Command", "Arguments"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return create_site(tmp_path_factory.mktemp("place") / HARD, "NO", "Nord & <sør> 100 % kommune")


def values(text, key):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")]


@pytest.mark.requires("systemd-analyze")
@pytest.mark.parametrize("is_user", [False, True])
def test_systemd_finds_nothing_to_say_about_the_units(site, tmp_path, monkeypatch, is_user):
    python = tmp_path / "log %n 100% å" / "python"  # systemd says when it reads another path than there is
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    files = scheduling.install(site, "03:15", tmp_path / "units", is_user=is_user)
    assert [path.suffix for path in files] == [".timer", ".service", ".service"]
    scope = "--user" if is_user else "--system"
    environment = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = ["systemd-analyze", scope, "--man=no", "verify", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.requires("systemd-analyze")
def test_systemd_says_when_a_path_is_not_read_as_it_is(site, tmp_path, monkeypatch):
    monkeypatch.setattr(systemd_units, "quoted", lambda words, **_given: " ".join(words))
    files = scheduling.install(site, "03:15", tmp_path, is_user=False)
    done = subprocess.run(
        ["systemd-analyze", "--man=no", "verify", *map(str, files)], capture_output=True, text=True, check=False
    )
    assert done.stderr


@pytest.mark.requires("systemd-analyze")
def test_the_timer_starts_once_a_day_and_catches_up(site):
    timer = next(
        text for name, text in systemd_units.unit_files(site, "23:59", is_user=True).items() if "timer" in name
    )
    assert values(timer, "Persistent") == ["true"]
    (calendar,) = values(timer, "OnCalendar")
    done = subprocess.run(
        ["systemd-analyze", "calendar", "--iterations=2", "--base-time=2026-02-28 12:00:00", calendar],
        capture_output=True,
        text=True,
        check=False,
        env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "2026-02-28 23:59:00" in done.stdout
    assert "2026-03-01 23:59:00" in done.stdout


def test_the_service_tries_three_times_but_not_after_wrong_use_and_then_starts_the_alarm(site):
    name = systemd_units.name_of(site)
    units = systemd_units.unit_files(site, "03:15", is_user=False)
    service = units[f"{name}.service"]
    expected = {
        "Type": "oneshot",
        "Restart": "on-failure",
        "StartLimitBurst": "3",
        "RestartPreventExitStatus": "2",
        "OnFailure": f"{name}-alarm.service",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
    }
    assert {key: values(service, key) for key in expected} == {key: [value] for key, value in expected.items()}
    folders = [str(site.folder), *map(str, systemd_units.TEMPORARY)]  # the tests' site lies in /tmp
    assert values(service, "ReadWritePaths") == [systemd_units.quoted(folders)]
    assert values(units[f"{name}-alarm.service"], "OnFailure") == []


def test_a_store_on_a_share_may_be_written_too(site, tmp_path):
    other = Site(shutil.copytree(site.folder, tmp_path / "site"))
    text = (other.folder / "settings.yml").read_text(encoding="utf-8")
    (other.folder / "settings.yml").write_text(text.replace("threads: 2", "threads: 2\n    files: /mnt/a b"), "utf-8")
    units = systemd_units.unit_files(Site(other.folder), "03:15", is_user=False)
    service = units[f"{systemd_units.name_of(other)}.service"]
    assert values(service, "ReadWritePaths")[0].startswith(f'"{other.folder}" "/mnt/a b"')


def test_two_sites_on_one_machine_have_units_of_their_own(site, tmp_path):
    other = create_site(tmp_path / HARD, "SE")
    assert systemd_units.name_of(site) != systemd_units.name_of(other)
    assert set(systemd_units.name_of(site)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize("at", ["24:00", "3:15", "03:15\nExecStart=/bin/sh", "", "*"])
def test_what_is_no_time_of_day_is_refused(site, at):
    for make in (lambda: systemd_units.unit_files(site, at, is_user=True), lambda: scheduling.crontab_line(site, at)):
        with pytest.raises(UsageError, match="no"):
            make()


def test_a_line_end_in_a_path_or_a_name_never_becomes_a_line_of_a_unit():
    with pytest.raises(UsageError, match="no unit can name"):
        systemd_units.quoted(["/a\nExecStart=/bin/sh"])
    with pytest.raises(UsageError, match="no unit can name"):
        systemd_units.quoted(["/$HOME/python", "x"], is_command=True)


def test_a_shell_reads_the_crontabs_line_as_the_words_that_were_meant(site):
    minute, hour, day, month, weekday, command = scheduling.crontab_line(site, "03:05").split(" ", 5)
    assert (minute, hour, day, month, weekday) == ("5", "3", "*", "*", "*")
    assert command.count("%") == command.count("\\%")  # cron takes the backslash away
    expected = systemd_units.command(site, "due", "--tries", "3", "--alarm")
    assert shlex.split(command.replace("\\%", "%")) == expected
    printed = subprocess.run(
        ["/bin/sh", "-c", f"printf '%s\\n' {command.replace(chr(92) + '%', '%')}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.splitlines() == expected


def test_the_task_is_well_formed_and_holds_what_its_schema_has(site):
    root = ET.fromstring(scheduling.task_xml(site, "03:15"))
    space = f"{{{scheduling.TASKS}}}"

    def compare(element):
        name = element.tag.removeprefix(space)
        assert {child.tag for child in element} <= {f"{space}{child}" for child in CHILDREN.get(name, ())}
        for child in element:
            compare(child)

    compare(root)
    assert root.tag == f"{space}Task"
    assert {child.tag.removeprefix(space) for child in root} == CHILDREN["Task"]
    found = {element.tag.removeprefix(space): element.text for element in root.iter()}
    assert found["Description"] == "Log control of Nord & <sør> 100 % kommune"
    assert found["StartWhenAvailable"] == "true"
    arguments = systemd_units.command(site, "due", "--tries", "3", "--alarm")[1:]
    assert found["Arguments"] == subprocess.list2cmdline(arguments)


class System:
    """Takes the place of systemctl."""

    def __init__(self, code=0):
        self.code, self.called = code, []

    def __call__(self, words, **_given):
        self.called.append(words)
        return subprocess.CompletedProcess(words, self.code)


def call(site, *arguments):
    return CliRunner().invoke(app, ["schedule", *arguments, "--site", str(site.folder)])


def test_install_switches_it_on_show_changes_nothing_and_remove_takes_all_away(site, tmp_path, monkeypatch):
    system = System()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(scheduling.subprocess, "run", system)
    timer = f"{systemd_units.name_of(site)}.timer"
    folder = tmp_path / "systemd" / "user"
    shown = call(site, "show", "--user").output
    assert not folder.exists()
    done = call(site, "install", "--user")
    assert done.exit_code == 0, done.output
    assert "alarm" in done.output  # which is not set, and a person is told
    assert system.called[-1] == ["systemctl", "--user", "enable", "--now", timer]
    assert (folder / timer).read_text(encoding="utf-8").strip() in shown
    assert str(folder / timer) in call(site, "show", "--user").output.replace("\n", "")
    assert call(site, "remove", "--user").exit_code == 0
    assert system.called[-2] == ["systemctl", "--user", "disable", "--now", timer]
    assert list(folder.iterdir()) == []


def test_a_systemctl_that_refuses_is_said_with_the_command_to_try(site, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(scheduling.subprocess, "run", System(5))
    with pytest.raises(AuditKernelError, match=r"systemctl --user daemon-reload` failed \(5\)"):
        scheduling.install(site, "03:15", None, is_user=True)


def test_other_schedulers_get_their_own_form(site):
    assert call(site, "show", "--crontab").output.startswith("15 3 * * * ")
    assert "<StartWhenAvailable>true" in call(site, "show", "--windows").output
    assert Path(systemd_units.command(site, "due")[0]).is_file()
