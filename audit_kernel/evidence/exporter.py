"""The archive's exporter: from an executed notebook to its page.

Only the JSON descriptions of display objects are rendered. Code, text cells, printed text and any HTML that a
notebook made are left out, so nothing reaches a page that did not pass through the display objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbconvert.exporters import TemplateExporter
from nbformat import NotebookNode
from traitlets import default

from audit_kernel.errors import RunError
from audit_kernel.evidence.objects import MIME_TYPE, DisplayObject, Done, PageInformation, from_description
from audit_kernel.evidence.rendering import TEMPLATE_FOLDER, failure_page, render_page

__all__ = ["ArchiveExporter", "failure_page", "objects_of", "render_page"]


class ArchiveExporter(TemplateExporter):
    """nbconvert's exporter for sealed pages (``jupyter nbconvert --to audit_kernel``)."""

    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    @default("template_paths")
    def _template_paths_default(self) -> list[str]:
        return [str(TEMPLATE_FOLDER)]

    @property
    def default_config(self) -> Any:  # noqa: ANN401 - traitlets' configuration
        """Switch nbconvert's own preprocessors off: outputs must reach the page as they were made."""
        config = super().default_config
        config.ArchiveExporter.default_preprocessors = []
        return config

    def from_notebook_node(  # type: ignore[override]
        self,
        nb: NotebookNode,
        resources: dict[str, Any] | None = None,
        **_ignored: object,
    ) -> tuple[str, dict[str, Any]]:
        """Return the page and nbconvert's resources.

        Raises :class:`RunError` for a notebook that failed, has no page information or never said that it was done.
        """
        prepared: dict[str, Any] = self._init_resources(resources)
        shown = list(objects_of(nb))
        information = next((item for item in shown if isinstance(item, PageInformation)), None)
        if information is None:
            raise RunError(
                "The notebook shows no page information.", "Its first cell after the parameters must open the page."
            )
        if not any(isinstance(item, Done) for item in shown):
            raise RunError(
                "The notebook never said that it was done.", "Run it to its last cell before it is exported."
            )
        return render_page(shown, information), prepared


def objects_of(notebook: NotebookNode) -> Iterator[DisplayObject]:
    """Yield the display objects of an executed notebook, in order; :class:`RunError` where a cell raised an error."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise RunError(
                    "Cell {number} of the notebook raised {cause}.",
                    "A failed notebook has no page; see the executed notebook.",
                    number=number,
                    cause=output.get("ename", "an error"),
                )
            description = output.get("data", {}).get(MIME_TYPE)
            if description is not None:
                yield from_description(description)
