"""What a masked run says of itself outside its pages: statement, index, inputs, and what its notebooks are given."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from audit_kernel.errors import UsageError
from audit_kernel.evidence.masking import MASKED, Mask, identity_of
from audit_kernel.evidence.restricted import KeptApart
from audit_kernel.locale import translator
from audit_kernel.pseudonyms import MONTHLY, keyed_hash, pseudonym_key, scope_of
from audit_kernel.sample_journal import Draw
from audit_kernel.site import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from audit_kernel.evidence.run import Plan
    from audit_kernel.query import Result
    from audit_kernel.site import Site
    from audit_kernel.store.reading import Store

PEOPLE = ("employee", "patient")


def mask_for(site: Site, identity: str = "", purpose: str = MONTHLY, store: Store | None = None) -> Mask | None:
    """Return what masks a run of that purpose, None where people stand in full.

    Raises
    ------
    UsageError: `identity` is neither full nor masked.
    KeyFileError: the pseudonyms' key cannot be read or made.
    """
    if identity_of(site, identity) != MASKED:
        return None
    scope = scope_of(pseudonym_key(site.keys_folder), purpose)
    return Mask(site, scope, store=(lambda: store) if store else None)


def shown(store: Store, result: Result, identity: str, purpose: str) -> Result:
    """Return an answer as a run of that purpose would show it."""
    mask = mask_for(store.site, identity, purpose, store)
    return mask.masked(result) if mask else result


def masked_parameters(mask: Mask, store: Store, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report's parameters with pseudonyms in place of people.

    Raises
    ------
    UnknownSubjectError: there is no such person, or several.
    UsageError: another parameter holds text that no dictionary has; it would stand in the evidence.
    """
    values = dict(given)
    for key, parameter in store.catalog.query(name).description.parameters.items():
        if values.get(key) in (None, ""):
            continue
        if parameter.type in PEOPLE:
            values[key] = mask.pseudonyms.of(parameter.type, store.subject(parameter.type, str(values[key])))
        elif parameter.type in ("text", "text_list") and not mask.is_known(str(values[key])):
            raise UsageError(
                "What was given for {name} stands in no dictionary, so it cannot stand in masked evidence.",
                "Add it to the log's dictionary, or ask with --identity full.",
                name=key,
            )
    return values


def with_scope(plan: Plan, mask: Mask | None) -> Plan:
    """Return the plan of a masked run, with the scope of its pseudonyms and whose those are that parameters hold."""
    return replace(plan, scope=mask.pseudonyms.scope, people=dict(mask.pseudonyms.known)) if mask else plan


def masked_draw(mask: Mask | None, draw: Draw | None) -> Draw | None:
    """Return a draw without names, reasons in a person's words, and hashes of lines that hold either."""
    if draw is None or mask is None:
        return draw
    lines = []
    for line in (draw.frame, draw.seeded):
        entry = dict(line["entry"]) if line else {}
        entry |= {key: mask.official(str(entry[key])) for key in ("user", "witness") if entry.get(key)}
        entry |= {"reason": "-"} if entry.get("reason") else {}
        lines.append({**line, "entry": entry, "hash": "-", "previous": "-"} if line else None)
    return Draw(lines[0] or {}, lines[1])


def masked_signatories(mask: Mask | None, people: Mapping[str, str]) -> dict[str, str]:
    """Return who ran and who approved, of a masked run by pseudonym, title and date."""
    return {role: _masked_signatory(mask, text) if mask and text else text for role, text in people.items()}


def _masked_signatory(mask: Mask, text: str) -> str:
    name, title, day = text.rsplit(", ", 2)
    return f"{mask.official(name)}, {title}, {day}"


def masked_apart(mask: Mask | None, apart: KeptApart) -> KeptApart:
    """Return whose rows are kept apart, by pseudonym in a masked run."""
    if mask is None:
        return apart
    return KeptApart(mask.ids("employee", apart.employee_id), mask.ids("patient", apart.patient_id), apart.n_findings)


def masked_files(mask: Mask | None, refused: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return refused files, their names replaced in a masked run."""
    return [{**each, "file": mask.pseudonyms.of("file", each["file"]) if mask else each["file"]} for each in refused]


def as_told(site: Site, plan: Plan) -> Plan:
    """Return a plan as its evidence may tell it: file names and a purpose in a person's words are replaced."""
    if not plan.scope:
        return plan
    mask, _ = Mask(site, plan.scope), translator(plan.language)
    own = {_("monthly control"), _("the control's own sensitivity, with known incidents")}
    purpose = plan.purpose if plan.purpose in own else mask.pseudonyms.of("purpose", plan.purpose)
    deliveries = [replace(each, file_name=mask.pseudonyms.of("file", each.file_name)) for each in plan.deliveries]
    return replace(plan, purpose=purpose, deliveries=deliveries)


def mask_of(site: Site, plan: Plan) -> Mask | None:
    """Return what masks a run's own words, None where people stand in full."""
    return Mask(site, plan.scope) if plan.scope else None


def official(site: Site, plan: Plan, name: str) -> str:
    """Return the name of one who answers for something, or a masked run's pseudonym for it."""
    mask = mask_of(site, plan)
    return mask.official(name) if mask else name


def copy_masked_site(site: Site, scope: str, inputs: Path) -> None:
    """Replace the site's own files among a run's inputs: settings without people, of the others keyed hashes.

    `site/keyed_hashes.txt` has HMAC-SHA-256, hexadecimal, and path, as `sha256sum` writes them.
    """
    mask, key, target = Mask(site, scope), pseudonym_key(site.keys_folder), inputs / "site"
    content = site.settings.model_dump(mode="json")
    for place in ("catalogue", "files"):  # an account may stand in an address
        content["store"].pop(place)
    content["routine"]["person_responsible"] = mask.official(site.settings.routine.person_responsible)
    content["review"]["reviewers"] = [
        {"id": mask.pseudonyms.of("employee", each["id"])} for each in content["review"]["reviewers"]
    ]
    content["use_log"].pop("syslog")
    content["use_log"]["users"] = [
        {name: mask.pseudonyms.of("employee", each[name]) for name in ("user", "employee")}
        for each in content["use_log"]["users"]
    ]
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    (inputs / SETTINGS_FILE).write_text(text, encoding="utf-8")
    files = sorted(path for path in target.rglob("*") if path.is_file())
    hashes = [keyed_hash(key, "input", each.read_bytes().hex()).hex() for each in files]
    names = [each.relative_to(target).as_posix() for each in files]
    shutil.rmtree(target, ignore_errors=True)
    if files:
        target.mkdir()
        lines = "".join(f"{each}  {name}\n" for each, name in zip(hashes, names, strict=True))
        (target / "keyed_hashes.txt").write_text(lines, encoding="utf-8")
