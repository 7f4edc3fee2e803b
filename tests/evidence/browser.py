"""Looks at sealed pages as their reader does: in Debian's chromium, without a network, on paper and phone."""

from __future__ import annotations

import json
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playwright.sync_api import Browser

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass
class Seen:
    """What happened while pages were looked at; each list is empty when all is well.

    faults: page and rule of each accessibility fault. too_wide: pages that a reader must move sideways.
    """

    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    too_wide: list[str] = field(default_factory=list)
    sheets: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        yield browser
        browser.close()


def look(
    browser: Browser,
    paths: Iterable[Path],
    width: int = 1280,
    *,
    scheme: str = "light",
    with_axe: bool = False,
    prints: bool = False,
) -> Seen:
    """Open each page without a network, unfold what is folded, touch what can be touched."""
    from axe_playwright_python.sync_playwright import Axe

    seen = Seen()
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    for path in paths:
        page.goto(path.as_uri())
        page.wait_for_load_state()
        for summary in page.locator("summary").all():
            summary.click()
        for box in page.locator("[tabindex='0']").all():
            box.hover()
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            seen.too_wide.append(path.name)
        if with_axe:
            seen.faults += [f"{path.name}: {found['id']}" for found in Axe().run(page).response["violations"]]
        if prints:
            seen.sheets[path.name] = page.pdf(prefer_css_page_size=True)
    page.close()
    return seen


def look_in_firefox(folder: Path, width: int) -> dict[str, Any]:
    """Open each page of a folder in Debian's Firefox; return `pages`, `requests`, `faults` and `too_wide`."""
    package = find_spec("axe_playwright_python")
    axe = next(Path(package.origin).parent.rglob("axe.min.js"))
    script = Path(__file__).parents[1] / "node" / "firefox.mjs"
    done = subprocess.run(["node", script, folder, axe, str(width)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
