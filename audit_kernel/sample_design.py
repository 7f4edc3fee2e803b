"""The design of a month's sample: the plan decided on, its size over this frame, and what it promises.

It is fixed before the seed is known. Plans:

- days: employee-patient-days, in proportion to the strata (the default);
- two_stages: employee-patient-days without strata; more are judged only where exactly one is unjustified;
- unit_days: random days of each unit, all employee-patient-days of such a day;
- employees: a share of the employees, all their employee-patient-days;
- accesses: a share of the accesses, in proportion to the strata.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from audit_kernel import sample_plans
from audit_kernel.errors import SettingsError
from audit_kernel.sample_plans import Part
from audit_kernel.sampling import allocate
from audit_kernel.statistics import exact
from audit_kernel.thresholds import thresholds_valid_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pyarrow as pa

    from audit_kernel.site import Site

PLANS = ("days", "two_stages", "unit_days", "employees", "accesses")
STRATIFIED = ("days", "accesses")
STRATA_COLUMNS = ("unit_id", "unit_type", "role")
DAY = ["employee_id", "patient_id", "local_date"]
DIGITS = 10**4


@dataclass(frozen=True)
class Decisions:
    """What was decided on sampling, by the thresholds of the period's first day."""

    plan: str
    strata: str
    confidence: str
    tolerable_rate: str
    share: str
    minimum_per_stratum: int
    minimum_per_manager: int

    @property
    def frame_parameters(self) -> dict[str, Any]:
        """The parameters of `sample/frame`."""
        return {
            "sample_plan": self.plan,
            "sample_strata": self.strata,
            "minimum_per_manager": self.minimum_per_manager if self.plan in STRATIFIED else 0,
        }

    @property
    def fewest_of_stratum(self) -> int:
        """The fewest drawn of each stratum; a plan of two stages has none, and its sizes are exact."""
        return 0 if self.plan == "two_stages" else self.minimum_per_stratum


@dataclass(frozen=True)
class Promise:
    """If `bad` of `population` were bad, the `drawn` would contain one, or not be accepted, with at least `chance`.

    of: what is counted: days, unit_days, employees or accesses. Chances are rounded down to four digits.
    """

    of: str
    population: int
    drawn: int
    bad: int
    chance: str


@dataclass(frozen=True)
class Design:
    """A plan over one frame: sizes in what is drawn, and its promises, the first one in what is drawn."""

    decisions: Decisions
    population: int
    drawn: int
    sample_size: int
    first_stage_size: int
    promises: tuple[Promise, ...]

    @property
    def draw_parameters(self) -> dict[str, Any]:
        """The parameters of `sample/draw` besides period and seed."""
        return {
            **self.decisions.frame_parameters,
            "sample_size": self.sample_size,
            "first_stage_size": self.first_stage_size,
            "minimum_per_stratum": self.decisions.fewest_of_stratum,
        }

    def as_plain(self) -> dict[str, Any]:
        """Return it as it stands in a journal and a statement."""
        return {**asdict(self), "promises": [asdict(each) for each in self.promises]}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Design:
        """Return what `as_plain` gave."""
        decisions = Decisions(**values["decisions"])
        promises = tuple(Promise(**each) for each in values["promises"])
        return cls(**{**values, "decisions": decisions, "promises": promises})


def decisions(site: Site, day: date) -> Decisions:
    """Return what was decided on sampling by a day.

    Raises
    ------
    SettingsError: there is no such plan, or no such column to spread the sample over.
    """
    valid = thresholds_valid_on(day, site.folder)
    plan, strata = str(valid["sample_plan"].value), str(valid["sample_strata"].value)
    names = [name.strip() for name in strata.split(",") if name.strip()]
    checked = [("sample_plan", [plan], PLANS), ("sample_strata", names, STRATA_COLUMNS)]
    for threshold, given, allowed in checked:
        if unknown := [each for each in given if each not in allowed]:
            raise SettingsError(
                "thresholds.yml: {threshold} must not be {given!r}.",
                "There are: {allowed}.",
                threshold=threshold,
                given=unknown[0],
                allowed=", ".join(allowed),
            )
    return Decisions(
        plan,
        ", ".join(names),
        str(valid["sample_confidence"].value),
        str(valid["sample_tolerable_rate"].value),
        str(valid["sample_share"].value),
        int(valid["minimum_per_stratum"].value),
        int(valid["minimum_per_manager"].value),
    )


