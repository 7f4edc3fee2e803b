"""Who did it: the employee among an AuditEvent's agents, by the rules of the mapping (R4, R5 and STU3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit_kernel.sources.fhir_element import Element

# DICOM's roles of machines and media: application, launcher, destination, source, destination media, source media.
MACHINE_TYPES = frozenset(["110150", "110151", "110152", "110153", "110154", "110155"])
HUMAN_TYPES = frozenset(["humanuser", "IRCP", "AUT"])
PERSONS = ("Practitioner/", "PractitionerRole/", "Person/", "RelatedPerson/", "Patient/")
NAME_NETWORK, URI_NETWORK = "1", "5"
HISTORY = re.compile(r"/_history/.*$")


@dataclass(frozen=True)
class Who:
    """The columns that the agents give."""

    employee_id: str | None = None
    employee_name: str | None = None
    role: str | None = None
    unit_id: str | None = None
    on_behalf_of: str | None = None
    network_address: str | None = None
    session_id: str | None = None
    device: str | None = None
    purposes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def who(event: Element) -> Who:
    """Choose the employee: the agent that asked, else a human agent, else the first that is no machine."""
    agents = event.elements("agent")
    requestors = [agent for agent in agents if agent.is_true("requestor")]
    humans = [agent for agent in agents if _is_human(agent)]
    persons = [agent for agent in agents if not _is_machine(agent) and not _is_organisation(agent)]
    asked = [agent for agent in requestors if agent in humans] or requestors
    candidates = asked or humans or persons
    flags = (("no_requestor",) if not requestors else ()) + (("several_requestors",) if len(requestors) > 1 else ())
    if not candidates:
        return Who(unit_id=_unit(agents, event), network_address=_address(agents, None), flags=flags)
    agent = candidates[0]
    others = [other for other in [*humans, *persons] if other is not agent and not other.is_true("requestor")]
    identifier = identifier_of(agent)
    name = agent.text("name") or agent.element("who").text("display")
    if identifier is None and name is not None:
        flags = (*flags, "employee_by_name_only")
    return Who(
        employee_id=identifier,
        employee_name=name,
        role=_role(agent),
        unit_id=_unit(agents, event),
        on_behalf_of=next((found for other in others if (found := _any_name(other))), None),
        network_address=_address(agents, agent),
        session_id=next((token for token in agent.texts("policy") if not token.startswith(("http:", "https:"))), None),
        device=next((address for other in agents if _is_machine(other) and (address := _machine_name(other))), None),
        purposes=tuple(codes(agent, "purposeOfUse") + codes(agent, "authorization")),
        flags=flags,
    )


def codes(element: Element, name: str) -> list[str]:
    """Return the codes of a field, the display where a coding has no code."""
    found = [coding.text("code") or coding.text("display") for coding in element.codings(name)]
    return [code for code in found if code]


def identifier_of(agent: Element) -> str | None:
    """Return an agent's identifier: R4 and R5 `who`, STU3 `userId` and `reference`."""
    person = agent.element("who")
    return (
        person.element("identifier").text("value")
        or agent.element("userId").text("value")
        or agent.text("altId")
        or plain_reference(person.text("reference"))
        or plain_reference(agent.element("reference").text("reference") if "reference" in agent else None)
    )


def plain_reference(reference: str | None) -> str | None:
    """Return a reference without its version: `Patient/1/_history/2` and `Patient/1` are one patient."""
    return HISTORY.sub("", reference) if reference else None


def _reference(agent: Element) -> str:
    found = agent.element("who").text("reference") or agent.element("reference").text("reference")
    return found or ""


def _types(agent: Element) -> list[str]:
    """Return the agent's type codes; STU3 writes them as roles."""
    return codes(agent, "type") + codes(agent, "role")


def _is_human(agent: Element) -> bool:
    return _names_person(agent) or not HUMAN_TYPES.isdisjoint(_types(agent))


def _names_person(agent: Element) -> bool:
    return any(_reference(agent).startswith(kind) or f"/{kind}" in _reference(agent) for kind in PERSONS)


def _is_machine(agent: Element) -> bool:
    is_device = _reference(agent).startswith("Device/") or "/Device/" in _reference(agent)
    return is_device or "media" in agent or not MACHINE_TYPES.isdisjoint(_types(agent))


def _is_organisation(agent: Element) -> bool:
    return "PROV" in _types(agent) or "Organization/" in _reference(agent)


def _role(agent: Element) -> str | None:
    # STU3 writes the kind of agent here too: "source" is no role of a person.
    roles = [coding for coding in agent.codings("role") if coding.text("code") not in MACHINE_TYPES]
    found = [coding.text("display") or coding.text("code") for coding in roles]
    return next((role for role in found if role), None)


def _any_name(agent: Element) -> str | None:
    return identifier_of(agent) or agent.text("name") or agent.element("who").text("display")


def _unit(agents: Sequence[Element], event: Element) -> str | None:
    """Return the organisation among the agents, else that of a contained PractitionerRole."""
    for agent in agents:
        if _is_organisation(agent) and (found := _any_name(agent)):
            return found
    for contained in event.elements("contained"):
        if contained.text("resourceType") == "PractitionerRole":
            organisation = contained.element("organization")
            return organisation.element("identifier").text("value") or organisation.text("reference")
    return None


def _address(agents: Sequence[Element], employee: Element | None) -> str | None:
    """Return the employee's network address, else that of an agent whose address is not a URI (the server's own)."""
    own = _network(employee)[0] if employee else None
    others = (_network(agent) for agent in agents)
    return own or next((address for address, kind in others if address and kind != URI_NETWORK), None)


def _machine_name(agent: Element) -> str | None:
    """Return the name of the machine that an agent is."""
    address, kind = _network(agent)
    return address if kind == NAME_NETWORK else None


def _network(agent: Element) -> tuple[str | None, str | None]:
    """Return address and kind; R5 has a text, a URI or a reference instead of the object."""
    if "networkString" in agent:
        return agent.text("networkString"), None
    if "networkUri" in agent:
        return agent.text("networkUri"), URI_NETWORK
    network = agent.element("network")
    return network.text("address"), network.text("type")
