"""Made-up worlds: what is delivered of one, and, in another folder and only afterwards, what is true of it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from audit_kernel.demo.generator import generate
from audit_kernel.demo.settings import WorldSettings, calendar_of
from audit_kernel.yaml_file import read_model

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
    is_tuning: leaves the held-out families unplanted.
    is_quick: a small one of one month, for a test.
    """

    seed: int
    kind: Kind = "families"
    country: str = "SE"
    last_month: str = "2026-10"
    n_months: int = 3
    activity: float = 1.0
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
    employee_id: str
    account: str
    address: str
    patient_ids: frozenset[str]
    first_at: datetime
    last_at: datetime
    resembles: str = ""

    @property
    def subject(self) -> tuple[str, frozenset[str]]:
        """Whom it is about."""
        return self.employee_id or self.account or self.address, self.patient_ids


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
    made = folder / "made"
    world = generate(made, plan.seed, plan.last_month, _settings(plan), plan.country)
    shutil.rmtree(made / "truth")
    for part in ("logs", "reference"):
        (made / part).rename(folder / part)
    made.rmdir()
    logs = {path.name: source_id for path, source_id in zip(world.log_files, world.sources, strict=True)}
    told = {"country": plan.country, "logs": logs, "reference": list(world.reference_files)}
    (folder / "deliveries.json").write_text(json.dumps(told), encoding="utf-8")


def read_truth(folder: Path, plan: Plan) -> Truth:
    """Make the truth of the same world again, from its seed, in a folder of its own, and read it."""
    generate(folder, plan.seed, plan.last_month, _settings(plan), plan.country)
    episodes = tuple(_old_episode(row) for row in _rows(folder / "truth" / "truth.csv"))
    events = {
        (plan.country, row["record_number"]): row["episode"]
        for row in _rows(folder / "truth" / "truth_events.csv")
        if "record_number" in row
    }
    return Truth(episodes, events)


def _settings(plan: Plan) -> WorldSettings:
    return WorldSettings(n_months=plan.n_months, activity=plan.activity)


def _old_episode(row: dict[str, str]) -> Episode:
    return Episode(
        number=row["episode"],
        family=row["scenario"],
        is_planted=True,
        leaves_trace=True,
        employee_id=row["employee_id"],
        account="",
        address="",
        patient_ids=frozenset(row["patient_ids"].split()),
        first_at=datetime.fromisoformat(row["first_date"]),
        last_at=datetime.fromisoformat(f"{row['last_date']}T23:59:59"),
    )


def episode_of(row: dict[str, str]) -> Episode:
    """Return the episode of one line of episodes.csv."""
    return Episode(
        number=row["episode"],
        family=row["family"],
        is_planted=row["is_planted"] == "1",
        leaves_trace=row["leaves_trace"] == "1",
        employee_id=row["employee_id"],
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
