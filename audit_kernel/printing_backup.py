"""What `backup` and `restore` print: what was copied, of which moment, what a person must know and keep."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from audit_kernel.locale import format_date
from audit_kernel.printing import Printer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.backup.folder import Description
    from audit_kernel.backup.make import Backup
    from audit_kernel.backup.restore import Restored


class BackupPrinter(Printer):
    """Prints what became of a backup, in one language."""

    def backup(self, made: Backup) -> None:
        """Print where the backup is and of which moment, what was wrong, and that it holds keys."""
        _ = self.translate
        self.say(_("The backup: {path}").format(path=made.folder))
        text = _("{count} files; {linked} of them as in the backup before. {megabytes} MB were written.")
        megabytes = self._number(-(-made.n_bytes // 10**6))
        self.say(text.format(count=self._number(made.n_files), linked=self._number(made.n_linked), megabytes=megabytes))
        self._state(made.description)
        self.say(_("Keep this code apart from the backup; it shows later whether it was changed: {code}").format(
            code=made.sha256
        ))  # fmt: skip
        text = _("The backup holds keys in the clear: whoever has it can read the store. Keep it as safe as the site.")
        if made.description.holds_signing_key:
            text += " " + _("It holds the signing key too, which --without-signing-key leaves out.")
        self.say(text)
        self._found(
            _("Something is wrong with the site itself; the backup holds it as it is:"), made.description.problems
        )

    def restored(self, done: Restored) -> None:
        """Print what was restored, of which moment, what is lost since, and what `verify` found."""
        _ = self.translate
        said = done.description
        self.say(_("The backup is whole: {count} files were verified.").format(count=self._number(done.n_files)))
        self._state(said)
        if done.site:
            self.say(_("The site was restored: {path}").format(path=done.site.folder))
        for text in self._lost(done):
            self.say(text)
        self._found(_("Something was wrong with the site already when it was backed up:"), said.problems)
        new = [each for each in done.problems if each not in said.problems]
        self._found(_("The restored site does not verify:"), new)
        if done.site and not done.problems:
            self.say(_("Verified: archive, journals, cases and store are as they were backed up."))

    def _state(self, said: Description) -> None:
        _ = self.translate
        self.say(_("State of {moment} (UTC).").format(moment=self._moment(said.taken_at)))
        if said.snapshot is not None:
            text = _("The store: snapshot {snapshot} of {moment} (UTC).")
            self.say(text.format(snapshot=said.snapshot, moment=self._moment(said.snapshot_at or "")))
        if said.last_run:
            text = _("The archive: last sealed run {run}; its head code: {code}")
            self.say(text.format(run=said.last_run, code=said.head_code))

    def _lost(self, done: Restored) -> Iterator[str]:
        _ = self.translate
        said = done.description
        if done.newer:
            text = _("A newer backup of this site lies beside this one: {name}")
            yield text.format(name=done.newer[-1])
        if not done.site:
            return
        text = _(
            "What came after is not in it: take in again what was taken in since, run again what was sealed since, and"
            " record the loss of the journals' later lines as a deviation."
        )
        yield text
        if not said.holds_signing_key:
            yield _("The signing key is not in the backup: put signing-key.pem back into keys/, mode 600.")
        if not said.is_own_place:
            yield _(
                "The store lay elsewhere; it was restored into the site's own folder. Bring it back with: audit-kernel"
                " store move"
            )
        yield _("Only the owner can read the restored site: give groups their access again.")

    def _found(self, heading: str, problems: tuple[str, ...] | list[str]) -> None:
        if problems:
            self.say(heading)
        for each in problems:
            self.say(each)

    def _moment(self, text: str) -> str:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return f"{format_date(moment.date(), self.language)} {moment:%H:%M:%S}"
