"""The page that an outside probe asks: whether log-in, open sessions and their data would work now.

It answers 200 or 503 and which part fails, nothing else; it needs no log-in.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from tornado import web

SECONDS_KEPT = 5
UNAVAILABLE = 503


class ProbeHandler(BaseHandler):  # type: ignore[misc] # it publishes no types
    """Answers for the Hub, its database, its proxy and the site's folder; an answer is kept for some seconds."""

    kept: tuple[float, dict[str, bool]] = (float("-inf"), {})

    def initialize(self, site: str) -> None:
        """Take the site's folder."""
        self._site = Path(site)

    async def get(self) -> None:
        """Say what works."""
        at, parts = ProbeHandler.kept
        if time.monotonic() - at > SECONDS_KEPT:
            parts = {"database": self._database(), "proxy": await self._proxy(), "site": self._site_is_there()}
            ProbeHandler.kept = (time.monotonic(), parts)
        self.set_status(200 if all(parts.values()) else UNAVAILABLE)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(parts)

    def _database(self) -> bool:
        try:
            self.db.execute(text("select 1"))
        except SQLAlchemyError:
            self.db.rollback()
            return False
        return True

    async def _proxy(self) -> bool:
        try:
            routes: dict[str, Any] = await self.proxy.get_all_routes()
        except Exception:  # noqa: BLE001 - whatever its client raises, the proxy does not answer
            return False
        return bool(routes)

    def _site_is_there(self) -> bool:
        return (self._site / "settings.yml").is_file()


class StyleHandler(web.StaticFileHandler):
    """Serves the style of the Hub's pages."""
