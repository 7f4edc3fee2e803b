"""What is shown while notebooks run: each as it ends, and the time left; where there is no terminal, plain lines."""

from __future__ import annotations

import json
import os
import time
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

from audit_kernel.evidence import bag as bags
from audit_kernel.evidence import chain
from audit_kernel.evidence.harmless import harmless
from audit_kernel.locale import format_number, translator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.progress import Task

    from audit_kernel.evidence.execute import Outcome
    from audit_kernel.site import Site

SECONDS_A_MINUTE = 60


class Estimate:
    """How long the notebooks that are left will take, by the former month's times and those of this run.

    Parameters
    ----------
    names: of the run's pages.
    former: seconds of each page in the former month; empty when there is none.
    n_workers: how many notebooks run side by side.
    """

    def __init__(self, names: Sequence[str], former: Mapping[str, float], n_workers: int) -> None:
        self._left, self._former, self._n_workers = list(names), former, max(1, n_workers)
        self._done: dict[str, float] = {}

    def finished(self, name: str, seconds: float) -> None:
        """Take note of a notebook's time."""
        self._done[name] = seconds
        self._left = [each for each in self._left if each != name]

    def seconds_left(self) -> float | None:
        """Return the seconds left; None while nothing is known.

        A page that the former month has takes what it took then, times how much slower this run is; another takes
        the mean of those known.
        """
        compared = [name for name in self._done if name in self._former]
        then, now = (sum(times[name] for name in compared) for times in (self._former, self._done))
        slower = now / then if then > 0 else 1.0
        known = {name: seconds * slower for name, seconds in self._former.items()} | self._done
        if not known:
            return None
        mean = sum(known.values()) / len(known)
        return sum(known.get(name, mean) for name in self._left) / self._n_workers


def former_seconds(site: Site) -> dict[str, float]:
    """Return how long each page of the last month in the archive took; nothing where it does not say."""
    try:
        last = next(run for run in reversed(chain.archive_runs(site.archive_folder)) if "-monthly-" in run.name)
        statement = json.loads((site.archive_folder / last.name / bags.STATEMENT).read_bytes())
        pages = statement["predicate"]["buildDefinition"]["internalParameters"]["pages"]
        return {str(page["page"]): float(page["milliseconds"]) / 1000 for page in pages if page["succeeded"]}
    except (StopIteration, OSError, ValueError, KeyError, TypeError):  # an estimate is not worth an error
        return {}


class _TimeLeft(ProgressColumn):
    """The estimate, counted down."""

    def __init__(self, language: str) -> None:
        self._language = language
        super().__init__()

    def render(self, task: Task) -> Text:
        """Return minutes or seconds."""
        ends_at = task.fields.get("ends_at")
        return Text(duration(max(0.0, ends_at - time.monotonic()), self._language) if ends_at else "")


def duration(seconds: float, language: str) -> str:
    """Return a rough time left, in words."""
    _ = translator(language)
    if seconds >= SECONDS_A_MINUTE:
        return _("about {minutes} min left").format(minutes=format_number(round(seconds / 60), language))
    return _("about {seconds} s left").format(seconds=format_number(round(seconds), language))


def month_run_progress(
    console: Console, language: str, site: Site
) -> AbstractContextManager[Callable[[Outcome], None]]:
    """Show how far a month of the site's schedule is; see `run_progress`."""
    from audit_kernel.evidence.month import schedule

    return run_progress(console, language, schedule(site).monthly, former_seconds(site))


@contextmanager
def run_progress(
    console: Console, language: str, notebooks: Sequence[str], former: Mapping[str, float]
) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar over a run's notebooks with the time left; without a terminal a line for each one that ends.

    Parameters
    ----------
    notebooks: as the schedule names them.
    former: seconds of each page, as `former_seconds` returns them.
    """
    _ = translator(language)
    names = [name.split("/")[-1] for name in notebooks]
    estimate = Estimate(names, former, min(len(names), os.cpu_count() or 1))
    if not console.is_terminal:
        done: list[str] = []

        def line(outcome: Outcome) -> None:
            done.append(outcome.name)
            text = (
                _("{name} finished ({done} of {total})")
                if outcome.succeeded
                else _("{name} failed ({done} of {total})")
            )
            said = text.format(
                name=outcome.name, done=format_number(len(done), language), total=format_number(len(names), language)
            )
            console.print(escape(harmless(said)), soft_wrap=True)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _TimeLeft(language))
    with Progress(*columns, console=console, transient=True) as progress:

        def ends_at() -> float | None:
            left = estimate.seconds_left()
            return None if left is None else time.monotonic() + left

        task = progress.add_task(_("Notebooks are running"), total=len(names), ends_at=ends_at())

        def report(outcome: Outcome) -> None:
            estimate.finished(outcome.name, outcome.seconds)
            text = _("{name} finished") if outcome.succeeded else _("{name} failed")
            description = escape(harmless(text.format(name=outcome.name)))
            progress.update(task, advance=1, description=description, ends_at=ends_at())

        yield report
