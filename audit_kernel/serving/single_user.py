"""Starts one person's server under the Hub: the pages of that person's roles, and nothing of their own set-up.

Run by the Hub as `python -m audit_kernel.serving.single_user`, as that person's account. What the server keeps for
itself lies in its runtime folder, which is removed when it ends.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.investigation.launch import prepare
from audit_kernel.serving.no_downloads import NoDownloads
from audit_kernel.serving.settings import ROLES
from audit_kernel.serving.spawning import ACCOUNT_VARIABLE, ROLES_VARIABLE
from audit_kernel.site import find_site

if TYPE_CHECKING:
    from collections.abc import Sequence

# A reviewer with an account apart sees the own work lists alone; where there is one user, in a trial, the whole page.
PAGE_OF = {"investigator": "investigate", "reviewer": "review", "auditor": "audit", "operator": "operate"}
# Of JupyterLab's page: what leads to a download, or to somebody else.
NO_DOWNLOADS = [
    "@jupyterlab/docmanager-extension:download",
    "@jupyterlab/docmanager-extension:open-browser-tab",
    "@jupyterlab/filebrowser-extension:download",
    "@jupyterlab/filebrowser-extension:share-file",
    "@jupyterlab/notebook-extension:export",
]
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def content_security_policy(page: bytes, sockets: str) -> str:
    """Return what JupyterLab's page may load: itself, and the one script that stands in it, by its hash.

    JupyterLab compiles its settings' schemas (`unsafe-eval`) and sets styles; widgets are loaded from blobs.

    Parameters
    ----------
    page: JupyterLab's index.html. sockets: the address of web sockets, for browsers whose 'self' leaves them out.
    """
    scripts = (hashlib.sha256(script).digest() for script in INLINE_SCRIPT.findall(page))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in scripts)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'unsafe-eval' blob: {hashes}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {sockets}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "frame-src 'self' blob:",
            "frame-ancestors 'self'",
            "form-action 'self'",
            "base-uri 'self'",
        )
    )


def server_settings() -> dict[str, Any]:
    """Return what a server under the Hub has beside the settings of every page."""
    from jupyterlab.commands import get_app_dir

    page = (Path(get_app_dir()) / "static" / "index.html").read_bytes()
    public = os.environ.get("JUPYTERHUB_PUBLIC_URL") or os.environ.get("AUDIT_KERNEL_ORIGIN", "")
    sockets = re.sub(r"^(http[s]?://[^/]+).*$", r"\1", public).replace("http", "ws", 1)
    headers = {
        "Content-Security-Policy": content_security_policy(page, sockets),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    cookies = {"samesite": "Lax", "secure": public.startswith("https:")}
    own: dict[str, Any] = {
        "authorizer_class": f"{NoDownloads.__module__}.{NoDownloads.__name__}",
        "tornado_settings": {"headers": headers, "xsrf_cookie_kwargs": cookies},
    }
    if os.geteuid() == 0:  # a trial in a container, where root is often the only user there is
        own["allow_root"] = True
    return {"ServerApp": own, "page_config": NO_DOWNLOADS}


def pages_of(roles: Sequence[str], *, has_account: bool) -> list[str]:
    """Return the page of each role; `has_account` where each person has one of their own."""
    own = {**PAGE_OF, "reviewer": "worklist"} if has_account else PAGE_OF
    return [own[role] for role in roles]


def main() -> None:
    """Become the server."""
    roles = [role for role in ROLES if role in os.environ[ROLES_VARIABLE].split(",")]
    site = find_site()
    private = Path(os.environ["RUNTIME_DIRECTORY"].split(":")[0])
    runtime = private / "run"
    runtime.mkdir(mode=0o700)
    pages = pages_of(roles, has_account=bool(os.environ.get(ACCOUNT_VARIABLE)))
    root, environment = prepare(site, private, runtime, pages[0], pages, server_settings())
    # Whatever lies in the account's own home folder is not read; the empty one is not above the configuration.
    home = private / "home"
    home.mkdir(mode=0o700)
    environment |= {"HOME": str(home), "PYTHONNOUSERSITE": "1"}
    os.chdir(root)
    os.execve(sys.executable, [sys.executable, "-P", "-m", "jupyterhub.singleuser", *sys.argv[1:]], environment)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main()
