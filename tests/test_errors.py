"""Every error is raised for real: its message says what failed and the remedy, and quotes nothing of the log."""

from __future__ import annotations

import ast
from pathlib import Path

import filelock
import pytest

import audit_kernel
from audit_kernel import cli, errors, open_store
from audit_kernel.error_language import language_of
from audit_kernel.errors import AuditKernelError, NotAssessableError, Phrase
from audit_kernel.evidence import keys
from audit_kernel.evidence.chain import HEAD
from audit_kernel.evidence.seal import locked
from audit_kernel.locale import LANGUAGES
from audit_kernel.query import refuse_missing_data
from audit_kernel.site import create_site, read_settings
from audit_kernel.store import intake
from audit_kernel.store.intake import take_in
from tests.evidence.sealing import new_keys, seal_run
from tests.store.logs import HEADER, gerica_file, row

SECRET = "SNOKERSEN"
PACKAGE = Path(audit_kernel.__file__).parent
PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
EXIT_CODES = {
    "UsageError": 2,
    "ParameterError": 2,
    "MonthIncompleteError": 3,
    **dict.fromkeys(("UnavailableError", "StoreError", "KeyFileError", "JournalError"), 4),
}
# The base is never raised bare; a month that is not complete takes a whole run: tests/evidence/test_month.py.
NOT_RAISED = {"AuditKernelError", "MonthIncompleteError"}
# Problems that are no literal at the place where they are raised, each with its reason.
COMPOSED = {
    "store/connection.py": "without_log_text takes the phrases of its callers",
    "sources/count.py": "the second reader's refusals are phrases given to one method",
    "sources/sheet.py": "refusals of a workbook are phrases given to one function",
    "review/reading.py": "refusals of a list are phrases given to one function",
    "sources/unpack.py": "refusals of a zip are phrases given to one function",
    "serving/check.py": "missing, unsafe and expiring take the phrases of what is looked at",
    "evidence/execute.py": "names the notebook's own parameters, for whoever writes notebooks",
}


def all_errors():
    return {name for name in vars(errors) if name.endswith("Error")}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors")
    made = create_site(folder / "site", "NO")
    take_in(made, gerica_file(folder / "a.csv", [row(1, employee=SECRET), row("x", employee=SECRET)]), "gerica")
    return made


def ask(site, **given):
    with open_store(site, "test of errors") as store:
        store.report("activity", **{**PERIOD, **given})


def usage(site, _folder, _patched):
    with open_store(site, "test of errors") as store:
        store.sql("delete from accesses")


def settings(_site, folder, _patched):
    (folder / "settings.yml").write_text("country: DK\n")
    read_settings(folder / "settings.yml")


def refused(site, folder, patched):
    patched.setattr(intake, "stage", lambda *_given: 7)
    take_in(site, gerica_file(folder / "b.csv", [row(2, employee=SECRET)]), "gerica")


def damaged(site, folder, _patched):
    (folder / "b.csv").write_text(f"{HEADER}\n1;{SECRET}\n")
    take_in(site, folder / "b.csv", "gerica")


def not_assessable(site, _folder, _patched):
    with open_store(site, "test of errors") as store:
        query = store.catalog.query("activity")
        needing = query.description.model_copy(update={"needs": ("units",)})
        query.__dict__["description"] = needing
        refuse_missing_data(store._connection, query)


def run(_site, folder, _patched):
    new_keys(folder / "keys")
    seal_run(folder, "run")
    seal_run(folder, "run")


def verification(_site, folder, _patched):
    new_keys(folder / "keys")
    seal_run(folder, "run")
    (folder / "archive" / HEAD).unlink()
    seal_run(folder, "next")


def unavailable(_site, folder, patched):
    new_keys(folder / "keys")
    (folder / "archive").mkdir()
    patched.setattr("audit_kernel.evidence.seal.WAIT_SECONDS", 0)
    lock = filelock.FileLock(locked(folder / "archive").lock_file)
    with lock:
        seal_run(folder, "run")


def store(site, _folder, _patched):
    open_store(site, "test of errors", snapshot=9999)


def key_file(_site, folder, _patched):
    keys.load_private(folder)


def journal(site, _folder, patched):
    patched.setattr("audit_kernel.use_log.FILE", "")  # names the folder itself
    open_store(site, "test of errors")


RAISED = {
    "UsageError": usage,
    "ParameterError": lambda site, _folder, _patched: ask(site, patient_id="1042", colour="red"),
    "SettingsError": settings,
    "IntakeError": refused,
    "DamagedFileError": damaged,
    "UnknownSubjectError": lambda site, _folder, _patched: ask(site, patient_id="nobody"),
    "NotAssessableError": not_assessable,
    "RunError": run,
    "VerificationError": verification,
    "UnavailableError": unavailable,
    "StoreError": store,
    "KeyFileError": key_file,
    "JournalError": journal,
}


@pytest.mark.parametrize("name", RAISED)
def test_an_error_says_what_failed_and_the_remedy_and_nothing_of_the_log(site, tmp_path, monkeypatch, name):
    with pytest.raises(AuditKernelError) as caught:
        RAISED[name](site, tmp_path, monkeypatch)
    error = caught.value
    assert type(error).__name__ == name
    assert error.exit_code == EXIT_CODES.get(name, 1)
    assert error.problem.endswith(".")
    assert error.remedy.endswith(".")
    assert str(error) == f"{error.problem} {error.remedy}"
    assert SECRET not in str(error)
    assert "Traceback" not in str(error)


def test_every_error_is_raised_here():
    assert set(RAISED) == all_errors() - NOT_RAISED


