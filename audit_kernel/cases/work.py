"""What people do with a case: open, note, decide, share, close. Each adds a line; none changes one."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from audit_kernel.cases import case as kinds
from audit_kernel.cases import lines
from audit_kernel.cases.case import WHOLE_CASE, Case
from audit_kernel.cases.deviation import deviation_of
from audit_kernel.cases.words import open_phrases
from audit_kernel.errors import RunError, UsageError
from audit_kernel.restriction import list_subject
from audit_kernel.review_reasons import DECISIONS, review_reasons
from audit_kernel.store.reading import Store
from audit_kernel.use_log import checked_purpose, operating_system_user, record_use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.restriction import Kind
    from audit_kernel.site import Site

LONGEST_NUMBER, LONGEST_TEXT = 100, 100_000


def start_case(
    site: Site,
    number: str,
    purpose: str,
    *,
    patients: Sequence[str] = (),
    employees: Sequence[str] = (),
    from_date: str = "",
    to_date: str = "",
    readers: Sequence[str] = (),
    restricts: bool = False,
) -> Case:
    """Open a case; who opens it may always see it at first.

    Parameters
    ----------
    patients, employees: whom it is about, by the site's id or an identifier of any log; a gap in a log concerns nobody.
    readers: users of the operating system who may see it besides.
    restricts: keep findings about these people from the month's ordinary pages (`restriction`).

    Raises
    ------
    UsageError: there is a case with this number, the number or purpose is missing, or the period is wrong.
    UnknownSubjectError: there is no such person, or several.
    JournalError: a journal cannot be read or written.
    """
    number, purpose = checked_purpose(number), checked_purpose(purpose)
    if len(number) > LONGEST_NUMBER or not number.isprintable():
        raise UsageError("A case number has at most {count} printable characters.", "Shorten it.", count=LONGEST_NUMBER)
    site.period(_day(from_date), _day(to_date))
    path = lines.path_of(site, number)
    _refuse_second(site, number)
    subjects = _resolved(site, number, patients, employees)
    routine = site.settings.routine
    user = operating_system_user()
    told = {f"{kind}_id": [each for of, each in subjects if of == kind] for kind in ("patient", "employee")}
    record_use(site, number, "case_open", {"case": number, "about": {name: ids for name, ids in told.items() if ids}})
    opened = lines.append(
        path,
        kinds.OPENED,
        {
            "number": number,
            "purpose": purpose,
            "subjects": _told(subjects),
            "from_date": from_date,
            "to_date": to_date,
            "readers": list(dict.fromkeys([user, *(name.strip() for name in readers if name.strip())])),
            "routine": {name: getattr(routine, name) for name in ("name", "version", "person_responsible")},
        },
    )
    if lines.first_hash(path) != opened:  # somebody else opened it in the same moment: theirs came first
        raise _taken(number)
    _restrict(site, number, subjects if restricts else ())
    return lines.find(site, number)


def add_subjects(
    site: Site, number: str, *, patients: Sequence[str] = (), employees: Sequence[str] = (), restricts: bool = False
) -> Case:
    """Name others whom a case turns out to be about; arguments as of `start_case`.

    Raises
    ------
    UsageError: nobody new is named.
    UnknownSubjectError: there is no such person, or several.
    RunError, JournalError: as `lines.writable`.
    """
    case = lines.writable(site, number, "case_about")
    known = {(each.kind, each.id) for each in case.subjects}
    subjects = [each for each in _resolved(site, number, patients, employees) if each not in known]
    if not subjects:
        raise UsageError("Nobody is named whom the case is not about already.", "Give --patient or --employee.")
    case = lines.added(case, kinds.ABOUT, {"subjects": _told(subjects)})
    _restrict(site, case.number, subjects if restricts else ())
    return case


def add_note(site: Site, number: str, text: str, kind: str = kinds.NOTE, *, who: str = "", on: str = "") -> Case:
    """Add a note, a conversation or the employee's explanation.

    Parameters
    ----------
    who: with whom, or whose explanation; on: the day it was, ISO.

    Raises
    ------
    UsageError: the text is empty or too long, the kind or the day is none, or nobody is named whose explanation it is.
    RunError, JournalError: as `lines.writable`.
    """
    if kind not in kinds.NOTE_KINDS:
        raise UsageError(
            "{typed!r} is no kind of note.", "Give one of {allowed}.", typed=kind, allowed=", ".join(kinds.NOTE_KINDS)
        )
    if kind != kinds.NOTE and not who.strip():
        raise UsageError(
            "It is not said with whom.", "Say it with --with: the conversation's partner, or the employee."
        )
    _day(on)
    text = said(text)
    case = lines.writable(site, number, f"case_{kind}")
    return lines.added(case, kind, {"text": text, "who": who.strip(), "on": on})


def decide(site: Site, number: str, decision: str, reason: str, text: str, about: str = "") -> Case:
    """Decide: justified, unjustified or follow_up, with a reason of review_reasons.yml; the earlier decision stays.

    Parameters
    ----------
    about: the id of one of the case's subjects; empty for the whole case.

    Raises
    ------
    UsageError: the decision or reason is none, they do not belong together, the text is missing, or the case is not
        about this person.
    RunError, JournalError: as `lines.writable`.
    """
    reasons = {each.code: each for each in review_reasons(site)}
    if decision not in DECISIONS:
        raise UsageError(
            "{typed!r} is no decision.", "Give one of {allowed}.", typed=decision, allowed=", ".join(DECISIONS)
        )
    fitting = [code for code, each in reasons.items() if each.decision == decision]
    if reason not in fitting:
        raise UsageError(
            "{typed!r} is no reason for {decision!r}.",
            "Give one of {allowed}; parameters/review_reasons.yml says what each one means.",
            typed=reason,
            decision=decision,
            allowed=", ".join(fitting),
        )
    text = said(text)
    case = lines.writable(site, number, "case_decide")
    if about and about not in [each.id for each in case.subjects]:
        raise UsageError("The case is not about {typed!r}.", "Give the id of one whom it is about.", typed=about)
    return lines.added(
        case, kinds.DECIDED, {"about": about or WHOLE_CASE, "decision": decision, "reason": reason, "text": text}
    )


def share(site: Site, number: str, user: str, *, ends: bool = False) -> Case:
    """Let another user of the operating system see a case, or end that.

    Raises
    ------
    UsageError: nobody is named, it is so already, or nobody would be left.
    RunError, JournalError: as `lines.open_case`.
    """
    case = lines.open_case(site, number, "case_share", {"reader": user})
    if not user.strip() or (user in case.readers) != ends:
        raise UsageError(
            "{user!r} sees the case already, or never did.", "See who does: audit-kernel case show NUMBER", user=user
        )
    if ends and len(case.readers) == 1:
        raise UsageError("Nobody would be left who may see the case.", "Name another one first.")
    return lines.added(case, kinds.UNSHARED if ends else kinds.SHARED, {"reader": user})


def close(site: Site, number: str, outcome: str, open_reason: str = "") -> Case:
    """Close a case.

    Parameters
    ----------
    outcome: how it ended, in words.
    open_reason: why it is closed although something is open (`what_is_open`).

    Raises
    ------
    UsageError: the outcome is missing.
    RunError: something is open and no reason is given; and as `lines.writable`.
    """
    outcome = said(outcome)
    case = lines.writable(site, number, "case_close")
    left = what_is_open(case)
    if left and not open_reason.strip():
        raise RunError(
            "The case is not finished: {what}.",
            "Finish it, or say with --open-reason why it is closed all the same.",
            what=open_phrases(left),
        )
    return lines.added(case, kinds.CLOSED, {"text": outcome, "open_reason": open_reason.strip(), "left_open": left})


def reopen(site: Site, number: str, reason: str) -> Case:
    """Open a closed case again.

    Raises
    ------
    UsageError: there is no reason, or the case is open.
    RunError, JournalError: as `lines.open_case`.
    """
    reason = checked_purpose(reason)
    case = lines.open_case(site, number, "case_reopen")
    if case.is_open:
        raise UsageError("The case {number!r} is open.", "Nothing was changed.", number=number)
    return lines.added(case, kinds.REOPENED, {"text": reason})


def what_is_open(case: Case) -> list[str]:
    """Return what stands between a case and its end, as words of the routine: decision, authority, persons, steps."""
    left = [] if case.decisions else ["decision"]
    return left + deviation_of(case).left_open()


def is_any_open(site: Site) -> bool:
    """Tell whether some case is open, whoever may see it: sealed evidence stays as long.

    Raises
    ------
    JournalError: a case's journal cannot be read, or its chain is broken.
    """
    return any(case.is_open for case in lines.cases(site))


def said(text: str) -> str:
    """Return a text as it was typed.

    Raises
    ------
    UsageError: it is empty or too long.
    """
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise UsageError(
            "The text is empty, or longer than {count:,} characters.",
            "Write what happened in words; attach what is longer as a file.",
            count=LONGEST_TEXT,
        )
    return text


def _refuse_second(site: Site, number: str) -> None:
    try:
        lines.find(site, number)
    except UsageError:
        return
    raise _taken(number)


def _taken(number: str) -> UsageError:
    return UsageError(
        "There is a case {number!r} already.",
        "Add to it, or give another number: audit-kernel case list",
        number=number,
    )


def _resolved(site: Site, number: str, patients: Sequence[str], employees: Sequence[str]) -> list[tuple[Kind, str]]:
    """Return the people's ids; the store is opened only where somebody is named."""
    typed: list[tuple[Kind, str]] = [("patient", each) for each in patients]
    typed += [("employee", each) for each in employees]
    if not typed:
        return []
    with Store(site, number) as store:
        return list(dict.fromkeys((kind, store.subject(kind, each)) for kind, each in typed))


def _told(subjects: Sequence[tuple[Kind, str]]) -> list[dict[str, str]]:
    return [{"kind": kind, "id": each} for kind, each in subjects]


def _restrict(site: Site, number: str, subjects: Sequence[tuple[Kind, str]]) -> None:
    for kind, subject_id in subjects:
        list_subject(site, kind, subject_id, number)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise UsageError("{typed!r} is no day.", "Give it as 2026-11-02.", typed=typed) from None
