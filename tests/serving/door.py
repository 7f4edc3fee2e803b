"""A PKI made with openssl, and the real nginx with the rendered configuration on this machine's loopback."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from audit_kernel.serving.nginx import register_map, render_nginx
from audit_kernel.serving.settings import SECRET_HEADER, ServeSettings

ORGANISATION = "Nordli & sør (kommune)"
SECRET = "5ec7e7" * 10
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin")
PATIENCE = 30
CA = """\
[ca]
default_ca = here
[here]
dir = {folder}
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_days = 30
policy = any
unique_subject = no
string_mask = utf8only
copy_extensions = none
[any]
organizationName = optional
commonName = optional
[req]
distinguished_name = empty
string_mask = utf8only
[empty]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[client]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
[server]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost
"""


def openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def stamp(moment):
    return f"{moment:%Y%m%d%H%M%SZ}"


def in_hours(hours):
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)


class Pki:
    """An authority kept by `openssl ca`."""

    def __init__(self, folder, name="Test authority"):
        self.folder = folder
        folder.mkdir(parents=True)
        (folder / "openssl.cnf").write_text(CA.format(folder=folder), encoding="utf-8")
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("01\n")
        self._key("ca")
        words = ("-new", "-x509", "-key", folder / "ca.key", "-out", folder / "ca.pem", "-days", "100")
        openssl("req", *words, "-config", folder / "openssl.cnf", "-extensions", "authority", "-subj", f"/CN={name}")

    def _key(self, name):
        openssl(
            "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.folder / f"{name}.key"
        )

    def issue(self, name, subject, kind="client", until=None):
        """Issue a certificate; return the file with key and certificate."""
        config, folder = self.folder / "openssl.cnf", self.folder
        self._key(name)
        words = ("-new", "-key", folder / f"{name}.key", "-out", folder / f"{name}.csr", "-subj", subject, "-utf8")
        openssl("req", "-config", config, *words, "-multivalue-rdn")
        dates = ("-startdate", stamp(in_hours(-48)), "-enddate", stamp(until or in_hours(48)))
        words = ("-batch", "-notext", "-in", folder / f"{name}.csr", "-out", folder / f"{name}.crt", "-preserveDN")
        openssl("ca", "-config", config, *words, "-extensions", kind, *dates, "-multivalue-rdn", "-utf8")
        return self.both(name)

    def issue_tls(self):
        """Make nginx's own certificate, which signs itself, so that a client can trust it alone."""
        self._key("tls")
        words = ("-new", "-x509", "-key", self.folder / "tls.key", "-out", self.folder / "tls.crt", "-days", "9")
        openssl(
            "req", *words, "-config", self.folder / "openssl.cnf", "-extensions", "server", "-subj", "/CN=localhost"
        )

    def both(self, name):
        """Write key and certificate into one file."""
        path = self.folder / f"{name}.pem"
        path.write_bytes((self.folder / f"{name}.key").read_bytes() + (self.folder / f"{name}.crt").read_bytes())
        return path

    def revoke(self, name):
        openssl("ca", "-config", self.folder / "openssl.cnf", "-revoke", self.folder / f"{name}.crt")

    def crl(self, until, since=None):
        """Return a new list that ends then."""
        out = self.folder / "crl.pem"
        dates = ("-crl_lastupdate", stamp(since or in_hours(-1)), "-crl_nextupdate", stamp(until))
        openssl("ca", "-config", self.folder / "openssl.cnf", "-gencrl", "-out", out, *dates)
        return out.read_bytes()


class Echo(http.server.BaseHTTPRequestHandler):
    """Says which server was reached, by which path, with which headers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        seen = {"name": self.server.name, "path": self.path, "headers": self.headers.items()}
        seen["body"] = self.rfile.read(length).decode()
        self.server.seen.append(seen)
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_HEAD = do_GET  # noqa: N815 - the base's names

    def log_message(self, *_given):
        """Say nothing on the terminal."""


class Web(http.server.BaseHTTPRequestHandler):
    """Gives what stands in `server.pages`, and keeps what is posted: an authority's address, a webhook."""

    def do_GET(self):
        content = self.server.pages.get(self.path)
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def do_POST(self):
        self.server.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_given):
        """Say nothing on the terminal."""


