"""Starts JupyterLab at one of the pages, with a configuration of its own that lives as long as the server.

Nothing of the user's own Jupyter set-up is read or changed, nothing is fetched from outside, and what the server keeps
for itself lies in the site's temporary folder, which only its owner can enter.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import UsageError
from audit_kernel.site import SITE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audit_kernel.site import Site

PAGES = ("investigate", "operate", "review", "audit", "worklist")
AUDIT, ARCHIVE = PAGES[3], "archive"
PAGE = f"{PAGES[0]}.ipynb"
EXAMPLE = "explore.ipynb"
FINDING_VARIABLE = "AUDIT_KERNEL_FINDING"
EXTENSIONS = Path(__file__).parent / "labextensions"
READ_ONLY = 0o400
# A UNIX socket's path may hold 107 characters, of which Jupyter's own file name takes about 55.
LONGEST_SOCKET_FOLDER = 50
NOTHING: dict[str, Any] = {}

SERVER_SETTINGS: dict[str, Any] = {
    "ServerApp": {
        "ip": "127.0.0.1",
        "port": 8888,
        "port_retries": 50,
        "terminals_enabled": False,
        "allow_remote_access": False,
        "jpserver_extensions": {"jupyterlab": True, "jupyter_lsp": False, "jupyter_server_terminals": False},
    },
    "LabApp": {
        "news_url": None,
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "extension_manager": "readonly",
        "extra_labextensions_path": [str(EXTENSIONS)],
        "log_level": "WARN",
    },
}
PAGE_SETTINGS = {
    "disabledExtensions": {
        "@jupyterlab/apputils-extension:announcements": True,
        "@jupyterlab/debugger-extension": True,
        "@jupyterlab/extensionmanager-extension": True,
        "@jupyterlab/terminal-extension": True,
        "@jupyterlab/lsp-extension": True,
        "@jupyterlab/fileeditor-extension:language-server": True,
        "@jupyterlab/notebook-extension:language-server": True,
    },
}
LAB_SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False, "maxNumberRecents": 0},
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
        "doNotDisturbMode": True,
    },
    "@jupyterlab/statusbar-extension:plugin": {"visible": False},
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": False},
    "@jupyterlab/notebook-extension:tracker": {"recordTiming": False, "kernelShutdown": True, "windowingMode": "none"},
}


def address(page: str = PAGES[0]) -> str:
    """Return the address of a page below the server's own; the auditor's has the folders beside it."""
    return f"/{'lab' if page == AUDIT else 'doc'}/tree/notebooks/{page}.ipynb"


def command(*, open_browser: bool) -> list[str]:
    """Return the command that starts the server; what it needs to know stands in its configuration folder."""
    browser = [] if open_browser else ["--no-browser"]
    # Jupyter refuses to run as root unless told; in a container root is often the only user there is.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyterlab", *browser, *root]


@contextmanager
def prepared(site: Site, page: str = PAGES[0]) -> Iterator[tuple[Path, dict[str, str]]]:
    """Make the server's folders and give its root folder and environment; all of it is removed at the end.

    The root shows `notebooks`, read-only copies of the package's pages beside an example to change, and `own`, the
    site's notebooks folder. `page` is the one that the server opens.
    """
    private = Path(tempfile.mkdtemp(prefix="lab-", dir=site.temporary_folder))
    runtime = _runtime_folder(private)
    try:
        yield prepare(site, private, runtime, page)
    finally:
        shutil.rmtree(private, ignore_errors=True)
        shutil.rmtree(runtime, ignore_errors=True)


def prepare(
    site: Site, private: Path, runtime: Path, page: str, pages: Sequence[str] = PAGES, more: Mapping[str, Any] = NOTHING
) -> tuple[Path, dict[str, str]]:
    """Fill a server's private folder; return its root folder and its environment.

    Parameters
    ----------
    private, runtime: folders of this server alone; kernels' sockets lie in `runtime`.
    page: the one that opens: of PAGES, or an address of JupyterLab's own. pages: those that are there.
    more: settings of the server beside SERVER_SETTINGS, by section; `page_config` names what the page lacks.
    """
    root = private / "root"
    (root / "notebooks").mkdir(parents=True)
    for name in pages:
        copy = root / "notebooks" / f"{name}.ipynb"
        shutil.copyfile(resource_folder("notebooks") / copy.name, copy)
        copy.chmod(READ_ONLY)
    # This one is there to be changed; what is worth keeping is saved under `own`.
    shutil.copyfile(resource_folder("notebooks") / EXAMPLE, root / "notebooks" / EXAMPLE)
    _link(site.folder / "notebooks", root / "own")
    if AUDIT in pages:
        _link(site.archive_folder, root / ARCHIVE)
    _write_settings(private, root, address(page) if page in pages else page, more)
    environment = os.environ | {
        SITE_VARIABLE: str(site.folder),
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_DATA_DIR": str(private / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(private / "user-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(private / "workspaces"),
    }
    environment.pop("JUPYTER_CONFIG_PATH", None)
    return root, environment


def _runtime_folder(private: Path) -> Path:
    """Return the folder for kernel sockets: inside the private one, or a short path where that would be too long."""
    inside = private / "run"
    if len(str(inside)) <= LONGEST_SOCKET_FOLDER:
        inside.mkdir()
        return inside
    return Path(tempfile.mkdtemp(prefix="audit-kernel-"))


def _link(folder: Path, name: Path) -> None:
    if not folder.is_dir():
        return
    try:
        name.symlink_to(folder, target_is_directory=True)
    except OSError:  # Windows without the right to make links: the page works, the folder is opened elsewhere
        return


def _write_settings(private: Path, root: Path, opens: str, more: Mapping[str, Any]) -> None:
    # Kernels talk over sockets of the file system, which other users cannot reach; Windows has none.
    kernels = {"transport": "tcp" if sys.platform == "win32" else "ipc"}
    own = {"ServerApp": {"root_dir": str(root), "default_url": opens}, "LabApp": {"default_url": opens}}
    checkpoints = {"checkpoint_dir": str(private / "checkpoints")}
    server = {**SERVER_SETTINGS, "KernelManager": kernels, "FileCheckpoints": checkpoints}
    for each in (own, {name: section for name, section in more.items() if name != "page_config"}):
        server |= {name: {**server.get(name, {}), **section} for name, section in each.items()}
    _write_json(private / "config" / "jupyter_server_config.json", server)
    disabled = dict.fromkeys(more.get("page_config", ()), True)
    page_settings = {"disabledExtensions": {**PAGE_SETTINGS["disabledExtensions"], **disabled}}
    _write_json(private / "config" / "labconfig" / "page_config.json", page_settings)
    for plugin, settings in LAB_SETTINGS.items():
        package, name = plugin.rsplit(":", 1)
        _write_json(private / "user-settings" / package / f"{name}.jupyterlab-settings", settings)


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def start_lab(site: Site, *, page: str = PAGES[0], open_browser: bool = True, finding: str = "") -> int:
    """Serve a page of PAGES until the server is stopped; return its exit code.

    Parameters
    ----------
    finding: number of a finding of a sealed month, which stands in the investigator's form then.

    Raises
    ------
    UsageError: there is no such page, or JupyterLab is not installed.
    """
    if page not in PAGES:
        raise UsageError("There is no page {page!r}.", "There are: {allowed}.", page=page, allowed=", ".join(PAGES))
    if importlib.util.find_spec("jupyterlab") is None:
        raise UsageError("JupyterLab is not installed.", 'Install it with: pip install "audit-kernel[lab]"')
    with prepared(site, page) as (root, environment):
        # A service manager ends this process with SIGTERM: the server must not outlive its folders.
        previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        environment[FINDING_VARIABLE] = finding
        server = subprocess.Popen(command(open_browser=open_browser), env=environment, cwd=root)
        try:
            return server.wait()
        except KeyboardInterrupt:  # the server got it too, and ends its kernels
            return server.wait()
        finally:
            if server.poll() is None:
                server.terminate()
                server.wait()
            signal.signal(signal.SIGTERM, previous)
