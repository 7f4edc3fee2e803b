"""Addresses of links: they stay within the bag."""

from __future__ import annotations

from urllib.parse import quote

from audit_kernel.errors import RunError


def relative_address(address: str) -> str:
    """Return an address within the bag, percent-encoded; :class:`RunError` for one that leads outside."""
    path, separator, anchor = address.partition("#")
    if path.startswith("/") or "\\" in path or "//" in path:
        raise RunError(
            "A link leads outside the page's own folders.",
            "Use a relative address, such as activity.html or ../tables/activity.csv.",
        )
    # A colon is encoded too, so nothing before it can be taken for a scheme.
    return quote(path, safe="/%") + separator + quote(anchor, safe="%")
