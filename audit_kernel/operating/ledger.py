"""What was taken in, what was refused, and the records in quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from audit_kernel.locale import format_date, format_number, format_timestamp
from audit_kernel.operating.section import Report, Section, text_table
from audit_kernel.operating.words import quarantine_reason, shortened
from audit_kernel.store.deliver import read_ledger, read_quarantine, refused_files

if TYPE_CHECKING:
    from audit_kernel.operating.desk import Desk
    from audit_kernel.store.ledger import Delivery

LEDGER_TABLE, REFUSED_TABLE = range(2)


class LedgerSection(Section):
    """The ledger, and on request the quarantine."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, 2)

    def texts(self) -> dict[str, Any]:
        """Return the form's texts."""
        _ = self._
        return {
            "level": "h2",
            "title": _("2. What was taken in"),
            "lead": _("Every file that came in or was refused. The text of records in quarantine is logged as shown."),
            "submit": _("Show the ledger"),
            "actions": [["quarantine", _("Show the quarantine")]],
            "busy": _("Working …"),
            "fields": [],
        }

    def act(self, values: dict[str, str]) -> None:
        """Show the ledger or the quarantine."""
        self.start(self._quarantine if values.get("action") == "quarantine" else self._ledger)

    def show_ledger(self) -> None:
        """Show the ledger without asking for the focus: something was just taken in."""
        self.clear()
        self._fill(read_ledger(self.desk.site), refused_files(self.desk.site))

    def _ledger(self, _report: Report) -> None:
        done, refused = read_ledger(self.desk.site), refused_files(self.desk.site)
        self._show(done, refused)

    def _show(self, done: list[Delivery], refused: list[dict[str, Any]]) -> None:
        _, language = self._, self.desk.language
        counted = _.plural("{count} file was taken in.", "{count} files were taken in.", len(done))
        self._fill(done, refused)
        self.say(_("The ledger"), counted.format(count=format_number(len(done), language)))

    def _fill(self, done: list[Delivery], refused: list[dict[str, Any]]) -> None:
        _, language, zone = self._, self.desk.language, self.desk.site.settings.time_zone
        numbers = {
            "n_read": _("Records read"),
            "n_stored": _("Stored"),
            "n_known": _("Already known"),
            "n_quarantined": _("In quarantine"),
            "n_conflicts": _("Conflicts"),
        }
        labels = {"file": _("File"), "log": _("Log"), "at": _("Taken in"), **numbers}
        labels |= {"first": _("First event (UTC)"), "last": _("Last event (UTC)")}
        rows = [
            (
                each.file_name,
                each.source_id,
                format_timestamp(each.taken_in_at, language, zone),
                *(format_number(getattr(each, name), language) for name in numbers),
                *(format_date(at.date(), language) if at else "" for at in (each.first_at, each.last_at)),
            )
            for each in reversed(done)
        ]
        if rows:
            self.tables[LEDGER_TABLE].show(text_table(_("Taken in"), labels, rows, frozenset(numbers)))
        if refused:
            columns = {"at": _("Refused"), "file": _("File"), "why": _("Why")}
            cells = [
                (format_timestamp(datetime.fromisoformat(each["at"]), language, zone), each["file"], each["refused"])
                for each in reversed(refused)
            ]
            self.tables[REFUSED_TABLE].show(text_table(_("Refused files"), columns, cells))

    def _quarantine(self, _report: Report) -> None:
        rows = read_quarantine(self.desk.site, self.desk.purpose)
        self._show_quarantine(rows)

    def _show_quarantine(self, rows: list[dict[str, Any]]) -> None:
        _, language = self._, self.desk.language
        counted = _.plural("{count} record in quarantine", "{count} records in quarantine", len(rows))
        text = counted.format(count=format_number(len(rows), language))
        labels = {
            "file": _("File"),
            "line": _("Line"),
            "column": _("Column"),
            "why": _("Reason"),
            "record": _("Record"),
        }
        cells = [
            (
                row["file_name"],
                format_number(row["line_number"], language),
                row["column_name"],
                quarantine_reason(row["code"], language),
                shortened(row["raw_record"], language),
            )
            for row in rows
        ]
        if cells:
            self.tables[LEDGER_TABLE].show(text_table(text, labels, cells, frozenset(["line"])))
        self.say(_("The quarantine"), text)
