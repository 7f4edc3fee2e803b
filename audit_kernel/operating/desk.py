"""What the page's sections share: site, language, purpose, and that one long job runs at a time."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from threading import Lock, Thread

from audit_kernel.site import Site

Work = Callable[[], None]


def in_thread(work: Work) -> None:
    """Run the work beside the thread that serves the page, which must not freeze."""
    context = contextvars.copy_context()  # what is shown goes to the page that asked
    Thread(target=context.run, args=(work,), daemon=True).start()


class Worker:
    """One job at a time.

    Parameters
    ----------
    run: starts the work; in a thread of its own unless a test says otherwise.
    """

    def __init__(self, run: Callable[[Work], None] = in_thread) -> None:
        self._run = run
        self._busy = Lock()

    def start(self, begin: Work, work: Work) -> bool:
        """Begin at once, start the work and return True; or return False where another job still runs."""
        if not self._busy.acquire(blocking=False):
            return False
        begin()

        def run_once() -> None:
            try:
                work()
            finally:
                self._busy.release()

        self._run(run_once)
        return True


@dataclass
class Desk:
    """Where the page works: site, today's date there, and the purpose once one was given."""

    site: Site
    today: date
    worker: Worker = field(default_factory=Worker)
    purpose: str = ""

    @property
    def language(self) -> str:
        """The site's language: en, sv or nb."""
        return self.site.settings.language
