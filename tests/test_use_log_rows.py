"""The use log as rows: which lines are of the period, up to where they are read, what is left out, what is hostile."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from audit_kernel.journal import START, Journal
from audit_kernel.site import Site, create_site
from audit_kernel.use_log import FILE
from audit_kernel.use_log_rows import Place, place_now, read_use

if TYPE_CHECKING:
    from pathlib import Path

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
AT = "2026-10-05T08:00:00"
QUESTION = {"user": "kari", "purpose": "sak 2026/17", "activity": "report", "query": "activity"}
HOSTILE = "<script>\u202e\x1b[2J" + "x" * 2_000


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return create_site(tmp_path / "site", "NO")


def write(site: Site, entry: dict[str, Any], at: str = AT) -> str:
    """Write a line as if it were that time (UTC)."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return Journal(site.journals_folder / FILE, lambda: moment).append(entry)


def read(site: Site, **given: Any) -> Any:
    return read_use(site, place_now(site) or Place(0, ""), FIRST, LAST, **given)


def test_a_month_is_the_sites_local_one_and_answers_may_come_after_it(site: Site) -> None:
    write(site, QUESTION, "2026-09-30T21:59:59")
    write(site, QUESTION, "2026-09-30T22:00:00")
    last = write(site, QUESTION, "2026-10-31T22:59:59")
    write(site, {"activity": "answered", "question": last, "rows": 7}, "2026-10-31T23:00:01")
    used = read(site)
    assert [(line["sequence"], line["local_date"], line["n_rows"]) for line in used.lines] == [
        (2, FIRST, None),
        (3, LAST, 7),
    ]
    assert (used.n_lines, used.n_damaged, used.is_whole) == (2, 0, True)


def test_a_line_of_the_log_in_is_about_whom_it_names_and_a_refusal_is_an_act(site: Site) -> None:
    hub = {"user": "root", "purpose": "access control", "who": "se100-kari"}
    for activity in ("login", "refusal", "report"):
        write(site, {**hub, "activity": activity})
    rows = [(line["user_name"], line["use_kind"], line["use_activity"]) for line in read(site).lines]
    assert rows == [("se100-kari", "other", "login"), ("se100-kari", "act", "refusal"), ("root", "question", "report")]


def test_what_was_written_after_the_place_is_not_read_and_a_cut_log_is_told(site: Site) -> None:
    write(site, QUESTION)
    place = place_now(site)
    assert place is not None
    assert Place.of(str(place)) == place
    write(site, {**QUESTION, "user": "later"})
    assert [line["user_name"] for line in read_use(site, place, FIRST, LAST).lines] == ["kari"]
    assert not read_use(site, Place(9, START), FIRST, LAST).is_whole
    assert not read_use(site, Place(1, "f" * 64), FIRST, LAST).is_whole
    assert Place.of("1") is None


def test_a_damaged_line_is_counted_and_the_others_are_read(site: Site) -> None:
    for user in ("a", "b", "c"):
        write(site, {**QUESTION, "user": user})
    place, path = place_now(site), site.journals_folder / FILE
    path.write_bytes(path.read_bytes().replace(b'"user":"b"', b'"user":"x"') + b'{"half')
    assert place is not None
    used = read_use(site, place, FIRST, LAST)
    assert [line["user_name"] for line in used.lines] == ["a", "c"]
    assert (used.n_damaged, used.is_whole) == (1, True)
    path.write_bytes(path.read_bytes().replace(b'"user":"c"', b'"user":"x"'))
    assert place_now(site) is None


@pytest.mark.parametrize(
    ("purpose", "number"),
    [
        ("sak 2026/17", "2026/17"),
        ("dnr VON 2026-00123, Anna", "2026-00123"),
        ("26 / 1234", "26 / 1234"),
        ("review of 2026-10", None),
        ("19500101-1234 ringte", None),
        ("monthly control", None),
    ],
)
def test_a_case_number_is_found_and_a_month_or_a_personal_number_is_none(
    site: Site, purpose: str, number: str | None
) -> None:
    write(site, {**QUESTION, "purpose": purpose})
    assert [line["case_number"] for line in read(site).lines] == [number]


def test_an_entry_of_other_shapes_is_harmless(site: Site) -> None:
    for entry in (
        {"user": HOSTILE, "purpose": HOSTILE, "activity": HOSTILE, "query": HOSTILE},
        {"user": 1, "purpose": None, "activity": ["open"], "about": "P1", "control": [], "rows": "many"},
        {**QUESTION, "about": {"patient_id": ["P1", 7, None, "P2"], "employee_id": {"a": 1}, "unit_id": "U1"}},
        {"kind": "torn_line_moved"},
    ):
        write(site, entry)
    used = read(site)
    assert [(line["use_activity"], line["use_kind"], line["query_name"]) for line in used.lines] == [
        ("other", "other", None),
        ("other", "other", None),
        ("report", "question", "activity"),
    ]
    assert [each["patient_id"] for each in used.people] == ["P1", "P2"]
    assert not [sign for sign in used.lines[0]["purpose"] if sign in "\u202e\x1b"]
    assert used.tables()[0].num_rows == len(used.lines)


def test_lines_about_people_in_open_cases_are_kept_apart_with_all_of_their_purpose(site: Site) -> None:
    write(site, {**QUESTION, "about": {"employee_id": "E7"}, "purpose": "sak 2026/99"})
    write(site, {**QUESTION, "activity": "open", "purpose": "sak 2026/99"})
    write(site, {**QUESTION, "about": {"employee_id": "E8"}})
    write(site, {**QUESTION, "about": {"employee_id": "E7"}, "purpose": "sak 2026/99", "control": "2026-10"})

    def held(employee_id: str | None, _patient_id: str | None) -> bool:
        return employee_id == "E7"

    ordinary, apart = read(site, is_apart=held), read(site, is_apart=held, shows_apart=True)
    assert [line["sequence"] for line in ordinary.lines] == [3, 4]
    assert [line["sequence"] for line in apart.lines] == [1, 2]
    assert [ordinary.n_apart, apart.n_apart] == [2, 2]
    assert [each["employee_id"] for each in apart.people] == ["E7"]


def test_where_nothing_was_logged_there_is_nothing_and_the_log_is_whole(site: Site) -> None:
    used = read(site)
    assert (used.lines, used.n_lines, used.is_whole) == ([], 0, True)
