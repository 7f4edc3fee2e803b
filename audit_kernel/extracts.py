"""Makes log extracts for patients, those who act for them, and employees: checked, sealed, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from audit_kernel.errors import RunError, UsageError
from audit_kernel.evidence import chain
from audit_kernel.evidence.month import run_report
from audit_kernel.extract_journal import Extract, local_today, record_made, withheld
from audit_kernel.extract_rules import ExtractRules, extract_rules
from audit_kernel.parameters import typed_parameters
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from audit_kernel.evidence.month import MonthRun
    from audit_kernel.site import Site

QUERY = "patient_extract"
EMPLOYEE = "employee"
DECEASED = "select 1 from patient_flags where patient_id = $patient_id and flag = 'deceased' limit 1"


@dataclass(frozen=True)
class Request:
    """What was asked for: whose log, for which days (both included), by whom, when, and why it is looked at.

    Attributes
    ----------
    number: patient or employee, by the site's id or an identifier of any log.
    recipient: patient, representative or next_of_kin; `employee` for an employee's own extract.
    proof: what was seen of one who acts for a patient.
    requested: the day on which the request came in, ISO; today when empty.
    employee: the one employee that a patient asks about; empty for all.
    """

    number: str
    from_date: str
    to_date: str
    purpose: str
    recipient: str
    proof: str = ""
    requested: str = ""
    employee: str = ""
    language: str = ""


def make_extract(site: Site, request: Request) -> tuple[MonthRun, Extract]:
    """Make an extract, seal it as a run of its own and record it; return the run and what was recorded.

    Raises
    ------
    UsageError: there is no purpose, the rules allow no such extract, or a proof is lacking.
    UnknownSubjectError: there is no such patient or employee.
    RunError: the page could not be made; nothing is recorded.
    JournalError: a journal cannot be read or written.
    """
    rules = extract_rules(site)
    requested = _day(request.requested, local_today(site))
    with Store(site, request.purpose) as store:
        if request.recipient == EMPLOYEE:
            subjects = {"employee_id": store.subject("employee", request.number)}
        else:
            subjects = {"patient_id": store.subject("patient", request.number)}
            _refuse_recipient(store, rules, request, subjects["patient_id"])
            if request.employee:
                subjects["employee_id"] = store.subject("employee", request.employee)
                rules.refuse_answer_about(subjects["employee_id"], withheld(site))
        parameters: dict[str, Any] = {**subjects, "from_date": request.from_date, "to_date": request.to_date}
        values = typed_parameters(store.catalog.query(QUERY), parameters)
    site.period(values["from_date"], values["to_date"])
    due = rules.due.after(requested)
    told = {"recipient": request.recipient, "requested": str(requested), "due": str(due)}
    language = request.language or site.settings.language
    run = run_report(site, QUERY, parameters, purpose=request.purpose, language=language, told={"extract": told})
    run.require_complete()
    record = chain.read_run(run.bag)
    if record is None:
        raise RunError("The sealed extract cannot be read again.", "Ask again; the run stays in the archive.")
    is_own = request.recipient == EMPLOYEE
    made = Extract(
        extract_id=run.bag.name.split(f"-{QUERY}-")[-1],
        kind="employee" if is_own else "patient",
        subject_id=subjects["employee_id" if is_own else "patient_id"],
        narrowed_to="" if is_own else subjects.get("employee_id", ""),
        from_date=request.from_date,
        to_date=request.to_date,
        recipient=request.recipient,
        proof=request.proof.strip(),
        requested=str(requested),
        due=str(due),
        purpose=request.purpose.strip(),
        language=language,
        bag=run.bag.name,
        tagmanifest_sha256=record.tagmanifest_sha256,
    )
    record_made(site, made)
    return run, made


def _refuse_recipient(store: Store, rules: ExtractRules, request: Request, patient_id: str) -> None:
    """Refuse one whom no rule allows, next of kin of the living, and one whose proof is not noted."""
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
            proof=rule.proof.in_language(store.site.settings.language),
        )
    if rule.is_after_death and not store.sql(DECEASED, {"patient_id": patient_id}).num_rows:
        raise UsageError(
            "{recipient!r} may have the extract of a dead patient only, and nothing says that this one has died.",
            "Take the mark `deceased` in first: audit-kernel reference FILE --kind patient_flags",
            recipient=request.recipient,
        )


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
