"""What a recipient may see of a case: everything, or third parties under pseudonyms and free text left out.

The rules: an employee sees herself, and patients and colleagues under pseudonyms; a patient herself, and the case's
employees by name where the rules for log extracts name them (`extracts.yml`) and naming endangers nobody; the police
the case's employees, and patients under pseudonyms. Pseudonyms are those of the case's number, as in masked evidence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from audit_kernel.cases.case import EXPORTED, NOTIFIED
from audit_kernel.cases.evidence import ROWS, rows_of
from audit_kernel.catalog import Catalog
from audit_kernel.errors import UsageError
from audit_kernel.evidence.masking import FULL, MASKED, Mask, decision
from audit_kernel.extract_journal import withheld
from audit_kernel.extract_rules import extract_rules
from audit_kernel.locale import translator
from audit_kernel.pseudonyms import Pseudonyms, pseudonym_key, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from audit_kernel.cases.case import Case, Entry, Evidence
    from audit_kernel.catalog import Column, Query
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

INTERNAL, AUTHORITY, EMPLOYEE, PATIENT, POLICE = "internal", "authority", "employee", "patient", "police"
RECIPIENTS = (INTERNAL, AUTHORITY, EMPLOYEE, PATIENT, POLICE)
MAY_BE_FULL = (INTERNAL, AUTHORITY)
KINDS = ("employee", "patient")
SHORTEST_REPLACED = 2
WORD = re.compile(r"\w+")
CALLED = """
    select {kind}_id as id, identifier as called from {kind}_identifiers
    where identifier is not null and ($ids is null or list_contains($ids, {kind}_id))
    union select {kind}_id, {kind}_id from {kind}s where $ids is null or list_contains($ids, {kind}_id)
    union select {kind}_id, name from {kind}s
    where name is not null and ($ids is null or list_contains($ids, {kind}_id))
    order by 1, 2
"""


class View:
    """Everything of a case, people with id and newest name."""

    identity, scope = FULL, ""
    hidden_answers: frozenset[str] = frozenset()

    def __init__(self, site: Site, case: Case, store: Store | None, language: str) -> None:
        self.site, self.case, self.store, self.language = site, case, store, language
        self.catalog = Catalog(site.folder)
        self.names = {kind: store.names(kind, case.ids(kind)) if store and case.ids(kind) else {} for kind in KINDS}
        self.left_out: set[str] = set()

    def text(self, text: str) -> str:
        """Return what somebody wrote, as it may be shown."""
        return text

    def hides(self, entry: Entry) -> bool:
        """Say whether a line is kept from the reader."""
        del entry
        return False

    def person(self, kind: str, person_id: str) -> str:
        """Return how a person stands."""
        return " ".join(filter(None, [person_id, self.names[kind].get(person_id, "")]))

    def official(self, user: str) -> str:
        """Return how one who works on the case stands."""
        return user

    def table(self, evidence: Evidence) -> tuple[pa.Table, Mapping[str, Column] | None]:
        """Return the rows of evidence, and its columns where the catalogue still has the query.

        Raises
        ------
        VerificationError: the evidence was changed.
        """
        query = self.query(evidence)
        return rows_of(self.site, self.case, evidence), query.description.columns if query else None

    def query(self, evidence: Evidence) -> Query | None:
        """Return the query that was asked; None where the catalogue has it no more."""
        return self.catalog.queries.get(evidence.title)


class _Exempting(Pseudonyms):
    """Pseudonyms of everybody but those who may stand under their own id."""

    shown: frozenset[tuple[str, str]] = frozenset()

    def of(self, kind: str, value: str) -> str:
        """Return the pseudonym, or the id itself of one who may be seen."""
        return value if (kind, value) in self.shown else super().of(kind, value)


class MaskedView(View):
    """A case in which third parties stand under pseudonyms.

    Parameters
    ----------
    shown: who may be seen, by kind and the site's id.
    with_texts: show what people wrote, with the ids, identifiers and names that the site knows replaced; somebody read
        it before. Without it free text is left out, because no program knows whom it names.
    """

    identity = MASKED
    hidden_answers = frozenset({"police_told"})

    def __init__(
        self,
        site: Site,
        case: Case,
        store: Store | None,
        language: str,
        shown: frozenset[tuple[str, str]],
        *,
        with_texts: bool,
    ) -> None:
        super().__init__(site, case, store, language)
        key = pseudonym_key(site.keys_folder)
        self.scope, self.with_texts = scope_of(key, case.number), with_texts
        self.mask = Mask(site, self.scope, store=(lambda: store) if store else None)
        self._pseudonyms = _Exempting(key, self.scope)
        self._pseudonyms.shown = shown
        for kind in KINDS:
            own = {one for of, one in shown if of == kind}
            self._pseudonyms.shown |= {(kind, called) for called, _one in self._known(kind, own)}
        self.mask.pseudonyms = self._pseudonyms
        self._replaced = self._known_people() if with_texts else {}

    def text(self, text: str) -> str:
        """Return what somebody wrote with those it names replaced, or that it is left out."""
        if not text:
            return text
        if not self.with_texts:
            self.left_out.add(text)
            return translator(self.language)("[text left out]")
        return replaced_names(text, self._replaced)

    def hides(self, entry: Entry) -> bool:
        """Keep to whom else a copy went, and that the police were told: the employee would be warned by it."""
        return entry.did == EXPORTED or (entry.did == NOTIFIED and entry["to"] == POLICE)

    def person(self, kind: str, person_id: str) -> str:
        """Return id and name of one who may be seen, the pseudonym of everybody else."""
        is_shown = (kind, person_id) in self._pseudonyms.shown
        return super().person(kind, person_id) if is_shown else self._pseudonyms.of(kind, person_id)

    def official(self, user: str) -> str:
        """Return a pseudonym."""
        return self.mask.official(user)

    def table(self, evidence: Evidence) -> tuple[pa.Table, Mapping[str, Column] | None]:
        """Return the rows masked, without the columns that are left out; none where the query is no more known."""
        rows, query = rows_of(self.site, self.case, evidence), self.query(evidence)
        if query is None:
            return rows.select([]), None
        return self.mask.without_left_out(query, self.mask.table(query, rows), query.description.columns)

    def _known(self, kind: str, ids: set[str] | None = None) -> Iterator[tuple[str, str]]:
        """Yield what people are called, by the site's id: identifiers of logs and names of all times."""
        if self.store is None or ids == set():
            return
        found = self.store.sql(CALLED.format(kind=kind), {"ids": sorted(ids) if ids else None})
        yield from ((str(row["called"]), str(row["id"])) for row in found.to_pylist())

    def _known_people(self) -> dict[str, str]:
        """Return what free text may call people whom the site knows, in small letters, and how they stand instead."""
        people: list[tuple[str, str, str]] = [(kind, each, each) for kind in KINDS for each in self.case.ids(kind)]
        for evidence in self.case.evidence:
            query = self.query(evidence)
            rows = rows_of(self.site, self.case, evidence).to_pylist() if evidence.kind == ROWS and query else []
            for row in rows:
                for kind in KINDS:
                    own = [str(each) for name, each in row.items() if query and each and decision(query, name) == kind]
                    people += [(kind, each, each) for each in own]
                    if row.get(f"{kind}_id") and row.get(f"{kind}_name"):
                        people.append((kind, str(row[f"{kind}_name"]), str(row[f"{kind}_id"])))
        people += [(kind, called, each) for kind in KINDS for called, each in self._known(kind)]
        users = {entry.user for entry in self.case.entries} | set(self.case.readers)
        found = {user.casefold(): self.official(user) for user in users}
        may_stay = {called.casefold() for kind, called, each in people if (kind, each) in self._pseudonyms.shown}
        for kind, called, person_id in people:
            words = " ".join(called.split()).casefold()
            if words not in may_stay and len(words) >= SHORTEST_REPLACED:
                found[words] = self._pseudonyms.of(kind, person_id)
        return found


