"""Evidence is sealed when it is added, and a copy of a case names nobody whom its reader must not see."""

from __future__ import annotations

import json
import shutil
import subprocess

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as some
from lxml import html
from typer.testing import CliRunner

from audit_kernel.cases import deviation, lines, work
from audit_kernel.cases.attach import attach_file, attach_report, attach_result, attach_run
from audit_kernel.cases.evidence import folder_of, is_whole, rows_of
from audit_kernel.cases.export import export_case
from audit_kernel.cases.extent import record_counted
from audit_kernel.cases.masks import replaced_names, who_is_shown
from audit_kernel.cli import app
from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence.journals import sealed_heads
from audit_kernel.evidence.restricted_run import site_problems
from audit_kernel.extract_journal import FILE as WITHHELD_FILE
from audit_kernel.journal import Journal
from audit_kernel.pseudonyms import PATTERN
from audit_kernel.restriction import list_subject, restrictions
from audit_kernel.site import Site, create_site
from audit_kernel.store.deliver import take_in_all
from audit_kernel.store.reading import Store
from audit_kernel.use_log import operating_system_user
from tests.evidence.hostile_site import HOSTILE
from tests.evidence.masked_site import EMPLOYEES, PATIENTS, everybody, log_lines
from tests.evidence.sealing import rewrite
from tests.evidence.test_masked import texts

NUMBER = "sak 2026/17"
PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
READER, VICTIM, COLLEAGUE = EMPLOYEES[1], PATIENTS[1], EMPLOYEES[2]
LETTER = b"%PDF-1.7 a scanned letter"


def make_site(folder) -> Site:
    """A site that knows people by name and number, and a log that names them; one of them is in another case."""
    site = create_site(folder / "site", "NO", "Nordli kommune")
    files = {
        "reference:employees": ["employee_id;name;personal_number;valid_from;valid_to"]
        + [f"{each['id']};{each['name']};{each['personal_number']};;" for each in EMPLOYEES],
        "reference:identifiers": ["system;kind;identifier;id;valid_from;valid_to"]
        + [f"gerica;employee;{each[key]};{each['id']};;" for each in EMPLOYEES for key in ("account", "mail")],
        "reference:patients": ["patient_id;name;personal_number;unit_id;blocked_from;blocked_to;valid_from;valid_to"]
        + [f"{each['id']};{each['name']};{each['personal_number']};;;;;" for each in PATIENTS],
        "gerica": log_lines(),
    }
    for source, written in files.items():
        path = folder / "export.csv"
        path.write_text("\n".join(written) + "\n", encoding="utf-8")
        _done, refused = take_in_all(site, [path], source)
        assert not refused, refused
    list_subject(site, "employee", EMPLOYEES[0]["id"], "sak 2026/9")
    with (site.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"review: {{reviewers: [{{id: {EMPLOYEES[9]['id']}, name: {EMPLOYEES[9]['name']}}}]}}\n")
    return Site(site.folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Site:
    """A case about one employee and one patient, with rows, a letter, a sealed run, a conversation and a deviation."""
    folder = tmp_path_factory.mktemp("evidence")
    site = make_site(folder)
    work.start_case(site, "sak 2026/9", "an earlier case, whose copy is evidence here")
    sealed = export_case(site, "sak 2026/9", "internal")
    who = {"employees": [READER["account"]]}
    days = dict(zip(("from_date", "to_date"), PERIOD.values(), strict=True))
    work.start_case(site, NUMBER, f"did {READER['name']} read a neighbour?", **who, **days, restricts=True)
    work.add_subjects(site, NUMBER, patients=[VICTIM["id"]], restricts=True)
    attach_report(site, NUMBER, "activity", {"employee_id": READER["id"], **PERIOD}, "all she read")
    letter = folder / f"brev fra {VICTIM['name']}.PDF"
    letter.write_bytes(LETTER)
    attach_file(site, NUMBER, letter)
    attach_run(site, NUMBER, sealed.bag.name)
    said = f"{READER['name'].upper()} said that {COLLEAGUE['name']} asked her about {VICTIM['id']}.\n{HOSTILE[0]}"
    work.add_note(site, NUMBER, said, "explanation", who=READER["id"])
    record_counted(site, NUMBER, 1, {"what": f"read {VICTIM['name']}"})
    deviation.record_known(site, NUMBER)
    deviation.record_notified(site, NUMBER, "police", how="told on the telephone")
    return site


@pytest.fixture
def site(made, tmp_path) -> Site:
    return Site(shutil.copytree(made.folder, tmp_path / "site"))


def case_of(site):
    return lines.find(site, NUMBER)


def leaks(bag, shown=()):
    """Who is named in a bag although the reader must not see them."""
    allowed = {value for each in shown for value in each.values()}
    named = {*everybody(), operating_system_user()} - allowed
    ours = {name: text for name, text in texts(bag).items() if "inputs/parameters" not in name}
    found = {(name, each) for name, text in ours.items() for each in named if each in text}
    return sorted(each for each in found if each[1] != "root")


def failures(site):
    public = site.keys_folder / "signing-key.pub.pem"
    found = site_problems(site, public, "en")
    return [(each.place(), each.code) for each in found if each.is_failure]


@pytest.mark.requires("sha256sum")
def test_a_report_is_sealed_with_its_rows_query_snapshot_and_parameters(made):
    case = case_of(made)
    evidence = case.evidence[0]
    folder = folder_of(made, case, evidence)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", bags.MANIFEST], cwd=folder, capture_output=True, check=False
    )
    assert checked.returncode == 0
    assert bags.digest_of(folder / bags.MANIFEST) == evidence.sha256 == evidence.entry["sha256"]
    with Store(made, NUMBER, snapshot=evidence.entry["snapshot"]) as store:
        again = store.report("activity", employee_id=READER["id"], **PERIOD)
        assert evidence.entry["sql_sha256"] == again.query.sql_hash
        assert rows_of(made, case, evidence).to_pylist() == again.table.to_pylist()
        assert again.table.num_rows == evidence.entry["n_rows"] > 5
        assert (folder / "query.sql").read_text(encoding="utf-8") == again.query.sql
    described = json.loads((folder / "sealed.json").read_text(encoding="utf-8"))
    assert described["parameters"] == evidence.entry["parameters"]
    assert described["parameters"]["employee_id"] == READER["id"]
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}


