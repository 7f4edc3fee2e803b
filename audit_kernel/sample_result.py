"""What a month's judged sample says: the bounds by unit and over all, and where a plan of two stages stands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.parquet

from audit_kernel.errors import UsageError, VerificationError
from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain, keys
from audit_kernel.evidence.sealed_bag import refuse_disposed
from audit_kernel.evidence.verify import verify
from audit_kernel.sample_bounds import Bounds, Judged, bounds, in_proportion, two_stage_upper_bound
from audit_kernel.sample_design import STRATIFIED
from audit_kernel.sample_journal import Draw
from audit_kernel.sample_plans import TwoStages
from audit_kernel.statistics import percent_up, upper_limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from audit_kernel.sample_design import Design
    from audit_kernel.site import Site

TABLE = "data/tables/draw.parquet"
JUSTIFIED, UNJUSTIFIED, UNDECIDED = "justified", "unjustified", "undecided"
ACCEPTED, REFUSED, SECOND_STAGE, OPEN = "accepted", "refused", "second_stage", "open"


@dataclass(frozen=True)
class PartResult:
    """The result of one unit, or of all: what was drawn and judged, and the bounds of how many are unjustified.

    Undecided ones count as unjustified in `upper` and as justified in `lower`. `upper_percent` is the upper bound for
    a population without end (Clopper and Pearson), for one stratum only: what the month says of the time to come.
    """

    name: str
    population: int
    drawn: int
    unjustified: int
    undecided: int
    lower: int
    upper: int
    estimate: str
    upper_percent: str | None


@dataclass(frozen=True)
class SampleResult:
    """What a judged sample says; `stage` tells where a plan of two stages stands, empty for other plans."""

    month: str
    run: str
    draw: int
    plan: str
    confidence: str
    tolerable_rate: str
    total: PartResult
    units: tuple[PartResult, ...]
    stage: str = ""

    def as_plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Stratum:
    """A stratum's clusters in the order of the draw, each judged."""

    unit: str
    population: int
    stages: Sequence[int]
    judged: Sequence[str]

    def counted(self, bad: Sequence[str]) -> Judged:
        return Judged(self.population, len(self.judged), sum(each in bad for each in self.judged))


def sealed_sample(site: Site, month: str) -> tuple[Path, Draw, pa.Table]:
    """Return the newest sealed run of a month that drew a sample, its draw, and the rows drawn.

    Raises
    ------
    UsageError: there is none, or it was disposed of.
    VerificationError: the run does not verify.
    """
    runs = chain.archive_runs(site.archive_folder) if site.archive_folder.is_dir() else []
    for run in reversed(runs):
        folder = site.archive_folder / run.name
        if not (folder / TABLE).is_file():
            continue
        asked = json.loads((folder / bags.STATEMENT).read_bytes())["predicate"]["buildDefinition"]["externalParameters"]
        if asked.get("kind") != "monthly" or asked.get("period") != month or not asked.get("sample_draw"):
            continue
        if any(each.is_failure for each in verify(folder, site.keys_folder / keys.PUBLIC_NAME)):
            raise VerificationError(
                "The sealed run {run} does not verify.", "Run `audit-kernel verify` on the archive.", run=run.name
            )
        return folder, Draw.from_plain(asked["sample_draw"]), pyarrow.parquet.read_table(folder / TABLE)
    refuse_disposed(site, month)
    raise UsageError(
        "No sealed run of {month} holds a sample.", "Run it first: audit-kernel month {month}", month=month
    )


def sample_result(site: Site, month: str, decisions: pa.Table) -> SampleResult:
    """Return what the month's sample says after these decisions.

    Parameters
    ----------
    decisions: the latest of each subject: `subject_kind` (`sample` counts), `subject_key` (the sampling unit),
        `decision` (justified, unjustified; all else is undecided).

    Raises
    ------
    UsageError, VerificationError: see `sealed_sample`.
    """
    folder, draw, picked = sealed_sample(site, month)
    return judge(picked, draw.design, decisions, month=month, run=folder.name, draw=draw.number)


def judge(
    picked: pa.Table, design: Design, decisions: pa.Table, *, month: str = "", run: str = "", draw: int = 1
) -> SampleResult:
    """Return what drawn rows (of `sample/draw`) say after the decisions; see `sample_result`."""
    decided = {
        str(row["subject_key"]): str(row["decision"])
        for row in decisions.select(["subject_kind", "subject_key", "decision"]).to_pylist()
        if row["subject_kind"] == "sample"
    }
    strata, plan = _strata(picked, design, decided), design.decisions.plan
    units: dict[str, list[_Stratum]] = {}
    for stratum in strata:
        units.setdefault(stratum.unit, []).append(stratum)
    total, stage = _part("", strata, design, is_all=True), ""
    if plan == "two_stages" and strata:
        total, stage = _two_stages(strata[0], design)
    parts = [_part(name, each, design) for name, each in sorted(units.items())] if stage == "" else []
    of = design.decisions
    return SampleResult(month, run, draw, plan, of.confidence, of.tolerable_rate, total, tuple(parts), stage)


