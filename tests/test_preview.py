"""A change of thresholds, or switching a check on, tried on past months: exact figures, and nothing written."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.errors import ParameterError, SettingsError, UsageError
from audit_kernel.journal import Journal
from audit_kernel.preview import months_before, preview
from audit_kernel.printing_trial import TrialPrinter
from audit_kernel.site import Site, create_site
from audit_kernel.store.intake import take_in
from audit_kernel.store.reference import take_in_reference
from tests.store.logs import HEADER

CHECK = "searches_without_opening"
# People looked for and not opened, in each month: E1 and E2 belong to the manager M1, E3 to nobody.
LOOKED_FOR = {"2026-08": {"E1": 0}, "2026-09": {"E1": 4, "E2": 11}, "2026-10": {"E1": 12, "E2": 6, "E3": 6}}


def log_lines() -> list[str]:
    rows = []
    day = date(2026, 8, 1)
    while day < date(2026, 11, 1):
        rows.append((day, "09:00:00", "Lesing", "E9", "P1"))
        rows.append((day, "09:30:00", "Lesing", "E9", "P2"))
        searches = LOOKED_FOR[f"{day:%Y-%m}"] if day.day == 15 else {}
        rows += [
            (day, f"10:{number:02}:00", "Brukersøk", who, f"P{number + 10}")
            for who, n_people in searches.items()
            for number in range(n_people)
        ]
        day += timedelta(days=1)
    return [
        f"{number};{day:%d.%m.%Y};{at};{kind};{who};Bruker;{patient};"
        for number, (day, at, kind, who, patient) in enumerate(rows, start=1)
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("preview")
    made = create_site(folder / "site", "NO")
    people = folder / "employees.csv"
    lines = ["employee_id;name;personal_number;manager_id;valid_from;valid_to", "E1;One;;M1;;", "E2;Two;;M1;;"]
    people.write_text("\n".join(lines) + "\n", encoding="utf-8")
    take_in_reference(made, people, "employees")
    log = folder / "log.csv"
    log.write_text("\r\n".join([HEADER, *log_lines()]) + "\r\n", encoding="utf-8", newline="")
    take_in(made, log, "gerica")
    (made.folder / "parameters" / "schedule.yml").write_text("monthly: [checks/blocked_searches]\n", encoding="utf-8")
    return made


def figures(found, name):
    return [(getattr(each.now, name), getattr(each.changed, name)) for each in found.months]


def is_of_reading(path: Path) -> bool:
    """Say whether it is what any reader leaves: a lock, SQLite's shared memory, a write-ahead log without a byte."""
    return (
        path.suffix == ".lock" or path.name.endswith("-shm") or (path.name.endswith("-wal") and not path.stat().st_size)
    )


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_of_reading(path)
    }


def test_a_lower_threshold_gives_the_months_findings_and_hours_beside_those_of_now(site: Site) -> None:
    found = preview(site, CHECK, "routine 3", given={"minimum_unopened_patients": "5"}, n_months=4, last="2026-10")
    assert [each.month for each in found.months] == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert figures(found, "n_findings") == [(None, None), (0, 0), (1, 1), (1, 3)]
    assert figures(found, "hours")[2:] == [(Decimal("0.1"), Decimal("0.1")), (Decimal("0.1"), Decimal("0.3"))]
    july = found.months[0].now
    assert july.why is not None
    assert (july.n_of_all, july.not_counted) == (None, ("blocked_searches",))
    assert not found.is_switched_on
    assert found.moved == ()


def test_one_more_than_the_edge_finds_nothing(site: Site) -> None:
    found = preview(site, CHECK, "edge", given={"minimum_unopened_patients": "12"}, n_months=1, last="2026-09")
    assert figures(found, "n_findings") == [(1, 0)]


def test_the_budget_counts_managers_over_it_and_findings_without_a_reviewer(site: Site) -> None:
    given = {"minimum_unopened_patients": "5", "findings_per_manager": "1", "minutes_per_finding": "30"}
    found = preview(site, f"checks/{CHECK}", "budget", given=given, n_months=1, last="2026-10")
    assert figures(found, "n_of_all") == [(0, 3)]  # blocked_searches finds nothing here
    assert figures(found, "n_over_budget") == [(0, 1)]
    assert figures(found, "n_outside_budget") == [(0, 1)]
    assert figures(found, "n_without_reviewer") == [(0, 1)]
    assert figures(found, "hours") == [(Decimal("0.1"), Decimal("1.5"))]


def test_a_check_that_is_switched_on_counts_in_both_columns_and_what_it_moves_is_named(site: Site) -> None:
    schedule = site.folder / "parameters" / "schedule.yml"
    schedule.write_text(f"monthly: [checks/{CHECK}, checks/blocked_searches]\n", encoding="utf-8")
    try:
        found = preview(site, CHECK, "switched on", given={"missing_rows_tolerated": "0.9"}, n_months=1, last="2026-10")
    finally:
        schedule.write_text("monthly: [checks/blocked_searches]\n", encoding="utf-8")
    assert found.is_switched_on
    assert found.moved == ("blocked_searches",)
    assert figures(found, "n_of_all") == [(1, 1)]


