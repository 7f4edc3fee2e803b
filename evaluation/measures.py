"""The table: each measure of the product beside the baselines, what was published, and what must be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit_kernel.statistics import clopper_pearson
from evaluation.baselines import BASELINES
from evaluation.run import PRODUCT, Judged
from evaluation.shares import Share, total

METHODS = (PRODUCT, *BASELINES)
RANDOM = "random sample"
PER_THOUSAND = 1000
SLOW = "slow_browser"
# What is asked of the product: the least, or the most where a bound is said to be so.
LEAST_EXPLAINED, LEAST_FIRST, MOST_CHANCE = 0.98, 0.92, 0.02
LEAST_RECALL, LEAST_OF_A_FAMILY, LEAST_SLOW, LEAST_DRUG = 0.95, 0.80, 0.90, 0.98
FEWEST_CLEAN = 20  # of fewer worlds even one alert in each leaves the limit below q, or near it
LEAST_PRECISION, LEAST_TIMES, LEAST_COVERAGE = 0.60, 10, 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `cells`: by method. `is_met` is None where it was not measured or nothing is asked."""

    name: str
    published: str
    must: str
    cells: Mapping[str, str]
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What all worlds showed. `coverage`: of the sample's bound, by unit; `false_discovery_rate`: q."""

    worlds: Sequence[Judged]
    coverage: Mapping[str, Share]
    false_discovery_rate: float
    held_out: Sequence[str]

    def of_kind(self, *kinds: str) -> list[Judged]:
        """Return the worlds of these kinds."""
        return [each for each in self.worlds if each.plan.kind in kinds]

    def figures(self) -> list[Figure]:
        """Return all lines."""
        return [*self._reasons(), *self._recall(), *self._precision(), *self._others()]

    def _reasons(self) -> list[Figure]:
        worlds = self.of_kind("families", "prevalence")
        explained = total(each.explained for each in worlds)
        first = total(each.first_explained for each in worlds)
        chance = total(each.chance_explained for each in worlds)
        return [
            _share("legitimate accesses explained", "> 94 %", "at least 98 %", explained, LEAST_EXPLAINED),
            _share("first accesses of a pair explained", "-", "at least 92 %", first, LEAST_FIRST),
            _share("random pairs explained", "-", "at most 2 %", chance, MOST_CHANCE, is_most=True),
        ]

    def _recall(self) -> list[Figure]:
        name = "recall of planted episodes that leave a trace"
        groups: list[tuple[str, Callable[[str], bool]]] = [
            (name, lambda _family: True),
            (f"{name}: families held out", lambda family: family in self.held_out),
            (f"{name}: the other families", lambda family: family not in self.held_out),
        ]
        lines = []
        for title, is_in in groups:
            recall = {method: self.recall(method, is_in) for method in METHODS}
            lines.append(
                Figure(
                    title,
                    "0.76-0.79" if title == name else "",
                    "at least 95 %" if title == name else "",
                    {method: str(share) for method, share in recall.items()},
                    _met(recall[PRODUCT], LEAST_RECALL) if title == name else None,
                )
            )
        by_family = {family: shares for family, shares in self.families().items() if self.leaves_trace(family)}
        if by_family:
            worst = min(by_family, key=lambda family: by_family[family][PRODUCT].rate)
            cells = {method: f"{worst}: {by_family[worst][method]}" for method in METHODS}
            met = _met(by_family[worst][PRODUCT], LEAST_OF_A_FAMILY)
            lines.append(Figure("the family found least of those that leave a trace", "-", "at least 80 %", cells, met))
        return lines

    def recall(self, method: str, is_in: Callable[[str], bool]) -> Share:
        """Return the recall over the families that leave a trace and for which `is_in` holds."""
        worlds = self.of_kind("families", "prevalence")
        return total(
            share
            for each in worlds
            for family, share in each.recall[method].items()
            if each.traces[family] and is_in(family)
        )

    def families(self) -> dict[str, dict[str, Share]]:
        """Return each family's recall by method."""
        found: dict[str, dict[str, Share]] = {}
        for world in self.of_kind("families", "prevalence"):
            for method, shares in world.recall.items():
                for family, share in shares.items():
                    of_family = found.setdefault(family, dict.fromkeys(METHODS, Share()))
                    of_family[method] += share
        return dict(sorted(found.items()))

    def leaves_trace(self, family: str) -> bool:
        """Say whether the truth says that a family leaves a trace."""
        return any(each.traces.get(family, False) for each in self.worlds)

    def precision(self, method: str) -> float | None:
        """Return the precision at 1 planted per 1,000 employees and month, None where it was not measured.

        True alerts for each planted episode come from all worlds, false ones for each 1,000 employees from those with
        that many planted: both are counted where there are enough of them.
        """
        all_worlds, usual = self.of_kind("families", "prevalence"), self.of_kind("prevalence")
        n_planted = sum(each.n_planted for each in all_worlds)
        n_employees = sum(each.n_employees for each in usual)
        if not n_planted or not n_employees:
            return None
        of_method = total(each.alerts[method] for each in usual)
        true = sum(each.alerts[method].part for each in all_worlds) / n_planted
        false = PER_THOUSAND * (of_method.whole - of_method.part) / n_employees
        return true / (true + false) if true + false else None

    def _precision(self) -> list[Figure]:
        rates = {method: self.precision(method) for method in METHODS}
        cells = {method: "-" if rate is None else f"{100 * rate:.2f} %" for method, rate in rates.items()}
        own, random = rates[PRODUCT], rates[RANDOM]
        name = "precision of the alerts issued, breach and anomaly, at 1 planted per 1,000 employees and month"
        met = None if own is None else own >= LEAST_PRECISION
        times = None if own is None or random is None else own / random if random else float("inf")
        met_times = None if times is None else times >= LEAST_TIMES
        shown = {PRODUCT: "-" if times is None else f"{times:.1f} x"}
        return [
            Figure(name, "-", "at least 60 %", cells, met),
            Figure("the same, times the random sample", "-", "at least 10 x", shown, met_times),
        ]

    def _others(self) -> list[Figure]:
        slow = {method: self.families().get(SLOW, {}).get(method, Share()) for method in METHODS}
        clean = self.of_kind("clean")
        alarmed = Share(sum(each.clean_alerts > 0 for each in clean), len(clean))
        lower = clopper_pearson(alarmed.part, alarmed.whole)[0] if clean else 0.0
        sensitivity = total(each.drug_sensitivity for each in self.worlds)
        specificity = total(each.drug_specificity for each in self.worlds)
        q = self.false_discovery_rate
        held = total(self.coverage.values())
        least = min(self.coverage.values(), key=lambda each: each.rate, default=Share())
        possible = clopper_pearson(least.part, least.whole)[1] if least.whole else 0.0
        return [
            Figure(
                "slow browser found in the first monthly run with 3 months of data",
                "years, by citizens",
                "in 90 % of worlds",
                {method: str(share) for method, share in slow.items()},
                _met(slow[PRODUCT], LEAST_SLOW),
            ),
            Figure(
                "worlds without incidents with any alert of the false-discovery-controlled checks",
                "-",
                f"lower 95 % limit at most {q:g}",
                {PRODUCT: f"{alarmed}, lower limit {100 * lower:.1f} %" if clean else "-"},
                False if lower > q else True if len(clean) >= FEWEST_CLEAN else None,
            ),
            _share("drug diversion: sensitivity", "96.6 %", "at least 98 %", sensitivity, LEAST_DRUG),
            _share("drug diversion: specificity", "95.9 %", "at least 98 %", specificity, LEAST_DRUG),
            Figure(
                "sample: draws in which the 95 % bound holds",
                "95 %",
                "at least 95 %",
                {PRODUCT: f"{held}; of what is covered least {100 * least.rate:.1f} %"},
                held.rate >= LEAST_COVERAGE and possible >= LEAST_COVERAGE if held.whole else None,
            ),
        ]


def _share(name: str, published: str, must: str, share: Share, bound: float, *, is_most: bool = False) -> Figure:
    return Figure(name, published, must, {PRODUCT: str(share)}, _met(share, bound, is_most=is_most))


def _met(share: Share, bound: float, *, is_most: bool = False) -> bool | None:
    if not share.whole:
        return None
    return share.rate <= bound if is_most else share.rate >= bound


def counted(parts: Iterable[Mapping[tuple[str, ...], int]]) -> list[tuple[tuple[str, ...], int]]:
    """Add up counts over worlds, the largest first."""
    sums: dict[tuple[str, ...], int] = {}
    for part in parts:
        for key, number in part.items():
            sums[key] = sums.get(key, 0) + number
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
