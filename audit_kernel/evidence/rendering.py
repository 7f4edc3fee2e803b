"""Renders display objects with the archive's own template: one file, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from audit_kernel.evidence.objects import Chart, DisplayObject, Done, Heading, PageInformation, Paragraph, Table
from audit_kernel.evidence.svg import clean_svg
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_WORD = 20
TEMPLATE_FOLDER = Path(__file__).resolve().parent / "template"


@dataclass(frozen=True)
class _Item:
    """A display object with the numbers that make its ids unique on the page."""

    object: DisplayObject
    table_number: int = 0
    chart_number: int = 0
    picture: Markup | str = ""

    @property
    def name(self) -> str:
        return self.object.object_name


def render_page(objects: Iterable[DisplayObject], information: PageInformation, *, is_one_sheet: bool = False) -> str:
    """Return the page: the same objects give the same bytes.

    The page id is the SHA-256 of the lines from ``<main`` to ``</main>``
    (``sed -n '/^<main/,/^<.main>/p' page.html | sha256sum``). ``is_one_sheet`` prints it so small that a month's
    certificate fits one A4 sheet.
    """
    shown = [item for item in objects if not isinstance(item, PageInformation | Done)]
    has_title = any(isinstance(item, Heading) and item.level == 1 for item in shown)
    main = _render(
        "main.html.j2", information.language, information=information, items=_numbered(shown), needs_title=not has_title
    )
    page_id = hashlib.sha256(main.encode()).hexdigest()
    _ = translator(information.language)
    label = _("Page id")
    sheet = _render("sheet.css.j2", information.language, label=label, page_id=page_id)
    styles = [_style(), sheet]
    return _render(
        "page.html.j2",
        information.language,
        information=information,
        main=Markup(main),  # noqa: S704 - rendered just above, escaped
        page_id=page_id,
        styles=[Markup(style) for style in styles],  # noqa: S704 - the template's own style sheets
        policy=_policy(styles),
        is_one_sheet=is_one_sheet,
    )


def failure_page(name: str, language: str, reason: str) -> str:
    """Return the page that stands in the place of a notebook that failed."""
    _ = translator(language)
    title = _("{name} could not be made").format(name=name)
    objects = [
        Heading(title, 1),
        Paragraph(
            _("This part of the control was not carried out. It says nothing about whether there is anything to find."),
            "summary",
        ),
        Paragraph(reason, "warning"),
    ]
    return render_page(objects, PageInformation(title, language, name))


def fragment(shown: DisplayObject) -> str:
    """Return the HTML of one object for JupyterLab, escaped and without scripts like the page's."""
    language = str(getattr(shown, "language", "") or getattr(getattr(shown, "table", None), "language", "en"))
    # JupyterLab shows many outputs in one document: numbers made of the content keep ids apart.
    number = int(hashlib.sha256(repr(shown).encode()).hexdigest()[:8], 16)
    return _render("fragment.html.j2", language, item=next(_numbered([shown], number)))


def _numbered(objects: Iterable[DisplayObject], first: int = 1) -> Iterator[_Item]:
    table_number = chart_number = first
    for item in objects:
        if isinstance(item, Chart):
            picture = clean_svg(item.svg, f"chart-{chart_number}", item.title, item.description)
            yield _Item(item, table_number, chart_number, Markup(picture))  # noqa: S704 - passed the allow-list
            chart_number += 1
            table_number += 1
        else:
            yield _Item(item, table_number)
            table_number += isinstance(item, Table)


def _render(template: str, language: str, **values: object) -> str:
    _ = translator(language)
    helpers = {"_": _, "n_rows": partial(_n_rows, language), "has_long_word": _has_long_word}
    return _environment().get_template(template).render(language=language, **helpers, **values)


def _n_rows(language: str, number: int) -> str:
    return (
        translator(language)
        .plural("{number} row", "{number} rows", number)
        .format(number=format_number(number, language))
    )


def _has_long_word(text: str) -> bool:
    """Tell whether a cell must be allowed to break within a word, lest it widen the table."""
    return len(text) > _LONGEST_WORD and any(len(word) > _LONGEST_WORD for word in text.split())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATE_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def compile_templates() -> None:
    """Compile every template, which is else done when one is first used."""
    for name in _environment().list_templates(extensions="j2"):
        _environment().get_template(name)


@cache
def _style() -> str:
    return (TEMPLATE_FOLDER / "page.css").read_text(encoding="utf-8")


def _policy(styles: Iterable[str]) -> str:
    """Forbid everything but the page's own style sheets, which are named by their hashes."""
    hashes = (base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'"
