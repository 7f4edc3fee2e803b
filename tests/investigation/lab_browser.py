"""Helpers of the browser test: the page served as `audit-kernel lab` does, and a page driven by keyboard."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit_kernel.investigation.launch import PAGES, address, command, prepared

CHROMIUM = "/usr/bin/chromium"
PATIENCE = 120_000  # milliseconds: two busy cores start a kernel slowly


@contextmanager
def served(site, page=PAGES[0]):
    """Serve the page; give its address with the token, and the server's root folder."""
    with prepared(site, page) as (root, environment):
        arguments = [*command(open_browser=False), "--ServerApp.port=0"]
        server = subprocess.Popen(arguments, env=environment, cwd=root, stderr=subprocess.DEVNULL)
        try:
            yield address_of(server, Path(environment["JUPYTER_RUNTIME_DIR"]), page), root
        finally:
            server.terminate()
            server.wait(60)


def address_of(server, runtime, page):
    """Wait until the server has written where it listens, and with which token."""
    for _ in range(PATIENCE // 100):
        assert server.poll() is None, "JupyterLab ended at once"
        for path in runtime.glob("jpserver-*.json"):
            if text := path.read_text(encoding="utf-8"):
                information = json.loads(text)
                return f"{information['url'].rstrip('/')}{address(page)}?token={information['token']}"
        time.sleep(0.1)
    return pytest.fail("JupyterLab did not start")


class Watched:
    """A page with what must not happen on it: requests to the outside, dialogs, errors."""

    def __init__(self, browser, address):
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.set_default_timeout(PATIENCE)
        self.outside, self.dialogs, self.errors = [], [], []
        home = address.split("/doc/", maxsplit=1)[0]
        inside = (home, home.replace("http", "ws"), "data:", "blob:")
        self.page.on(
            "request", lambda request: None if request.url.startswith(inside) else self.outside.append(request.url)
        )
        self.page.on(
            "websocket", lambda socket: None if socket.url.startswith(inside) else self.outside.append(socket.url)
        )
        self.page.on("dialog", self._dismiss)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.goto(address)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text):
        self.page.keyboard.type(text)

    def choose(self, wanted):
        """Choose the option that begins so in the focused list, by arrow keys: a slow machine breaks a typed word."""
        self.press("Home")
        shown = "() => document.activeElement.selectedOptions[0].textContent"
        for _ in range(self.page.evaluate("() => document.activeElement.length")):
            if self.page.evaluate(shown).startswith(wanted):
                return
            self.press("ArrowDown")
        pytest.fail(f"{wanted!r} is not in the list")

    def focused(self):
        """Return name or text of the focused element."""
        return self.page.evaluate(
            "() => { const e = document.activeElement; return e.name || e.getAttribute('aria-label') || e.textContent }"
        )

    def tab_to(self, wanted, key="Tab"):
        """Press Tab until an element whose name begins so has the focus."""
        for _ in range(150):
            if self.focused().startswith(wanted):
                return
            self.press(key)
        pytest.fail(f"{wanted!r} cannot be reached by {key}")

    def wait_for_heading(self, title):
        """Wait until the report is shown and its heading has the focus."""
        self.page.wait_for_function(
            "title => document.activeElement.tagName === 'H2' && document.activeElement.textContent === title",
            arg=title,
        )

    def wait_for_rest(self, searching: str) -> None:
        """Wait until charts and reasons have come too; `searching` stands there while reasons are searched for."""
        self.page.wait_for_function(
            """text => {
                const charts = getComputedStyle(document.querySelector('.ak-charts'));
                const are_drawn = charts.display === 'none' || charts.visibility === 'visible';
                return are_drawn && !document.body.innerText.includes(text);
            }""",
            arg=searching,
        )

    def rows(self):
        """Return the cells of the report's table, without its buttons."""
        return self.page.evaluate(
            """() => [...[...document.querySelectorAll('.ak-table table')].at(-1).tBodies[0].rows].map(
                row => [...row.cells].filter(cell => !cell.querySelector('button')).map(cell => cell.textContent))"""
        )

    def covered(self):
        """Return the ways back that something lies over, so that a mouse would not reach them."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('.ak-crumbs button')].filter(button => {
                const box = button.getBoundingClientRect();
                return !button.contains(document.elementFromPoint(box.left + 2, box.top + box.height / 2));
            }).map(button => button.textContent)"""
        )

    def rows_as_first(self, n_cells):
        """Return the first cells of each row."""
        return [row[:n_cells] for row in self.rows()]

    def faults(self):
        """Return what axe finds in our widgets."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, context={"include": [[".audit-kernel"]]})
        return [f"{fault['id']}: {fault['nodes'][0]['html'][:200]}" for fault in found.response["violations"]]

    def keep(self, name):
        """Keep a picture where AUDIT_KERNEL_SCREENSHOTS says."""
        if folder := os.environ.get("AUDIT_KERNEL_SCREENSHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")
