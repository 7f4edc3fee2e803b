"""Each role's real account tries the site's files, its catalogue and its archive: the operating system refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.serving import accounts
from audit_kernel.serving.accounts_check import account_lacks
from audit_kernel.serving.spawning import RUNTIME_VARIABLE, group_of, new_runtime_folder
from audit_kernel.site import Site, create_site
from tests.store.logs import gerica_file, row
from tests.store.servers import running_postgres, with_store

needs = pytest.mark.requires("root", "postgresql", "setpriv", "systemd-sysusers", "systemd-tmpfiles", "userdel")
PEOPLE = {f"aktest-{role}": group_of(role) for role in ("investigator", "reviewer", "auditor", "operator")}
KARI, RUT, OLA = "aktest-investigator", "aktest-reviewer", "aktest-other"
PEOPLE[OLA] = group_of("investigator")
PROGRAM = Path("/opt/audit-kernel/bin/audit-kernel")
# Every account is who the operating system says, root alone may be the superuser.
ACCESS, NAMES = "local all all peer map=os\n", "os root postgres\nos /^(.+)$ \\1\n"
BEGIN = "import sys; from pathlib import Path; from audit_kernel.site import Site; site = Site(Path(sys.argv[1]))\n"
TAKE_IN = """
from audit_kernel.store.intake import take_in
print(take_in(site, Path(sys.argv[2]), "gerica").n_stored)
"""
SEAL = """
import tests.evidence.sealed_months as months
print(months.seal_month(site, "2026-10", {"units": 1}).name)
"""
INVESTIGATE = """
from audit_kernel.cases import work
from audit_kernel.cases.attach import attach_file
from audit_kernel.store.reading import Store
with Store(site, "sak 2026/17") as store:
    print(store.sql("select count(*) as n from accesses").to_pylist()[0]["n"])
