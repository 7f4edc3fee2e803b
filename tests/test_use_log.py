"""Every path to the data demands a purpose and is in the use log before a row is returned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audit_kernel import open_store
from audit_kernel.cli import app
from audit_kernel.errors import JournalError, UsageError
from audit_kernel.evidence.page import Page
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.journal import Journal
from audit_kernel.site import create_site
from audit_kernel.store.deliver import read_quarantine
from audit_kernel.store.intake import take_in
from audit_kernel.store.reading import Store
from audit_kernel.use_log import operating_system_user
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
    assert [line["activity"] for line in entries(use_log)] == ["open", question]


def test_the_log_says_whose_data_were_asked_for_and_with_what(site, use_log):
    with open_store(site, "sak 2026/17") as store:
        store.report("activity", **ABOUT)
        store.names("patient", {"1042", "7"})
        store.sql("select * from accesses where employee_id = $who", {"who": "KANO01"})
    report, names, own = entries(use_log)[1:]
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
