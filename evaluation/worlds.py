"""Made-up worlds: what is delivered of one, and, in another folder and only afterwards, what is true of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from audit_kernel.demo.settings import EVALUATION, NULL_WORLD, WorldSettings, calendar_of
from audit_kernel.demo.world import write_truth, write_world
from audit_kernel.demo.world.accounts import COUNTRY_OF_NETWORK as NETWORKS
from audit_kernel.demo.world.planting import FAMILIES
from audit_kernel.yaml_file import read_model

COUNTRY = "SE"
EPISODES_OF_A_FAMILY = 1  # with its twenty honest look-alikes a world of 300 people has 525 stories a month
TUNING = Path(__file__).with_name("tuning.yml")


class Tuning(BaseModel):
    """What `tuning.yml` holds: families of incidents that no tuning may see."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_out: tuple[str, ...]


def held_out() -> tuple[str, ...]:
    """Return the families that are never used for tuning."""
    return read_model(TUNING, Tuning).held_out


Kind = Literal["families", "prevalence", "clean"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One world to be made.

    Parameters
    ----------
    kind: `families` plants some of each family, `prevalence` 1 per 1,000 employees and month, `clean` nothing.
    last_month: YYYY-MM, whose control is judged.
    n_accesses: log rows of an employee and month, about; a clean world has its own.
    is_tuning: leaves the held-out families unplanted.
    is_quick: a small one, for a test.
    """

    seed: int
    kind: Kind = "families"
    last_month: str = "2026-10"
    n_months: int = 3
    n_accesses: int = EVALUATION.accesses_per_month
    is_tuning: bool = False
    is_quick: bool = False

    @property
    def months(self) -> list[str]:
        """The world's months, YYYY-MM."""
        return [f"{first:%Y-%m}" for first in calendar_of(self.last_month, self.n_months).months]


@dataclass(frozen=True, slots=True)
class Episode:
    """One story of the truth, planted or an honest hard case; times in UTC, without offset as the store has them."""

    number: str
    family: str
    is_planted: bool
    leaves_trace: bool
    employee_ids: frozenset[str]
    account: str
    address: str
    patient_ids: frozenset[str]
    first_at: datetime
    last_at: datetime
    resembles: str = ""


@dataclass(frozen=True, slots=True)
class Truth:
    """All episodes of a world, and which events of the logs belong to each: (source_id, event_id) to episode."""

    episodes: tuple[Episode, ...]
    events: dict[tuple[str, str], str]

    def planted(self, first: datetime, end: datetime) -> list[Episode]:
        """Return the planted episodes that have a part in [first, end)."""
        return [each for each in self.episodes if each.is_planted and each.last_at >= first and each.first_at < end]


def write_deliveries(folder: Path, plan: Plan) -> None:
    """Write `folder`/logs, /reference and deliveries.json: what a site would be handed, nothing of the truth."""
    world = write_world(folder, settings_of(plan), plan.seed, plan.last_month)
    logs = {path.name: source_id for path, source_id in zip(world.log_files, world.sources, strict=True)}
    told = {"country": COUNTRY, "logs": logs, "reference": list(world.reference_files), "networks": NETWORKS}
    (folder / "deliveries.json").write_text(json.dumps(told), encoding="utf-8")


def read_truth(folder: Path, plan: Plan) -> Truth:
    """Make the truth of the same world again, from its seed, in a folder of its own, and read it."""
    episodes, events = write_truth(folder, settings_of(plan), plan.seed, plan.last_month)
    return Truth(
        tuple(episode_of(row) for row in _rows(episodes) if row["first_at"]),  # what a lost file took is in no log
        {(row["source_id"], row["event_id"]): row["episode"] for row in _rows(events)},
    )


def settings_of(plan: Plan) -> WorldSettings:
    """Return the generator's settings of a plan."""
    if plan.kind == "clean":
        return NULL_WORLD
    families = tuple(name for name in FAMILIES if not (plan.is_tuning and name in held_out()))
    settings = replace(EVALUATION, n_months=plan.n_months, families=families, accesses_per_month=plan.n_accesses)
    if plan.is_quick:
        settings = replace(settings, n_employees=150, n_patients=400, accesses_per_month=300, hard_case_ratio=1)
    if plan.kind == "families":
        return replace(settings, n_per_family=1 if plan.is_quick else EPISODES_OF_A_FAMILY)
    return settings


def episode_of(row: Mapping[str, str]) -> Episode:
    """Return the episode of one line of episodes.csv."""
    return Episode(
        number=row["episode"],
        family=row["family"],
        is_planted=row["is_planted"] == "1",
        leaves_trace=row["leaves_trace"] == "1",
        employee_ids=frozenset(row["employee_id"].split()),
        account=row["account"],
        address=row["address"],
        patient_ids=frozenset(row["patient_ids"].split()),
        first_at=_utc(row["first_at"]),
        last_at=_utc(row["last_at"]),
        resembles=row.get("resembles", ""),
    )


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        yield from csv.DictReader(file, delimiter=";" if ";" in header else ",")
