"""Every path to the data demands a purpose and is in the use log before a row is returned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit_kernel import open_store
from audit_kernel.cli import app
from audit_kernel.errors import AuditKernelError, JournalError, SettingsError, UsageError
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.journal import Journal
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import read_quarantine
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.store.reference import take_in_reference
from audit_kernel.use_log import operating_system_user, record_use
from tests.store.logs import ask, gerica_file, row

PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
ABOUT = {"patient_id": "1042", **PERIOD}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("use")
    made = create_site(folder / "site", "NO")
    take_in(made, gerica_file(folder / "a.csv", [row(1), row("x")]), "gerica")
    return made


@pytest.fixture
def use_log(site):
    """The use log, empty at first and afterwards gone."""
    path = site.journals_folder / "use_log.jsonl"
    path.unlink(missing_ok=True)
    yield Journal(path)
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def entries(use_log):
    return [line["entry"] for line in use_log.entries()]


def page(site, folder: Path, purpose: str):
    path = folder / "run.json"
    snapshot = ask(site, "select max(snapshot_id) from lake.snapshots()")[0][0]
    RunFile(str(site.folder), snapshot, purpose, 1, str(folder / "tables")).write(path)
    return Page("activity", str(path), "nb", ABOUT)


# Each takes site, purpose and a folder, and gives what it was answered; the last item is what the log calls it.
PATHS = {
    "open": lambda site, purpose, _folder: Store(site, purpose).close(),
    "open_store": lambda site, purpose, _folder: open_store(site, purpose).close(),
    "quarantine": lambda site, purpose, _folder: read_quarantine(site, purpose),
    "page": lambda site, purpose, folder: page(site, folder, purpose),
}
QUESTIONS = {
    "report": lambda store: store.report("activity", **ABOUT),
    "sql": lambda store: store.sql("select * from accesses"),
    "names": lambda store: store.names("patient", {"1042"}),
    "ledger": lambda store: store.deliveries(),
}


@pytest.mark.parametrize("purpose", ["", "  ", "ab", None])
@pytest.mark.parametrize("path", PATHS)
def test_without_a_purpose_nothing_is_shown_and_nothing_logged(site, use_log, tmp_path, path, purpose):
    with pytest.raises(UsageError, match="No purpose was given: nothing is shown without one"):
        PATHS[path](site, purpose, tmp_path)
    assert not use_log.path.exists()


@pytest.mark.parametrize("path", PATHS)
def test_opening_is_logged_with_who_and_why(site, use_log, tmp_path, path):
    PATHS[path](site, " sak 2026/17 ", tmp_path)
    first = entries(use_log)[0]
    assert (first["user"], first["purpose"]) == (operating_system_user(), "sak 2026/17")
    assert first["activity"] == ("quarantine" if path == "quarantine" else "open")


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_logged_before_its_answer(site, use_log, question, monkeypatch):
    with open_store(site, "sak 2026/17") as store:
        answered = []
        whole = store._connection

        class Watched:
            def __getattr__(self, name):
                answered.append(len(entries(use_log)))
                return getattr(whole, name)

        monkeypatch.setattr(store, "_connection", Watched())
        QUESTIONS[question](store)
        assert set(answered) == {2}
    assert [line["activity"] for line in entries(use_log)] == ["open", question, "answered"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_number_of_rows_stands_in_the_log_when_they_are_handed_out(site, use_log, question):
    with open_store(site, "sak 2026/17") as store:
        answer = QUESTIONS[question](store)
        n_rows = answer.table.num_rows if question == "report" else len(answer)
    opened, asked, answered = use_log.entries()
    assert opened["entry"]["activity"] == "open"
    told = {"user": operating_system_user(), "purpose": "sak 2026/17", "question": asked["hash"], "rows": n_rows}
    assert answered["entry"] == {**told, "activity": "answered"}
    assert n_rows == 0 if question == "names" else n_rows >= 1


def test_where_the_number_of_rows_cannot_be_written_no_row_is_handed_out(site, use_log, monkeypatch):
    with open_store(site, "sak 2026/17") as store:
        whole = store._connection

        class Broken:
            """Takes the log away while the question is being answered."""

            def __getattr__(self, name):
                if use_log.path.is_file():
                    use_log.path.unlink()
                    use_log.path.mkdir()
                return getattr(whole, name)

        monkeypatch.setattr(store, "_connection", Broken())
        with pytest.raises(JournalError):
            store.sql("select * from accesses")
        monkeypatch.setattr(store, "_connection", whole)


def test_a_question_costs_one_sync_to_the_disk_and_not_two(site, use_log, monkeypatch):
    synced = []
    with open_store(site, "sak 2026/17") as store:
        monkeypatch.setattr(os, "fsync", synced.append)
        store.sql("select 1 as one")
    assert len(synced) == 1
    assert use_log.verify() == []


def test_an_opening_that_fails_stands_in_the_log_too(site, use_log):
    with pytest.raises(AuditKernelError):
        Store(site, "sak 2026/17", snapshot=999_999)
    assert [(line["activity"], line["snapshot"]) for line in entries(use_log)] == [("open", 999_999)]


def test_who_the_user_is_stays_empty_where_the_settings_do_not_say(site, use_log):
    open_store(site, "sak 2026/17").close()
    assert [(line["employee"], line["units"]) for line in entries(use_log)] == [(None, None)]


def test_employee_and_units_of_the_user_stand_in_each_line(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    take_in(site, gerica_file(tmp_path / "a.csv", [row(1)]), "gerica")
    lines = ["U2;;;2026-01-01;", "U1;;;2026-01-01;", "U9;;;2020-01-01;2021-01-01"]
    path = tmp_path / "assignments.csv"
    header = "employee_id;unit_id;role;share_percent;valid_from;valid_to"
    rows = [*(f"E7;{line}" for line in lines), "E8;U8;;;2026-01-01;"]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    take_in_reference(site, path, "unit_assignments")
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"use_log:\n    users:\n        - user: {operating_system_user()}\n          employee: E7\n")
    with open_store(Site(site.folder), "sak 2026/17") as store:
        store.sql("select 1 as one")
    lines = entries(Journal(site.journals_folder / "use_log.jsonl"))
    told = [line for line in lines if line["activity"] != "answered"]
    assert [(line["employee"], line["units"]) for line in told] == [("E7", ["U1", "U2"])] * 2


def test_a_case_number_that_is_no_expression_is_refused(tmp_path):
    made = create_site(tmp_path / "site", "NO")
    with (made.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write("use_log: {case_number: '['}\n")
    with pytest.raises(SettingsError, match="case_number"):
        Site(made.folder)


def test_the_log_says_whose_data_were_asked_for_and_with_what(site, use_log):
    with open_store(site, "sak 2026/17") as store:
        store.report("activity", **ABOUT)
        store.names("patient", {"1042", "7"})
        store.sql("select * from accesses where employee_id = $who", {"who": "KANO01"})
    report, names, own = entries(use_log)[1::2]
    assert (report["query"], report["about"], report["parameters"]) == ("activity", {"patient_id": "1042"}, ABOUT)
    assert int(report["snapshot"]) == store.snapshot
    assert names["about"] == {"patient_id": ["1042", "7"]}
    assert (own["query"], own["parameters"]) == ("select * from accesses where employee_id = $who", {"who": "KANO01"})
    assert use_log.verify() == []


def test_a_question_that_fails_stands_in_the_log_all_the_same(site, use_log):
    with open_store(site, "sak 2026/17") as store:
        for question in (lambda: store.sql("selec 1"), lambda: store.report("activity", patient_id="9", **PERIOD)):
            with pytest.raises(Exception, match=r"wrong|neither"):
                question()
    assert [line["activity"] for line in entries(use_log)] == ["open", "sql", "report"]


@pytest.mark.parametrize("path", PATHS)
def test_where_the_log_cannot_be_written_nothing_is_opened(site, use_log, tmp_path, path):
    use_log.path.mkdir()
    with pytest.raises(JournalError) as caught:
        PATHS[path](site, "sak 2026/17", tmp_path)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("question", QUESTIONS)
def test_where_the_log_can_no_longer_be_written_nothing_is_answered(site, use_log, question):
    with open_store(site, "sak 2026/17") as store:
        use_log.path.unlink()
        use_log.path.mkdir()
        with pytest.raises(JournalError):
            QUESTIONS[question](store)


def test_the_command_refuses_without_a_purpose_and_shows_nothing(site, use_log):
    for arguments in (["report", "activity", "--patient", "1042"], ["ledger", "--quarantine"]):
        answer = CliRunner().invoke(app, [*arguments, "--site", str(site.folder)])
        assert isinstance(answer.exception, UsageError)
        assert answer.exception.exit_code == 2
        assert "KANO01" not in answer.output
    assert not use_log.path.exists()


def test_the_command_shows_nothing_where_the_log_cannot_be_written(site, use_log):
    use_log.path.mkdir()
    asked = ["--purpose", "sak 2026/17", "--site", str(site.folder)]
    period = ["--from", "2026-10-01", "--to", "2026-10-31"]
    for arguments in (["report", "activity", "--patient", "1042", *period], ["ledger", "--quarantine"]):
        answer = CliRunner().invoke(app, [*arguments, *asked])
        assert isinstance(answer.exception, JournalError)
        assert "KANO01" not in answer.output


@pytest.mark.skipif(os.name == "nt", reason="Windows names the user by its own call.")
def test_the_user_is_the_operating_systems_not_an_environment_variables(monkeypatch):
    import pwd

    for name in ("USER", "LOGNAME", "USERNAME", "LNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert operating_system_user() == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.skipif(os.name == "nt", reason="Windows has no user numbers.")
def test_a_user_without_a_name_is_told_by_number(monkeypatch):
    import pwd

    def unknown(_number):
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert operating_system_user() == f"uid {os.getuid()}"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no user numbers.")
@pytest.mark.parametrize(("number", "name"), [("0", "root"), ("4294967295", None), ("", None), ("x", None)])
def test_who_logged_in_is_told_beside_the_user_that_the_program_runs_as(
    site, use_log, monkeypatch, tmp_path, number, name
):
    (tmp_path / "loginuid").write_text(number)
    monkeypatch.setattr("audit_kernel.use_log.LOGIN_UID", tmp_path / "loginuid")
    monkeypatch.setattr("audit_kernel.use_log.operating_system_user", lambda: "service")
    record_use(site, "sak 2026/17", "report", {})
    assert [(line["user"], line["login"]) for line in entries(use_log)] == [("service", name)]