def test_a_proposed_file_is_tried_with_its_newest_decisions(site: Site, tmp_path: Path) -> None:
    text = "reason: {en: a, sv: a, nb: a}, approved_by: MAS, valid_from:"
    path = tmp_path / "thresholds.yml"
    path.write_text(
        f"minimum_unopened_patients: [{{value: 11, {text} 2027-01-01}}, {{value: 99, {text} 2026-01-01}}]\n"
        f"minimum_openings: [{{value: 4, {text} 2027-01-01}}]\n",
        encoding="utf-8",
    )
    found = preview(site, CHECK, "proposal", proposed=path, n_months=1, last="2026-09")
    assert figures(found, "n_findings") == [(1, 1)]  # eleven were looked for: the edge counts
    assert [(name, then.value) for name, (_now, then) in found.changes.items()] == [("minimum_unopened_patients", 11)]
    path.write_text(f"minimum_openings: [{{value: 4, {text} 2027-01-01}}]\n", encoding="utf-8")
    with pytest.raises(UsageError, match=f"holds no threshold that {CHECK} depends on"):
        preview(site, CHECK, "proposal", proposed=path)
    path.write_text(f"minimum_ponies: [{{value: 4, {text} 2027-01-01}}]\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="unknown threshold 'minimum_ponies'"):
        preview(site, CHECK, "proposal", proposed=path)


def test_reasons_are_searched_for_anew_only_where_a_threshold_of_theirs_is_tried(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit_kernel import explanations

    searched = []
    whole = explanations._search
    monkeypatch.setattr(explanations, "_search", lambda *given: searched.append(given[2]) or whole(*given))
    for given, n_times in (({"missing_rows_tolerated": "0.9"}, 1), ({"shift_tolerance_minutes": "5"}, 2)):
        searched.clear()
        preview(site, "own_record", "once", given=given, n_months=1, last="2026-10")
        assert len(searched) == n_times, given


@pytest.mark.parametrize(
    ("check", "given", "kind", "says"),
    [
        ("no_such", {}, UsageError, r"no query 'no_such'.*There are: .*many_accesses"),
        ("activity", {}, UsageError, "no query 'activity'"),
        (
            CHECK,
            {"minimum_openings": "3"},
            ParameterError,
            r"does not depend on a threshold 'minimum_openings'.*It dep",
        ),
        (
            CHECK,
            {"minimum_unopened_patients": "many"},
            ParameterError,
            r"must be of type integer, not 'many'.*example 5",
        ),
        (CHECK, {"minimum_unopened_patients": "-1"}, ParameterError, r"cannot be -1\. Give zero or more"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_a_remedy(site: Site, check, given, kind, says) -> None:
    with pytest.raises(kind, match=says):
        preview(site, check, "refuse", given=given)


def test_without_a_purpose_nothing_is_shown(site: Site) -> None:
    with pytest.raises(UsageError, match="No purpose was given"):
        preview(site, CHECK, "")


def test_months_are_counted_back_over_the_turn_of_the_year() -> None:
    assert months_before("2026-02", 3) == ["2025-11", "2025-12", "2026-01"]


def test_the_command_writes_nothing_but_the_use_log_and_says_what_it_tried(site: Site) -> None:
    before = tree(site.folder)
    asked = ["preview", CHECK, "--set", "minimum_unopened_patients=5", "--last", "2026-10", "--months", "1"]
    asked += ["--purpose", "routine 3", "--site", str(site.folder)]
    answer = CliRunner().invoke(app, [*asked, "--json"])
    months = json.loads(answer.output)["months"]
    assert [(each["now"]["n_findings"], each["then"]["n_findings"]) for each in months] == [(1, 3)]
    after = tree(site.folder)
    assert {name for name in after if after[name] != before.get(name)} == {"journals/use_log.jsonl"}
    assert before.keys() <= after.keys()
    entries = [line["entry"] for line in Journal(site.journals_folder / "use_log.jsonl").entries()]
    tried = [each for each in entries if each["activity"] == "preview"][-1]
    assert (tried["query"], tried["purpose"]) == (CHECK, "routine 3")
    assert tried["thresholds"] == {"minimum_unopened_patients": "5"}


def test_the_table_never_shows_zero_for_a_month_without_logs(site: Site) -> None:
    found = preview(site, CHECK, "try it", n_months=2, last="2026-08")
    words = {"en": "not assessable", "sv": "kan inte bedömas", "nb": "kan ikke vurderes"}
    for language, says in words.items():
        console = Console(file=io.StringIO(), width=300)
        TrialPrinter(console, language).preview(found)
        text = console.file.getvalue()
        lines = [line for line in text.splitlines() if "│" in line and "2026" in line]
        assert lines[0].count(says) == 8
        assert says not in lines[1]
        assert f"{CHECK} " in text
