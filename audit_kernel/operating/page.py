"""The operator's page: purpose first, then a file, the ledger and a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets

from audit_kernel.errors import AuditKernelError
from audit_kernel.evidence.display import Paragraph
from audit_kernel.investigation.questions import QuestionError, checked_purpose, purpose_field
from audit_kernel.investigation.widgets import HIDDEN, SHOWN, Form
from audit_kernel.locale import translator
from audit_kernel.operating.desk import Desk
from audit_kernel.operating.intake import IntakeSection
from audit_kernel.operating.ledger import LedgerSection
from audit_kernel.operating.mapping import MappingSection
from audit_kernel.operating.month import MonthSection
from audit_kernel.operating.whole import WholePage, over_site

if TYPE_CHECKING:
    from pathlib import Path


class OperatingPage(WholePage):
    """The page as one widget."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.form = Form(self._texts(), desk.language, self.begin)
        self.mapping = MappingSection(desk, self._saved)
        self.ledger = LedgerSection(desk)
        self.intake = IntakeSection(desk, self._draft, self._taken_in)
        self.month = MonthSection(desk)
        self.work = ipywidgets.VBox([self.intake, self.mapping, self.ledger, self.month], layout={"display": HIDDEN})
        super().__init__([self.form, self.work])

    def _texts(self) -> dict[str, Any]:
        _ = translator(self.desk.language)
        return {
            "title": _("Take logs in and run the month"),
            "lead": _("Give a purpose first: what this page shows of a log stands in the use log."),
            "link": {"text": _("To the investigator's page"), "href": "investigate.ipynb"},
            "submit": _("Begin"),
            "busy": _("Working …"),
            "fields": [purpose_field(self.desk.language)],
        }

    def begin(self, values: dict[str, str]) -> None:
        """Keep the purpose and show the work; without one nothing is shown."""
        try:
            self.desk.purpose = checked_purpose(values)
        except QuestionError as error:
            self.form.say(*error.parts(self.desk.language), error.field)
            return
        self.form.say("")
        self.intake.refresh()
        self.work.layout.display = SHOWN

    def _draft(self, path: Path) -> None:
        try:
            self.mapping.begin(path)
        except AuditKernelError as error:
            self.intake.complain(error)

    def _saved(self, source_id: str) -> None:
        self.intake.choose_source(source_id)

    def _taken_in(self) -> None:
        self.ledger.show_ledger()


def open_page() -> OperatingPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    return over_site(OperatingPage)
