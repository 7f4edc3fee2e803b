"""PostgreSQL and an object store for the tests of many machines: Debian's own server, and moto's, on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_kernel.site import Site
from tests.conftest import postgres_program

# `guarded` has to give a password, the others are let in.
ACCESS = "local all guarded scram-sha-256\nlocal all all trust\n"
OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=16MB -c unix_socket_directories="
PASSWORD = "hemmelig-Pass7"


class Postgres:
    """A running server that answers on a socket of the file system.

    folder: where its data and its socket lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_databases = 0

    def ask(self, sql: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; return what psql prints."""
        words = ["psql", "-h", str(self.folder), "-U", "postgres", "-d", database, "-qAt", "-c", sql]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def new_database(self) -> str:
        """Make an empty database and return libpq's words for it, without a user."""
        self.n_databases += 1
        name = f"lake{self.n_databases}"
        self.ask(f"create database {name}")
        return f"dbname={name} host={self.folder}"

    def bytes_on_disk(self, database: str) -> bytes:
        """Return every byte of the database's own files, once the server has written them."""
        self.ask("checkpoint")
        number = self.ask(f"select oid from pg_database where datname = '{database}'").strip()
        files = [path for path in (self.folder / "data" / "base" / number).iterdir() if path.is_file()]
        assert len(files) > 10
        return b"".join(path.read_bytes() for path in files)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server in a folder of its own, as another user where root would be refused, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path has to be short
    other = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        other = {"user": "postgres", "group": "postgres", "extra_groups": []}

    def run(name: str, *words: str) -> None:
        output = folder.parent / f"{folder.name}.log"
        with output.open("ab") as log:  # a pipe would stay open as long as the server
            subprocess.run(
                [postgres_program(name), "-D", str(folder / "data"), *words],
                check=True, stdout=log, stderr=log, cwd="/", **other,
            )  # fmt: skip

    try:
        run("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C")
        (folder / "data" / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")
        run("pg_ctl", "-w", "-l", str(folder / "server.log"), "-o", f"{OPTIONS}{folder}", "start")
        server = Postgres(folder)
        server.ask(f"create role guarded login password '{PASSWORD}'; create role reader login")
        server.ask("grant create on schema public to public", "template1")
        yield server
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


@contextmanager
def running_object_store(bucket: str) -> Iterator[str]:
    """Start moto's object store with one bucket; yield its address, host:port."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        signature = (
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
        )
        request = urllib.request.Request(
            f"http://{host}:{port}/{bucket}", method="PUT", headers={"Authorization": signature}
        )
        urllib.request.urlopen(request).close()
        yield f"{host}:{port}"
    finally:
        server.stop()


def with_store(site: Site, catalogue: str = "", files: str = "") -> Site:
    """Change where a site's store lies, as its operator would in `settings.yml`."""
    path = site.folder / "settings.yml"
    lines = "".join(f'    {key}: "{value}"\n' for key, value in (("catalogue", catalogue), ("files", files)) if value)
    path.write_text(path.read_text(encoding="utf-8").replace("store:\n", f"store:\n{lines}"), encoding="utf-8")
    return Site(site.folder)
