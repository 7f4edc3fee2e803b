"""What the control finds and what it misses, beside three ways without it, over made-up worlds with known truth.

    make evaluate                                        # the table; writes docs/evaluation.md and RESULTS.json
    make evaluate WORLDS=6 CLEAN=200                     # more worlds, more hours
    .venv/bin/python -m evaluation.evaluate --tuning     # while thresholds are tuned: without the held-out families
    .venv/bin/python -m evaluation.evaluate --answers    # without the month's pages: faster; writes nothing
    .venv/bin/python -m evaluation.evaluate --quick      # one small world, under a minute; writes nothing

Each world is taken in and controlled by the ordinary commands, in a process that has neither the truth nor the seed;
the truth is made afterwards, from the same seed, in another folder.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

from audit_kernel.demo.settings import EVALUATION
from audit_kernel.thresholds import thresholds_valid_on
from evaluation.coverage import coverage
from evaluation.measures import Evaluation
from evaluation.page import lines_of, write_page, write_results
from evaluation.run import Judged, month_of, run_world
from evaluation.worlds import Plan, held_out

CLEAN_SEEDS, PREVALENCE_SEEDS = 2000, 1000  # seeds of each kind begin beyond these
N_DRAWS = 2000


def plans(
    n_worlds: int,
    n_usual: int,
    n_clean: int,
    *,
    n_accesses: int = EVALUATION.accesses_per_month,
    is_tuning: bool = False,
) -> list[Plan]:
    """Return the worlds to be made, the long ones first.

    Parameters
    ----------
    n_worlds: with episodes of each family; n_usual: with 1 planted per 1,000 employees and month; n_clean: with none.
    n_accesses: log rows of an employee and month, about.
    """
    both = Plan(0, n_accesses=n_accesses, is_tuning=is_tuning)
    return [
        *(replace(both, seed=seed) for seed in range(1, n_worlds + 1)),
        *(replace(both, seed=PREVALENCE_SEEDS + number, kind="prevalence") for number in range(1, n_usual + 1)),
        *(Plan(CLEAN_SEEDS + number, "clean", n_months=1) for number in range(1, n_clean + 1)),
    ]


def judge_all(worlds: Sequence[Plan], folder: Path, n_processes: int, *, with_pages: bool = True) -> list[Judged]:
    """Run all worlds, some at a time, and say what became of each at once."""
    judged = []
    with ProcessPoolExecutor(n_processes) as pool:
        asked = {
            pool.submit(run_world, folder / f"{plan.kind}_{plan.seed}", plan, with_pages=with_pages): plan
            for plan in worlds
        }
        for done in as_completed(asked):
            plan, world = asked[done], done.result()
            whole = "" if world.is_complete else " NOT COMPLETE"
            print(f"{plan.kind} {plan.seed}: {world.seconds}{whole}", flush=True)
            judged.append(world)
    return sorted(judged, key=lambda each: (each.plan.kind, each.plan.seed))


def main() -> None:
    """Evaluate, print, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--worlds", type=int, default=3, help="with episodes of each family")
    parser.add_argument("--usual", type=int, default=2, help="with 1 planted per 1,000 employees and month")
    parser.add_argument("--clean", type=int, default=40, help="without incidents")
    parser.add_argument("--accesses", type=int, default=EVALUATION.accesses_per_month, help="of an employee and month")
    parser.add_argument("--draws", type=int, default=N_DRAWS, help="of the sample, for the bound's coverage")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the worlds are made; a temporary folder when left out")
    parser.add_argument("--tuning", action="store_true", help="leave the held-out families out; writes nothing")
    parser.add_argument("--answers", action="store_true", help="without the month's pages; writes nothing")
    parser.add_argument("--quick", action="store_true", help="one small world; writes nothing")
    arguments = parser.parse_args()
    if arguments.quick:
        worlds, n_draws = [Plan(1, n_months=1, is_quick=True, is_tuning=arguments.tuning)], 100
    else:
        sizes = (arguments.worlds, arguments.usual, arguments.clean)
        worlds = plans(*sizes, n_accesses=arguments.accesses, is_tuning=arguments.tuning)
        n_draws = arguments.draws
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="evaluation-") as folder:
        judged = judge_all(worlds, Path(folder), arguments.processes, with_pages=not arguments.answers)
    decisions = thresholds_valid_on(month_of(worlds[0])[0].date())
    q = float(decisions["false_discovery_rate"].value)
    evaluation = Evaluation(judged, coverage(n_draws), q, held_out())
    lines = lines_of(evaluation)
    print("\n".join(["", *lines]))
    if not (arguments.quick or arguments.tuning or arguments.answers):
        write_page(lines)
        numbers = dict(zip(("WORLDS", "USUAL", "CLEAN", "ACCESSES"), (*sizes, arguments.accesses), strict=True))
        command = " ".join(["make evaluate", *(f"{name}={number}" for name, number in numbers.items())])
        write_results(evaluation, command)


if __name__ == "__main__":
    main()
