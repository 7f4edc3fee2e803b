"""A row that two review: neither is told, what stands where they differ, and how far they agree."""

from __future__ import annotations

import io
import json
import zipfile
from fractions import Fraction

import pytest
from typer.testing import CliRunner

from audit_kernel import decisions
from audit_kernel.cli import app
from audit_kernel.errors import UsageError
from audit_kernel.review import acting
from audit_kernel.review.agreement import FEWEST_ROWS, Agreement, agreement, agreement_in_words, from_plain
from audit_kernel.review.deciding import EntryError, rows_to_settle, settle
from audit_kernel.review.status import progress
from audit_kernel.review.workbook import workbook_bytes
from audit_kernel.site import create_site
from tests.review.two_lists import MONTH, REASONS, make_lists, say, send, subject

GIVEN = {"decision": "justified", "reason": REASONS["justified"], "remark": "on the rota"}


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO", "Test kommune")


@pytest.fixture
def entries(site):
    return send(site, make_lists())


def standing(site) -> dict:
    return {key: each["decision"] for key, each in decisions.decided(site, MONTH).items()}


def test_a_second_list_is_the_same_to_the_letter_as_if_it_were_a_first_one(site):
    second = make_lists()[1]
    plain = type(second)(*(getattr(second, name) for name in vars(second) if name != "rows"), rows=tuple(
        type(row)(row.number, row.kind, row.keys, row.cells) for row in second.rows
    ))  # fmt: skip
    assert second.entry() != plain.entry()
    assert workbook_bytes(site, second) == workbook_bytes(site, plain)
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(site, second))) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"M1" not in everything
    assert b"Mona" not in everything


def test_the_first_reviewer_s_decision_stands_while_the_second_says_the_same_or_nothing(site, entries):
    say(site, entries["M1"], 1, "justified")
    say(site, entries["R1"], 2, "unjustified")
    assert standing(site) == {subject(1): "justified"}  # of row 2 its own reviewer has said nothing
    say(site, entries["R1"], 1, "justified", "in other words")
    assert standing(site) == {subject(1): "justified"}
    assert rows_to_settle(site, MONTH) == {}
    assert [(each.reviewer_id, each.n_open) for each in progress(site, MONTH)] == [("M1", 2), ("R1", 1)]


def test_where_two_differ_nothing_stands_until_it_is_settled_and_every_word_stays(site, entries):
    say(site, entries["M1"], 1, "justified")
    say(site, entries["R1"], 1, "unjustified")
    assert standing(site) == {}
    assert decisions.latest_decisions(site, MONTH).num_rows == 0
    ((name, (subjects, of)),) = rows_to_settle(site, MONTH).items()
    assert subjects == (subject(1),)
    assert (of.first[0]["decision"], of.second[0]["decision"]) == ("justified", "unjustified")
    settle(site, MONTH, name, GIVEN)
    assert standing(site) == {subject(1): "justified"}
    say(site, entries["R1"], 1, "follow_up")  # stays in the journal, and does not undo what was settled
    say(site, entries["M1"], 1, "follow_up")
    assert standing(site) == {subject(1): "justified"}
    settle(site, MONTH, name, {**GIVEN, "decision": "unjustified", "reason": REASONS["unjustified"]})
    assert standing(site) == {subject(1): "unjustified"}
    kinds = [line["entry"]["kind"] for line in decisions.journal(site).entries()]
    assert kinds == ["list"] * 2 + ["decisions"] * 2 + ["settled"] + ["decisions"] * 2 + ["settled"]


def test_a_reviewer_who_comes_round_by_themselves_ends_the_difference(site, entries):
    say(site, entries["M1"], 1, "justified")
    say(site, entries["R1"], 1, "unjustified")
    say(site, entries["M1"], 1, "unjustified")
    assert standing(site) == {subject(1): "unjustified"}
    assert agreement(site, MONTH).counts[0][1] == 1  # what each said first, not knowing of the other