def replaced_names(text: str, names: Mapping[str, str]) -> str:
    """Return a text with names replaced, the longest at each word; capitals and blanks within a name do not count.

    Parameters
    ----------
    names: what stands instead, by the name in small letters with single blanks.
    """
    words = list(WORD.finditer(text))
    most = max((len(WORD.findall(name)) for name in names), default=0)
    parts, done, place = [], 0, 0
    while place < len(words):
        begin = words[place].start()
        spans = ((last, words[last].end()) for last in range(min(place + most, len(words)) - 1, place - 1, -1))
        called = ((last, end, names.get(" ".join(text[begin:end].split()).casefold())) for last, end in spans)
        last, end, instead = next((each for each in called if each[2]), (place, begin, ""))
        if instead:
            parts += [text[done:begin], instead]
            done = end
        place = last + 1
    return "".join([*parts, text[done:]])


def who_is_shown(
    site: Site, case: Case, recipient: str, identity: str = "", person: str = ""
) -> frozenset[tuple[str, str]] | None:
    """Return who may be seen by a recipient, by kind and id; None where everybody may, in full.

    Parameters
    ----------
    identity: full or masked; for the employee, the patient and the police always masked.
    person: which of the case's employees or patients it goes to; the only one when empty.

    Raises
    ------
    UsageError: there is no such recipient or person, or full is asked for where third parties are masked.
    """
    if recipient not in RECIPIENTS:
        raise UsageError(
            "{typed!r} is no recipient.", "Give one of {allowed}.", typed=recipient, allowed=", ".join(RECIPIENTS)
        )
    if identity not in ("", FULL, MASKED) or (identity == FULL and recipient not in MAY_BE_FULL):
        raise UsageError(
            "An export for {recipient!r} is not made with --identity {identity}.",
            "Third parties are masked for the employee, the patient and the police; for others give full or masked.",
            recipient=recipient,
            identity=identity,
        )
    if recipient in MAY_BE_FULL:
        return frozenset() if identity == MASKED else None
    employees = frozenset(("employee", each) for each in case.ids("employee"))
    if recipient == POLICE:
        return employees
    ids = case.ids(recipient)
    own = person or (ids[0] if len(ids) == 1 else "")
    if own not in ids:
        raise UsageError(
            "It is not said which {kind} of the case it goes to.",
            "Name one whom the case is about, by id: --person ID",
            kind=recipient,
        )
    if recipient == EMPLOYEE or extract_rules(site).who != "name_and_title":
        return frozenset({(recipient, own)})
    hidden = withheld(site)
    return frozenset({(recipient, own), *(each for each in employees if each[1] not in hidden)})
