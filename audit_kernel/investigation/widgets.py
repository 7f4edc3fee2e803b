"""The parts of the pages in JupyterLab: form, trail and table. Plain JavaScript, no build step.

Each part shows one `view`, a dictionary, and draws it anew when it changes; what the reader does
comes back as a message.
Every text passes `harmless` before it leaves Python, and the scripts make text nodes only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import RLock
from typing import Any

import anywidget
import traitlets

from audit_kernel.evidence.harmless import harmless
from audit_kernel.investigation.questions import sentence_of

STATIC = Path(__file__).parent / "static"
HIDDEN, SHOWN = "none", ""  # what `layout.display` takes
# JupyterLab's first messages come on the thread that runs cells, later ones on one of their own. Two at once would mix
# the steps of a page, and answers that they take from one connection.
_turn = RLock()


def script(name: str, folder: Path = STATIC) -> str:
    """Return the script of one part, the shared elements before it."""
    paths = (STATIC / "elements.js", folder / f"{name}.js")
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def harmless_texts(value: Any) -> Any:  # noqa: ANN401 - any JSON value goes in and comes out
    """Make every text inside a JSON value harmless; keys stay."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, Mapping):
        return {key: harmless_texts(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [harmless_texts(inner) for inner in value]
    return value


class Part(anywidget.AnyWidget):
    """A widget that hands messages from the browser to the methods that `handlers` names."""

    language = traitlets.Unicode().tag(sync=True)
    _css = (STATIC / "page.css").read_text(encoding="utf-8")

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - traits are of any type
        super().__init__(**traits)
        self.on_msg(self._receive)

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return what each kind of message does."""
        return {}

    def _receive(self, _widget: object, content: dict[str, Any], buffers: list[Any]) -> None:
        handler = self.handlers().get(content.get("kind", ""))
        if buffers:
            content = {**content, "piece": bytes(buffers[0])}
        if handler is not None:
            with _turn:
                handler(content)

    def __repr__(self) -> str:
        """Name the part only: a widget's own repr would write its state, hence patient data, into the notebook."""
        return f"<{type(self).__name__}>"


class Form(Part):
    """The question. `on_search` gets the fields' texts as typed, and as `action` which further button was used."""

    _esm = script("form")
    texts = traitlets.Dict().tag(sync=True)
    error = traitlets.Dict().tag(sync=True)
    is_busy = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, texts: Mapping[str, Any], language: str, on_search: Callable[[dict[str, str]], None]) -> None:
        super().__init__(texts=harmless_texts(texts), language=language)
        self._on_search = on_search

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return what each kind of message does."""
        return {"search": self._search}

    def _search(self, content: dict[str, Any]) -> None:
        values = content.get("values")
        if isinstance(values, dict):
            self._on_search({str(name): str(value).strip() for name, value in values.items()})

    def say(self, problem: str, remedy: str = "", field: str = "") -> None:
        """Show an error, and lead to the field it is about; an empty problem clears it."""
        # Emptied first: the same error twice in a row is said twice.
        self.error = {}
        if problem:
            self.error = harmless_texts({"problem": problem, "remedy": remedy, "field": field})


class Working:
    """Marks a form busy, and turns errors into a sentence with its remedy, at the field it is about."""

    def __init__(self, form: Form) -> None:
        self._form = form

    def __enter__(self) -> None:
        """Begin."""
        self._form.say("")
        self._form.is_busy = True

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Say what failed; what is no error of a program goes on."""
        self._form.is_busy = False
        if isinstance(error, Exception):
            self._form.say(*sentence_of(error, self._form.language), getattr(error, "field", ""))
        return error is None or isinstance(error, Exception)


class Trail(Part):
    """Breadcrumb, title, what was asked, notices, and the line that tells a screen reader what came.

    `remark` is a second line, for what comes after: a change of it moves neither focus nor page.
    """

    _esm = script("trail")
    view = traitlets.Dict().tag(sync=True)
    remark = traitlets.Unicode().tag(sync=True)

    def __init__(self, language: str, on_back: Callable[[int], None]) -> None:
        super().__init__(language=language)
        self._on_back = on_back

    def handlers(self) -> Mapping[str, Callable[[dict[str, Any]], None]]:
        """Return what each kind of message does."""
        return {"back": lambda content: self._on_back(int(content["step"]))}

    def show(self, view: Mapping[str, Any]) -> None:
        """Draw a view: crumbs, title, question, facts (label, value), notices, status, texts."""
        self.view = harmless_texts(view)
