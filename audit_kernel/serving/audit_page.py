"""The auditor's page: is the archive as it was sealed, and which runs does it hold. Nothing but the archive is read."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.display import Paragraph
from audit_kernel.evidence.verify import head_code, trusted_key, verify
from audit_kernel.locale import format_number
from audit_kernel.operating.desk import Desk
from audit_kernel.operating.section import Report, Section, text_table
from audit_kernel.operating.whole import WholePage, over_site


class ArchiveSection(Section):
    """One button, what verification says, the runs, and each thing that is wrong."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, 2)

    def texts(self) -> dict[str, Any]:
        """Return the form's texts."""
        _ = self._
        hint = _("From the minutes, if one was filed there; it shows runs that were removed from the end.")
        return {
            "title": _("The archive"),
            "lead": _("Check that nothing was changed. The runs' pages stand in the folder `archive` on the left."),
            "submit": _("Verify the archive"),
            "busy": _("Verifying …"),
            "fields": [{"name": "code", "type": "text", "label": _("A head record's code"), "hint": hint}],
        }

    def act(self, values: dict[str, str]) -> None:
        """Verify beside the page: a large archive takes its time."""
        code = values.get("code", "").strip()
        self.start(lambda report: self._verify([code] if code else [], report))

    def _verify(self, codes: list[str], report: Report) -> None:
        _, site, language = self._, self.desk.site, self.desk.language
        report(_("Verifying …"))
        own = site.keys_folder / keys.PUBLIC_NAME
        key = trusted_key(site.archive_folder, None, own if os.access(own, os.R_OK) else None)
        problems = verify(site.archive_folder, key.path, codes=codes)
        wrong = Counter(each.run for each in problems if each.is_failure)  # runs, and the archive's own records
        names = [folder.name for folder in chain.bag_folders(site.archive_folder)]
        said = {name: _.plural("{n} problem", "{n} problems", count).format(n=count) for name, count in wrong.items()}
        rows = [(name, said.get(name, _("whole"))) for name in names]
        self.tables[0].show(text_table(_("Runs"), {"run": _("Run"), "state": _("State")}, rows))
        if problems:
            told = [(each.text(language),) for each in problems]
            self.tables[1].show(text_table(_("What was found"), {"found": _("What was found")}, told))
        n_wrong = sum(wrong.values())
        title = _("The archive does not verify") if n_wrong else _("The archive verifies")
        facts = [(_("Runs"), format_number(len(names), language)), (_("Problems"), format_number(n_wrong, language))]
        if code := head_code(site.archive_folder, key.key):
            facts.append((_("The head record's code now"), code))
        self.say(title, key.text(language), facts)


class AuditPage(WholePage):
    """The page as one widget."""

    def __init__(self, desk: Desk) -> None:
        self.archive = ArchiveSection(desk)
        super().__init__([self.archive])


def open_page() -> AuditPage | Paragraph:
    """Return the page over the site that AUDIT_KERNEL_SITE names; where there is none, a paragraph that says so."""
    return over_site(AuditPage)