def test_the_tree_at_the_top_of_the_file_names_every_error():
    tree = {word for word in (errors.__doc__ or "").split() if word.endswith("Error")}
    assert tree == all_errors()


@pytest.mark.parametrize("name", sorted(all_errors()))
def test_exit_codes_are_as_decided(name):
    assert getattr(errors, name).exit_code == EXIT_CODES.get(name, 1)


def test_every_error_of_the_product_is_raised_with_its_remedy():
    """Two values: what failed and the remedy. One error makes both itself."""
    bare = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_raised = isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
            if not is_raised or not isinstance(node.exc.func, ast.Name) or node.exc.func.id not in all_errors():
                continue
            if len(node.exc.args) + len(node.exc.keywords) < 2 and not any(
                isinstance(argument, ast.Starred) for argument in node.exc.args
            ):
                bare.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert bare == []


def raised_in_the_product():
    """Every call of an error class, outside the demo."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith("demo/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield place, node


def test_every_problem_and_remedy_is_a_literal_that_the_catalogues_can_hold():
    errors_of_parts = all_errors() - {"NotAssessableError"} | {"QuestionError"}
    unseen = []
    for place, call in raised_in_the_product():
        if call.func.id not in errors_of_parts or place in COMPOSED:
            continue
        problem, remedy, *_field = [*call.args, None]
        is_made_up = isinstance(remedy, ast.JoinedStr | ast.BinOp)  # a name or a choice stands for phrases
        if not isinstance(problem, ast.Constant) or is_made_up:
            unseen.append(f"{place}:{call.lineno}")
    assert unseen == []


def test_every_phrase_is_a_literal_or_a_word_that_the_catalogues_hold():
    words = {"kind", "f'{kind}s'", "relation.replace('_', ' ')"}  # subjects and relations: one phrase each
    given = [(place, call.args[0]) for place, call in raised_in_the_product() if call.func.id == "Phrase"]
    others = {(place, ast.unparse(text)) for place, text in given if not isinstance(text, ast.Constant)}
    assert {text for _place, text in others} <= words


def test_an_error_is_told_in_the_readers_language_with_the_same_values():
    error = errors.IntakeError(
        "{file!r}: the reader found {n_read:,} records, an independent count {n_counted:,}.",
        "Nothing was stored. Report the file's layout, not its content.",
        file="a {b}.csv",
        n_read=12345,
        n_counted=1,
    )
    assert error.problem == "'a {b}.csv': the reader found 12,345 records, an independent count 1."
    assert error.text("en") == str(error) == f"{error.problem} {error.remedy}"
    assert error.parts("nb") == (
        "'a {b}.csv': leseren fant 12\u00a0345 poster, en uavhengig telling 1.",
        "Ingenting er lagret. Meld fra om filens oppsett, ikke innholdet.",
    )
    assert error.parts("sv")[0] == "'a {b}.csv': läsaren hittade 12\u00a0345 poster, en oberoende räkning 1."


def test_braces_are_plain_text_where_no_values_are_given():
    error = errors.UsageError("{this} is not a value.", "Write {}.")
    assert [error.text(language) for language in LANGUAGES] == ["{this} is not a value. Write {}."] * 3


def test_words_put_into_an_error_are_translated_too():
    error = errors.UnknownSubjectError(
        "The {kind} {typed!r} stands neither in any log nor in the reference data.",
        "Check the number; nothing was searched.",
        kind=Phrase("employee"),
        typed="x",
    )
    assert error.problem == "The employee 'x' stands neither in any log nor in the reference data."
    assert "ingen medarbetare 'x'" in error.text("sv")
    assert "ingen ansatt 'x'" in error.text("nb")
    missing = NotAssessableError("unit_access", "unit_assignments", is_period_empty=True)
    assert (
        missing.parts("nb")[0] == "unit_access kan ikke vurderes: ingen enhetstilknytninger er lest inn for perioden."
    )


@pytest.mark.parametrize("name", RAISED)
def test_every_error_can_be_told_in_every_language(site, tmp_path, monkeypatch, name):
    with pytest.raises(AuditKernelError) as caught:
        RAISED[name](site, tmp_path, monkeypatch)
    english, *others = (caught.value.text(language) for language in LANGUAGES)
    assert english == str(caught.value)
    assert english not in others
    assert not any(SECRET in text or "{" in text for text in others)


def test_a_command_tells_its_error_in_the_language_asked_for_else_the_sites(site, tmp_path, monkeypatch):
    monkeypatch.delenv("AUDIT_KERNEL_SITE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert language_of(["month", "x", "--site", str(site.folder)]) == "nb"
    assert language_of(["month", "x", f"--site={site.folder}", "--language", "sv"]) == "sv"
    assert language_of(["month", "--language", "de", "--site"]) == "en"
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(site.folder))
    assert language_of([]) == "nb"
    (tmp_path / "settings.yml").write_text("country: [")
    assert language_of(["--site", str(tmp_path)]) == "en"


def test_the_command_line_tells_a_refusal_in_the_sites_language(site, tmp_path, monkeypatch, capsys):
    (tmp_path / "empty.csv").touch()
    arguments = ["intake", str(tmp_path / "empty.csv"), "--source", "gerica", "--site", str(site.folder)]
    for given, text in ((arguments, "er tom"), ([*arguments[:3], "none", *arguments[4:]], "Det finnes ingen kilde")):
        monkeypatch.setattr("sys.argv", ["audit-kernel", *given])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert stopped.value.code in (1, 2)
        assert text in " ".join(capsys.readouterr().err.split())