def test_only_rows_about_which_two_differ_are_settled_completely_and_by_nobody_who_reviews(site, entries, monkeypatch):
    say(site, entries["M1"], 1, "justified")
    with pytest.raises(UsageError, match="No two reviewers differ"):
        settle(site, MONTH, "3f2a91c0", GIVEN)
    say(site, entries["R1"], 1, "unjustified")
    (name,) = rows_to_settle(site, MONTH)
    for wrong, field in (({"decision": ""}, "decision"), ({"reason": "no_need_in_the_work"}, "reason"),
                         ({"remark": " "}, "remark"), ({"remark": "x" * 1001}, "remark")):  # fmt: skip
        with pytest.raises(EntryError) as caught:
            settle(site, MONTH, name, {**GIVEN, **wrong})
        assert caught.value.field == field
    monkeypatch.setattr(acting, "acting_reviewer", lambda *_: "R1")
    from audit_kernel.review import deciding

    monkeypatch.setattr(deciding, "acting_reviewer", lambda *_: "R1")
    for refused in (lambda: rows_to_settle(site, MONTH), lambda: settle(site, MONTH, name, GIVEN)):
        with pytest.raises(UsageError, match="own list only"):
            refused()
    with pytest.raises(UsageError, match="another reviewer's"):
        say(site, entries["M1"], 2, "justified")
    assert len(say(site, entries["R1"], 2, "justified")) == 1
    assert standing(site) == {}


def test_the_same_decision_again_adds_nothing_and_a_row_that_is_not_there_is_refused(site, entries):
    assert len(say(site, entries["R1"], 3, "justified")) == 2  # two findings of one row
    before = decisions.journal(site).path.read_bytes()
    assert say(site, entries["R1"], 3, "justified") == []
    with pytest.raises(UsageError, match="no row 4"):
        say(site, entries["R1"], 4, "justified")
    assert decisions.journal(site).path.read_bytes() == before
    used = (site.journals_folder / "use_log.jsonl").read_text(encoding="utf-8")
    assert used.count('"activity":"decide"') == 2


@pytest.mark.parametrize(
    ("counts", "kappa", "said"),
    [
        (((20, 5, 0), (10, 15, 0), (0, 0, 0)), Fraction(2, 5), "0.40: fair agreement"),
        (((20, 0, 0), (0, 10, 0), (0, 0, 5)), Fraction(1), "1.00: almost perfect agreement"),
        (((10, 10, 0), (10, 10, 0), (0, 0, 0)), Fraction(0), "0.00: no better than chance"),
        (((0, 15, 0), (15, 0, 0), (0, 0, 0)), Fraction(-1), "-1.00: no better than chance"),
        (((30, 0, 0), (0, 0, 0), (0, 0, 0)), None, "cannot be computed: both gave every row the same decision"),
        (((10, 5, 0), (4, 0, 0), (0, 0, 0)), None, f"at least {FEWEST_ROWS} rows decided by both"),
    ],
)
def test_cohens_kappa_is_exact_and_said_in_words_or_said_not_to_be_computable(counts, kappa, said):
    found = Agreement(40, counts, n_unsettled=1)
    assert found.kappa == kappa
    assert from_plain(found.as_plain()) == found
    texts = " ".join(agreement_in_words(found, "en"))
    assert said in texts
    assert "1 row that is not settled" in texts


def test_two_months_add_up():
    month = Agreement(12, ((5, 1, 0), (0, 4, 0), (0, 0, 0)), 1, 0)
    assert month.kappa is None
    year = month + month
    assert (year.n_both, year.n_agreed, year.n_unsettled) == (20, 18, 2)
    assert year.kappa == (Fraction(18, 20) - Fraction(12 * 10 + 8 * 10, 400)) / (1 - Fraction(200, 400))


def test_show_and_settle_answer_at_the_command_line(site, entries):
    say(site, entries["M1"], 1, "justified")
    say(site, entries["R1"], 1, "unjustified")
    run, at = CliRunner(), ["--site", str(site.folder), "--json"]
    shown = json.loads(run.invoke(app, ["review", "show", MONTH, *at]).output)
    assert [each["reviewer_id"] for each in shown["reviewers"]] == ["M1", "R1"]
    assert shown["agreement"] | {"counts": 0} == {
        "n_rows": 2, "n_both": 1, "n_agreed": 0, "kappa": None, "n_unsettled": 1, "n_settled": 0, "counts": 0,
        "decisions": ["justified", "unjustified", "follow_up"],
    }  # fmt: skip
    (row,) = json.loads(run.invoke(app, ["review", "settle", MONTH, *at]).output)
    settled = ["--decision", "follow_up", "--reason", "ask_the_employee", "--remark", "asked"]
    done = json.loads(run.invoke(app, ["review", "settle", MONTH, row["row"], *settled, *at]).output)
    assert [each["decision"] for each in done[0]["settled"]] == ["follow_up"]
    plain = run.invoke(app, ["review", "show", MONTH, *at[:2]]).output
    assert "2" in plain
    assert run.invoke(app, ["review", "settle", MONTH, *at[:2]]).output.count(row["row"]) == 1