def test_who_a_case_is_about_is_kept_from_the_months_pages_once(made):
    listed = [(each.kind, each.subject_id, each.reason) for each in restrictions(made)]
    assert listed[1:] == [("employee", READER["id"], NUMBER), ("patient", VICTIM["id"], NUMBER)]
    assert [(each.kind, each.id) for each in case_of(made).subjects] == [each[:2] for each in listed[1:]]


def test_persons_and_records_are_counted_in_rows_and_refused_of_a_letter(made):
    case = case_of(made)
    rows = rows_of(made, case, case.evidence[0]).to_pylist()
    facts = deviation.deviation_of(case).facts
    assert facts["persons"] == len({row["patient_id"] for row in rows})
    assert facts["records"] == sum(row["n_accesses"] for row in rows) > facts["persons"]
    assert deviation.deviation_of(case).counted_from == 1
    for number in (2, 9):
        with pytest.raises(UsageError, match=f"evidence {number}|Evidence {number}"):
            record_counted(made, NUMBER, number)


def test_an_answer_that_is_there_is_added_and_what_is_not_there_is_refused(site):
    with Store(site, NUMBER) as store:
        result = store.report("system_log", employee_id=READER["id"], patient_id=VICTIM["id"], **PERIOD)
        case = attach_result(site, NUMBER, result, store.snapshot, lacks=["a silent day"])
    assert (case.evidence[-1].title, case.evidence[-1].entry["lacks"]) == ("reports/system_log", ["a silent day"])
    with pytest.raises(UsageError, match="no file"):
        attach_file(site, NUMBER, site.folder)
    with pytest.raises(UsageError, match="no sealed run"):
        attach_run(site, NUMBER, "../keys")
    assert len(case_of(site).evidence) == 4
    assert failures(site) == []


