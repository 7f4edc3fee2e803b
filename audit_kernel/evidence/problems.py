"""What `verify` can find, in words."""

from __future__ import annotations

from dataclasses import dataclass

from audit_kernel.locale import translator


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


TEXTS = {
    # files of a run
    "file_changed": _("The file was changed after it was sealed."),
    "file_missing": _("The file is missing."),
    "file_extra": _("The file does not belong to the run: it was added after sealing."),
    "file_unlisted": _("The list that should name this file was damaged: nothing vouches for the file."),
    "file_unfit": _("The file does not fit the list of files, which was itself changed."),
    "folder_extra": _("The empty folder does not belong to the run: it was added after sealing."),
    "link_extra": _("A link or device stands here; a sealed run holds plain files only."),
    "list_changed": _("The list of files does not fit its signature: it was changed after sealing."),
    "signature_changed": _(
        "The signature does not fit {signed}: the signature was changed, or the run was remade without the signing key."
    ),
    "signature_unfit": _("This signature or the list {signed}, or both, were changed after sealing."),
    "other_key": _(
        "The run is signed with another key (fingerprint {found}) than the trusted one ({expected}): "
        "someone else made it, or remade it."
    ),
    "statement_unfit": _("The statement does not describe the files of the run."),
    "unreadable": _("It cannot be read: {reason}."),
    # a run's place in the chain
    "run_renamed": _("The folder does not bear its run's name: the run was sealed as {name}."),
    "run_copied": _("The folder is a copy of the run {name}."),
    "run_missing": _("The run, number {number} in the chain, was removed."),
    "run_foreign": _("The run was sealed in another archive and added here."),
    "run_added": _("No other run of the archive knows this run: it was added."),
    "run_beyond": _("The run is number {number}, but the signed head record ends at number {last}."),
    "chain_broken": _("{next} recorded another fingerprint of this run: the run was replaced or changed."),
    # the archive
    "head_missing": _(
        "The head record, which names the last run, is missing: runs may have been removed from the end."
    ),
    "head_changed": _("The head record was changed, or another key signed it."),
    "head_foreign": _("The head record belongs to another archive."),
    "head_behind": _(
        "The head record is one run behind: the program was stopped between sealing {name} and noting it. "
        "The run itself is whole; the next sealing repairs this."
    ),
    "key_changed": _("The copy of the public key is not the trusted key: it was changed or exchanged."),
    "key_retired": _("The run is signed with a key that was not the archive's at that time."),
    # time stamps
    "stamp_wrong": _("The time stamp is not over this run's signature, or the trusted time authority did not make it."),
    "stamp_of_another_time": _(
        "The run says that it ended on {finished}, but its time stamp is of {stamped}: it was remade later, "
        "or a clock was wrong."
    ),
    "stamp_unchecked": _(
        "Time stamps were not checked: name the time authority's certificate with --authority; it needs openssl too."
    ),
    "stamp_ends": _(
        "The time authority's certificate for the newest time stamp ends on {date}: "
        "run `audit-kernel keys stamp` before, while the stamp still proves something."
    ),
    "stamp_late": _(
        "This time stamp of {stamped} is the first over {count} runs that ended more than a day before it, the oldest "
        "on {date}: it does not prove how they were until then."
    ),
    "stamp_lacking": _("The runs after {name} have no time stamp ({count} of them): run `audit-kernel keys stamp`."),
    # disposal
    "disposed_of": _("The run was disposed of on {date}; {record} records it and holds its fingerprint."),
    "disposal_unfinished": _(
        "{record} records that the run was disposed of, but it is still here: the disposal was interrupted, "
        "a legal hold came since, or it was put back. `audit-kernel dispose --evidence --confirm` finishes it."
    ),
    "disposal_leftover": _(
        "An interrupted disposal left files here. They are no evidence: "
        "`audit-kernel dispose --evidence --confirm` removes them."
    ),
    "entry_extra": _("This does not belong to the archive: it was added by hand."),
    "leftover": _("The program was stopped while it worked here: this is no evidence; the next sealing removes it."),
    "leftover_filled": _(
        "Files lie here that no signature covers: an interrupted sealing left them, or somebody added them. "
        "They are no evidence: look at them and remove them."
    ),
    "lock_written": _("The lock file holds something, but the program leaves it empty: somebody wrote into it."),
    "code_unknown": _("No run of the archive has the code {filed} that was filed: runs were removed or replaced."),
    "restricted_missing": _(
        "The run that holds what is kept for the privacy officer is not in `restricted` as it was sealed."
    ),
    "nothing_found": _("There is no sealed run here."),
    # the site's journals
    "journal_broken": _("The journal does not hold. {reason}"),
    "case_changed": _("Evidence of a case is not as it was added: something in it was changed, removed or added."),
}

KEY_TEXTS = {
    "given": _("Checked with the public key {path}, fingerprint {fingerprint}."),
    "site": _("Checked with the site's public key {path}, fingerprint {fingerprint}."),
    "beside": _(
        "Checked with the public key that lies with the evidence ({path}), fingerprint {fingerprint}. "
        "Whoever remade the evidence could have exchanged it: "
        "compare the fingerprint with the one filed in the minutes."
    ),
}

# What an interrupted program leaves, what was disposed of by a record, what to do about time stamps; no tampering.
NOTICES = frozenset(
    {
        *("head_behind", "leftover", "disposed_of", "disposal_unfinished"),
        *("stamp_ends", "stamp_lacking", "stamp_late", "stamp_unchecked"),
    }
)


@dataclass(frozen=True)
class Problem:
    """One thing `verify` found.

    run: the folder it concerns; empty for the archive itself.
    file: path in that folder; empty when it concerns the whole folder.
    code: a key of TEXTS.
    values: what fills the text's places.
    """

    run: str
    file: str
    code: str
    values: tuple[tuple[str, str], ...] = ()

    @property
    def is_failure(self) -> bool:
        """Tell whether the evidence fails by it; a notice is no sign of tampering."""
        return self.code not in NOTICES

    @property
    def message(self) -> str:
        """Return the sentence in English."""
        return TEXTS[self.code].format(**dict(self.values))

    def text(self, language: str = "en") -> str:
        """Return place and sentence in the reader's language."""
        sentence = translator(language)(TEXTS[self.code]).format(**dict(self.values))
        return f"{self.place()}: {sentence}" if self.place() else sentence

    def place(self) -> str:
        """Return run and file as a path."""
        return "/".join(part for part in (self.run, self.file) if part)


def problem(run: str, file: str, code: str, **values: object) -> Problem:
    """Return a Problem."""
    return Problem(run, file, code, tuple((key, str(value)) for key, value in values.items()))
