"""The whole service on this machine's loopback: log-in service, proxy, Hub, each its own process on a free port."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
import yaml

from audit_kernel.serving.write import initialise
from tests.conftest import PROXY
from tests.serving.login_service import STRONG

PATIENCE = 400  # seconds: a busy machine starts a Hub slowly
ROOT = Path(__file__).parents[2]


def free_ports(number):
    """Return ports that the system says are free; they are held together, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(what, condition, patience=PATIENCE):
    """Wait until a condition holds; a refused connection is no answer yet."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if answer := condition():
                return answer
        except (OSError, requests.RequestException):
            pass
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {patience} s")


def settings_of(folder, site, ports, **changes):
    """Write the serve.yml of a trial."""
    oidc, proxy, api, hub = ports
    folder.mkdir()
    (folder / "client-secret").touch(mode=0o600)
    (folder / "client-secret").write_text("not-a-real-secret\n")
    settings = {
        "host": "localhost",
        "port": 8443,
        "organisation": "Testregionen",
        "language": "sv",
        "site": str(site),
        "runtime": tempfile.mkdtemp(prefix="ak-", dir="/tmp"),
        "secrets": str(folder / "secrets"),
        "login": {
            "name": "SITHS",
            "issuer": f"http://localhost:{oidc}",
            "authorize": f"http://localhost:{oidc}/oauth2/authorize",
            "token": f"http://localhost:{oidc}/oauth2/token",
            "keys": f"http://localhost:{oidc}/jwks",
            "client_id": "audit-kernel",
            "client_secret": str(folder / "client-secret"),
            "levels": [STRONG],
            "roles": {
                "investigator": ["investigators"],
                "reviewer": ["reviewers"],
                "auditor": ["auditors"],
                "operator": ["operators"],
            },
        },
        "hub": {
            "database": f"sqlite:///{folder}/hub.sqlite",
            "state_folder": str(folder / "state"),
            "proxy_program": str(PROXY),
            "proxy_port": proxy,
            "proxy_api_port": api,
            "hub_port": hub,
            "spawner": "trial",
        },
    }
    settings |= changes
    (folder / "serve.yml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return settings


class Stack:
    """The running service; `hub`, `proxy` and `login` are its processes."""

    def __init__(self, folder, site):
        self.ports = free_ports(4)
        self.site = site
        self.settings = settings_of(folder, site, self.ports)
        self.folder, self.runtime = folder, Path(self.settings["runtime"])
        initialise(folder)
        (folder / "state").mkdir(mode=0o700)
        # As it was written, but for how soon the routes are looked at, and how long a busy machine may take.
        (folder / "test_config.py").write_text(
            f"load_subconfig({str(folder / 'jupyterhub_config.py')!r})\nc.JupyterHub.last_activity_interval = 3\n"
            f"c.Spawner.http_timeout = c.Spawner.start_timeout = {PATIENCE}\n"
        )
        self.origin = f"http://localhost:{self.ports[1]}"
        self.login_origin = f"http://localhost:{self.ports[0]}"
        self.processes = {}

    def __enter__(self):
        try:
            for name in ("login", "proxy", "hub"):
                self.start(name)
            wait_for("the log-in service", lambda: requests.get(f"{self.login_origin}/jwks", timeout=5).ok)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in ("hub", "proxy", "login"):
            self.kill(name, signal.SIGTERM)
        for path in self.runtime.glob("*/run/jpserver-*.json"):
            os.kill(int(re.search(r"jpserver-(\d+)", path.name)[1]), signal.SIGTERM)
        wait_for("the servers' end", lambda: not list(self.runtime.glob("*/run/jpserver-*.json")))
        shutil.rmtree(self.runtime)

    def start(self, name):
        """Start one of the processes, as its unit does."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        unit = (self.folder / "audit-kernel-proxy.service").read_text(encoding="utf-8")
        command = {
            "login": [sys.executable, "-W", "ignore", "-m", "tests.serving.login_service", str(self.ports[0])],
            "proxy": shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)[1]),
            "hub": [sys.executable, "-m", "jupyterhub", "-f", str(self.folder / "test_config.py")],
        }[name]
        if name == "proxy":
            token_line = (self.folder / "secrets" / "proxy.env").read_text().strip()
            environment |= dict([token_line.split("=")])
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=environment, cwd=ROOT if name == "login" else self.folder, stdout=log, stderr=log
            )

    def kill(self, name, how=signal.SIGKILL):
        """End one process, and nothing else."""
        process = self.processes.pop(name, None)
        if process and process.poll() is None:
            process.send_signal(how)
            process.wait(30)

    def wait(self):
        """Wait until proxy and Hub answer."""
        wait_for("the Hub", lambda: requests.get(f"{self.origin}/hub/health", timeout=5).status_code == 200)

    def log(self):
        """Return what the Hub wrote."""
        return (self.folder / "hub.log").read_text(encoding="utf-8", errors="replace")

    def forge(self, kind):
        """Let the log-in service answer with a forgery; "nothing" ends it."""
        assert requests.get(f"{self.login_origin}/forge/{kind}", timeout=10).text == kind

    def log_in(self, name, language="sv"):
        """Log in as a browser does; return the session and the last answer. `name` is a number of the service."""
        session = requests.Session()
        session.headers["Accept-Language"] = language
        page = session.get(f"{self.origin}/hub/login", timeout=30)
        assert page.status_code == 200
        assert "SITHS" in page.text
        link = re.search(r'class="button" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
        form = session.get(f"{self.origin}{link}", timeout=30)
        assert form.url.startswith(self.login_origin), form.url
        sent = session.post(form.url, data={"sub": f"number-of-{name}"}, timeout=30, allow_redirects=False)
        answer = session.get(sent.headers["Location"], timeout=60, allow_redirects=False)
        return session, answer

    def open_server(self, session, answer, name):
        """Follow to the person's own server until it answers; return its page."""
        url = answer.headers["Location"]
        session.get(requests.compat.urljoin(self.origin, url), timeout=60)

        def ready():
            page = session.get(f"{self.origin}/user/{name}/", timeout=60)
            assert page.status_code < 500, self.log()[-3000:]
            return page if page.status_code == 200 and "jupyter-config-data" in page.text else None

        return wait_for(f"the server of {name}", ready)