@pytest.mark.parametrize("harm", ["changed", "added", "removed", "manifest"])
def test_evidence_that_was_changed_is_named_by_verify_and_goes_into_no_copy(site, harm):
    case = case_of(site)
    folder = folder_of(site, case, case.evidence[0])
    if harm == "changed":
        table = pyarrow.parquet.read_table(folder / "rows.parquet")
        pyarrow.parquet.write_table(table.slice(1), folder / "rows.parquet")
    elif harm == "added":
        (folder / "more.txt").write_text("x", encoding="utf-8")
    elif harm == "removed":
        shutil.rmtree(folder)
    else:
        content = bags.manifest_text({"rows.csv": bags.digest_of(folder / "rows.csv")})
        (folder / bags.MANIFEST).write_bytes(content)
    assert failures(site) == [(f"cases/{case.name}/{case.evidence[0].id}", "case_changed")]
    assert [is_whole(site, case, each) for each in case.evidence] == [False, True, True]
    with pytest.raises(VerificationError, match="Evidence 1"):
        export_case(site, NUMBER, "internal")
    with pytest.raises(VerificationError, match="Evidence 1"):
        rows_of(site, case, case.evidence[0])


def test_a_changed_run_is_not_added(site):
    run = case_of(site).evidence[2].id
    page = site.restricted_folder / run / "data" / "pages" / "case.html"
    rewrite(page, page.read_bytes() + b" ")
    with pytest.raises(VerificationError, match=run):
        attach_run(site, NUMBER, run)


