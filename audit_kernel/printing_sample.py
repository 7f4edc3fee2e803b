"""What the commands about a month's sample print."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from audit_kernel.evidence import sample_words as words
from audit_kernel.locale import format_percent
from audit_kernel.printing import Printer

if TYPE_CHECKING:
    from audit_kernel.sample_journal import Draw
    from audit_kernel.sample_result import SampleResult

GROUP = 4
SHORT = 16


def short_hash(digest: str) -> str:
    """Return the first 64 bits of a hash in groups of four, to be read aloud and written in the minutes."""
    return " ".join(digest[place : place + GROUP] for place in range(0, SHORT, GROUP))


class SamplePrinter(Printer):
    """Prints frame, seed and result of a month's sample, in one language."""

    def frame(self, draw: Draw, time_zone: str) -> None:
        """Print the registered frame: its hash, short and whole, and what a sample of it promises."""
        _ = self.translate
        entry = draw.frame["entry"]
        text = _("Frame of {month}, draw {number}: {short}")
        self.say(text.format(month=entry["month"], number=draw.number, short=short_hash(entry["frame_sha256"])))
        self.say(f"SHA-256 {entry['frame_sha256']}")
        self.say(words.journal_line_in_words(draw.frame, self.language, time_zone))
        for sentence in words.promises_in_words(draw.design, self.language):
            self.say(sentence)
        if not draw.seeded:
            self.say(_("Now the seed may be drawn: dice, before a witness. Then: audit-kernel sample seed"))

    def seed(self, draw: Draw, time_zone: str) -> None:
        """Print the registered seed and where it comes from."""
        _ = self.translate
        self.say(_("Seed: {seed}").format(seed=draw.seed))
        self.say(words.seed_in_words(draw, self.language))
        self.say(words.journal_line_in_words(draw.seeded or {}, self.language, time_zone))

    def sample_result(self, result: SampleResult) -> None:
        """Print the bounds over all and by unit, and where a plan of two stages stands."""
        _ = self.translate
        self.say(words.plan_in_words(result.plan, self.language))
        for sentence in words.result_in_words(result, self.language):
            self.say(sentence)
        if not result.units:
            return
        headings = (_("Stratum"), _("All"), _("Drawn"), _("Unjustified"), _("Undecided"), _("At least"), _("At most"))
        columns = [(heading, "end" if place else "") for place, heading in enumerate(headings)]
        columns += [(_("At most, share"), "end"), (_("For the time to come, at most"), "end")]
        rows = []
        for unit in result.units:
            counts = (unit.population, unit.drawn, unit.unjustified, unit.undecided, unit.lower, unit.upper)
            percent = unit.upper_percent
            endless = format_percent(Decimal(percent) / 100, self.language) if percent is not None else ""
            rows.append((unit.name, *map(self._number, counts), words.upper_rate(unit, self.language), endless))
        self._table(_("By stratum"), columns, rows)
