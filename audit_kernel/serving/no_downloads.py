"""What a person's own server refuses beside the Hub's rules: terminals, conversions, files as downloads."""

from __future__ import annotations

from typing import Any

from jupyterhub.singleuser.extension import JupyterHubAuthorizer

REFUSED_RESOURCES = {"nbconvert", "terminals"}
REFUSED_HANDLERS = {"AuthenticatedFileHandler", "FilesHandler"}


class NoDownloads(JupyterHubAuthorizer):  # type: ignore[misc] # it publishes no types
    """Refuses these; what a page shows can still be copied off the screen."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # noqa: ANN401 - the base's
        """Ask the Hub's own answer for the rest."""
        if resource in REFUSED_RESOURCES or type(handler).__name__ in REFUSED_HANDLERS:
            return False
        return bool(super().is_authorized(handler, user, action, resource))
