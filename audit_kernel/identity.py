"""Whose a pseudonym of masked evidence is: worked out anew over everybody the site knows, with the site's key."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.errors import UsageError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain
from audit_kernel.pseudonyms import LETTERS, MONTHLY, Pseudonyms, pseudonym_key, scope_of
from audit_kernel.store.reading import Store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit_kernel.site import Site

KINDS = {LETTERS[kind]: kind for kind in ("employee", "patient")}
# the site's ids, identifiers of logs, and whoever stands in a log under a name that nothing resolves
EVERYBODY = {
    "employee": """
        select employee_id as id from employee_identifiers union select identifier from employee_identifiers
        union select manager_id from employees union select manager_id from units
        union select employee_id from stored_accesses union select employee_id from authentications
        union select account from authentications union select employee_id from medication_events
        order by 1
    """,
    "patient": """
        select patient_id as id from patient_identifiers union select identifier from patient_identifiers
        union select resolved_patient_id from resolved_accesses union select patient_id from medication_events
        order by 1
    """,
}


@dataclass(frozen=True)
class Person:
    """Whose a pseudonym is: kind (employee or patient), the site's id or the log's identifier, the newest name."""

    pseudonym: str
    kind: str
    id: str
    name: str


def resolve(site: Site, typed: str, purpose: str) -> Person:
    """Return whose a pseudonym is, in whatever scope the site's evidence has, or that of the purpose given.

    Raises
    ------
    UsageError: no purpose was given, or it is nobody's pseudonym.
    KeyFileError: the key is missing or cannot be read.
    JournalError: the use log cannot be written; nothing is returned.
    """
    pseudonym = typed.strip().upper()
    kind = KINDS.get(pseudonym[:1], "")
    with Store(site, purpose) as store:
        store.note("identity", {"pseudonym": pseudonym})
        key = pseudonym_key(site.keys_folder, is_made=False)
        scopes = {scope_of(key, MONTHLY), scope_of(key, store.purpose), *sealed_scopes(site)}
        found = whose(store, key, sorted(scopes), kind, {pseudonym}).get(pseudonym) if kind else None
        if found is None:
            raise UsageError(
                "{typed!r} is the pseudonym of nobody whom this site knows.",
                "Type it as the page shows it; only an employee's (A-) or patient's (P-) can be resolved.",
                typed=typed,
            )
        return Person(pseudonym, kind, found, store.names(kind, {found}).get(found, ""))


def whose(store: Store, key: bytes, scopes: Iterable[str], kind: str, pseudonyms: set[str]) -> dict[str, str]:
    """Return the ids of these pseudonyms, by pseudonym; one that is nobody's is left out."""
    ids = [str(each) for each in store.sql(EVERYBODY[kind]).column(0).to_pylist() if each]
    found: dict[str, str] = {}
    for scope in scopes:
        made = Pseudonyms(key, scope)
        found |= {name: each for each in ids if (name := made.of(kind, each)) in pseudonyms}
    return found


def everybody(store: Store, key: bytes, scope: str) -> dict[str, str]:
    """Return whose each pseudonym of a scope is, of everybody the site knows."""
    made = Pseudonyms(key, scope)
    return {
        made.of(kind, str(each)): str(each)
        for kind, text in EVERYBODY.items()
        for each in store.sql(text).column(0).to_pylist()
        if each
    }


def sealed_scopes(site: Site) -> set[str]:
    """Return the scopes of the site's masked runs."""
    scopes = set()
    for archive in (site.archive_folder, site.restricted_folder):
        for folder in chain.bag_folders(archive) if archive.is_dir() else []:
            with contextlib.suppress(OSError, ValueError, RecursionError, KeyError, TypeError):  # `verify` says these
                statement = json.loads((folder / bags.STATEMENT).read_bytes())
                scopes.add(str(statement["predicate"]["buildDefinition"]["externalParameters"]["identity_scope"]))
    return scopes - {""}
