"""Lets through of an SVG only what a chart needs, and gives its colours names that the page's style can change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from audit_kernel.errors import RunError
from audit_kernel.evidence.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "http://www.w3.org/2000/svg"
# One font for all text: vl-convert measures with the first, readers have one of the others (same widths).
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
ELEMENTS = frozenset({"svg", "g", "path", "rect", "line", "text", "tspan", "title", "desc"})
ATTRIBUTES = frozenset(
    [
        "aria-labelledby",
        "class",
        "d",
        "dx",
        "dy",
        "fill",
        "fill-opacity",
        "font-size",
        "font-weight",
        "height",
        "id",
        "opacity",
        "stroke",
        "stroke-dasharray",
        "stroke-linecap",
        "stroke-opacity",
        "stroke-width",
        "text-anchor",
        "transform",
        "viewBox",
        "width",
        "x",
        "x1",
        "x2",
        "y",
        "y1",
        "y2",
    ]
)
# Numbers, names, colours, transformations: no address, style sheet or reference can be written with these.
_VALUE = re.compile(r"(?!.*url)[\w\s.,#%+\-]*|(translate|rotate|scale)\([\d\s.,eE+\-]*\)", re.IGNORECASE | re.DOTALL)
# Hundredths of a pixel are not seen; the last digits may differ between processors.
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}(e-?\d+)?")

# Colours of charts on white paper; the class names let the page draw them otherwise on a dark screen.
# All of them are told apart by lightness alone, so also by colour-blind readers and in grey print.
INKS = {
    "#1f2a30": "ink-text",
    "#55636b": "ink-label",
    "#dfe3e2": "ink-grid",
    "#8b979c": "ink-axis",
    "#edf0ef": "ink-band",
    "#17616e": "ink-series",
    "#f6f7f5": "ink-step-0",
    "#d3e6e9": "ink-step-1",
    "#a0cbd2": "ink-step-2",
    "#66a8b3": "ink-step-3",
    "#2b7683": "ink-step-4",
    "#0c4653": "ink-step-5",
    "#1f2a31": "ink-on-light",
    "#ffffff": "ink-on-dark",
}


def clean_svg(svg: str, prefix: str = "chart", title: str = "", description: str = "") -> str:
    """Return the SVG with allowed elements and attributes only, as one line.

    Elements that are not allowed go with all they hold. Ids become ``<prefix>-1``, ``<prefix>-2`` in the order of
    the document; with a ``title`` the picture gets a title and a description that a screen reader reads out.
    Raises :class:`RunError` when it is no SVG or declares a document type.
    """
    root = _parsed(svg)
    for element in list(root.iter()):
        name = etree.QName(element)
        if name.localname not in ELEMENTS or name.namespace != NAMESPACE:
            _remove(element)
    for element in root.iter():
        _keep_allowed_attributes(element)
    _drop_what_draws_nothing(root)
    if title:
        _describe(root, title, description)
    root.set("role", "img")
    root.set("font-family", FONT)
    _renumber(root, prefix)
    etree.cleanup_namespaces(root)
    return re.sub(r"\s*[\r\n]\s*", " ", etree.tostring(root, encoding="unicode"))


def _parsed(svg: str) -> etree._Element:
    text = harmless(re.sub(r"[\r\n\t]", " ", svg))
    parser: etree.XMLParser[etree._Element] = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RunError("A chart is not well-formed SVG.", "Make charts with audit_kernel.evidence.charts.") from error
    if root.getroottree().docinfo.doctype or root.tag != f"{{{NAMESPACE}}}svg":
        raise RunError(
            "A chart declares a document type or is no SVG.", "Make charts with audit_kernel.evidence.charts."
        )
    return root


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        element.tail = None
        parent.remove(element)


def _keep_allowed_attributes(element: etree._Element) -> None:
    names = []
    for name, value in list(element.attrib.items()):
        rounded = _LONG_NUMBER.sub(lambda match: f"{float(match.group()):.2f}".rstrip("0").rstrip("."), value)
        element.set(name, rounded)
        if name not in ATTRIBUTES or _VALUE.fullmatch(value) is None or name == "class":
            del element.attrib[name]
            if name == "class":
                names += [part for part in value.split() if part in INKS.values()]
    for name in ("fill", "stroke"):
        ink = INKS.get(element.get(name, "").lower())
        if ink is not None:
            names.append(ink if name == "fill" else ink.replace("ink-", "line-", 1))
    if names:
        element.set("class", " ".join(dict.fromkeys(names)))


def _drop_what_draws_nothing(root: etree._Element) -> None:
    """Remove paths without ink, groups without content, and the shells of groups that say nothing."""
    for element in reversed(list(root.iter(f"{{{NAMESPACE}}}path", f"{{{NAMESPACE}}}g"))):
        is_group = etree.QName(element).localname == "g"
        has_ink = element.get("fill") is not None or element.get("stroke") is not None
        if (is_group and not len(element)) or (not is_group and not (has_ink and element.get("d"))):
            _remove(element)
        elif is_group and set(element.attrib.values()) <= {"translate(0,0)"}:
            _unwrap(element)


def _unwrap(group: etree._Element) -> None:
    parent = group.getparent()
    if parent is not None:
        place = parent.index(group)
        for child in reversed(list(group)):
            parent.insert(place, child)
        parent.remove(group)


def _describe(root: etree._Element, title: str, description: str) -> None:
    for element in list(_children(root, "title", "desc")):
        root.remove(element)
    for position, (name, text) in enumerate((("title", title), ("desc", description))):
        element = etree.Element(f"{{{NAMESPACE}}}{name}", id=name)
        element.text = harmless(text)
        root.insert(position, element)
    root.set("aria-labelledby", "title desc")


def _renumber(root: etree._Element, prefix: str) -> None:
    new_ids: dict[str, str] = {}
    for element in root.iter():
        old = element.attrib.pop("id", None)
        if old is not None:
            new_ids[old] = f"{prefix}-{len(new_ids) + 1}"
            element.set("id", new_ids[old])
    labels = root.get("aria-labelledby", "").split()
    for element in root.iter():
        element.attrib.pop("aria-labelledby", None)
    known = [new_ids[label] for label in labels if label in new_ids]
    if known:
        root.set("aria-labelledby", " ".join(known))


def _children(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    return (element for element in root if etree.QName(element).localname in names)
