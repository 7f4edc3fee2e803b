"""Pictures of each kind of sealed page, for docs/pages.md: `make screenshots`, over the Swedish demo.

Every page is made by the ordinary commands and looked at in Debian's chromium, without a network.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
from playwright.sync_api import sync_playwright

from audit_kernel.evidence.exporter import failure_page

MONTH, LANGUAGE = "2026-10", "sv"
PERIOD = ("--from", "2026-10-01", "--to", "2026-10-31")
PAGES = (
    "index",
    "certificate",
    "completeness",
    "explained_share",
    "units",
    "own_record",
    "controlled_drugs",
    "random_sample",
    "ranked_findings",
    "activity",
    "patient_extract",
    "sensitivity",
    "closing",
    "evaluation",
    "overview",
)
FAILURE = "failure"
WIDTH, HEIGHT = 1100, 1500
TARGET = Path(__file__).parents[1] / "docs" / "screenshots"


def command(*arguments: str, site: Path) -> None:
    """Run one of the ordinary commands on the site."""
    program = Path(sys.executable).parent / "audit-kernel"
    subprocess.run([program, *arguments, "--site", site], check=True, stdout=subprocess.DEVNULL)


def newest(site: Path, name: str) -> Path:
    """Return the page of that name that was sealed last."""
    return max(site.glob(f"archive/*/data/pages/{name}.html"), key=lambda path: path.stat().st_mtime)


def make_pages(site: Path) -> None:
    """Seal what the month does not hold: a report, an extract, a trial, a closing, a year."""
    drawn = pyarrow.parquet.read_table(newest(site, "random_sample").parents[1] / "tables" / "draw.parquet")
    patient = str(drawn["patient_id"][0])
    purpose = ("--purpose", "dnr 2026/17")
    command("report", "activity", "--patient", patient, *PERIOD, *purpose, "--archive", site=site)
    command("extract", "patient", patient, *PERIOD, *purpose, "--recipient", "patient", site=site)
    command("sensitivity", MONTH, "--seed", "pictures", site=site)
    signed = ("--signed-by", "Kim Andersson", "--title", "dataskyddshandläggare")
    command("close", MONTH, *signed, "--open-reason", "demonstration", site=site)
    command("year", MONTH[:4], site=site)


def main() -> None:
    """Make the demo where there is none, and the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the Swedish demo; made when it is not there")
    folder = parser.parse_args().folder
    if not folder.exists():
        program = Path(sys.executable).parent / "audit-kernel"
        subprocess.run([program, "demo", folder, "--country", "SE"], check=True)
        make_pages(folder / "site")
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    failed = folder / f"{FAILURE}.html"
    failed.write_text(failure_page("units", LANGUAGE, "DeadKernelError"), encoding="utf-8")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, offline=True)
        for name in (*PAGES, FAILURE):
            page.goto((failed if name == FAILURE else newest(folder / "site", name)).resolve().as_uri())
            page.screenshot(path=TARGET / f"{name}.png")
            print(TARGET / f"{name}.png", (TARGET / f"{name}.png").stat().st_size, "bytes")
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(newest(folder / "site", "units").resolve().as_uri())
        page.screenshot(path=TARGET / "phone.png")
        browser.close()


if __name__ == "__main__":
    main()
