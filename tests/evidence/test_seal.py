from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import bagit
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit_kernel.canonical import canonical_json
from audit_kernel.errors import KeyFileError, RunError, UnavailableError, UsageError, VerificationError
from audit_kernel.evidence import bag, chain, keys
from audit_kernel.evidence import seal as sealing_module
from audit_kernel.evidence.chain import archive_runs
from audit_kernel.evidence.seal import repair_head, seal
from audit_kernel.evidence.verify import verify
from tests.evidence.sealing import FINISHED, RUNS, new_keys, new_site, predicate, rewrite, seal_run, working_folder

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits and no kill -9")

SEALER = """
import sys
from pathlib import Path
from audit_kernel.evidence import keys
from audit_kernel.evidence.seal import seal
from tests.evidence.sealing import predicate
base, working, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
private = keys.load_private(base / "keys")
print("ready", flush=True)
sys.stdin.readline()
for name in names:
    seal(working, base / "archive", name, predicate(run=name), private, keys.public_pem(private.public_key()))
"""


def start_sealer(base, working, *names):
    command = [sys.executable, "-c", SEALER, str(base), str(working), *names]
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def content_of(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_sealed_run_holds_the_working_folders_files_and_leaves_them_there(tmp_path):
    private, pem = new_keys(tmp_path / "keys")
    working = working_folder(tmp_path / "working")
    sealed = seal(working, tmp_path / "archive", RUNS[0], predicate(), private, pem)
    assert sealed == tmp_path / "archive" / RUNS[0]
    payload = content_of(sealed / "data")
    payload.pop("statement.json")
    assert payload == content_of(working)
    assert sorted(p.name for p in sealed.iterdir()) == sorted(["data", *bag.TAG_FILES, *bag.UNLISTED_FILES])


def test_a_reader_that_is_not_ours_validates_the_bag_and_so_does_sha256sum(tmp_path):
    sealed = new_site(tmp_path, RUNS[:1]) / RUNS[0]
    bagit.Bag(str(sealed)).validate()
    assert bagit.Bag(str(sealed)).info["Bagging-Date"] == FINISHED.date().isoformat()
    assert bagit.Bag(str(sealed)).info["External-Identifier"] == RUNS[0]


@pytest.mark.requires("sha256sum")
def test_sha256sum_accepts_both_manifests(tmp_path):
    sealed = new_site(tmp_path, RUNS[:1]) / RUNS[0]
    for name in (bag.MANIFEST, bag.TAG_MANIFEST):
        subprocess.run(["sha256sum", "--strict", "--quiet", "-c", name], cwd=sealed, check=True)


def test_the_statement_is_a_canonical_in_toto_statement_about_every_payload_file(tmp_path):
    archive = new_site(tmp_path, RUNS[:2])
    raw = (archive / RUNS[1] / bag.STATEMENT).read_bytes()
    statement = json.loads(raw)
    assert canonical_json(statement) == raw
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["predicate"]["buildDefinition"]["externalParameters"] == {"run": RUNS[1]}
    assert {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]} == {
        f"data/{path}": hashlib.sha256(content).hexdigest()
        for path, content in content_of(archive / RUNS[1] / "data").items()
        if path != "statement.json"
    }
    before = hashlib.sha256((archive / RUNS[0] / bag.TAG_MANIFEST).read_bytes()).hexdigest()
    place = statement["predicate"][chain.CHAIN_FIELD]
    assert place["preceding"] == {"run": RUNS[0], "tagmanifest_sha256": before}
    assert (place["sequence"], place["run"]) == (2, RUNS[1])


def test_integers_beyond_53_bits_become_text_in_the_statement(tmp_path):
    private, pem = new_keys(tmp_path / "keys")
    statement = predicate(snapshot=2**53, smaller=2**53 - 1)
    sealed = seal(working_folder(tmp_path / "working"), tmp_path / "archive", "run", statement, private, pem)
    parameters = json.loads((sealed / bag.STATEMENT).read_bytes())["predicate"]["buildDefinition"]["externalParameters"]
    assert parameters == {"snapshot": "9007199254740992", "smaller": 9007199254740991}


def test_the_same_input_gives_the_same_bytes(tmp_path):
    private = Ed25519PrivateKey.generate()
    pem = keys.public_pem(private.public_key())
    made = []
    for base in (tmp_path / "one", tmp_path / "two"):
        working = working_folder(base / "working")
        for name in RUNS:
            seal(working, base / "archive", name, predicate(), private, pem)
        made.append(content_of(base / "archive"))
    assert made[0] == made[1]


