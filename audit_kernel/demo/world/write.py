"""Writes a world: its deliveries, as a site's systems would make them, and apart from them, its truth."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit_kernel.demo.export import WrittenLogs
from audit_kernel.demo.lines import Records, write_months
from audit_kernel.demo.mcss import HEADERS, accesses_and_searches
from audit_kernel.demo.references import write_table
from audit_kernel.demo.settings import EVALUATION, WorldSettings
from audit_kernel.demo.world.build import Built, build
from audit_kernel.demo.world.notes import NOTES

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.demo.world.story import Story

LAST_MONTH = "2026-10"
EPISODES = (
    "episode family is_planted resembles leaves_trace employee_id account address patient_ids unit_id"
    " first_at last_at n_events description"
)
EVENTS = "source_id event_id episode file_name line_number"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What was written: the files of the logs, the log that each is of, and the reference files by kind."""

    log_files: list[Path]
    sources: list[str]
    reference_files: dict[str, Path]
    n_records: int


def write_world(
    folder: Path, settings: WorldSettings = EVALUATION, seed: int = 1, last_month: str = LAST_MONTH
) -> Deliveries:
    """Write the deliveries of a world into `folder`/logs and /reference, and nothing that tells what is planted.

    Raises
    ------
    UsageError: `last_month` is not a month.
    """
    for part in ("logs", "reference"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    built = build(settings, seed, last_month)
    written = _logs(folder / "logs", built)
    references = {
        kind: write_table(folder / "reference" / f"{kind}.csv", header, rows)
        for kind, (header, rows) in built.tables.items()
    }
    return Deliveries(written.paths, written.sources, references, written.n_records)


def write_truth(
    folder: Path, settings: WorldSettings = EVALUATION, seed: int = 1, last_month: str = LAST_MONTH
) -> tuple[Path, Path]:
    """Write episodes.csv and events.csv of the world that `write_world` makes of the same settings and seed.

    Raises
    ------
    UsageError: `last_month` is not a month.
    """
    folder.mkdir(parents=True, exist_ok=True)
    built = build(settings, seed, last_month)
    written = _logs(None, built)
    found = list(zip(written.planted, written.event_ids, strict=True))
    counts: dict[int, int] = {}
    for (number, _day, _key), _event_id in found:
        counts[number] = counts.get(number, 0) + 1
    moments = _moments(built)
    episodes = [_row(built, story, counts.get(story.number, 0), moments[story.number]) for story in built.stories]
    events = [(key[0], event_id, number, *key[1:]) for (number, _day, key), event_id in found]
    return (
        write_table(folder / "episodes.csv", EPISODES, episodes),
        write_table(folder / "events.csv", EVENTS, events),
    )


def _logs(folder: Path | None, built: Built) -> WrittenLogs:
    """Write the four logs, or only find what each planted record is called."""
    notes = [("Ja" if note.is_broken else "Nej", note.text) for note in NOTES]
    accesses, searches = accesses_and_searches(built.desk, built.log, built.sittings, notes, keeps_home=False)
    logs = (
        accesses,
        Records.of(built.signed_in, HEADERS["mcss_authentication"]),
        Records.of(built.drugs, HEADERS["mcss_medication"]),
        searches,
    )
    written = WrittenLogs([], [], 0, EVENTS, [])
    for (source_id, header), records in zip(HEADERS.items(), logs, strict=True):
        write_months(folder, built.calendar, source_id, header, records, written)
    return written


def _moments(built: Built) -> dict[int, tuple[str, str]]:
    """Return first and last moment of each episode, in UTC."""
    seconds: dict[int, list[int]] = {story.number: [] for story in built.stories}
    events = built.log.events
    is_told = events.episode > 0
    for at, number in zip(events.at[is_told].tolist(), events.episode[is_told].tolist(), strict=True):
        seconds[number].append(at)
    for entries in (built.signed_in, built.drugs):
        for at, number in zip(entries.at, entries.episode, strict=True):
            if number:
                seconds[number].append(at)
    return {
        number: (_iso(min(moments)), _iso(max(moments))) if moments else ("", "") for number, moments in seconds.items()
    }


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def _row(built: Built, story: Story, n_events: int, moments: tuple[str, str]) -> tuple[object, ...]:
    patients = built.desk.world.patients
    return (
        story.number,
        story.family,
        int(story.is_planted),
        story.resembles,
        int(story.leaves_trace),
        " ".join(built.staff.employee_id(one) for one in story.employees),
        story.account,
        story.address,
        " ".join(patients.patient_id(one) for one in story.patients),
        "" if story.unit < 0 else built.desk.unit_id(story.unit),
        *moments,
        n_events,
        story.description,
    )
