"""Log extracts: who is named, who may have one, what the page, the tables and the JSON hold, and what is recorded."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.evidence.extract_page import ExtractPage
from audit_kernel.evidence.run_file import RunFile
from audit_kernel.evidence.verify import verify
from audit_kernel.extract_journal import extracts, hand_out, withhold
from audit_kernel.extract_rules import Due, extract_rules
from audit_kernel.extracts import Request, make_extract
from audit_kernel.investigation.extracting import choices, extract_from_form
from audit_kernel.journal import Journal
from audit_kernel.legal_basis import legal_basis
from audit_kernel.site import Site, create_site
from audit_kernel.sources.fhir_event import rows_of
from audit_kernel.store.deliver import take_in_all
from tests.store.logs import HEADER, ask

SCRIPT = "<script>alert(1)</script>"
PERIOD = {"from_date": "2026-10-01", "to_date": "2026-10-31"}
LOG = (
    "1;05.10.2026;09:30:00;Lesing;KANO01;Bruker;1042;Post vist",
    "2;06.10.2026;23:59:59;Lesing;TRUE01;Bruker;1042;Post vist",
    "3;07.10.2026;10:00:00;Lesing;KANO01;Bruker;2077;Post vist",
    "4;08.10.2026;11:00:00;Innsyn avvist;KANO01;Bruker;1042;Post vist",
    "5;09.10.2026;12:00:00;Brukersøk;KANO01;Bruker;1042;",
    f"6;10.10.2026;13:00:00;Q7{SCRIPT};KANO01;Bruker;1042;Seen with 2077",
)
REFERENCE = {
    "employees": ["employee_id;name;personal_number", f"E1;Kari {SCRIPT};", "E2;Truls Truet;", "E3;Nils Ingen;"],
    "units": ["unit_id;name;unit_type;place", f"U1;Nordlia {SCRIPT};;"],
    "unit_assignments": ["employee_id;unit_id;role;share_percent", "E1;U1;Sykepleier;", "E2;U1;Hjelpepleier;"],
    "identifiers": ["system;kind;identifier;id", ";employee;KANO01;E1", ";employee;TRUE01;E2"],
    "patient_flags": ["patient_id;flag;detail", "2077;deceased;"],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("extracts")
    made = create_site(folder / "site", "NO", "Nordli kommune")
    for kind, lines in REFERENCE.items():
        path = folder / f"{kind}.csv"
        ends = (";valid_from;valid_to", *[";;"] * len(lines))
        path.write_text("".join(map("{}{}\n".format, lines, ends)), encoding="utf-8")
        _done, refused = take_in_all(made, [path], f"reference:{kind}")
        assert not refused, refused
    path = folder / "log.csv"
    path.write_text("\n".join([HEADER, *LOG]) + "\n", encoding="utf-8")
    _done, refused = take_in_all(made, [path], "gerica")
    assert not refused, refused
    done = CliRunner().invoke(
        app, ["extract", "withhold", "TRUE01", "--reason", "sak 2026/17", "--site", str(made.folder)]
    )
    assert done.exit_code == 0, done.output
    assert "E2" in done.output
    return made


@pytest.fixture
def own_rules(site: Site):
    """Write the site's own rules; they are gone afterwards."""
    path = site.folder / "parameters" / "extracts.yml"
    package = Path(__file__).parents[1] / "parameters" / "extracts.yml"

    def write(**replaced: str) -> None:
        text = package.read_text(encoding="utf-8")
        for old, new in replaced.items():
            text = re.sub(rf"^(- |  ){old}: .*$", rf"\g<1>{old}: {new}", text, flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")

    yield write
    path.unlink(missing_ok=True)


class Shown:
    """What a page shows, writes and gives as JSON."""

    def __init__(self, site: Site, folder: Path, language: str, **asked: str) -> None:
        tables = folder / "tables"
        tables.mkdir()
        snapshot = ask(site, "select max(snapshot_id) from lake.snapshots()")[0][0]
        RunFile(str(site.folder), snapshot, "sak 2026/17", 1, str(tables)).write(folder / "run.json")
        page = ExtractPage("reports/patient_extract", str(folder / "run.json"), language, {**PERIOD, **asked})
        self.objects: list[Any] = []
        page._show = lambda *objects: self.objects.extend(objects)  # type: ignore[method-assign]
        page.heading()
        page.summary()
        for part in ("access", "attempt", "search"):
            page.part(part)
        page.words()
        page.exchange()
        page.store.close()
        self.text = "\n".join(each.plain_text() for each in self.objects)
        exchanged = tables / "patient_extract.json"
        self.bundle = json.loads(exchanged.read_text(encoding="utf-8")) if exchanged.exists() else None
        self.written = "".join(path.read_text(encoding="utf-8") for path in tables.glob("*.csv")) + str(self.bundle)
        self.answer = next(each.text for each in self.objects if getattr(each, "tone", "") == "summary")
        self.tables = {each.caption: list(map(list, each.rows)) for each in self.objects if hasattr(each, "rows")}


@pytest.fixture(scope="module")
def norway(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The patient's extract by the package's rules for Norway, in Norwegian."""
    return Shown(site, tmp_path_factory.mktemp("norway"), "nb", patient_id="1042")


def asked(**changed: Any) -> Request:
    return Request(**{"number": "1042", "purpose": "sak 2026/17", "recipient": "patient", **PERIOD, **changed})


def test_in_norway_the_page_names_employee_title_unit_and_local_time(norway: Shown) -> None:
    shown = norway
    assert shown.answer == (
        "Pasientens opplysninger er åpnet eller endret 3 ganger: først 05.10.2026 09:30:00, sist 10.10.2026 13:00:00."
        " 1 forsøk åpnet ingenting. 1 søk står for seg."
    )
    accesses = shown.tables["Oppslag"]
    assert accesses[0][:4] == [
        "05.10.2026 09:30:00",
        f"Nordlia {SCRIPT}",
        f"Kari {SCRIPT}, Sykepleier",
        "Vist brukerens personopplysninger (post vist)",
    ]
    assert accesses[2][4] == "loggen har en kode uten ord"
    assert [row[4] for row in shown.tables["Forsøk som ikke åpnet noe"]] == ["avvist"]
    assert len(shown.tables["Søk"]) == 1
    assert "Nødtilgang" in shown.text


def test_nothing_of_another_patient_and_no_code_of_the_log_is_on_the_page_or_in_its_files(norway: Shown) -> None:
    shown = norway
    for secret in ("2077", "Q7", "Seen with", "KANO01"):
        assert secret not in shown.text + shown.written, secret


def test_an_employee_whom_naming_would_endanger_stands_by_unit_and_role(norway: Shown) -> None:
    shown = norway
    assert shown.tables["Oppslag"][1][1:3] == [f"Nordlia {SCRIPT}", "Hjelpepleier"]
    for secret in ("Truls", "TRUE01", "E2"):
        assert secret not in shown.text + shown.written, secret


@pytest.mark.parametrize(("who", "expected"), [("unit_and_role", "Sykepleier"), ("unit", "en ansatt")])
def test_where_the_rule_names_nobody_neither_page_nor_files_do(
    site: Site, own_rules: Any, tmp_path: Path, who: str, expected: str
) -> None:
    own_rules(who=who)
    shown = Shown(site, tmp_path, "nb", patient_id="1042")
    assert shown.tables["Oppslag"][0][2] == expected
    assert "Kari" not in shown.text + shown.written
    assert "E1" not in shown.text + shown.written


def test_did_one_employee_read_it_is_answered_in_a_sentence(site: Site, tmp_path: Path) -> None:
    (tmp_path / "yes").mkdir()
    (tmp_path / "no").mkdir()
    yes = Shown(site, tmp_path / "yes", "en", patient_id="1042", employee_id="E1")
    assert yes.answer.startswith(f"Kari {SCRIPT} accessed the patient's data 2 times: first 2026-10-05 09:30:00, last")
    no = Shown(site, tmp_path / "no", "en", patient_id="1042", employee_id="E3")
    assert no.answer == "No access by Nils Ingen to the patient's data is in the logs of this period."
    assert "delivered nothing" in no.text
    assert no.tables["Accesses"] == []
    assert "entry" not in no.bundle


def test_a_period_without_any_log_is_not_called_free_of_accesses(site: Site, tmp_path: Path) -> None:
    shown = Shown(site, tmp_path, "en", patient_id="1042", from_date="2025-01-01", to_date="2025-01-31")
    assert shown.answer == "Not assessable"
    assert "does not mean that nothing was found" in shown.text
    assert (shown.bundle, shown.tables) == (None, {})


def test_an_employees_own_extract_masks_the_patients(site: Site, own_rules: Any, tmp_path: Path) -> None:
    (tmp_path / "masked").mkdir()
    (tmp_path / "shown").mkdir()
    masked = Shown(site, tmp_path / "masked", "en", employee_id="E1")
    assert "2 different patients." in masked.answer
    assert [row[2] for row in masked.tables["Accesses"]] == ["Patient 1", "Patient 2", "Patient 1"]
    for secret in ("1042", "2077"):
        assert secret not in masked.text + masked.written, secret
    own_rules(patients="shown")
    shown = Shown(site, tmp_path / "shown", "en", employee_id="E1")
    assert [row[2] for row in shown.tables["Accesses"]] == ["1042", "2077", "1042"]


def test_the_json_is_a_bundle_of_audit_events_that_says_who_when_and_what(norway: Shown) -> None:
    bundle = norway.bundle
    assert (bundle["resourceType"], bundle["type"], bundle["language"]) == ("Bundle", "collection", "nb")
    events = [entry["resource"] for entry in bundle["entry"]]
    assert [entry["fullUrl"] for entry in bundle["entry"]] == [f"urn:uuid:{event['id']}" for event in events]
    for event in events:  # what R4 demands of an AuditEvent
        assert event["resourceType"] == "AuditEvent"
        assert set(event["type"]) == {"system", "code", "display"}
        assert all(isinstance(agent["requestor"], bool) for agent in event["agent"])
        assert event["source"]["observer"]["display"] == "gerica"
        assert event["entity"][0]["what"]["identifier"] == {"value": "1042"}
        (row,) = rows_of(event)[0]
        assert row["patient_id"] == "1042"
    assert [event.get("action") for event in events] == ["R", "R", "R", "E", None]
    assert [event["outcome"] for event in events] == ["0", "0", "4", "0", "0"]
    assert [event["recorded"] for event in events][:2] == ["2026-10-05T09:30:00+02:00", "2026-10-06T23:59:59+02:00"]
    assert [event["agent"][0].get("name") for event in events][:2] == [f"Kari {SCRIPT}", None]
    assert events[1]["agent"][0]["role"] == [{"text": "Hjelpepleier"}]
    assert events[0]["agent"][1]["name"] == f"Nordlia {SCRIPT}"


def test_an_extract_is_sealed_recorded_due_and_handed_out(site: Site) -> None:
    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, ["extract", *arguments, "--site", str(site.folder), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    days = ["--from", "2026-10-01", "--to", "2026-10-31", "--purpose", "sak 2026/17", "--requested", "2020-01-31"]
    made = run("patient", "1042", *days, "--recipient", "patient", "--language", "sv")
    assert (made["status"], made["due"], made["recipient"]) == ("overdue", "2020-03-01", "patient")
    assert [problem for problem in verify(site.archive_folder) if problem.is_failure] == []
    page = Path(made["page"]).read_text(encoding="utf-8")
    assert "Vad orden betyder" in page
    assert SCRIPT not in page
    assert "Truls" not in page
    assert (site.archive_folder / made["bag"] / "data" / "tables" / "patient_extract.json").is_file()
    (uses,) = [
        line["entry"]
        for line in Journal(site.journals_folder / "use_log.jsonl").entries()
        if line["entry"].get("query") == "reports/patient_extract" and line["entry"]["purpose"] == "sak 2026/17"
        if line["entry"]["parameters"].get("patient_id") == "1042"
    ][-1:]
    assert uses["about"] == {"patient_id": "1042"}
    (given,) = run("handed-out", made["extract_id"], "--to", "the patient, identity card")
    assert given["status"] == "handed_out"
    (listed,) = [each for each in run("list") if each["extract_id"] == made["extract_id"]]
    assert listed["handed_out"][0]["to"] == "the patient, identity card"


def test_the_page_offers_what_the_rules_allow_and_makes_what_the_command_makes(site: Site) -> None:
    offered = {each.recipient: each for each in choices(site, "nb")}
    assert offered["patient"].proof == ""
    assert "fullmakt" in offered["representative"].proof.lower()
    assert [each.recipient for each in choices(site, "nb", is_of_employee=True)] == ["employee"]
    made = extract_from_form(site, "sak 2026/20", {"employee": " KANO01 ", **PERIOD}, "en")
    assert made.page.is_file()
    assert any(made.extract_id in text for text in made.sentences)
    recorded = next(each for each in extracts(site) if each.extract_id == made.extract_id)
    assert (recorded.kind, recorded.subject_id, recorded.purpose) == ("employee", "E1", "sak 2026/20")
    with pytest.raises(UsageError, match="not noted what was seen"):
        extract_from_form(site, "sak 2026/20", {"patient": "1042", "recipient": "representative", **PERIOD})
    hand_out(site, made.extract_id, "the employee, known")
    last = list(Journal(site.journals_folder / "use_log.jsonl").entries())[-1]["entry"]
    assert (last["activity"], last["about"], last["purpose"]) == ("extract", {"employee_id": "E1"}, "sak 2026/20")


REFUSED = {
    "next_of_kin of a living": ({"recipient": "next_of_kin", "proof": "daughter"}, "dead patient only"),
    "next_of_kin without proof": ({"number": "2077", "recipient": "next_of_kin"}, "not noted what was seen"),
    "a representative without proof": ({"recipient": "representative"}, "power of attorney|fullmakt"),
    "somebody unknown to the rules": ({"recipient": "neighbour"}, "No rule allows 'neighbour'"),
    "one whom naming endangers": ({"employee": "TRUE01"}, "whom extracts do not name"),
    "a request of the future": ({"requested": "2999-01-01"}, "no day on which"),
    "a day that is none": ({"requested": "in May"}, "no day on which"),
    "a period that ends before": ({"from_date": "2026-11-01"}, "before it begins"),
    "a day that nobody can read": ({"to_date": "October"}, "must be of type date"),
    "an employee as recipient": ({"recipient": "employee"}, "No rule allows 'employee'"),
    "no purpose": ({"purpose": " "}, "No purpose"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_extract_is_refused_before_anything_is_made(site: Site, case: str) -> None:
    before = extracts(site)
    changed, message = REFUSED[case]
    with pytest.raises(UsageError, match=message):
        make_extract(site, asked(**changed))
    assert extracts(site) == before


def test_next_of_kin_are_refused_where_the_country_has_no_rule(site: Site, own_rules: Any) -> None:
    own_rules()
    text = (site.folder / "parameters" / "extracts.yml").read_text(encoding="utf-8")
    kept = text.split("    next_of_kin:")[0] + text[text.index('- country: "NO"\n  sector: private') :]
    (site.folder / "parameters" / "extracts.yml").write_text(kept, encoding="utf-8")
    with pytest.raises(UsageError, match="No rule allows 'next_of_kin'"):
        make_extract(site, asked(number="2077", recipient="next_of_kin", proof="daughter, certificate"))


def test_an_answer_about_one_employee_follows_the_rule_where_nobody_is_named(
    site: Site, own_rules: Any, tmp_path: Path
) -> None:
    own_rules(who="unit_and_role", names_one="false")
    with pytest.raises(UsageError, match="no answer about one employee"):
        make_extract(site, asked(employee="E1"))
    with pytest.raises(UsageError, match="no answer about one employee"):
        Shown(site, tmp_path, "nb", patient_id="1042", employee_id="E1")


def test_only_a_withheld_name_is_lifted(site: Site) -> None:
    with pytest.raises(UsageError, match="already, or was never"):
        withhold(site, "E1", "sak 2026/17", lift=True)


def test_a_month_is_a_calendar_month_and_days_are_days() -> None:
    assert Due(months=1).after(date(2026, 1, 31)) == date(2026, 2, 28)
    assert Due(months=1).after(date(2026, 12, 2)) == date(2027, 1, 2)
    assert Due(days=30).after(date(2026, 11, 2)) == date(2026, 12, 2)


@pytest.mark.parametrize("country", ["SE", "NO"])
@pytest.mark.parametrize("sector", ["public", "private"])
def test_each_country_and_sector_has_its_rules_and_their_law(tmp_path: Path, country: str, sector: str) -> None:
    made = create_site(tmp_path / "site", country)
    with (made.folder / "settings.yml").open("a", encoding="utf-8") as file:
        file.write(f"sector: {sector}\n")
    made = Site(made.folder)
    rules = extract_rules(made)
    assert ("next_of_kin" in rules.recipients) == (country == "NO")
    assert (rules.who == "name_and_title") == (country == "NO")
    assert all(legal_basis(key, made, "en") for key in rules.clauses())


def test_rules_without_the_sites_sector_or_with_an_unknown_clause_are_refused(site: Site, own_rules: Any) -> None:
    own_rules(country="SE")
    with pytest.raises(SettingsError, match="one entry is needed"):
        extract_rules(site)
    own_rules(legal_basis="[no_such_law]")
    with pytest.raises(SettingsError, match="no_such_law"):
        extract_rules(site)
