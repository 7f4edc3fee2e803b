"""Known incidents: found ones are counted exactly, and none of them is ever anywhere but in its own run."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from audit_kernel import open_store
from audit_kernel.catalog import resource_folder
from audit_kernel.cli import app
from audit_kernel.errors import NotAssessableError, UsageError
from audit_kernel.evidence.month import MonthRun
from audit_kernel.evidence.verify import verify
from audit_kernel.journal import Journal
from audit_kernel.sensitivity import incidents as stories
from audit_kernel.sensitivity import measure as measuring
from audit_kernel.sensitivity.copied_store import CopiedStore
from audit_kernel.sensitivity.incidents import KINDS, draw
from audit_kernel.sensitivity.material import material
from audit_kernel.sensitivity.run import checks, run_sensitivity
from audit_kernel.site import Site
from audit_kernel.yaml_file import read_yaml
from tests.sensitivity.small_month import CHECKS, make_small_month

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
MARK = re.compile(rb"incident-[0-9a-f]{16}")
PERSON = re.compile(r"\b(E\d{3}|KA\d{2}|P\d{3}|Navn \d+|Pasient \d+)\b")


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def control(site: Site) -> dict[str, Any]:
    """What the ordinary control sees: snapshot, rows, findings in their ranking, and days without a reason."""
    with open_store(site, "monthly control") as store:
        store.keep_findings([store.ask(store.catalog.query(name, "checks"), PERIOD).table for name in CHECKS[:3]])
        ranked = store.report("reports/ranked_findings", **PERIOD).table.to_pylist()
        days = store.unexplained_days(*OCTOBER).to_pylist()
        rows = store.sql("select count(*) as n from accesses").to_pylist()
        kept = store.sql("select count(*) as n from lake.unexplained_days").to_pylist()
        return {"snapshot": store.snapshot, "ranked": ranked, "days": days, "rows": rows, "kept": kept}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_small_month(tmp_path_factory.mktemp("sensitivity"))


@pytest.fixture(scope="module")
def seen(site: Site) -> dict[str, Any]:
    """The site and its control before and after a run."""
    before, files = control(site), tree(site.folder)
    run = run_sensitivity(site, "2026-10", n_of_kind=2, seed="dice 4 1 6", language="sv")
    files_after = tree(site.folder)
    return {
        "run": run, "before": before, "after": control(site), "files": files, "now": files_after
    }  # fmt: skip


def figures(run: MonthRun) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(run.bag / "data/tables/sensitivity.parquet").to_pylist()
    return rows


def test_the_run_changes_no_file_but_its_own_bag_the_head_record_and_the_use_log(seen: dict[str, Any]) -> None:
    run, files, now = seen["run"], seen["files"], seen["now"]
    assert run.is_complete, run.outcomes
    changed = {name for name in now.keys() | files.keys() if now.get(name) != files.get(name)}
    bag = f"archive/{run.bag.name}/"
    outside = {name for name in changed if not name.startswith(bag)}
    of_the_archive = {f"archive/{name}" for name in ("head.txt", "signing-key.pub.pem", ".lock")}
    assert outside <= {*of_the_archive, "journals/use_log.jsonl"}
    assert not [name for name in outside if name.startswith("store/")]
    assert [name for name in now if name.startswith("temporary/") and name.count("/") > 1] == []


def test_the_control_sees_the_same_as_before_in_store_findings_lists_and_days(seen: dict[str, Any]) -> None:
    assert seen["before"] == seen["after"]
    assert seen["before"]["rows"][0]["n"] > 2000


def test_no_file_of_the_site_holds_an_incident_and_no_page_or_table_names_anybody(
    site: Site, seen: dict[str, Any]
) -> None:
    assert [path.name for path in site.folder.rglob("*") if path.is_file() and MARK.search(path.read_bytes())] == []
    payload = seen["run"].bag / "data"
    texts = [path.read_text(encoding="utf-8") for part in ("pages", "notebooks") for path in (payload / part).iterdir()]
    texts += [path.read_text(encoding="utf-8") for path in (payload / "tables").glob("*.csv")]
    assert len(texts) == 4
    assert [found.group() for text in texts for found in [PERSON.search(text)] if found] == []


def test_the_bag_is_sealed_verifies_and_says_what_it_is(site: Site, seen: dict[str, Any]) -> None:
    run = seen["run"]
    assert re.fullmatch(r"2026-10-sensitivity-\d{8}T\d{6}Z-[0-9a-f]{4}", run.bag.name)
    assert [problem for problem in verify(site.archive_folder) if problem.is_failure] == []
    statement = json.loads((run.bag / "data/statement.json").read_text(encoding="utf-8"))
    asked = statement["predicate"]["buildDefinition"]["externalParameters"]
    assert (asked["kind"], asked["period"]) == ("sensitivity", "2026-10")
    page = run.index.read_text(encoding="utf-8")
    for said in ("De här händelserna är konstgjorda", "Inget på den här sidan har hänt", "dice 4 1 6", "Egen journal"):
        assert said in page


def test_newly_found_incidents_are_counted_by_kind_and_check_with_exact_limits(seen: dict[str, Any]) -> None:
    rows = {(row["kind"], row["check_id"]): row for row in figures(seen["run"])}
    anyone = "Någon av de tillfrågade kontrollerna"
    own = rows["Den egna journalen", "Egen journal"]
    assert (own["n_incidents"], own["n_found"]) == (2, 2)
    assert own["upper_limit"] == 1
    assert str(own["lower_limit"])[:8] == "0.158113"  # the square root of 0.025
    printed = rows["Många patienters journaler utskrivna på en eftermiddag", "Utskrifter och exporter i mängd"]
    assert (printed["n_incidents"], printed["n_found"]) == (2, 2)
    traceless = rows["En patient på den egna enheten, av nyfikenhet, i tjänsten", anyone]
    assert traceless["n_incidents"] == 2
    nothing_to_draw = rows["En person med skyddade personuppgifter", anyone]
    assert (nothing_to_draw["n_incidents"], nothing_to_draw["share"]) == (0, None)
    assert rows["Ett tjugotal främmande i månaden, i månader", anyone]["n_incidents"] == 2
    everything = rows["Alla slag", anyone]
    of_kinds = [row for row in figures(seen["run"]) if row["check_id"] == anyone and row["kind"] != "Alla slag"]
    assert len(of_kinds) == len(KINDS)
    assert everything["n_incidents"] == sum(row["n_incidents"] for row in of_kinds)
    assert everything["n_found"] == sum(row["n_found"] for row in of_kinds)


def test_a_check_that_is_not_assessable_says_why_and_shows_no_zero(seen: dict[str, Any]) -> None:
    table = pyarrow.parquet.read_table(seen["run"].bag / "data/tables/sensitivity_checks.parquet")
    rows = {row["check_id"]: row for row in table.to_pylist()}
    media = rows["Sökningar på person av medialt intresse"]
    assert media["n_without"] is None
    assert media["n_new_of_incidents"] is None
    assert "kan inte bedömas" in media["why"]
    assert rows["Egen journal"]["n_new_of_incidents"] == 2
    assert rows["Egen journal"]["why"] is None


def test_the_same_seed_draws_the_same_people_and_another_draws_others(site: Site) -> None:
    drawn = []
    with CopiedStore(site, "testing") as store:
        store.unexplained_days(*OCTOBER)
        for seed in ("one", "one", "two"):
            found = material(store, *OCTOBER, seed, len(KINDS))
            told = draw(found, numpy.random.Generator(numpy.random.PCG64(4)), 1)
            drawn.append([(each.kind, each.snooper.employee_id, each.patients) for each in told])
            assert len({who for _kind, who, _patients in drawn[-1]}) == len(told) > 10
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_an_incident_whose_rows_the_log_would_resolve_to_somebody_else_is_taken_out_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measuring.written

    def distorted(*given: Any) -> Any:
        for row in whole(*given):
            is_first = row["event_id"].split("-")[-2] == "1"
            yield {**row, "patient_id": "Bruker:P000", "record_ref": "P000"} if is_first else row

    monkeypatch.setattr(measuring, "written", distorted)
    queries = [query for query in checks(site, every_check=False) if query.name == "own_record"]
    with CopiedStore(site, "testing") as store:
        kept = measuring.measure(store, queries, OCTOBER, "one", 1, "en", lambda _name, _done, _total: None)
        left = store.sql("select distinct split_part(event_id, '-', 3) as n from lake.added_accesses").to_pylist()
        kinds = store.sql("select sum(n_incidents) as n, sum(n_lost) as n_lost from incident_kinds").to_pylist()
        earlier = "select month, count(distinct patient_id) as n from lake.added_unexplained_days group by 1 order by 1"
        months = store.sql(earlier).to_pylist()
    assert kinds == [{"n": len(kept), "n_lost": 1}]
    assert [row["month"].month for row in months] == [8, 9]
    assert all(row["n"] >= 10 for row in months)
    assert len(left) == len(kept)
    assert "1" not in {row["n"] for row in left}


def test_a_month_without_any_access_is_refused_and_nothing_is_sealed(site: Site) -> None:
    archive = tree(site.archive_folder)
    with pytest.raises(NotAssessableError, match="for this period"):
        run_sensitivity(site, "2027-02", n_of_kind=1)
    with pytest.raises(UsageError, match="'2026-13' is not a month"):
        run_sensitivity(site, "2026-13")
    assert tree(site.archive_folder) == archive
    assert [path for path in site.temporary_folder.iterdir() if path.is_dir()] == []


def test_opening_and_every_question_stand_in_the_use_log_with_the_purpose(site: Site, seen: dict[str, Any]) -> None:
    assert seen["run"].is_complete
    entries = [line["entry"] for line in Journal(site.journals_folder / "use_log.jsonl").entries()]
    # another test asks about another month, in the site's language
    noted = next(each for each in entries if each["activity"] == "sensitivity" and each["month"] == "2026-10")
    assert noted["purpose"] == "kontrollens egen känslighet, med kända händelser"
    of_run = [each for each in entries if each["purpose"] == noted["purpose"]]
    assert {"open", "report", "unexplained_days"} <= {each["activity"] for each in of_run}


def test_the_report_of_the_run_cannot_be_asked_for_by_hand(site: Site) -> None:
    asked = ["report", "sensitivity", "--from", "2026-10-01", "--to", "2026-10-31", "--purpose", "try it"]
    answer = CliRunner().invoke(app, [*asked, "--site", str(site.folder)])
    assert isinstance(answer.exception, NotAssessableError)


def test_every_kind_has_its_words_and_its_story() -> None:
    kinds = read_yaml(resource_folder("sql") / "sensitivity" / "kinds.yml")
    assert set(kinds) == set(KINDS)
    assert [name for name, words in kinds.items() if set(words) != {"en", "sv", "nb"} or not all(words.values())] == []


def test_the_stories_know_no_check_no_reason_and_no_threshold() -> None:
    folder = Path(stories.__file__).parent
    known = {
        node.module
        for name in ("incidents", "material", "written")
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("audit_kernel")
    }
    assert {name.rsplit(".", 1)[0] for name in known} == {"audit_kernel.sensitivity"}
    drawn = "".join(path.read_text(encoding="utf-8") for path in (resource_folder("sql") / "sensitivity").glob("*.sql"))
    assert not re.search(r"explained_accesses|month_findings|\bfindings\b|\$minimum", drawn)