@pytest.mark.requires("sha256sum")
def test_an_internal_copy_holds_everything_and_verifies_with_sha256sum_and_the_chain(site):
    made = export_case(site, NUMBER, "internal", language="en")
    assert (made.identity, made.n_left_out) == ("full", 0)
    assert failures(site) == []
    assert subprocess.run(["sha256sum", "--quiet", "-c", bags.MANIFEST], cwd=made.bag, check=False).returncode == 0
    case = case_of(site)
    copied = Journal(made.bag / "data" / "case" / "journal.jsonl")
    assert copied.verify() == []
    assert [line["hash"] for line in copied.entries()] == [line["hash"] for line in Journal(case.path).entries()][:-1]
    assert (made.bag / "data" / "case" / "evidence_2" / "file.pdf").read_bytes() == LETTER
    for each in case.evidence[:2]:
        manifest = made.bag / "data" / "case" / f"evidence_{each.number}" / bags.MANIFEST
        assert bags.digest_of(manifest) == each.sha256
    page = html.document_fromstring(made.page.read_text(encoding="utf-8"))
    text = page.find(".//main").text_content()
    assert page.xpath("//script | //img") == []
    for said in (
        "told on the telephone",
        NUMBER,
        f"{READER['id']} {READER['name']}",
        HOSTILE[0],
        "This copy is for: internal.",
        "when this was sealed",
    ):
        assert said in text
    assert case.entries[-1].did == "exported"
    assert case.path.name in sealed_heads(site.restricted_folder)
    statement = json.loads((made.bag / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]
    assert [each["name"] for each in statement["resolvedDependencies"]] == [case.evidence[2].id]
    lines_before = case.path.read_bytes().splitlines(keepends=True)
    case.path.write_bytes(b"".join(lines_before[:-3]))
    assert ("journals/" + case.path.name, "journal_broken") in failures(site)


@pytest.mark.parametrize(("recipient", "with_texts"), [("employee", False), ("police", True)])
def test_a_masked_copy_names_only_whom_its_reader_may_see(site, recipient, with_texts):
    made = export_case(site, NUMBER, recipient, with_texts=with_texts)
    assert made.identity == "masked"
    assert leaks(made.bag, [READER]) == []
    text = html.document_fromstring(made.page.read_text(encoding="utf-8")).find(".//main").text_content()
    assert (READER["id"] in text, VICTIM["id"] in text) == (True, False)
    assert "Politiet" not in text  # the employee would be warned
    assert "telephone" not in text
    assert len(set(PATTERN.findall(made.page.read_text(encoding="utf-8")))) > 3
    assert not (made.bag / "data" / "case").exists()
    assert (made.n_left_out > 0) == (HOSTILE[0] not in text) == (not with_texts)
    rows = pyarrow.parquet.read_table(made.bag / "data" / "tables" / "evidence_1.parquet")
    full = rows_of(site, case_of(site), case_of(site).evidence[0])
    assert rows.column("n_accesses").to_pylist() == full.column("n_accesses").to_pylist()
    assert failures(site) == []


def test_who_is_shown_follows_the_recipient_and_the_rules_of_log_extracts(site):
    case = case_of(site)
    reader, victim = ("employee", READER["id"]), ("patient", VICTIM["id"])

    def shown(recipient, **more):
        return who_is_shown(site, case, recipient, **more)

    assert [shown("internal"), shown("authority"), shown("authority", identity="masked")] == [None, None, frozenset()]
    assert (shown("employee"), shown("police")) == (frozenset({reader}), frozenset({reader}))
    assert shown("patient", person=VICTIM["id"]) == {victim, reader}
    told = {"employee_id": READER["id"], "reason": "a threat", "user": "kari"}
    Journal(site.journals_folder / WITHHELD_FILE).append({"did": "withheld", **told})
    assert shown("patient") == {victim}  # whom naming would endanger
    Journal(site.journals_folder / WITHHELD_FILE).append({"did": "named", **told})
    assert shown("patient") == {victim, reader}
    site.settings = site.settings.model_copy(update={"country": "SE"})
    assert shown("patient") == {victim}  # extracts name nobody there
    for wrong in (
        {"recipient": "employee", "identity": "full"},
        {"recipient": "police", "identity": "half"},
        {"recipient": "newspaper"},
        {"recipient": "patient", "person": READER["id"]},
    ):
        with pytest.raises(UsageError):
            shown(**wrong)


@given(
    some.text(max_size=60),
    some.sampled_from(["Kari Åse Lund", "kvld01", "O'Brien, Per", "ANS-4401"]),
    some.text(max_size=60),
)
def test_a_name_in_a_text_is_replaced_and_all_else_stays(before, name, after):
    names = {"kari åse lund": "A-1", "kari åse": "A-2", "kvld01": "A-3", "o'brien, per": "A-4", "ans-4401": "A-5"}
    instead = replaced_names(name, names)
    assert instead == {"K": "A-1", "k": "A-3", "O": "A-4", "A": "A-5"}[name[0]]
    text = f"{before} . {name.upper()} . {after}"
    assert (
        replaced_names(text, names) == f"{replaced_names(before, names)} . {instead} . {replaced_names(after, names)}"
    )
    assert replaced_names("Lund and Kari met kvld011; KARI\n ÅSE  LUND", names) == "Lund and Kari met kvld011; A-1"
    assert replaced_names(before, {}) == before


def run(site, *arguments):
    answer = CliRunner().invoke(app, ["case", *arguments, "--site", str(site.folder)])
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer.output


def test_the_commands_lead_from_a_suspicion_to_a_copy(site):
    run(site, "open", "dnr 7", "--purpose", "a gap in the log", "--reader", "kari")
    run(site, "note", "dnr 7", "the server was down", "--kind", "conversation", "--with", "IT")
    run(site, "deviation", "dnr 7", "--what", "no log for a day", "--set", "severity=low", "--persons", "0")
    assert "72 t 0 min" in run(site, "known", "dnr 7") or "71 t 59 min" in run(site, "list")
    run(site, "measure", "dnr 7", "restore", "log exported again", "--done", "2026-01-05")
    run(site, "notify", "dnr 7", "persons", "--not-needed", "nobody's data were read")
    assert "MANGLER (contact)" in run(site, "draft", "dnr 7")
    run(site, "decide", "dnr 7", "follow_up", "--reason", "ask_the_employee", "--text", "next month")
    run(site, "share", "dnr 7", "--without", "kari")
    run(site, "close", "dnr 7", "--outcome", "closed for now", "--open-reason", "vacation")
    run(site, "reopen", "dnr 7", "--reason", "back")
    shown = run(site, "show", "dnr 7", "--language", "en")
    for said in (
        "no log for a day",
        "Conversation",
        "IT; the server was down",
        "Still open: The supervisory authority",
    ):
        assert said in shown
    plain = json.loads(run(site, "show", "dnr 7", "--json"))
    assert (plain["is_open"], plain["clock"]["state"], len(plain["lines"])) == (True, "running", 11)
    found = json.loads(run(site, "list", "--json"))
    assert ([case["number"] for case in found["cases"]], found["n_others"]) == (["sak 2026/9", NUMBER, "dnr 7"], 0)
    assert "lines" not in found["cases"][0]
    exported = json.loads(run(site, "export", "dnr 7", "--recipient", "internal", "--json"))
    assert failures(site) == []
    assert "case.html" in exported["page"]
    with pytest.raises(UsageError, match="Either a report"):
        run(site, "attach", "dnr 7")
