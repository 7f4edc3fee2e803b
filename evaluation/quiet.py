"""Worlds without incidents, many and cheap: in how many the false-discovery-controlled checks alert all the same.

    make quiet CLEAN=200                                  # prints one line a world, then the share and its limits

Each world is delivered, taken in by the ordinary commands and asked in a process that has neither truth nor seed, as
in `evaluate`; without the month's pages, and without the logs and lists that neither these checks nor any reason read.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from audit_kernel import open_site, open_store
from audit_kernel.statistics import clopper_pearson
from evaluation.bags import ALERTING
from evaluation.commands import controlled_checks, days_of, take_in
from evaluation.evaluate import CLEAN_SEEDS
from evaluation.worlds import Plan, write_deliveries

NOT_READ = (
    "approved_travel",
    "blocks",
    "delegations",
    "households",
    "media_interest",
    "networks",
    "patient_flags",
    "relations",
    "role_permissions",
)
LOGS_READ = ("mcss_access", "mcss_medication")


def leave_out(deliveries: Path) -> None:
    """Strike from what is delivered the logs and lists that nothing here reads."""
    path = deliveries / "deliveries.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    told["reference"] = [kind for kind in told["reference"] if kind not in NOT_READ]
    told["logs"] = {name: source_id for name, source_id in told["logs"].items() if source_id in LOGS_READ}
    path.write_text(json.dumps(told), encoding="utf-8")


def alerts(folder: Path, month: str) -> dict[str, int]:
    """Take the deliveries in `folder` in, and return how many alerts each controlled check gives."""
    site = folder / "site"
    take_in(site, folder / "deliveries")
    found = {}
    with open_store(open_site(site), "evaluation") as store:
        for name in controlled_checks(site):
            streams = store.report(f"checks/{name}", **days_of(month)).table["stream"].to_pylist()
            found[name] = sum(stream in ALERTING for stream in streams)
    return found


def quiet_world(folder: Path, plan: Plan) -> dict[str, int]:
    """Make one world, have a process of its own control it, and return the alerts of each check.

    Raises
    ------
    subprocess.CalledProcessError: a command failed, or a check could not be assessed.
    """
    (folder / "deliveries").mkdir(parents=True)
    write_deliveries(folder / "deliveries", plan)
    leave_out(folder / "deliveries")
    command = [sys.executable, "-m", "evaluation.quiet", "--folder", str(folder), "--month", plan.last_month]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    shutil.rmtree(folder)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run the worlds one after the other; or, with a folder, control the one that lies there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="number of the first one; its seed follows")
    parser.add_argument("--folder", type=Path, help="holds one world's `deliveries`")
    parser.add_argument("--month", help="of that world, YYYY-MM")
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(alerts(arguments.folder, arguments.month)))
        return
    n_alarmed = n_lost = 0
    with tempfile.TemporaryDirectory(prefix="quiet-") as folder:
        for number in range(arguments.first, arguments.first + arguments.worlds):
            seed, began = CLEAN_SEEDS + number, time.perf_counter()
            try:
                found = quiet_world(Path(folder) / str(seed), Plan(seed, "clean", n_months=1))
            except subprocess.CalledProcessError:
                n_lost += 1  # what it said is on standard error
                continue
            n_alarmed += any(found.values())
            print(f"{seed}: {found} {time.perf_counter() - began:.0f} s", flush=True)
    n_judged = arguments.worlds - n_lost
    lower, upper = clopper_pearson(n_alarmed, n_judged) if n_judged else (0.0, 1.0)
    print(f"{n_alarmed} of {n_judged} worlds with an alert, 95 % limits {100 * lower:.1f} and {100 * upper:.1f} %")
    print(f"{n_lost} not judged")


if __name__ == "__main__":
    main()