def test_the_runs_are_listed_in_the_order_they_were_sealed(tmp_path):
    archive = new_site(tmp_path, ["z", "a", "m"])
    runs = archive_runs(archive)
    assert [(run.name, run.sequence, run.preceding) for run in runs] == [("z", 1, None), ("a", 2, "z"), ("m", 3, "a")]
    assert [run.preceding_sha256 for run in runs] == [None, *(run.tagmanifest_sha256 for run in runs[:2])]


@needs_posix
def test_the_archive_is_open_to_its_owner_only(tmp_path):
    archive = new_site(tmp_path, RUNS[:1])
    assert not [path for path in [archive, *archive.rglob("*")] if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_an_existing_run_is_never_overwritten(tmp_path):
    archive = new_site(tmp_path, RUNS[:1])
    before = content_of(archive)
    with pytest.raises(RunError, match="already"):
        seal_run(tmp_path, RUNS[0], "another text")
    assert content_of(archive) == before


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../run", "a/b", "a\\b", "-rf", ".hidden", "con", "a\nb", "å", "a b", "x" * 200, "run."]
)
def test_a_hostile_run_name_is_refused(tmp_path, name):
    private, pem = new_keys(tmp_path / "keys")
    working = working_folder(tmp_path / "working")
    with pytest.raises(UsageError, match="cannot be named"):
        seal(working, tmp_path / "archive", name, predicate(), private, pem)
    assert not (tmp_path / "archive").exists()


@needs_posix
@pytest.mark.parametrize(
    "name",
    ["a\nb.csv", "a\rb", "a%0Ab", "å.csv", "-rf", "~root", "a\\b", "a*b", "aux.txt", "b\u202ea", "a:b", "end ", ".x"],
)
def test_a_hostile_file_name_is_refused(tmp_path, name):
    private, pem = new_keys(tmp_path / "keys")
    working = working_folder(tmp_path / "working")
    (working / "tables" / name).write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot stand in the evidence"):
        seal(working, tmp_path / "archive", "run", predicate(), private, pem)


@needs_posix
def test_links_names_that_differ_in_case_only_and_a_statement_of_ones_own_are_refused(tmp_path):
    private, pem = new_keys(tmp_path / "keys")
    for number, (name, make) in enumerate(
        {
            "pages/link": lambda path: path.symlink_to("/etc/passwd"),
            "pages/INDEX.html": lambda path: path.write_text("x"),
            "statement.json": lambda path: path.write_text("{}"),
            "pages/pipe": os.mkfifo,
        }.items()
    ):
        working = working_folder(tmp_path / f"working{number}")
        make(working / name)
        with pytest.raises(UsageError):
            seal(working, tmp_path / "archive", "run", predicate(), private, pem)


def test_a_statement_without_what_slsa_demands_is_refused(tmp_path):
    private, pem = new_keys(tmp_path / "keys")
    working = working_folder(tmp_path / "working")
    whole = predicate()
    broken = [
        {},
        {**whole, "buildDefinition": {}},
        {**whole, "runDetails": {"builder": {"id": "x"}, "metadata": {"finishedOn": "yesterday"}}},
        {**whole, "buildDefinition": {**whole["buildDefinition"], "buildType": ""}},
        {**whole, chain.CHAIN_FIELD: {}},
    ]
    for statement in broken:
        with pytest.raises(UsageError, match="statement"):
            seal(working, tmp_path / "archive", "run", statement, private, pem)
    with pytest.raises(UsageError, match="working folder"):
        seal(tmp_path / "nowhere", tmp_path / "archive", "run", whole, private, pem)


def test_keys_that_are_no_pair_or_not_the_archives_are_refused(tmp_path):
    archive = new_site(tmp_path, RUNS[:1])
    other, other_pem = new_keys(tmp_path / "other")
    working = working_folder(tmp_path / "working")
    own = keys.load_private(tmp_path / "keys")
    with pytest.raises(KeyFileError, match="not a pair"):
        seal(working, archive, "run", predicate(), own, other_pem)
    with pytest.raises(KeyFileError, match="begun with another key"):
        seal(working, archive, "run", predicate(), other, other_pem)


@pytest.mark.parametrize("damage", ["head removed", "head changed", "last removed", "last changed", "unknown added"])
def test_nothing_is_sealed_upon_a_broken_chain(tmp_path, damage):
    archive = new_site(tmp_path)
    if damage == "head removed":
        (archive / chain.HEAD).unlink()
    elif damage == "head changed":
        rewrite(archive / chain.HEAD, (archive / chain.HEAD).read_bytes().replace(b":3", b":4"))
    elif damage == "last removed":
        shutil.rmtree(archive / RUNS[2])
    elif damage == "last changed":
        rewrite(archive / RUNS[2] / bag.TAG_MANIFEST, b"")
    else:
        other = new_site(tmp_path / "other", ["1", "2", "3", "foreign"])
        shutil.copytree(other / "foreign", archive / "foreign")
    before = content_of(archive)
    with pytest.raises(VerificationError, match="broken"):
        seal_run(tmp_path, "next")
    assert content_of(archive) == before


