"""The journal of log extracts: what was made for whom and when it is due, what was handed out, whom naming endangers.

It says whose data were asked for, so only the site's owner can read it; no bag holds it, only its last line's hash.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from audit_kernel.errors import UsageError
from audit_kernel.journal import Journal, utc_now
from audit_kernel.store.reading import Store
from audit_kernel.use_log import acting_user, checked_purpose, record_use

if TYPE_CHECKING:
    from audit_kernel.site import Site

FILE = "extracts.jsonl"
MADE, HANDED_OUT, WITHHELD, NAMED = "made", "handed_out", "withheld", "named"
Status = Literal["open", "overdue", "handed_out"]


@dataclass(frozen=True)
class Extract:
    """One extract that was made; days as ISO text.

    Attributes
    ----------
    kind: whose accesses it lists: those to a `patient`, or those of an `employee`.
    narrowed_to: the one employee asked about; empty for all.
    recipient: who asked; for an employee's own extract `employee`.
    proof: what was seen and noted of a representative or next of kin.
    handed_out: each handing out: at (UTC), to, by (the operator).
    """

    extract_id: str
    kind: Literal["patient", "employee"]
    subject_id: str
    narrowed_to: str
    from_date: str
    to_date: str
    recipient: str
    proof: str
    requested: str
    due: str
    purpose: str
    language: str
    bag: str
    tagmanifest_sha256: str
    handed_out: tuple[dict[str, str], ...] = field(default=())

    def status(self, today: date) -> Status:
        """Say whether it was handed out, else whether it is late."""
        if self.handed_out:
            return "handed_out"
        return "overdue" if today > date.fromisoformat(self.due) else "open"


def local_today(site: Site) -> date:
    """Return today's date where the site is."""
    return utc_now().astimezone(ZoneInfo(site.settings.time_zone)).date()


def record_made(site: Site, made: Extract) -> None:
    """Write that an extract was made.

    Raises
    ------
    JournalError: the line could not be written.
    """
    line = {name: value for name, value in asdict(made).items() if name != "handed_out"}
    _append(site, MADE, line)


def hand_out(site: Site, extract_id: str, to: str) -> Extract:
    """Record that an extract was handed out.

    Parameters
    ----------
    to: who took it, and how the person was known.

    Raises
    ------
    UsageError: there is no such extract, or nobody is named.
    JournalError: the line could not be written, or the journal is damaged.
    """
    if not to.strip():
        raise UsageError("Nobody is named who took it.", "Say who and how known: --to 'the patient, identity card'")
    made = next((each for each in extracts(site) if each.extract_id == extract_id), None)
    if made is None:
        raise UsageError("There is no extract {typed!r}.", "See them with: audit-kernel extract list", typed=extract_id)
    about = {f"{made.kind}_id": made.subject_id}
    record_use(site, made.purpose, "extract", {"extract_id": extract_id, "about": about})
    _append(site, HANDED_OUT, {"extract_id": extract_id, "to": to.strip()})
    return next(each for each in extracts(site) if each.extract_id == extract_id)


def extracts(site: Site) -> list[Extract]:
    """Return every extract that was made, oldest first, each with its handings out.

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken.
    """
    made: dict[str, dict[str, Any]] = {}
    for line in Journal(site.journals_folder / FILE).entries():
        entry = line["entry"]
        if entry.get("did") == MADE:
            values = {name: value for name, value in entry.items() if name not in {"did", "user", "through"}}
            made[entry["extract_id"]] = {**values, "handed_out": ()}
        elif entry.get("did") == HANDED_OUT:
            given = {"at": line["at"], "to": entry["to"], "by": entry["user"]}
            made[entry["extract_id"]]["handed_out"] += (given,)
    return [Extract(**values) for values in made.values()]


def withhold(site: Site, typed: str, reason: str, *, lift: bool = False) -> str:
    """Keep an employee's name from every extract from now on, or lift that; return the site's id.

    Raises
    ------
    UsageError: there is no reason, or it is so already.
    UnknownSubjectError: there is no such employee, or several.
    JournalError: the line could not be written, or the journal is damaged.
    """
    reason = checked_purpose(reason)
    with Store(site, reason) as store:
        employee_id = store.subject("employee", typed)
    if (employee_id in withheld(site)) != lift:
        raise UsageError(
            "{typed!r} is withheld already, or was never.", "Names are withheld once and lifted once.", typed=typed
        )
    _append(site, NAMED if lift else WITHHELD, {"employee_id": employee_id, "reason": reason})
    return employee_id


def withheld(site: Site) -> dict[str, str]:
    """Return the ids of the employees whom naming would endanger, each with the time since when (UTC).

    Raises
    ------
    JournalError: the journal cannot be read, or its chain is broken: no extract may be made then.
    """
    found: dict[str, str] = {}
    for line in Journal(site.journals_folder / FILE).entries():
        entry = line["entry"]
        if entry.get("did") in {WITHHELD, NAMED}:
            found.pop(entry["employee_id"], None)
        if entry.get("did") == WITHHELD:
            found[entry["employee_id"]] = str(datetime.fromisoformat(line["at"]).date())
    return found


def _append(site: Site, did: str, details: dict[str, Any]) -> None:
    Journal(site.journals_folder / FILE).append({"did": did, **acting_user(site), **details})
