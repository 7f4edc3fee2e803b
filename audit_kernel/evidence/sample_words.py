"""The sample in words: what was drawn, what that promises, where the seed comes from, how to repeat the draw."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from audit_kernel.locale import format_number, format_percent, format_timestamp, translator
from audit_kernel.sample_journal import DERIVED, FILE
from audit_kernel.sample_result import ACCEPTED, OPEN, REFUSED, SECOND_STAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from audit_kernel.sample_design import Design, Promise
    from audit_kernel.sample_journal import Draw
    from audit_kernel.sample_result import PartResult, SampleResult


def plan_in_words(plan: str, language: str) -> str:
    """Return the name of a plan."""
    _ = translator(language)
    words = {
        "days": _("Employee-patient-days, in proportion to the strata"),
        "two_stages": _("Employee-patient-days in two stages"),
        "unit_days": _("Random days of each unit, whole"),
        "employees": _("A share of the employees, with all their days"),
        "accesses": _("A share of the accesses"),
    }
    return words[plan]


def promises_in_words(design: Design, language: str) -> list[str]:
    """Return what the sample promises, the promise of what was drawn first, and how far it holds."""
    _ = translator(language)
    texts = [_promise(promise, design, language) for promise in design.promises]
    if not texts:
        return [_("No access-days in the period, so nothing was drawn.")]
    if design.decisions.plan in ("days", "accesses"):
        texts.append(
            _("That holds however the unjustified ones lie over the strata: the worst case was worked out exactly.")
        )
    elif design.decisions.plan in ("unit_days", "employees"):
        texts.append(
            _(
                "Look-ups of one employee or of one day resemble each other. So a sample of whole employees or days"
                " tells less than as many access-days drawn one by one; both figures are for the worst case."
            )
        )
    if Decimal(design.promises[0].chance) < Decimal(design.decisions.confidence):
        text = _("That is less than the {confidence} decided on: this plan's size is not chosen for it.")
        texts.append(text.format(confidence=_percent(design.decisions.confidence, language)))
    return texts


def _promise(promise: Promise, design: Design, language: str) -> str:
    _ = translator(language)
    templates = {
        "days": _(
            "If at least {rate} of the {frame} access-days were unjustified, this sample of {drawn} would contain one"
            " with at least {chance} probability, given that the reviewer recognises it."
        ),
        "two_stages": _(
            "If at least {rate} of the {frame} access-days were unjustified, this plan would accept them with at most"
            " {risk} probability, given that the reviewer recognises each. First {first} are judged: none unjustified"
            " accepts, two or more refuse. Where it is exactly one, the others up to {drawn} are judged too, and"
            " accept if no further one is found. No other sequence was planned, and none keeps that risk."
        ),
        "unit_days": _(
            "If at least {rate} of the {frame} days of units held an unjustified access, these {drawn} days of units"
            " would contain one with at least {chance} probability, given that the reviewer recognises it."
        ),
        "employees": _(
            "If at least {rate} of the {frame} employees had an unjustified access, these {drawn} employees would"
            " include one with at least {chance} probability, given that the reviewer recognises it."
        ),
        "accesses": _(
            "If at least {rate} of the {frame} accesses were unjustified, this sample of {drawn} would contain one"
            " with at least {chance} probability, given that the reviewer recognises it."
        ),
    }
    of_clusters = _(
        "If at least {rate} of all {frame} access-days were unjustified, in the worst case those of the fewest and"
        " largest, what was drawn would contain one with at least {chance} probability."
    )
    of_accesses = _(
        "If at least {rate} of all {frame} access-days were unjustified, each by a single access, these {drawn}"
        " accesses would contain one with at least {chance} probability."
    )
    is_one_stage = promise.of == "two_stages" and design.first_stage_size == promise.drawn
    template = templates["days" if is_one_stage else promise.of]
    if promise.of != design.decisions.plan:
        template = of_accesses if design.decisions.plan == "accesses" else of_clusters
    return template.format(
        rate=_percent(design.decisions.tolerable_rate, language),
        frame=format_number(promise.population, language),
        drawn=format_number(promise.drawn, language),
        chance=_percent(promise.chance, language),
        risk=_percent(1 - Decimal(promise.chance), language),
        first=format_number(design.first_stage_size, language),
    )


def seed_in_words(draw: Draw, language: str) -> str:
    """Return where the seed comes from, and whether it could have been known before the frame."""
    _ = translator(language)
    entry = draw.seeded["entry"] if draw.seeded else {}
    if entry.get("origin") == DERIVED:
        text = _(
            "Nobody chose it: it is SHA-256 of the frame's hash, | and the hash of the archive's head at that time"
            " ({head}). Anyone can repeat that; only who seals runs could have foreseen it."
        )
        return text.format(head=entry["archive_head"])
    by_whom = _("Given by {user}; no witness was named.")
    if entry.get("witness"):
        by_whom = _("Given by {user}; witness: {witness}.")
    said = by_whom.format(user=entry.get("user", ""), witness=entry.get("witness", ""))
    order = _("It was given in the same command that wrote the frame's hash, so it may have been known before.")
    if entry.get("is_frame_first"):
        order = _("The hash of the frame stood in the journal before.")
    return f"{said} {order}"


def journal_line_in_words(line: Mapping[str, Any], language: str, time_zone: str) -> str:
    """Return where a line stands in the journal, when it was written, and its hash."""
    _ = translator(language)
    text = _("line {number} of {file}, {moment}, hash {hash}")
    moment = format_timestamp(datetime.fromisoformat(str(line["at"])), language, time_zone)
    return text.format(number=line["sequence"], file=FILE, moment=moment, hash=line["hash"])


def repeat_in_words(draw: Draw, language: str) -> str:
    """Return how anyone repeats the draw, with nothing but sha256sum."""
    _ = translator(language)
    text = _(
        "printf '%s' 'SEED|UNIT' | sha256sum gives the hash that orders what is drawn; in each stratum the smallest"
        " were drawn. UNIT is {unit}. audit-kernel sample list {month} prints the frame; its sha256sum is the hash of"
        " the frame."
    )
    units = {
        "unit_days": _("stratum and date, with | between"),
        "employees": _("the employee"),
    }
    plan, month = draw.design.decisions.plan, draw.frame["entry"]["month"]
    return text.format(unit=units.get(plan, _("the sampling unit as the table shows it")), month=month)


def result_in_words(result: SampleResult, language: str) -> list[str]:
    """Return what a judged sample says of all: its bounds, and where a plan of two stages stands."""
    _ = translator(language)
    total = result.total
    text = _(
        "{drawn} of {population} drawn: {unjustified} unjustified, {undecided} undecided. With {confidence}"
        " confidence at most {upper} ({rate}) are unjustified, and with the same confidence at least {lower}."
    )
    names = ("drawn", "population", "unjustified", "undecided", "upper", "lower")
    figures = {name: format_number(getattr(total, name), language) for name in names}
    confidence = format_percent(Decimal(result.confidence), language, 0)
    texts = [text.format(confidence=confidence, rate=upper_rate(total, language), **figures)]
    if total.undecided:
        texts.append(_("What is undecided or to be followed up counts as unjustified in the upper bound."))
    stages = {
        ACCEPTED: _("The plan of two stages accepts: {rate} or more unjustified is ruled out."),
        REFUSED: _("The plan of two stages does not accept: {rate} or more unjustified is not ruled out."),
        SECOND_STAGE: _("Exactly one of the first stage is unjustified: judge the second stage."),
        OPEN: _("The first stage is not judged yet: nothing follows before it is."),
    }
    rate = format_percent(Decimal(result.tolerable_rate), language)
    return [*texts, *([stages[result.stage].format(rate=rate)] if result.stage else [])]


def upper_rate(part: PartResult, language: str) -> str:
    """Return the upper bound as a share, rounded up to a tenth of a per cent."""
    if not part.population:
        return ""
    tenths = -(-Fraction(part.upper, part.population) * 1000 // 1)
    return format_percent(Decimal(int(tenths)) / 1000, language)


def _percent(rate: Decimal | str, language: str) -> str:
    """Return a rate in per cent with all the digits that it has."""
    share = Decimal(str(rate)).normalize()
    return format_percent(share, language, max(0, -int(share.as_tuple().exponent) - 2))
