"""The site's journals against what sealed runs say of them."""

from __future__ import annotations

import json

import pytest

from audit_kernel.evidence import keys
from audit_kernel.evidence.journals import broken_journals, journal_heads, journal_problems
from audit_kernel.evidence.seal import provenance, seal
from audit_kernel.site import create_site
from audit_kernel.use_log import FILE, record_use
from tests.evidence.sealing import FINISHED, working_folder


@pytest.fixture
def site(tmp_path):
    """A site whose use log of five lines was sealed at its third and at its fifth line."""
    made = create_site(tmp_path / "site", "NO", "Test kommune")
    private = keys.load_private(made.keys_folder)
    working = working_folder(tmp_path / "working")
    for number in range(1, 6):
        record_use(made, "sak 2026/17", "report", {"number": number})
        if number in (3, 5):
            predicate = provenance(
                build_type="urn:test",
                builder_id="urn:test",
                started_at=FINISHED,
                finished_at=FINISHED,
                external_parameters={},
                internal_parameters={"journals": journal_heads(made)},
            )
            seal(
                working, made.archive_folder, f"run-{number}", predicate, private, keys.public_pem(private.public_key())
            )
    return made


def lines_of(site):
    return (site.journals_folder / FILE).read_bytes().splitlines(keepends=True)


def test_whole_journals_have_no_problem(site):
    assert broken_journals(site) == []
    record_use(site, "sak 2026/18", "report", {})
    assert broken_journals(site) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[:1] + lines[2:], "line 2: number 3 stands where number 2 belongs"),
        (
            lambda lines: [lines[0], lines[1].replace(b"2026/17", b"2026/71"), *lines[2:]],
            "line 2: the line was changed",
        ),
        (lambda lines: lines[:4], "entry 5, which sealed evidence names"),
        (lambda _lines: [], "entry 3, which sealed evidence names"),
    ],
    ids=["a line deleted", "a line edited", "the end cut off", "emptied"],
)
def test_a_changed_use_log_is_told(site, change, said):
    (site.journals_folder / FILE).write_bytes(b"".join(change(lines_of(site))))
    told = journal_problems(site)
    assert any(said in problem.message for problem in told)
    assert {(problem.file, problem.is_failure) for problem in told} == {(f"journals/{FILE}", True)}


def test_a_removed_use_log_and_one_begun_anew_are_told(site):
    (site.journals_folder / FILE).unlink()
    (told,) = broken_journals(site)
    assert told == (FILE, f"{FILE}: the journal is gone; sealed evidence names 5 entries of it.")
    for number in range(7):
        record_use(site, "sak 2026/17", "report", {"number": -number})
    assert len(broken_journals(site)) == 2


@pytest.mark.parametrize("journals", [[], {"../x.jsonl": {"sequence": 1, "hash": "a"}}, {"a.jsonl": 3}, None])
def test_a_statement_of_any_form_is_survived(site, journals):
    path = site.archive_folder / "run-3" / "data" / "statement.json"
    path.chmod(0o600)
    statement = {"predicate": {"buildDefinition": {"internalParameters": {"journals": journals}}}}
    path.write_text(json.dumps(statement), encoding="utf-8")
    assert broken_journals(site) == []
