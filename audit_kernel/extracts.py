"""Makes log extracts for patients, those who act for them, and employees: checked, sealed, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, with_config

from audit_kernel.catalog import Catalog
from audit_kernel.errors import RunError, UsageError
from audit_kernel.evidence import chain
from audit_kernel.evidence.masking import FULL
from audit_kernel.evidence.month import run_report
from audit_kernel.extract_journal import Extract, local_today, record_made, withheld
from audit_kernel.extract_rules import ExtractRules, Recipient, extract_rules
from audit_kernel.parameters import typed_parameters
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from audit_kernel.evidence.month import MonthRun
    from audit_kernel.site import Site

QUERY = "patient_extract"
EMPLOYEE = "employee"
DECEASED = "select 1 from patient_flags where patient_id = $patient_id and flag = 'deceased' limit 1"


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass(frozen=True)
class Request:
    """What was asked for: whose log, for which days (both included), by whom, when, and why it is looked at.

    Attributes
    ----------
    number: patient or employee, by the site's id or an identifier of any log.
    kind: whose accesses are listed: those to a `patient`, or those of an `employee`, who then gets the extract.
    recipient: of a patient's extract: patient, representative or next_of_kin.
    proof: what was seen of one who acts for a patient.
    requested: the day on which the request came in, ISO; today when empty.
    employee: the one employee that a patient asks about; empty for all.
    """

    number: str
    from_date: str
    to_date: str
    purpose: str
    recipient: str = EMPLOYEE
    proof: str = ""
    requested: str = ""
    employee: str = ""
    language: str = ""
    kind: Literal["patient", "employee"] = "patient"

    @property
    def subjects(self) -> dict[Literal["patient", "employee"], str]:
        """Who is asked about, by kind, as typed."""
        if self.kind == EMPLOYEE:
            return {"employee": self.number}
        return {"patient": self.number, **({"employee": self.employee} if self.employee else {})}


@dataclass(frozen=True)
class Checked:
    """A request that the rules allow: whose log by the site's ids, when it came in and when the answer is due."""

    subjects: dict[str, str]
    requested: date
    due: date


def checked_request(site: Site, request: Request) -> Checked:
    """Return a request with the site's ids and its days, and make nothing.

    Raises
    ------
    UsageError: there is no purpose, the rules allow no such extract, or a proof is lacking.
    UnknownSubjectError: there is no such patient or employee.
    JournalError: a journal cannot be read or written.
    """
    rules = extract_rules(site)
    requested = _day(request.requested, local_today(site))
    is_own = request.kind == EMPLOYEE
    days = {"from_date": request.from_date, "to_date": request.to_date}
    values = typed_parameters(Catalog(site.folder).query(QUERY), {**days, "patient_id": request.number})
    site.period(values["from_date"], values["to_date"])
    rule = Recipient() if is_own else _rule_of(rules, request, site.settings.language)
    with Store(site, request.purpose) as store:
        subjects = {f"{kind}_id": store.subject(kind, typed) for kind, typed in request.subjects.items()}
        if rule.is_after_death and not store.sql(DECEASED, {"patient_id": subjects["patient_id"]}).num_rows:
            raise UsageError(
                "{recipient!r} may have the extract of a dead patient only, and nothing says that this one has died.",
                "Take the mark `deceased` in first: audit-kernel reference FILE --kind patient_flags",
                recipient=request.recipient,
            )
    if request.employee:
        rules.refuse_answer_about(subjects["employee_id"], withheld(site))
    return Checked(subjects, requested, rules.due.after(requested))


def make_extract(site: Site, request: Request) -> tuple[MonthRun, Extract]:
    """Make an extract, seal it as a run of its own and record it; return the run and what was recorded.

    Raises
    ------
    UsageError, UnknownSubjectError, JournalError: as `checked_request`.
    RunError: the page could not be made; nothing is recorded.
    """
    checked = checked_request(site, request)
    subjects, is_own = checked.subjects, request.kind == EMPLOYEE
    days = {"from_date": request.from_date, "to_date": request.to_date}
    told = {"recipient": request.recipient, "requested": str(checked.requested), "due": str(checked.due)}
    language = request.language or site.settings.language
    run = run_report(
        site,
        QUERY,
        {**subjects, **days},
        purpose=request.purpose,
        language=language,
        identity=FULL,
        told={"extract": told},
    )
    run.require_complete()
    record = chain.read_run(run.bag)
    if record is None:
        raise RunError("The sealed extract cannot be read again.", "Ask again; the run stays in the archive.")
    made = Extract(
        extract_id=run.bag.name.split(f"-{QUERY}-")[-1],
        kind=request.kind,
        subject_id=subjects[f"{request.kind}_id"],
        narrowed_to="" if is_own else subjects.get("employee_id", ""),
        from_date=request.from_date,
        to_date=request.to_date,
        recipient=request.recipient,
        proof=request.proof.strip(),
        requested=str(checked.requested),
        due=str(checked.due),
        purpose=request.purpose.strip(),
        language=language,
        bag=run.bag.name,
        tagmanifest_sha256=record.tagmanifest_sha256,
    )
    record_made(site, made)
    return run, made


def _rule_of(rules: ExtractRules, request: Request, language: str) -> Recipient:
    """Return the rule for who asks; refuse one whom no rule allows, and one whose proof is not noted."""
    rule = next((rule for kind, rule in rules.recipients.items() if kind == request.recipient), None)
    if rule is None:
        raise UsageError(
            "No rule allows {recipient!r} a patient's extract here; allowed are: {allowed}.",
            "The rules stand in parameters/extracts.yml; a site may have its own. Have a lawyer confirm them.",
            recipient=request.recipient,
            allowed=", ".join(rules.recipients),
        )
    if rule.proof and not request.proof.strip():
        raise UsageError(
            "It is not noted what was seen of {recipient!r}.",
            'Note it with --proof "...": {proof}.',
            recipient=request.recipient,
            proof=rule.proof.in_language(language),
        )
    return rule


def _day(typed: str, today: date) -> date:
    try:
        day = date.fromisoformat(typed) if typed else today
    except ValueError:
        day = date.max
    if day > today:
        raise UsageError(
            "{typed!r} is no day on which a request can have come in.",
            "Give it as 2026-11-02, and not after today.",
            typed=typed,
        )
    return day