def _strata(picked: pa.Table, design: Design, decided: Mapping[str, str]) -> list[_Stratum]:
    """Return the strata; a cluster is unjustified where one of its rows is, undecided where one is."""
    of = design.decisions
    has_units = of.plan in STRATIFIED and "unit_id" in of.strata.split(", ")
    columns = ["stratum", "place", "stage", "n_stratum", "unit_key", "unit_id"]
    clusters: dict[str, dict[int, tuple[int, set[str]]]] = {}
    named: dict[str, tuple[str, int]] = {}
    for row in picked.select(columns).to_pylist():
        name = str(row["stratum"])
        named[name] = (str(row["unit_id"] or "-") if has_units else name, int(row["n_stratum"]))
        said = decided.get(str(row["unit_key"]), UNDECIDED)
        of_cluster = clusters.setdefault(name, {}).setdefault(int(row["place"]), (int(row["stage"]), set()))
        of_cluster[1].add(said if said in (JUSTIFIED, UNJUSTIFIED) else UNDECIDED)
    strata = []
    for name, places in sorted(clusters.items()):
        ordered = [places[place] for place in sorted(places)]
        judged = [next(each for each in (UNJUSTIFIED, UNDECIDED, JUSTIFIED) if each in said) for _, said in ordered]
        strata.append(_Stratum(*named[name], [stage for stage, _ in ordered], judged))
    return strata


def _part(name: str, strata: Sequence[_Stratum], design: Design, *, is_all: bool = False) -> PartResult:
    """Return the bounds over some strata."""
    surely = [each.counted((UNJUSTIFIED,)) for each in strata]
    unsure = [each.counted((UNJUSTIFIED, UNDECIDED)) for each in strata]
    if is_all and design.sample_size and len(strata) > 1:
        unsure = [
            in_proportion(
                each.population,
                -(-design.sample_size * each.population // design.population),
                [said != JUSTIFIED for said in each.judged],
            )
            for each in strata
        ]
    found = bounds(surely, unsure, design.decisions.confidence)
    n_unsure = sum(each.judged.count(UNDECIDED) for each in strata)
    endless = None
    if len(strata) == 1 and found.drawn:
        limit = upper_limit(found.bad + n_unsure, found.drawn, float(design.decisions.confidence))
        endless = str(percent_up(limit))
    return _result(name, found, n_unsure, endless)


def _result(name: str, found: Bounds, undecided: int, endless: str | None) -> PartResult:
    upper = max(found.upper, found.bad + undecided)
    estimate = f"{float(found.estimate):.1f}"
    return PartResult(name, found.population, found.drawn, found.bad, undecided, found.lower, upper, estimate, endless)


def _two_stages(stratum: _Stratum, design: Design) -> tuple[PartResult, str]:
    """Return the exact bound of a plan of two stages, and where it stands."""
    first = [said for said, stage in zip(stratum.judged, stratum.stages, strict=True) if stage == 1]
    second = stratum.judged[len(first) :]
    bad, open_first = first.count(UNJUSTIFIED), first.count(UNDECIDED)
    found = bad + open_first
    needs_second = found == 1 and bool(second)
    further = sum(said != JUSTIFIED for said in second) if needs_second else 0
    plan = TwoStages(len(first), len(stratum.judged))
    of = design.decisions
    upper = two_stage_upper_bound(plan, stratum.population, found, found + further, of.confidence)
    judged = list(stratum.judged) if needs_second else first
    known = judged.count(UNJUSTIFIED)
    alone = Judged(stratum.population, len(first), bad)  # the first stage alone has a size fixed beforehand
    lower = known if needs_second else bounds([alone], [alone], of.confidence).lower
    counts = (stratum.population, len(judged), known, judged.count(UNDECIDED), lower, upper)
    result = PartResult("", *counts, f"{stratum.population * known / len(judged):.1f}", None)
    return result, _stage(bad, open_first, second if needs_second else [])


def _stage(bad: int, open_first: int, second: Sequence[str]) -> str:
    """Return where the plan stands: accepted, refused, the second stage to be judged, or the first still open."""
    if bad > 1 or (bad == 1 and UNJUSTIFIED in second):
        return REFUSED
    if open_first:
        return OPEN
    if bad == 0:
        return ACCEPTED
    if not second:
        return REFUSED
    return SECOND_STAGE if UNDECIDED in second else ACCEPTED
