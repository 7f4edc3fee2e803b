"""The investigator's page at size, in Debian's chromium: until it is ready, and from a click to the next report, drawn.

    .venv/bin/python -m benchmarks.bench_page --folder FOLDER     # a folder that bench_store kept

A click counts until the next report's heading has the focus and its rows stand in the table: what a reader waits for;
charts and reasons come after. The click comes a second after they have.
The median is over different patients, the pages of each drawn once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import sync_playwright

from audit_kernel.locale import translator
from audit_kernel.site import Site
from audit_kernel.store.reading import Store
from benchmarks.results import Lines, keep
from benchmarks.year import FIRST_DAY, N_DAYS
from tests.evidence.browser import QUIET
from tests.investigation.lab_browser import CHROMIUM, Watched, served

TO_DATE = FIRST_DAY + timedelta(days=N_DAYS)
N_PATIENTS = 12
PAUSE = 1000  # milliseconds before a click
# The rows of another report than the one clicked in, under its heading; measured where it is drawn. The report's own
# table is the last: figures of a chart may stand before it.
CLICK = """() => new Promise((resolve, reject) => {
    const began = performance.now();
    const table = () => [...document.querySelectorAll('.ak-table table')].at(-1);
    const before = table().caption.textContent;
    table().querySelector('.ak-open').click();
    const wait = () => {
        const now = table();
        const is_other = now?.caption.textContent !== before && now?.tBodies[0].rows.length;
        if (is_other && document.activeElement.tagName === 'H2') {
            requestAnimationFrame(() => resolve(performance.now() - began));
        } else if (performance.now() - began > 60000) reject(new Error('no next report'));
        else requestAnimationFrame(wait);
    };
    wait();
})"""


def patients_of(site: Site) -> list[str]:
    """Return patients of the log, spread over it."""
    asked = (
        "select distinct patient_id from accesses where patient_id is not null and local_date = $day"
        " order by hash(patient_id) limit $count"
    )
    with Store(site, "benchmark") as store:
        day = FIRST_DAY + timedelta(days=N_DAYS // 2)
        return [str(each) for each in store.sql(asked, {"day": day, "count": N_PATIENTS})[0].to_pylist()]


def until_ready(watched: Watched) -> None:
    """Wait until the form stands there and takes what is typed."""
    watched.page.wait_for_function("() => document.activeElement.name === 'purpose'")


def at_rest(watched: Watched, searching: str) -> None:
    """Wait until charts and reasons have come too, as somebody who reads before clicking does."""
    watched.wait_for_rest(searching)
    watched.page.wait_for_timeout(PAUSE)


def measure(site: Site, lines: Lines) -> None:
    """Open the page, ask about each patient's year, and click on."""
    _ = translator(site.settings.language)
    patients = patients_of(site)
    times: dict[str, list[float]] = {"-141 to -140": [], "-140 to -119": []}
    with served(site) as (address, _root), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        began = time.perf_counter()
        watched = Watched(browser, address)  # type: ignore[no-untyped-call]
        until_ready(watched)
        ready = time.perf_counter() - began
        form = watched.page.get_by_role("form", name=_("Investigate access"), exact=True)
        asked: list[float] = []
        for patient in patients:
            form.locator("[name=purpose]").fill("benchmark")
            form.locator("[name=patient_id]").fill(patient)
            form.locator("[name=period]").select_option("between")
            form.locator("[name=from_date]").fill(FIRST_DAY.isoformat())
            form.locator("[name=to_date]").fill(TO_DATE.isoformat())
            before = watched.page.locator(".ak-facts dd").first.text_content() if asked else ""
            began = time.perf_counter()
            form.get_by_role("button", name=_("Show activity"), exact=True).click()
            changed = "before => ![undefined, before].includes(document.querySelector('.ak-facts dd')?.textContent)"
            watched.page.wait_for_function(changed, arg=before)
            asked.append(time.perf_counter() - began)
            for each in times.values():
                at_rest(watched, _("Reasons are being searched for …"))
                each.append(watched.page.evaluate(CLICK))
        browser.close()
    lines.add("| from | median | most |")
    lines.add("|---|---|---|")
    lines.add(f"| the server's answer to a form that takes what is typed | {ready:.1f} s | |")
    for name, found in {"the form to -141": [each * 1000 for each in asked], **times}.items():
        lines.add(f"| {name} | {statistics.median(found):,.0f} ms | {max(found):,.0f} ms |")


def main() -> None:
    """Measure, print and write RESULTS.md."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--folder", type=Path, required=True, help="of bench_store's year")
    folder = parser.parse_args().folder
    site = Site(folder / "site")
    with Store(site, "benchmark") as store:
        n_rows = store.sql("select count(*) from accesses")[0][0].as_py()
    lines = Lines()
    lines.add(f"{n_rows:,} rows, {len(os.sched_getaffinity(0))} cores; {N_PATIENTS} patients, each over a year.")
    lines.add("")
    measure(site, lines)
    keep(f"The investigator's page, {n_rows:,} rows", lines.lines)


if __name__ == "__main__":
    main()
