"""Whose list a row stands on, and in which words: never one's own, never more than a decision needs."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
import yaml

from audit_kernel.errors import SettingsError
from audit_kernel.locale import translator
from audit_kernel.review.candidates import Candidate, candidates
from audit_kernel.review.lists import LONGEST_CELL, Assigned, kind_words, make_lists, refuse_unreviewed
from audit_kernel.review.sealed_month import SealedMonth
from audit_kernel.review.who import Closeness, reviewers_of
from audit_kernel.review.workbook import HEADER_ROW, MARK_SHEET, choices, workbook_bytes
from audit_kernel.review_reasons import DECISIONS, decision_words, review_reasons
from audit_kernel.site import Site, create_site
from audit_kernel.yaml_file import read_yaml
from tests.evidence.hostile_site import HOSTILE

DAY = date(2026, 10, 5)
MONTH = SealedMonth("2026-10", Path("2026-10-monthly-x"), "0" * 64, "en")


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "SE", "Testköping")


def named(site: Site, **review) -> Site:
    settings = yaml.safe_load((site.folder / "settings.yml").read_text(encoding="utf-8"))
    (site.folder / "settings.yml").write_text(yaml.safe_dump({**settings, "review": review}), encoding="utf-8")
    return Site(site.folder)


def row(**given) -> Candidate:
    at = (datetime(2026, 10, 5, 6, 30, tzinfo=UTC), datetime(2026, 10, 5, 7, 0, tzinfo=UTC))
    plain = {
        "kind": "sample", "keys": ("E1|P1|2026-10-05",), "employee_id": "E1", "employee_name": "Eva Ek",
        "patient_id": "P1", "patient_name": "Per Persson", "unit_id": "U1", "first_day": DAY, "last_day": DAY,
        "times": at, "n_rows": 3, "about": "read the journal", "title": "Random sample", "manager_id": "M1",
    }  # fmt: skip
    return Candidate(**{**plain, **given})


def cells(site: Site, *rows: Candidate, protected: frozenset[str] = frozenset()) -> list[tuple[str, ...]]:
    (made,) = make_lists(site, MONTH, [Assigned("M1", each) for each in rows], {}, set(protected), [])
    return [each.cells for each in made.rows]


@pytest.mark.parametrize(
    ("given", "reviewer"),
    [
        ({}, "M1"),
        ({"manager_id": None}, "R1"),
        ({"manager_id": "E1"}, "R1"),  # the only manager known is the person itself
        ({"unit_id": "POOL"}, "R1"),  # the pool's leader does not know where they worked
        ({"employee_id": "R1", "manager_id": None}, "R2"),  # nobody reviews themselves
        ({"employee_id": "R1"}, "M1"),
    ],
)
def test_a_row_goes_to_the_manager_else_to_a_named_reviewer_and_never_to_the_person_itself(site, given, reviewer):
    site = named(site, reviewers=[{"id": "R1"}, {"id": "R2", "name": "Rut"}], pool_units=["POOL"])
    assert reviewers_of(site, row(**given), Closeness())[0] == reviewer


def test_a_row_that_nobody_can_review_refuses_the_lists_and_names_the_setting(site):
    orphan = row(manager_id=None)
    with pytest.raises(SettingsError, match=r"1 rows have no reviewer.*`review: reviewers:`"):
        refuse_unreviewed([reviewers_of(site, orphan, Closeness())], site)
    alone = named(site, reviewers=[{"id": "E1"}])
    with pytest.raises(SettingsError, match=r"nobody reviews themselves.*another one under"):
        refuse_unreviewed([reviewers_of(alone, orphan, Closeness())], alone)
    refuse_unreviewed([["M1"]], site)


def test_findings_about_one_employee_and_patient_are_one_row_and_those_without_a_patient_stand_alone(site, tmp_path):
    at = [datetime(2026, 10, day, 6, 0) for day in (9, 3, 7, 4, 5, 6)]
    given = {
        "finding_id": ["a", "b", "b2", "c", "d", "out"],
        "check_id": ["Many accesses", "Own unit", "Own unit", "Night", "Slow browsing", "Night"],
        "patient_id": ["P1", "P1", "P1", None, None, "P9"],
        "patient_name": ["Per Persson", "Per Persson", "Per Persson", None, None, "Pia Pil"],
        "first_at": at,
        "last_at": at,
        "n_events": [4, 3, 6, 1, 2, 1],
        "place": [1, 2, 3, 4, 5, 6],
        "is_within_budget": [True] * 5 + [False],
        "employee_id": ["E1"] * 6, "employee_name": ["Eva Ek"] * 6, "unit_id": ["U1"] * 6, "reviewer_id": ["M1"] * 6,
    }  # fmt: skip
    tables = tmp_path / "run" / "data" / "tables"
    tables.mkdir(parents=True)
    pyarrow.parquet.write_table(pyarrow.table(given), tables / "ranked_findings.parquet")
    sentences = {"finding_id": ["a", "b", "b2"], "sentence": ["Opened 4 times.", "Not there.", "Not there."]}
    pyarrow.parquet.write_table(pyarrow.table(sentences), tables / "many.parquet")
    found = candidates(site, SealedMonth("2026-10", tmp_path / "run", "0" * 64, "en"), None, kind_words("en"))
    assert [(each.keys, each.about, each.n_rows) for each in found] == [
        (("a", "b", "b2"), "Many accesses: Opened 4 times. Own unit: Not there.", 9),
        (("c",), "Night", 1),
        (("d",), "Slow browsing", 2),
    ]
    assert (found[0].first_day, found[0].last_day) == (date(2026, 10, 3), date(2026, 10, 9))
    assert {each.manager_id for each in found} == {"M1"}
    assert cells(site, found[0])[0][3:5] == (
        "2026-10-03 – 2026-10-09",  # noqa: RUF001
        "2026-10-03 08:00:00 – 2026-10-09 08:00:00",  # noqa: RUF001
    )


def test_a_reviewer_reads_who_whom_when_and_what_and_no_number_of_the_patient(site):
    assert cells(site, row()) == [
        (
            "Random sample", "Eva Ek (E1)", "Per Persson", "2026-10-05", "08:30:00 – 09:00:00", "3",  # noqa: RUF001
            "read the journal",
        )
    ]  # fmt: skip


def test_two_patients_of_one_name_are_told_apart_by_their_numbers(site):
    twins = cells(site, row(), row(patient_id="P2", keys=("E1|P2|2026-10-05",)))
    assert [each[2] for each in twins] == ["Per Persson (P1)", "Per Persson (P2)"]


def test_a_protected_patient_is_masked_and_nothing_in_the_file_tells_who_it_is(site):
    given = row(about="opened Per Persson's record", kind="finding", title="Protected persons")
    (made,) = make_lists(site, MONTH, [Assigned("M1", given)], {}, {"P1"}, [])
    assert made.rows[0].cells == (
        "Finding", "Eva Ek (E1)", "masked: protected or sensitive data", "2026-10-05", "", "3", "Protected persons",
    )  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(site, made))) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert [word for word in (b"P1", b"Persson", b"08:30", b"|2026") if word in everything] == []


def test_hostile_text_is_a_visible_text_and_never_a_formula(site):
    hostile = (*HOSTILE, "_x202E_gnp", "=1+1", "\tx", "x" * 5000)
    given = [
        row(employee_name=text, about=text, patient_name=text, patient_id=str(n)) for n, text in enumerate(hostile)
    ]
    (made,) = make_lists(site, MONTH, [Assigned("M1", each) for each in given], {"M1": "=M1"}, set(), [])
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(site, made)))
    texts = [cell for sheet in book.worksheets for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert {cell.data_type for cell in texts} == {"s"}
    assert {cell.number_format for cell in texts if cell.parent.title != MARK_SHEET} == {"@"}
    assert max(len(cell.value) for cell in texts) <= LONGEST_CELL + 10
    shown = "".join(cell.value for cell in texts)
    assert not [mark for mark in "\u202e\u200b\ufeff\ufffe\x1b" if mark in shown]
    assert "_x005F_x202E_gnp" in shown  # read as the seven letters that the log holds, not as a control character


def test_only_decision_reason_and_free_text_can_be_filled_in_and_the_header_stays_in_sight(site):
    (made,) = make_lists(
        site, MONTH, [Assigned("M1", row()), Assigned("M1", row(keys=("E1|P1|2026-10-06",)))], {}, set(), []
    )
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(site, made)))
    review, reasons, marks = book.worksheets
    assert all(sheet.protection.sheet for sheet in book.worksheets)
    assert book.security.lockStructure
    assert marks.sheet_state == "veryHidden"
    assert review.freeze_panes == f"A{HEADER_ROW + 1}"
    opened = {cell.coordinate for line in review.iter_rows() for cell in line if not cell.protection.locked}
    assert opened == {f"{column}{line}" for column in "IJK" for line in (5, 6)}
    offered = {str(each.sqref): each.formula1 for each in review.data_validations.dataValidation}
    assert offered == {"I5:I6": "'Reasons'!$D$2:$D$4", "J5:J6": "'Reasons'!$A$2:$A$15", "K5:K6": "1000"}
    assert [reasons.cell(line, 4).value for line in (2, 3, 4)] == list(decision_words("en").values())
    assert [reasons.cell(line, 1).value for line in range(2, 16)] == list(choices(site, "en"))


def test_the_same_list_gives_the_same_bytes_and_keeps_its_id_while_other_rows_make_another(site):
    found = [Assigned("M1", row())]
    (first,) = make_lists(site, MONTH, found, {}, set(), [])
    known = [{**first.entry(), "user": "root"}]
    (again,) = make_lists(site, MONTH, found, {}, set(), known)
    assert workbook_bytes(site, again) == workbook_bytes(site, first)
    (other,) = make_lists(site, MONTH, [*found, Assigned("M1", row(keys=("E1|P1|2026-10-06",)))], {}, set(), known)
    assert other.list_id != first.list_id


@pytest.mark.parametrize("country", ["SE", "NO"])
@pytest.mark.parametrize("language", ["en", "sv", "nb"])
def test_every_country_has_lawful_and_unlawful_reasons_each_with_its_own_clause(tmp_path, country, language):
    site = create_site(tmp_path / "site", country, "Test")
    found = choices(site, language)
    assert {decision for decision, _code in found.values()} == set(DECISIONS)
    assert len({code for _decision, code in found.values()}) == len(found) >= 14
    assert {each.legal_basis[country].split("_")[0] for each in review_reasons(site)} == {country.lower()}
    assert ("own_learning" in {code for _decision, code in found.values()}) == (country == "NO")
    assert language == "en" or translator(language)("Justified") in next(iter(found))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda listed: listed[:-3], "each decision needs a reason"),
        (lambda listed: [*listed, listed[0]], "no two may have the same code"),
        (lambda listed: [{**listed[0], "legal_basis": {"SE": "no_such_clause"}}, *listed[1:]], "names a clause"),
        (lambda listed: [{**listed[0], "decision": "guilty"}, *listed[1:]], "justified"),
    ],
)
def test_a_sites_own_reasons_take_the_lists_place_and_are_checked(site, change, said):
    package = read_yaml(Path(__file__).parents[2] / "parameters" / "review_reasons.yml")
    own = site.folder / "parameters" / "review_reasons.yml"
    own.write_text(json.dumps([each for each in package if each["code"] != "emergency"]), encoding="utf-8")
    assert "emergency" not in {each.code for each in review_reasons(site)}
    own.write_text(json.dumps(change(package)), encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        review_reasons(site)