def design(frame: pa.Table, decided: Decisions) -> Design:
    """Return the design over a frame (rows of `sample/frame`, made with `decided.frame_parameters`).

    Raises
    ------
    ParameterError: confidence or tolerable rate is not between 0 and 1.
    """
    sizes, managers = _clusters(frame, decided.plan)
    counts = {name: len(each) for name, each in sizes.items()}
    population, rate = sum(counts.values()), exact(decided.tolerable_rate)
    minima = _minima(counts, managers, decided)
    first_stage = 0
    if decided.plan == "days":
        size = sample_plans.plan_strata(counts, decided.confidence, rate, minima)
    elif decided.plan == "two_stages":
        both = sample_plans.two_stages(population, decided.confidence, rate) if population else None
        size, first_stage = (both.total, both.first) if both else (0, 0)
    elif decided.plan == "unit_days":
        size = 0
    else:
        size = ceil(population * exact(decided.share))
    taken = allocate(counts, size, minima) if population else {}
    drawn = sum(taken.values())
    if first_stage:
        promises = [_sequence_promise(population, first_stage, size, rate)]
    else:
        promises = _promises(frame, decided, sizes, taken) if population else []
    return Design(decided, population, drawn, size, first_stage, tuple(promises))


def _clusters(frame: pa.Table, plan: str) -> tuple[dict[str, Sequence[int]], dict[str, str]]:
    """Return the size of each cluster and the manager, by stratum."""
    managers = frame.group_by(["stratum"]).aggregate([("manager_id", "min"), ("unit_key", "count")]).to_pylist()
    sizes: dict[str, Any]
    if plan in ("unit_days", "employees"):
        sizes = {row["stratum"]: [] for row in managers}
        for row in frame.group_by(["stratum", "cluster_key"]).aggregate([("unit_key", "count")]).to_pylist():
            sizes[row["stratum"]].append(row["unit_key_count"])
    else:
        sizes = {row["stratum"]: (1,) * row["unit_key_count"] for row in managers}
    return sizes, {row["stratum"]: row["manager_id_min"] for row in managers}


def _minima(counts: Mapping[str, int], managers: Mapping[str, str], decided: Decisions) -> dict[str, int]:
    """Return the fewest of each stratum, as `draw.sql` has them: a manager's are shared out among the strata."""
    fewest = decided.frame_parameters["minimum_per_manager"]
    of_manager: dict[str, int] = {}
    for name, count in counts.items():
        of_manager[managers[name]] = of_manager.get(managers[name], 0) + count
    return {
        name: max(decided.fewest_of_stratum, -(-fewest * count // of_manager[managers[name]]))
        for name, count in counts.items()
    }


def _promises(
    frame: pa.Table, decided: Decisions, sizes: Mapping[str, Sequence[int]], taken: Mapping[str, int]
) -> list[Promise]:
    """Return what is promised of the drawn clusters, and of the access-days in them in the worst case."""
    parts = [Part(len(each), taken[name]) for name, each in sizes.items()]
    population, drawn, rate = sum(part.population for part in parts), sum(taken.values()), exact(decided.tolerable_rate)
    bad = ceil(population * rate)
    missed = sample_plans.chance_of_missing(parts, bad)
    promises = [Promise(decided.plan, population, drawn, bad, _rounded_down(1 - missed))]
    if decided.plan in ("unit_days", "employees"):
        bad = ceil(frame.num_rows * rate)
        strata = [(taken[name], each) for name, each in sizes.items()]
        chance = 1 - sample_plans.chance_of_missing_clusters(strata, bad)
        promises.append(Promise("days", frame.num_rows, drawn, bad, _rounded_down(Fraction(chance))))
    if decided.plan == "accesses":
        n_days = frame.group_by(DAY).aggregate([]).num_rows
        bad = ceil(n_days * rate)  # in the worst case each with a single access
        promises.append(
            Promise("days", n_days, drawn, bad, _rounded_down(1 - sample_plans.chance_of_missing(parts, bad)))
        )
    return promises


def _sequence_promise(population: int, first: int, total: int, rate: Fraction) -> Promise:
    """Return what a plan of two stages promises: not to be accepted."""
    bad = ceil(population * rate)
    stages = sample_plans.TwoStages(first, total).stages
    risk = sample_plans.risk_in_sequence(stages if total > first else stages[:1], population, bad)
    return Promise("two_stages", population, total, bad, _rounded_down(1 - risk))


def _rounded_down(chance: Fraction) -> str:
    """Return a chance as a decimal text of four digits that promises no more than is true."""
    return f"{floor(chance * DIGITS) / DIGITS:.4f}"