work.start_case(site, sys.argv[2], "somebody asked")
attach_file(site, sys.argv[2], Path(sys.argv[3]))
print(len(work.add_note(site, sys.argv[2], "seen").notes))
"""
CASE = "sak 2026/44"
OPEN = """
from audit_kernel.cases import work
work.start_case(site, sys.argv[2], "somebody asked")
"""
PUT = """
import os
os.close(os.open(site.asked_folder / f"{sys.argv[3]}.json", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
(site.asked_folder / f"{sys.argv[3]}.json").write_text(sys.argv[2])
"""
# A piece of evidence whose content is a request; prints where it lies.
EVIDENCE = """
import json, tempfile
from audit_kernel.cases.attach import attach_file
from audit_kernel.cases.evidence import folder_of
with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
    file.write(sys.argv[3])
    file.flush()
    case = attach_file(site, sys.argv[2], Path(file.name))
print(folder_of(site, case, case.evidence[-1]) / "file.json")
"""
# What somebody who may not see the case puts into the letter box; prints what the system refused.
FORGE = """
import json, os
wanted, kari, note = json.loads(sys.argv[2]), sys.argv[3], sys.argv[4]
def put(sign, content, mode=0o640):
    path = site.asked_folder / f"{sign * 32}.json"
    path.write_bytes(content)
    path.chmod(mode)
put("a", json.dumps({**wanted, "user": kari}).encode())  # another's name in it
put("b", json.dumps(wanted).encode().ljust(30_000))
put("c", json.dumps(wanted).encode(), 0o666)
(site.asked_folder / f"{'d' * 32}.json").symlink_to(note)
os.mkfifo(site.asked_folder / f"{'e' * 32}.json", 0o640)
(site.asked_folder / f"{'f' * 32}.json").mkdir()
put("0", b"\\xff{" * 10)
for work in (os.link, os.rename):  # Kari's own file under a name of ours, or moved there
    try:
        work(note, site.asked_folder / f"{'12'[work is os.rename] * 32}.json")
    except PermissionError:
        print("refused", work.__name__)
try:
    open(note, "ab")
except PermissionError:
    print("refused write")
(site.asked_folder / "evil.json").write_bytes(json.dumps(wanted).encode())
"""
# Tries each path in a way, and each statement on the catalogue; prints what was not refused.
TRY = """
import os, subprocess, sys
from pathlib import Path
def tried(what, do):
    try:
        do()
    except PermissionError:
        return
    except FileNotFoundError:
        print(what, "is missing")
        return
    print(what)
for path in map(Path, sys.argv[4].split("|")):
    if path.is_dir() if os.access(path.parent, os.X_OK) else False:
        tried(f"list {path.name}", lambda: os.listdir(path))
        tried(f"write {path.name}", lambda: ((path / "evil").write_text("x"), (path / "evil").unlink()))
    else:
        tried(f"read {path.name}", lambda: path.read_bytes())
        tried(f"write {path.name}", lambda: path.open("ab"))
for sql in sys.argv[3].split("|"):
    words = ["psql", "-w", "-X", "-d", sys.argv[2], "-qAtc", sql]
    if subprocess.run(words, capture_output=True).returncode == 0:
        print(sql)
"""
SUDO = "import subprocess, sys; print(subprocess.run(sys.argv[1:], capture_output=True, text=True).stdout or 'refused')"
BACK_UP = """
from audit_kernel.backup.make import back_up
print(*back_up(site, Path(sys.argv[2])).description.problems, sep="\\n")
"""
CONNECT = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    print(type(error).__name__)
"""
LEAVE = "import os; os.close(os.open(sys.argv[3], os.O_CREAT | os.O_WRONLY, 0o600))"
READ, WRITE = "select count(*) from ducklake_data_file", "delete from ducklake_snapshot where snapshot_id = -1"
MAKE = "create table evil (a int)"


def as_user(name, code, *arguments):
    """Run Python as an account with its groups; return what it prints."""
    done = run_as(name, code, *arguments)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


def command(name, *words):
    """Give a command as an account; return its exit code and what it printed."""
    done = run_as(name, "from audit_kernel.cli import main; main()", *words)
    return done.returncode, done.stdout + done.stderr


def run_as(name, code, *arguments):
    words = ["setpriv", f"--reuid={name}", f"--regid={name}", "--init-groups", sys.executable, "-B", "-c", code]
    root = str(Path(__file__).parents[2])
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": root, "LANG": "C.UTF-8", "HOME": "/nonexistent"}
    return subprocess.run(
        [*words, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment, cwd="/"
    )


@pytest.fixture(scope="module")
def machine():
    """The site of a machine with its users, groups, rights and catalogue as `serve accounts` writes them."""
    folder = Path(tempfile.mkdtemp(prefix="ak-", dir="/tmp"))  # one that other accounts can enter
    folder.chmod(0o711)
    there = {name for name in (*accounts.GROUPS, accounts.SERVICE) if known("group", name)}
    try:
        with running_postgres() as server:
            words = server.new_database()
            server.folder.chmod(0o711)
            (server.folder / "data" / "pg_ident.conf").write_text(NAMES, encoding="utf-8")
            (server.folder / "data" / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
            server.ask("select pg_reload_conf()")
            site = with_store(create_site(folder / "site", "SE", "Test"), f"postgres:{words}")
            run("systemd-sysusers", accounts.write_files(site, PROGRAM, folder / "without-people")[0])
            for name, group in PEOPLE.items():
                run("useradd", "--no-create-home", "--user-group", "--groups", group, name)
            users = (
                "use_log: {users: [{user: aktest-reviewer, employee: M1}]}\n"  # a manager; the role gives the folder
            )
            with (site.folder / "settings.yml").open("a", encoding="utf-8") as settings:
                settings.write(users)
            site = Site(site.folder)
            made = accounts.write_files(site, PROGRAM, folder / "written")
            run("systemd-sysusers", made[0])
            database = words.split()[0].removeprefix("dbname=")
            psql = ("psql", "-h", server.folder, "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-qf")
            run(*psql, made[3])
            server.ask(f'create role "{KARI}" login; grant "{group_of("investigator")}" to "{KARI}"')
            run("chown", "-R", f"{accounts.SERVICE}:{accounts.SERVICE}", site.folder)
            run("systemd-tmpfiles", "--create", made[1])
            log = gerica_file(folder / "a.csv", [row(number) for number in range(1, 21)])
            log.chmod(0o644)
            put_in = site.folder / "logs" / "in.csv"
            done = as_user(accounts.SERVICE, BEGIN + TAKE_IN + SEAL + LEAVE, site.folder, log, put_in)
            assert (done[0], done[1][:16]) == ("20", "2026-10-monthly-")
            yield site, f"dbname={database} host={server.folder}", log, psql, made
    finally:
        for name in (*PEOPLE, *({accounts.SERVICE} - there)):
            subprocess.run(["userdel", name], capture_output=True, check=False)
        for name in (set(accounts.GROUPS) - there) | {RUT}:  # which the service was a member of
            subprocess.run(["groupdel", name], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def run(*words):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)


def known(kind, name):
    return subprocess.run(["getent", kind, name], capture_output=True, check=False).returncode == 0


def not_refused(machine, name):
    """What an account gets at when it tries everything: files of every folder, and the catalogue."""
    site, words, *_rest = machine
    paths = [site.folder, *(site.folder / name for name in ("store", "archive", "restricted", "cases", "journals"))]
    paths += [site.folder / name for name in ("keys", "logs", "parameters", "worklists", "keys/signing-key.pem")]
    paths += [site.keys_folder / "pseudonym-key", site.archive_folder / "head.txt", site.folder / "logs" / "in.csv"]
    paths += [site.journals_folder / "use_log.jsonl", next(site.store_folder.rglob("*.parquet"))]
    paths += [next(site.archive_folder.rglob("statement.json"))]
    asked = f"{READ}|{WRITE}|{MAKE}"
    found = as_user(name, TRY, site.folder, words, asked, "|".join(map(str, paths)))
    return sorted(re.sub(r"ducklake-[0-9a-f-]+", "file", each) for each in found)


@needs
def test_the_machine_is_as_written_and_what_differs_is_told(machine):
    site = machine[0]
    assert [each.error.text("en") for each in account_lacks(site)] == []
    file = next(site.store_folder.rglob("*.parquet"))
    for path, mode, said in (
        (site.folder / "store", 0o2755, "it should be audit-kernel:ak-investigator 2750"),
        (site.folder / "settings.yml", 0o666, "it should be audit-kernel:audit-kernel 0644"),
        (site.folder / "worklists" / RUT, 0o2775, f"it should be audit-kernel:{RUT} 2770"),
        (file, 0o644, "lets in others than ak-investigator"),
        (file, 0o600, "keeps out ak-investigator"),
    ):
        before = path.stat().st_mode & 0o7777
        path.chmod(mode)
        (lack,) = account_lacks(site)
        assert said in lack.error.text("en")
        path.chmod(before)
    run("gpasswd", "--add", KARI, RUT)
    try:
        (lack,) = account_lacks(site)
        assert lack.error.text("en").startswith(f"Others are in the group {RUT}, which is one reviewer's own.")
    finally:
        run("gpasswd", "--delete", KARI, RUT)
    result = CliRunner().invoke(app, ["serve", "accounts", "--site", str(site.folder), "--json"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


@needs
def test_an_investigator_asks_and_keeps_a_case_and_writes_no_store(machine):
    site, _words, log, *_rest = machine
    assert as_user(KARI, BEGIN + INVESTIGATE, site.folder, "sak 2026/17", log) == ["20", "1"]
    lines = (site.journals_folder / "use_log.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["entry"]["user"] == KARI
    assert not_refused(machine, KARI) == [
        *("list cases", "list journals", "list parameters", "list store"),
        *("read file.parquet", "read pseudonym-key", "read use_log.jsonl", READ),
        *("write cases", "write journals", "write use_log.jsonl"),
    ]
    remove = "import os, sys\ntry: os.unlink(sys.argv[1])\nexcept PermissionError: print('refused')"
    assert as_user(KARI, remove, site.journals_folder / "use_log.jsonl") == ["refused"]


@pytest.fixture(scope="module")
def case(machine):
    """A case of Kari's, which Ola may not see; returns the site, and how to give a command of it."""
    site = machine[0]
    as_user(KARI, BEGIN + OPEN, site.folder, CASE)

    def give(name, *words):
        return command(name, *words, "--site", site.folder)

    return site, give


def entries(path):
    return [json.loads(line)["entry"] for line in path.read_text(encoding="utf-8").splitlines()]


def box_is_empty(site):
    return [path.name for path in site.asked_folder.iterdir()] == []


@needs
def test_an_investigator_asks_the_service_seals_and_the_investigator_verifies_the_copy(case):
    site, give = case
    code, said = give(KARI, "case", "export", CASE, "--recipient", "internal", "--language", "en")
    assert (code, "seals it within a minute" in said) == (0, True), said
    (request,) = site.asked_folder.iterdir()
    assert (request.owner(), request.stat().st_mode & 0o7777) == (KARI, 0o640)
    assert "it is sealed within a minute" in give(KARI, "case", "show", CASE, "--language", "en")[1]
    code, said = give(accounts.SERVICE, "seal", "--json")
    assert code == 0, said
    (answer,) = json.loads(said)
    assert (answer["asked_by"], answer["state"], answer["about"]) == (KARI, "sealed", CASE)
    assert box_is_empty(site)
    copy = site.copies_folder / answer["run"]
    assert f"copies/{answer['page']}" in give(KARI, "case", "show", CASE)[1]
    code, said = give(KARI, "verify", copy, "--public-key", copy / "signing-key.pub.pem", "--language", "en")
    assert (code, "Verified: nothing" in said) == (0, True), said
    evil = "import shutil, sys\ntry: shutil.rmtree(sys.argv[1])\nexcept PermissionError: print('refused')"
    assert as_user(KARI, evil, copy) == ["refused"]
    assert give(accounts.SERVICE, "seal", "--json") == (0, "[]\n")
    made = [entry for entry in entries(case_journal(site)) if entry["did"] == "exported"]
    assert [(each["user"], each["through"], each["run"]) for each in made] == [(KARI, accounts.SERVICE, copy.name)]
    used = [each for each in entries(site.journals_folder / "use_log.jsonl") if each.get("activity") == "case_export"]
    assert (used[-1]["user"], used[-1]["through"], used[-1]["case"]) == (KARI, accounts.SERVICE, CASE)
    assert [each.error.text("en") for each in account_lacks(site)] == []


@needs
def test_who_may_not_see_the_case_is_refused_by_the_program_and_by_the_service(case):
    site, give = case
    assert (give(OLA, "case", "export", CASE, "--recipient", "internal")[0], box_is_empty(site)) == (1, True)
    before = sorted(site.restricted_folder.iterdir())
    as_user(OLA, BEGIN + PUT, site.folder, json.dumps({"case": {"number": CASE, "recipient": "internal"}}), "1" * 32)
    code, said = give(accounts.SERVICE, "seal", "--json")
    (answer,) = json.loads(said)
    assert (code, answer["asked_by"], answer["state"]) == (1, OLA, "refused")
    assert OLA in answer["said"][0]
    assert (sorted(site.restricted_folder.iterdir()), box_is_empty(site)) == (before, True)
    refused = [each for each in entries(site.journals_folder / "use_log.jsonl") if each["activity"] == "case_refused"]
    assert (refused[-1]["user"], refused[-1]["through"]) == (OLA, accounts.SERVICE)


@needs
def test_a_forged_request_changes_nothing_and_is_told(case):
    site, give = case
    wanted = {"case": {"number": CASE, "recipient": "internal"}}
    before = sorted(site.restricted_folder.iterdir()), len(entries(case_journal(site)))
    (note,) = as_user(KARI, BEGIN + EVIDENCE, site.folder, CASE, json.dumps(wanted))
    done = as_user(OLA, BEGIN + FORGE, site.folder, json.dumps(wanted), KARI, note)
    assert {"refused rename", "refused write"} <= {*done} <= {"refused link", "refused rename", "refused write"}
    put = {path.name[0] for path in site.asked_folder.iterdir()}
    assert {"a", "b", "c", "d", "e", "f"} <= put
    code, said = give(accounts.SERVICE, "seal", "--json")
    assert code == 1, said
    assert {each["state"] for each in json.loads(said)} == {"refused"}
    assert box_is_empty(site)
    assert sorted(site.restricted_folder.iterdir()) == before[0]
    assert [each for each in entries(case_journal(site))[before[1] :] if each["did"] == "exported"] == []
    used = entries(site.journals_folder / "use_log.jsonl")
    assert len([each for each in used if each["activity"] == "seal_refused"]) >= len(put)


def case_journal(site):
    return next(path for path in site.journals_folder.glob("case-*.jsonl") if entries(path)[0]["number"] == CASE)


@needs
@pytest.mark.parametrize(
    ("role", "gets"),
    [
        ("reviewer", []),
        ("auditor", ["list archive", "read head.txt", "read statement.json"]),
        ("operator", ["write logs"]),
    ],
)
def test_reviewers_auditors_and_operators_are_refused_by_the_operating_system(machine, role, gets):
    assert not_refused(machine, f"aktest-{role}") == gets


DELIVER = """
from audit_kernel.review import export, prepare
from audit_kernel.review.delivery import deliver_lists
from tests.review.two_lists import as_made, make_lists
export.prepare_lists = lambda *_: prepare.Prepared([as_made(each) for each in make_lists()], [])
made = deliver_lists(site, "2026-10")
print(*(each.path for each in made.new), len(made.refused), sep="\\n")
"""
FILL_IN = """
import os
from datetime import date
from audit_kernel.operating.desk import Desk, Worker
from audit_kernel.review.worklist_page import WorklistSection
section = WorklistSection(Desk(site, date(2026, 11, 20), Worker(lambda job: job())))
section.choose({"kind": "list", "key": section.lists[0].path.name})
section.choose({"kind": "row", "key": "1"})
reason = next(each.text for each in section.made.reasons if each.decision == "justified")
section.enter({"decision": "justified", "reason": reason, "remark": "on the rota"})
print(len(section.lists), section.made.n_open, section.entry.error)
for path in sys.argv[2:]:
    tries = lambda: os.listdir(path), lambda: os.open(path + "/evil", os.O_CREAT), lambda: os.rename(path, path + "x")
    for do in tries:
        try:
            do()
        except PermissionError:
            continue
        print("not refused", path)
"""
COLLECT = """
from audit_kernel.review.delivery import collect_lists
done, refused = collect_lists(site)
print(*(f"{each.reviewer_name} {each.n_decided} {each.n_new}" for each in done), len(refused), sep="\\n")
"""
START = """
import os, sys, time
from pathlib import Path
from audit_kernel.serving import single_user
os.environ |= {"AUDIT_KERNEL_SITE": sys.argv[1], "RUNTIME_DIRECTORY": sys.argv[2]}
os.environ |= {"AUDIT_KERNEL_ROLES": "reviewer", "AUDIT_KERNEL_ACCOUNT": "{USERNAME}"}
def started(_program, _words, environment):  # the same process does: what the server's kernel does first
    from audit_kernel.review.worklist_page import open_page
    os.environ |= environment
    print(*sorted(path.name for path in Path("notebooks").iterdir()))
    lists, end = open_page().work, time.monotonic() + 60
    while not lists.lists and time.monotonic() < end:
        time.sleep(0.1)
    print(lists.lists[0].path.name)
os.execve = started
single_user.main()
"""


@needs
def test_a_reviewer_s_account_fills_in_its_own_list_and_the_service_collects_it(machine):
    site = machine[0]
    own, other = (site.folder / "worklists" / name for name in (RUT, "aktest-other"))
    other.mkdir()
    shutil.chown(other, accounts.SERVICE, accounts.SERVICE)
    other.chmod(0o2770)
    try:
        path, *refused = as_user(accounts.SERVICE, BEGIN + DELIVER, site.folder)
        assert (Path(path).parent, refused) == (own, ["1"])  # who has no account is told
        assert oct(Path(path).stat().st_mode) == "0o100660"
        elsewhere = [other, own, site.folder / "worklists", site.folder / "store", site.journals_folder]
        assert as_user(RUT, BEGIN + FILL_IN, site.folder, *elsewhere) == ["1 2 {}", *[f"not refused {own}"] * 2]
        (own / "evil").unlink()
        assert Path(path).owner() == RUT
        done = as_user(accounts.SERVICE, BEGIN + COLLECT, site.folder)
        assert done == ["Mona Moe 1 1", "1"]  # and the folder that is nobody's
    finally:
        other.rmdir()
    assert as_user(accounts.SERVICE, BEGIN + COLLECT, site.folder) == ["Mona Moe 1 0", "0"]
    private = Path(tempfile.mkdtemp(prefix="ak-", dir="/tmp"))
    shutil.chown(private, RUT, RUT)
    try:
        assert as_user(RUT, START, site.folder, private) == ["explore.ipynb worklist.ipynb", Path(path).name]
    finally:
        shutil.rmtree(private)


@needs
def test_what_another_account_shuts_is_told_and_stops_no_backup(machine):
    site = machine[0]
    folder = site.folder.parent / "backups"
    folder.mkdir()
    run("chown", accounts.SERVICE, folder)
    shut = site.folder / "logs" / "shut"
    as_user("aktest-operator", "import os, sys; os.mkdir(sys.argv[1], 0o700)", shut)
    as_user("aktest-operator", "import sys; " + LEAVE, "", "", site.folder / "logs" / "own.csv")
    told = as_user(accounts.SERVICE, BEGIN + BACK_UP, site.folder, folder)
    said = "tillhör en annan användare och kan inte läsas: den är inte med i säkerhetskopian."
    assert [line for line in told if said in line] == [f"logs/own.csv {said}", f"logs/shut/ {said}"]
    shut.rmdir()
    (site.folder / "logs" / "own.csv").unlink()


@needs
def test_no_other_account_reaches_the_sockets_of_an_investigator_s_server(machine):
    """A kernel listens on sockets in the server's runtime folder: who may connect is what the folder's mode says."""
    runtime = machine[0].folder.parent / "run"
    spawner = SimpleNamespace(user=SimpleNamespace(name="kari"), environment={RUNTIME_VARIABLE: str(runtime)})
    path = new_runtime_folder(spawner, KARI) / "kernel-1"
    as_user(KARI, "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path)
    answers = {name: as_user(name, CONNECT, path) for name in PEOPLE}
    assert answers.pop(KARI) == ["ConnectionRefusedError"]  # nobody listens any more
    assert answers == {name: ["PermissionError"] for name in answers}


@needs
@pytest.mark.requires("visudo")
def test_sudo_lets_an_operator_run_the_named_commands_as_the_service_and_nothing_else(machine):
    site = machine[0]
    program, rules = site.folder.parent / "audit-kernel", Path("/etc/sudoers.d/audit-kernel-test")
    program.write_text("#!/bin/sh\nid -un\n", encoding="utf-8")  # the product's own may be where root alone gets at
    program.chmod(0o755)
    allowed = ("intake a.csv --source gerica", "month 2026-10", "due --alarm", "verify", "ledger --json")
    refused = ("report activity", "ledger --quarantine --purpose abc", "intake a.csv --source gerica --site /elsewhere")
    try:
        rules.write_text(accounts.files(site, program)["sudoers.d-audit-kernel"], encoding="utf-8")
        rules.chmod(0o440)
        run("visudo", "-cf", rules)

        def tried(role, line):
            name, *rest = line.split()
            words = ["sudo", "-n", "-u", accounts.SERVICE, program, name, "--site", site.folder, *rest]
            return as_user(f"aktest-{role}", SUDO, *words)[:1]

        assert {line: tried("operator", line) for line in allowed} == {line: [accounts.SERVICE] for line in allowed}
        assert {line: tried("operator", line) for line in refused} == {line: ["refused"] for line in refused}
        others = ("investigator", "reviewer", "auditor")
        assert {role: tried(role, "verify") for role in others} == {role: ["refused"] for role in others}
    finally:
        rules.unlink(missing_ok=True)


@needs
def test_an_auditor_verifies_the_archive_without_a_site(machine):
    code = "import sys; sys.argv[1:] = ['verify', sys.argv[1]]; from audit_kernel.cli import main; main()"
    said = " ".join(as_user("aktest-auditor", code, machine[0].archive_folder))
    assert "Verified: nothing" in said


@needs
def test_the_service_writes_the_catalogue_and_the_roles_can_be_given_again(machine):
    site, words, _log, psql, made = machine
    run(*psql, made[3])
    asked = (READ, WRITE)
    assert as_user(accounts.SERVICE, TRY, site.folder, words, "|".join(asked), str(site.folder)) == [
        *("list site", "write site", *asked),
    ]


def test_a_catalogue_in_sqlite_and_missing_users_are_told(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    result = CliRunner().invoke(app, ["serve", "accounts", "--site", str(site.folder), "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [each["kind"] for each in found][:1] == ["unsafe"]
    assert "SQLite" in found[0]["problem"]


def test_what_operators_may_run_leads_to_no_other_site_and_shows_no_record(tmp_path):
    site = create_site(tmp_path / "site", "NO")
    rules = [re.compile(each) for each in accounts.operated(site)]
    folder = site.folder

    def is_allowed(line):
        return any(rule.search(line) for rule in rules)

    allowed = (
        *("review deliver --site {} 2026-10", "review collect --site {} --json"),
        "intake --site {} a.csv --source gerica",
        "month --site {} 2026-10 --run-by Kari, leder",
        "due --site {}",
    )
    refused = (
        *(
            "review export --site {} 2026-10 /tmp/x",
            "review collect --site /evil",
            "review deliver --site {} --purpose x",
        ),
        *("intake --site {} a.csv --source gerica --site /evil", "month --site {} 2026-10 --site=/evil"),
        *("ledger --site {} --quarantine --purpose abc", "report --site {} activity", "backup --site {} /x"),
        *("month --site /evil 2026-10", "intake --site {}/../evil a.csv", "month 2026-10", "xdue --site {}"),
    )
    assert [line for line in allowed if not is_allowed(line.format(folder))] == []
    assert [line for line in refused if is_allowed(line.format(folder))] == []
    text = accounts.files(Site(folder), PROGRAM)["sudoers.d-audit-kernel"]
    assert all(f"{PROGRAM} {rule.pattern}" in text for rule in rules)


def test_every_role_of_the_hub_has_its_group():
    assert tuple(group_of(role) for role in ("investigator", "reviewer", "auditor", "operator")) == accounts.GROUPS
