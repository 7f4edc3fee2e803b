"""The page over the use log, the control of the controllers: who looked at whom, why, and how much."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import USE_LINES, USE_PEOPLE, USE_USERS
from audit_kernel.errors import NotAssessableError
from audit_kernel.evidence import restricted
from audit_kernel.evidence.display import Facts, Heading, Paragraph
from audit_kernel.evidence.masking import masked_notice
from audit_kernel.evidence.page import Page
from audit_kernel.locale import format_number, translator
from audit_kernel.parameters import PERIOD
from audit_kernel.use_log_rows import Place, Used, place_now, read_use, users_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.query import Result

PURPOSES, PEOPLE, COLLEAGUES, ACTS = "use_by_purpose", "use_by_person", "use_of_colleagues", "use_acts"
OWN = ("own_record", "own_log")


class ControlPage(Page):
    """The use of this program in a period; see `Page` for the arguments.

    The parameter `use_log` says up to which line the use log is read (`use_log_rows.Place`): to its end when empty.
    """

    def __init__(self, name: str, run: str, language: str, parameters: Mapping[str, Any]) -> None:
        given = dict(parameters)
        self._asked_to = str(given.pop("use_log", ""))
        self.used = Used()
        self.parts: dict[str, Result | None] = {}
        super().__init__(name, run, language, given)

    def ask(self) -> Result:
        """Read the use log, make it relations, and ask.

        Raises
        ------
        NotAssessableError: its last line is damaged, or no whole period is asked about.
        """
        place = Place.of(self._asked_to) or place_now(self.site)
        if place is None or not all(self.given.get(name) for name in PERIOD):
            raise NotAssessableError(self.query.name, USE_LINES)
        first, last = (date.fromisoformat(str(self.given[name])) for name in PERIOD)
        held: restricted.Holds | None = restricted.read_apart(self.run).holds if self.run.kept_apart else None
        if held and self.mask:
            held = self._held_by_pseudonym(held)
        self.used = read_use(self.site, place, first, last, held, shows_apart=self.run.shows_restricted)
        lines, people = self.used.tables()
        for name, rows in ((USE_LINES, lines), (USE_PEOPLE, people), (USE_USERS, users_table(self.site))):
            self.store.keep_rows(name, rows)
        for name in (PURPOSES, PEOPLE, COLLEAGUES, ACTS):
            try:
                self.parts[name] = self.answer_to(self.store.catalog.query(name, "reports"), self.given)
            except NotAssessableError:
                self.parts[name] = None
        return self.answer_to(self.query, self.given)

    def _held_by_pseudonym(self, held: restricted.Holds) -> restricted.Holds:
        """Return the same question about ids where a masked run knows people by pseudonym."""

        def holds(employee_id: str | None, patient_id: str | None) -> bool:
            of = self.mask.pseudonyms.of if self.mask else None
            masked = [
                of(kind, each) if of and each else None
                for kind, each in (("employee", employee_id), ("patient", patient_id))
            ]
            return held(*masked)

        return holds

    def summary(self) -> None:
        """Show how much was asked, each zero as loudly as any number, and what cannot be seen or assessed."""
        if self.result is None:
            super().summary()
            return
        _ = translator(self.language)
        text = _.plural(
            "{questions} question by people (users: {users}). Lines of the use log read: {lines}.",
            "{questions} questions by people (users: {users}). Lines of the use log read: {lines}.",
            self._n_questions,
        )
        figures = {"questions": self._n_questions, "users": len(self._people_rows), "lines": self.used.n_lines}
        shown = {name: format_number(count, self.language) for name, count in figures.items()}
        self._show(Paragraph(text.format(**shown), "summary"))
        for warning in self._warnings():
            self._show(Paragraph(warning, "warning"))
        if notices := self.notices():
            self._show(Paragraph(" ".join(notices), "notice"))
        self._show(Facts([*self.facts(), *self._figures()]))

    def notices(self) -> list[str]:
        """Return what is left out, and that a masked page is one; what the logs lack is no matter here."""
        _ = translator(self.language)
        notices = []
        if self.used.n_apart and not self.run.shows_restricted:
            text = _.plural(
                "{count} line about people in open cases is left out: only the privacy officer reads it.",
                "{count} lines about people in open cases are left out: only the privacy officer reads them.",
                self.used.n_apart,
            )
            notices.append(text.format(count=format_number(self.used.n_apart, self.language)))
        if self.run.shows_restricted:
            notices += restricted.notice(self.run, self.language)
        return notices + ([masked_notice(self.language)] if self.mask else [])

    def purposes(self) -> None:
        """Show each purpose, those without a case number first."""
        self._part(PURPOSES)

    def people(self) -> None:
        """Show who looked at whom."""
        self._part(PEOPLE)

    def colleagues(self) -> None:
        """Show look-ups of oneself, of colleagues and of other users, or why they cannot be assessed."""
        self._part(COLLEAGUES)

    def acts(self) -> None:
        """Show decisions and exports."""
        self._part(ACTS)

    def done(self, **facts: Any) -> None:  # noqa: ANN401 - shown by the index page
        """Report the figures for the index as well."""
        if self.result is not None:
            last = {"n_use_questions": self._n_questions, "n_use_lines": self.used.n_lines}
            facts |= {**last, "n_use_without_case": self._count_without_case}
        super().done(**facts)

    def _part(self, name: str) -> None:
        if self.result is None:
            return
        _ = translator(self.language)
        result = self.parts[name]
        title = self.store.catalog.query(name, "reports").description.title.in_language(self.language)
        self._show(Heading(title))
        if result is None:
            self._show(Paragraph(_("Not assessable"), "summary"), Paragraph(_not_mapped(self.language), "warning"))
        elif result.table.num_rows:
            self.table_of(result, f"{self.name}_{name}")
        else:
            self._show(Paragraph(_("None, among {count} lines of the use log.").format(count=self._number_of_lines)))

    def _warnings(self) -> list[str]:
        _ = translator(self.language)
        warnings = []
        if self.used.n_damaged:
            text = _.plural(
                "{count} line of the use log is damaged and was passed over: what it told is not on this page.",
                "{count} lines of the use log are damaged and were passed over: what they told is not on this page.",
                self.used.n_damaged,
            )
            warnings.append(text.format(count=format_number(self.used.n_damaged, self.language)))
        if not self.used.is_whole:
            warnings.append(_("The use log does not hold the line that it was read to: it was changed or cut off."))
        unknown = sum(row["employee_id"] is None for row in self._people_rows)
        if unknown and self.parts[COLLEAGUES] is not None:
            text = _.plural(
                "For {count} user look-ups of colleagues cannot be assessed: use_log.users does not say who it is.",
                "For {count} users look-ups of colleagues cannot be assessed: use_log.users does not say who they are.",
                unknown,
            )
            warnings.append(text.format(count=format_number(unknown, self.language)))
        return warnings

    def _figures(self) -> list[tuple[str, str]]:
        """Return what a reader looks for first, zeros too."""
        _ = translator(self.language)
        colleagues = self.parts[COLLEAGUES]
        ties = colleagues.table.select(["use_tie", "n_questions"]).to_pylist() if colleagues else []
        own = sum(row["n_questions"] for row in ties if row["use_tie"] in OWN)
        others = sum(row["n_questions"] for row in ties if row["use_tie"] not in OWN)
        unknown = _("not assessable")
        totals = {name: sum(row[name] for row in self._people_rows) for name in ("n_rows", "n_own_sql", "n_acts")}
        pairs: list[tuple[str, int | str]] = [
            (_("Rows handed out"), totals["n_rows"]),
            (_("Questions and acts without a case number"), self._count_without_case),
            (_("Questions in own SQL: whose data they showed cannot be said"), totals["n_own_sql"]),
            (_("Look-ups of oneself"), own if colleagues else unknown),
            (_("Look-ups of colleagues and other users"), others if colleagues else unknown),
            (_("Decisions and exports"), totals["n_acts"]),
            (_("Questions of the control's own runs"), self._sum("n_questions", is_control=True)),
        ]
        return [(label, each if isinstance(each, str) else format_number(each, self.language)) for label, each in pairs]

    @property
    def _people_rows(self) -> list[dict[str, Any]]:
        rows = self.result.table.to_pylist() if self.result else []
        return [row for row in rows if not row["is_control"]]

    @property
    def _n_questions(self) -> int:
        return self._sum("n_questions", is_control=False)

    @property
    def _count_without_case(self) -> int:
        return self._sum("n_without_case", is_control=False)

    @property
    def _number_of_lines(self) -> str:
        return format_number(self.used.n_lines, self.language)

    def _sum(self, column: str, *, is_control: bool) -> int:
        rows = self.result.table.select(["is_control", column]).to_pylist() if self.result else []
        return sum(int(row[column]) for row in rows if row["is_control"] == is_control)


def _not_mapped(language: str) -> str:
    _ = translator(language)
    return _(
        "This cannot be assessed, because the setting use_log.users does not say which employee a user is. It does not"
        " mean that nobody looked up a colleague or themselves."
    )
