"""Turns the elements of XML records into the objects that `Element` reads: attributes and children by local name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audit_kernel.sources.record_flags import unescaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from audit_kernel.sources.xml_nodes import Node


@dataclass(frozen=True)
class XmlValue:
    """A record as an object, the namespace and local name of its element, and what reading it found odd."""

    value: Any
    namespace: str
    name: str
    flags: tuple[str, ...] = ()


def plain_value(node: Node) -> XmlValue:
    """Return any XML: an element without attributes or children is its text, another an object."""
    return _value(node, _plain)


def fhir_value(node: Node) -> XmlValue:
    """Return FHIR's XML in the shape of its JSON, but for a field that may repeat and does not: it is no list."""
    return _value(node, _fhir)


def _value(node: Node, convert: Callable[[Node, set[str]], Any]) -> XmlValue:
    flags: set[str] = set()
    value = convert(node, flags)
    return XmlValue(value, node.namespace, node.name, tuple(sorted(flags)))


def _plain(node: Node, flags: set[str]) -> Any:  # noqa: ANN401 - a text or an object
    fields = _fields(node, node.children, _plain, flags)
    text = _unescaped(node.text, flags)
    if not fields:
        return text
    return {**fields, "#text": text} if text else fields


def _fhir(node: Node, flags: set[str]) -> Any:  # noqa: ANN401 - a text, a boolean or an object
    children = [child for child in node.children if child.namespace == node.namespace]  # no XHTML of narratives
    if _is_resource(node):
        return {"resourceType": node.name, **_fields(node, children, _fhir, flags)}
    if len(children) == 1 and _is_resource(children[0]):
        return _fhir(children[0], flags)
    fields = _fields(node, children, _fhir, flags)
    value = fields.get("value")
    if "value" in node.attributes and all(child.name == "extension" for child in children):
        return {"true": True, "false": False}.get(str(value), value) if node.name == "requestor" else value
    return fields


def _is_resource(node: Node) -> bool:
    return node.name[:1].isupper()


def _fields(node: Node, children: list[Node], convert: Callable[[Node, set[str]], Any], flags: set[str]) -> Any:  # noqa: ANN401
    found: dict[str, list[Any]] = {name: [_unescaped(text, flags)] for name, text in node.attributes.items()}
    for child in children:
        if (value := convert(child, flags)) not in ("", {}, None):
            found.setdefault(child.name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items() if values != [""]}


def _unescaped(text: str, flags: set[str]) -> str:
    found = unescaped(text)
    if found != text:
        flags.add("escaped_twice")
    return found