@contextlib.contextmanager
def serving(handler, **attributes):
    """Run a server in this process; its address is in `port`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        vars(server).update(attributes)
        server.port = server.server_address[1]
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


class Door:
    """The running nginx before two echoing servers, or Hub and proxy where their ports are given.

    `folder` is open to its workers' own user.
    """

    def __init__(self, site, pki, *, hub_port=None, proxy_port=None, **devices):
        self.stack, self.pki = contextlib.ExitStack(), pki
        self.folder = Path(tempfile.mkdtemp(prefix="ak-", dir="/tmp"))
        self.folder.chmod(0o711)
        self.hub = self.stack.enter_context(serving(Echo, name="hub", seen=[]))
        self.proxy = self.stack.enter_context(serving(Echo, name="proxy", seen=[]))
        self.web = self.stack.enter_context(serving(Web, pages={}, posts=[]))
        for name in ("runtime", "secrets", "devices", "register"):
            (self.folder / name).mkdir(mode=0o755 if name == "runtime" else 0o700)
        values = {
            "host": "localhost",
            "port": free_port(),
            "organisation": "Nordli",
            "language": "nb",
            "site": site.folder,
            "runtime": self.folder / "runtime",
            "secrets": self.folder / "secrets",
            "tls": {"certificate": pki.folder / "tls.crt", "key": pki.folder / "tls.key"},
            "devices": {
                "organisations": ["Andre", ORGANISATION],
                "authorities": self.folder / "devices" / "authorities.pem",
                "revoked": self.folder / "devices" / "revoked.pem",
                "register_folder": self.folder / "register",
                **devices,
            },
            "login": {
                "name": "ID",
                **dict.fromkeys(("issuer", "authorize", "token", "keys"), "https://id.example.no/x"),
                "client_id": "x",
                "levels": ["high"],
                "roles": {"auditor": ["a"]},
            },
            "hub": {
                "hub_port": hub_port or self.hub.port,
                "proxy_port": proxy_port or self.proxy.port,
                "proxy_api_port": free_port(),
            },
        }
        self.settings = ServeSettings.model_validate(values)
        (self.folder / "serve.yml").write_text(json.dumps(values, default=str), encoding="utf-8")
        self.settings.nginx_secret.touch(0o600)
        self.settings.nginx_secret.write_text(f'proxy_set_header {SECRET_HEADER} "{SECRET}";\n')
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind(str(self.folder / "log"))
        (self.folder / "log").chmod(0o777)
        self.log.settimeout(PATIENCE)
        self.configuration = self.folder / "nginx.conf"
        self.configuration.write_text(
            render_nginx(self.settings, str(self.folder / "log"), seconds=1), encoding="utf-8"
        )
        self.stack.callback(shutil.rmtree, self.folder)
        self.stack.callback(self.log.close)
        self.process = None

    def put(self, authorities, crl, register="default 1;\n"):
        """Put in place what nginx reads about devices."""
        devices = self.settings.devices
        devices.authorities.write_bytes(authorities)
        devices.revoked.write_bytes(crl)
        register_map(devices.revoked).write_text(register)

    def start(self):
        """Start nginx, and wait until it answers."""
        errors = (self.folder / "errors").open("wb")
        self.stack.callback(errors.close)
        command = [NGINX, "-c", self.configuration, "-e", "stderr", "-g", "daemon off;"]
        self.process = subprocess.Popen(command, stdout=errors, stderr=errors)
        self.stack.callback(self.stop)
        self.until(lambda: socket.create_connection(("localhost", self.settings.port), 1).close() or True)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def errors(self):
        return (self.folder / "errors").read_text()

    def until(self, condition):
        """Wait until a condition holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if answer := condition():
                    return answer
            time.sleep(0.05)
        raise AssertionError(self.errors())

    def context(self, client=None, highest=None):
        context = ssl.create_default_context(cafile=self.pki.folder / "tls.crt")
        if highest:
            context.maximum_version = highest
        if client:
            context.load_cert_chain(client)
        return context

    def open(self, client=None, source=None):
        """Return an open connection."""
        return http.client.HTTPSConnection(
            "localhost",
            self.settings.port,
            timeout=PATIENCE,
            context=self.context(client),
            source_address=source and (source, 0),
        )

    def ask(self, client=None, path="/hub/login", headers=(), method="GET", body=None):
        """Return status, headers and text of an answer; the path goes as it is."""
        with contextlib.closing(self.open(client)) as connection:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def status(self, client=None, path="/hub/login"):
        return self.ask(client, path)[0]

    def health_from(self, source):
        """Return the status of the health page for one who asks from another address of this machine."""
        with contextlib.closing(self.open(source=source)) as connection:
            connection.request("GET", "/health")
            return connection.getresponse().status

    def forget(self):
        """Forget what the access log said so far."""
        self.log.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while self.log.recv(65_536):
                pass
        self.log.settimeout(PATIENCE)

    def lines(self, number):
        """Return the next lines of the access log."""
        return [self.log.recv(65_536).decode() for _ in range(number)]

    def close(self):
        self.stack.close()