def test_a_file_in_the_archives_place_is_an_error_in_words(tmp_path):
    new_keys(tmp_path / "keys")
    (tmp_path / "archive").write_text("not a folder", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written"):
        seal_run(tmp_path, "run")


@pytest.mark.parametrize("allowed", [0, 1, 4, 9])
def test_a_full_disk_leaves_no_half_run(tmp_path, monkeypatch, allowed):
    archive = new_site(tmp_path, RUNS[:1])
    before = content_of(archive)
    calls = iter(range(1000))
    write = os.write

    def full(descriptor, content):
        if next(calls) < allowed:
            return write(descriptor, content)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(RunError, match="No space left"):
        seal_run(tmp_path, RUNS[1])
    monkeypatch.undo()
    assert content_of(archive) == before
    assert verify(archive) == []


def stop_before_head(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(chain, "write_head", stopped)


def test_stopped_before_the_head_record_the_run_is_whole_and_the_next_sealing_repairs_it(tmp_path, monkeypatch):
    archive = new_site(tmp_path, RUNS[:1])
    stop_before_head(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        seal_run(tmp_path, RUNS[1])
    monkeypatch.undo()
    (told,) = verify(archive)
    assert (told.code, told.is_failure) == ("head_behind", False)
    assert RUNS[1] in told.message
    seal_run(tmp_path, RUNS[2])
    assert verify(archive) == []
    assert [run.name for run in archive_runs(archive)] == list(RUNS)


@pytest.mark.parametrize("damage", ["changed", "of another archive"])
def test_a_run_beyond_the_head_record_that_does_not_follow_whole_is_never_taken_up(tmp_path, monkeypatch, damage):
    archive = new_site(tmp_path, RUNS[:1])
    if damage == "changed":
        stop_before_head(monkeypatch)
        with pytest.raises(KeyboardInterrupt):
            seal_run(tmp_path, RUNS[1])
        monkeypatch.undo()
        rewrite(archive / RUNS[1] / "data" / "pages" / "index.html", b"nothing was found")
    else:
        shutil.copytree(tmp_path / "keys", tmp_path / "other" / "keys")
        for name in ("other", RUNS[1]):
            seal_run(tmp_path / "other", name)
        shutil.copytree(tmp_path / "other" / "archive" / RUNS[1], archive / RUNS[1])
    assert any(told.is_failure for told in verify(archive))
    head = (archive / chain.HEAD).read_bytes()
    with pytest.raises(VerificationError, match="broken"):
        seal_run(tmp_path, RUNS[2])
    with pytest.raises(VerificationError, match="broken"):
        repair_head(archive, keys.load_private(tmp_path / "keys"))
    assert (archive / chain.HEAD).read_bytes() == head


def test_a_head_record_left_behind_can_be_repaired_by_itself(tmp_path, monkeypatch):
    private, _ = new_keys(tmp_path / "keys")
    archive = tmp_path / "archive"
    assert not repair_head(archive, private)
    seal_run(tmp_path, RUNS[0])
    assert not repair_head(archive, private)
    stop_before_head(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        seal_run(tmp_path, RUNS[1])
    monkeypatch.undo()
    assert repair_head(archive, private)
    assert verify(archive) == []


def test_what_a_killed_sealing_left_is_told_and_then_removed(tmp_path):
    archive = new_site(tmp_path, RUNS[:1])
    left = archive / f"{sealing_module.WORK_PREFIX}0123"
    (left / "data").mkdir(parents=True)
    (archive / ".head.txt.01234567.new").write_text("half", encoding="utf-8")
    assert [(t.code, t.is_failure) for t in verify(archive)] == [("leftover_filled", True), ("leftover", False)]
    seal_run(tmp_path, RUNS[1])
    assert verify(archive) == []
    assert not left.exists()


@needs_posix
def test_killed_at_any_moment_a_run_is_there_whole_or_not_at_all(tmp_path):
    archive = new_site(tmp_path, ["first"])
    working = working_folder(tmp_path / "big")
    (working / "tables" / "big.csv").write_bytes(b"1;2\r\n" * 400_000)
    moments = random.Random(2)
    for attempt in range(6):
        sealer = start_sealer(tmp_path, working, *(f"run-{attempt}-{number}" for number in range(50)))
        assert sealer.stdin
        sealer.stdin.write("go\n")
        sealer.stdin.flush()
        time.sleep(moments.uniform(0.005, 0.12))
        sealer.send_signal(signal.SIGKILL)
        sealer.communicate()
        assert {told.code for told in verify(archive) if told.is_failure} <= {"leftover_filled"}
        for run in archive_runs(archive):
            bagit.Bag(str(archive / run.name)).validate()
    seal_run(tmp_path, "last")
    assert verify(archive) == []


def test_two_processes_sealing_at_once_give_one_chain(tmp_path):
    new_keys(tmp_path / "keys")
    working = working_folder(tmp_path / "working")
    sealers = [start_sealer(tmp_path, working, *(f"{who}-{number}" for number in range(4))) for who in "ab"]
    for sealer in sealers:
        assert sealer.stdin
        sealer.stdin.write("go\n")
        sealer.stdin.flush()
    for sealer in sealers:
        sealer.communicate()
        assert sealer.returncode == 0
    assert verify(tmp_path / "archive") == []
    assert [run.sequence for run in archive_runs(tmp_path / "archive")] == list(range(1, 9))


def test_an_archive_in_use_for_too_long_is_refused(tmp_path, monkeypatch):
    archive = new_site(tmp_path, RUNS[:1])
    monkeypatch.setattr(sealing_module, "WAIT_SECONDS", 0.05)
    code = "import sys,filelock\nwith filelock.FileLock(sys.argv[1]):\n print('held', flush=True)\n sys.stdin.read()"
    command = [sys.executable, "-c", code, str(archive / chain.LOCK)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(UnavailableError, match="in use"):
        seal_run(tmp_path, RUNS[1])
    holder.communicate("")
    seal_run(tmp_path, RUNS[1])


def test_a_key_pair_is_owner_only_and_never_replaced(tmp_path):
    private, _ = new_keys(tmp_path / "keys")
    assert keys.fingerprint(private.public_key()) == keys.fingerprint(keys.load_public(tmp_path / "keys"))
    assert sorted(p.name for p in (tmp_path / "keys").iterdir()) == [keys.PRIVATE_NAME, keys.PUBLIC_NAME]
    with pytest.raises(KeyFileError, match="already"):
        keys.new_signing_key(tmp_path / "keys")
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "keys" / keys.PRIVATE_NAME).stat().st_mode) == 0o600


@needs_posix
def test_a_private_key_that_others_can_read_is_refused_with_the_remedy(tmp_path):
    new_keys(tmp_path)
    (tmp_path / keys.PRIVATE_NAME).chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.load_private(tmp_path)


def x448_key():
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return X448PrivateKey.generate().private_bytes(serialization.Encoding.PEM, *form)


def test_a_missing_broken_or_foreign_key_is_refused(tmp_path):
    with pytest.raises(KeyFileError, match="no key"):
        keys.load_private(tmp_path)
    new_keys(tmp_path / "a")
    new_keys(tmp_path / "b")
    shutil.copy(tmp_path / "a" / keys.PUBLIC_NAME, tmp_path / "b")
    with pytest.raises(KeyFileError, match="not a pair"):
        keys.load_private(tmp_path / "b")
    for content in (b"", b"garbage", (tmp_path / "a" / keys.PUBLIC_NAME).read_bytes(), x448_key()):
        rewrite(tmp_path / "b" / keys.PRIVATE_NAME, content)
        with pytest.raises(KeyFileError, match="private key"):
            keys.load_private(tmp_path / "b")
    rewrite(tmp_path / "b" / keys.PUBLIC_NAME, b"garbage")
    with pytest.raises(KeyFileError, match="public key"):
        keys.load_public(tmp_path / "b")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(KeyFileError, match="cannot be"):
        keys.new_signing_key(tmp_path / "file" / "keys")
    with pytest.raises(KeyFileError, match="cannot be"):
        keys.load_public(tmp_path / "file" / "keys" / "key.pem")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._ +=@-]{0,20}[A-Za-z0-9]", fullmatch=True),
        st.binary(max_size=4).map(lambda content: hashlib.sha256(content).hexdigest()),
    )
)
def test_a_manifest_reads_back_as_it_was_written_and_in_no_other_form(digests):
    written = bag.manifest_text(digests)
    assert bag.parse_manifest(written) == digests
    assert bag.parse_manifest(written + b"\n") is None
    if digests:
        assert bag.parse_manifest(written[:-1]) is None
        assert bag.parse_manifest(written.replace(b"  ", b" *", 1)) is None
