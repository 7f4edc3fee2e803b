"""What the commands that keep a store print: disposal, holds, moving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.locale import format_date
from audit_kernel.printing import Printer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit_kernel.evidence.dispose import DisposedEvidence
    from audit_kernel.evidence.retention import EvidenceLine
    from audit_kernel.store.erase import Disposal, Line
    from audit_kernel.store.hold import Hold
    from audit_kernel.store.move import Moved


class StorePrinter(Printer):
    """Prints what became of the store, in one language."""

    def disposal(self, lines: Sequence[Line]) -> None:
        """Print what would go and what a hold keeps, by table, log and month."""
        _ = self.translate
        if not lines:
            self.say(_("Nothing would go."))
            return
        self._lines(_("What would go"), lines)
        self.say(_("Nothing was changed. It goes for good with --confirm."))

    def disposed(self, done: Sequence[Disposal], archive: Path) -> None:
        """Print what went, what a hold kept, and where the sealed record is."""
        _ = self.translate
        if not done:
            self.say(_("Nothing would go."))
        for each in done:
            self._lines(_("What went"), each.lines)
            text = _("{count} rows went; {held} rows stayed by a legal hold. The record: {path}")
            numbers = {"count": self._number(each.n_rows), "held": self._number(each.n_held)}
            self.say(text.format(**numbers, path=archive / each.disposal_id))
        self.say(_("The original files, sealed runs and journals are disposed of by their own rules."))

    def evidence(self, lines: Sequence[EvidenceLine]) -> None:
        """Print the runs whose time is over: which would go, and what keeps the others."""
        _ = self.translate
        if not lines:
            self.say(_("No sealed run's time is over."))
            return
        self._runs(_("Sealed runs whose time is over"), lines)
        self.say(_("Nothing was changed. It goes for good with --confirm."))

    def evidence_disposed(self, done: Sequence[DisposedEvidence]) -> None:
        """Print which runs went, where the record is, and what kept the others."""
        _ = self.translate
        if not done:
            self.say(_("No sealed run's time is over."))
        for each in done:
            for run in each.went:
                self.say(_("Disposed of: {run}").format(run=f"{each.archive}/{run}"))
            if each.record:
                self.say(_("The record, with the fingerprints: {path}").format(path=each.record))
            if each.stayed:
                self._runs(_("Sealed runs that stayed"), each.stayed)

    def _runs(self, caption: str, lines: Sequence[EvidenceLine]) -> None:
        _ = self.translate
        words = {
            "": _("goes"),
            "hold": _("legal hold"),
            "case": _("open case"),
            "unclosed": _("the month is not closed"),
            "stamps": _("an earlier run stays, which its time stamp covers"),
        }
        columns = [(heading, "") for heading in (_("Run"), _("Kept until"), _("Every finding justified"), "")]
        rows = [
            (
                f"{each.archive}/{each.run}",
                format_date(each.until, self.language),
                _("yes") if each.is_cleared else "",
                " ".join((words[each.kept_by], *each.holds)),
            )
            for each in lines
        ]
        self._table(caption, columns, rows)

    def holds(self, holds: Sequence[Hold]) -> None:
        """Print holds, those in force and the released ones."""
        _ = self.translate
        if not holds:
            self.say(_("There are no holds."))
            return
        headings = (_("Hold"), _("Patient"), _("Employee"), _("Log"), _("From"), _("To"), _("Reason"), _("Released"))
        rows = []
        for each in holds:
            days = [format_date(day, self.language) if day else "" for day in (each.from_date, each.to_date)]
            named = [name or "" for name in (each.patient_id, each.employee_id, each.source_id)]
            released = format_date(each.released_at.date(), self.language) if each.released_at else ""
            why = f"{released} {each.release_reason or ''}".strip()
            rows.append((each.hold_id, *named, *days, each.reason, why))
        self._table(_("Legal holds"), [(heading, "") for heading in headings], rows)

    def moved(self, moved: Moved) -> None:
        """Print what was copied, and that the old store is still there."""
        _ = self.translate
        text = _(
            "The store was moved: {rows} rows, {files} files, {entries} entries of the catalogue, up to snapshot"
            " {snapshot}. Every copy was compared."
        )
        numbers = {"rows": moved.n_rows, "files": moved.n_files, "entries": moved.n_catalogue_rows}
        shown = {name: self._number(value) for name, value in numbers.items()}
        self.say(text.format(**shown, snapshot=moved.snapshot))
        self.say(_("The old store stays where it was: remove it once a month's control has run over the new one."))

    def _lines(self, caption: str, lines: Sequence[Line]) -> None:
        _ = self.translate
        columns = [(heading, "") for heading in (_("Table"), _("Log"), _("Month"))]
        columns += [(heading, "end") for heading in (_("Rows that go"), _("Held"), _("Files"))]
        rows = [
            (each.table, each.source_id, each.month, *map(self._number, (each.n_rows, each.n_held, each.n_files)))
            for each in lines
        ]
        self._table(caption, columns, rows)
