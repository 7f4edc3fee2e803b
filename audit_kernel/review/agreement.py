"""How far two reviewers agree who judged the same rows without knowing of each other: Cohen's kappa (Cohen, 1960).

Each one's first decision counts: what was changed later may have been talked over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from audit_kernel import decisions
from audit_kernel.locale import format_decimal, format_number, translator
from audit_kernel.review.status import listed_rows
from audit_kernel.review_reasons import DECISIONS, decision_words

if TYPE_CHECKING:
    from audit_kernel.site import Site

# Below this kappa says more of chance than of the reviewers: its standard error is about 0.2 and more.
FEWEST_ROWS = 20
# Landis and Koch, "The measurement of observer agreement for categorical data", Biometrics 33 (1977), 159-174.
DEGREES = ((Fraction(4, 5), "almost_perfect"), (Fraction(3, 5), "substantial"), (Fraction(2, 5), "moderate"))
LOWER_DEGREES = ((Fraction(1, 5), "fair"), (Fraction(0), "slight"))


@dataclass(frozen=True)
class Agreement:
    """What two reviewers each said of the same rows.

    n_rows: rows that two have. counts: rows by the first's and the second's decision, both in the order of `DECISIONS`.
    n_unsettled: rows about which they differ and nothing was settled; n_settled: rows that were settled.
    """

    n_rows: int
    counts: tuple[tuple[int, ...], ...]
    n_unsettled: int = 0
    n_settled: int = 0

    @property
    def n_both(self) -> int:
        """Rows that both have decided."""
        return sum(map(sum, self.counts))

    @property
    def n_agreed(self) -> int:
        """Rows of which both said the same."""
        return sum(self.counts[place][place] for place in range(len(self.counts)))

    @property
    def kappa(self) -> Fraction | None:
        """Cohen's kappa; None where both have decided too few rows, or chance alone would make them agree."""
        total = self.n_both
        if total < FEWEST_ROWS:
            return None
        firsts, seconds = map(sum, self.counts), map(sum, zip(*self.counts, strict=True))
        by_chance = sum((Fraction(a * b, total**2) for a, b in zip(firsts, seconds, strict=True)), Fraction(0))
        return None if by_chance == 1 else (Fraction(self.n_agreed, total) - by_chance) / (1 - by_chance)

    def as_plain(self) -> dict[str, Any]:
        """Return it for JSON, with kappa as a text of two decimals."""
        kappa = self.kappa
        figures = {"n_both": self.n_both, "n_agreed": self.n_agreed, "kappa": None if kappa is None else _text(kappa)}
        return {**asdict(self), "counts": list(map(list, self.counts)), **figures, "decisions": list(DECISIONS)}

    def __add__(self, other: Agreement) -> Agreement:
        """Return both together, as of two months."""
        counts = tuple(
            tuple(a + b for a, b in zip(*rows, strict=True)) for rows in zip(self.counts, other.counts, strict=True)
        )
        rest = (self.n_unsettled + other.n_unsettled, self.n_settled + other.n_settled)
        return Agreement(self.n_rows + other.n_rows, counts, *rest)


NOTHING = Agreement(0, ((0,) * len(DECISIONS),) * len(DECISIONS))


def from_plain(values: Mapping[str, Any]) -> Agreement:
    """Return what `as_plain` gave."""
    counts = tuple(tuple(map(int, row)) for row in values["counts"])
    return Agreement(int(values["n_rows"]), counts, int(values["n_unsettled"]), int(values["n_settled"]))


def agreement(site: Site, month: str) -> Agreement:
    """Return how far the reviewers of a month agree, by the lists of the run that lists were made from last.

    Raises
    ------
    UsageError: it is no month.
    JournalError: the journal cannot be read, or its chain is broken.
    """
    said = decisions.opinions(site, month)
    rows = {row.subjects for _name, listed in listed_rows(site, month).values() for row in listed if row.is_second}
    both = [said[subjects[0]] for subjects in sorted(rows) if subjects[0] in said]
    pairs = Counter((of.first[0]["decision"], of.second[0]["decision"]) for of in both if of.first and of.second)
    return Agreement(
        len(rows),
        tuple(tuple(pairs[first, second] for second in DECISIONS) for first in DECISIONS),
        sum(of.differ and not of.settled for of in both),
        sum(bool(of.settled) for of in both),
    )


def agreement_in_words(found: Agreement, language: str) -> list[str]:
    """Return what the figures mean, in plain sentences."""
    _ = translator(language)
    if not found.n_rows:
        return [_("No row was given to two reviewers, so nothing is known of how far reviewers agree.")]
    figures = {
        name: format_number(count, language)
        for name, count in {
            "rows": found.n_rows,
            "both": found.n_both,
            "agreed": found.n_agreed,
            "fewest": FEWEST_ROWS,
            "open": found.n_unsettled,
        }.items()
    }
    texts = [
        _(
            "{rows} rows were given to two reviewers, neither knowing of the other. Both have decided {both} of them"
            " and said the same of {agreed}."
        ).format(**figures)
    ]
    kappa = found.kappa
    if kappa is not None:
        text = _(
            "Cohen's kappa is {kappa}: {degree} (in the words of Landis and Koch, 1977). 0 is what chance alone would"
            " give, 1 is full agreement."
        )
        texts.append(text.format(kappa=format_decimal(float(_text(kappa)), language), degree=_degree(kappa, language)))
    elif found.n_both < FEWEST_ROWS:
        texts.append(
            _("Cohen's kappa is not computed: that takes at least {fewest} rows decided by both.").format(**figures)
        )
    else:
        texts.append(_("Cohen's kappa cannot be computed: both gave every row the same decision."))
    if found.n_unsettled:
        text = _.plural(
            "The two differ about {open} row that is not settled: it counts as undecided.",
            "The two differ about {open} rows that are not settled: they count as undecided.",
            found.n_unsettled,
        )
        texts.append(text.format(**figures))
    return texts


def table_rows(found: Agreement, language: str) -> list[tuple[str, ...]]:
    """Return the table of both decisions: a row for each of the first reviewer's, a column for each of the second's."""
    words = decision_words(language)
    return [
        (words[name], *(format_number(count, language) for count in row))
        for name, row in zip(DECISIONS, found.counts, strict=True)
    ]


def _degree(kappa: Fraction, language: str) -> str:
    _ = translator(language)
    words = {
        "almost_perfect": _("almost perfect agreement"),
        "substantial": _("substantial agreement"),
        "moderate": _("moderate agreement"),
        "fair": _("fair agreement"),
        "slight": _("slight agreement"),
    }
    found = next((name for least, name in (*DEGREES, *LOWER_DEGREES) if kappa > least), "")
    return words.get(found) or _("no better than chance")


def _text(kappa: Fraction) -> str:
    """Return two decimals, half up."""
    return f"{float(round(kappa, 2)):.2f}"
