"""The kernel of a run: reached over sockets in a private folder, never over a network port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

if TYPE_CHECKING:
    from collections.abc import Mapping


class ForkedKernel:
    """A kernel forked before any library has begun threads; it waits until it is told where its connection file is.

    It has the part of `subprocess.Popen` that jupyter_client uses.
    """

    stdin = stdout = stderr = None
    waiting: ForkedKernel | None = None

    def __init__(self) -> None:
        reader, self._writer = os.pipe()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writer)
            _become_kernel(reader)
        os.close(reader)

    def launch(self, connection_file: str, environment: Mapping[str, str], folder: str | None) -> None:
        """Let it begin."""
        os.write(self._writer, json.dumps([connection_file, dict(environment), folder]).encode())
        os.close(self._writer)

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int | None:
        """Wait for its end and return the exit code."""
        if self.returncode is None:
            _pid, status = os.waitpid(self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    terminate = kill


class ForkedProvisioner(LocalProvisioner):
    """Gives a kernel manager the kernel that waits, where the stock one would start a cold process."""

    async def launch_kernel(self, cmd: list[str], **given: Any) -> Any:  # noqa: ANN401 - jupyter_client's own type
        """Let the waiting kernel begin; return how it is reached."""
        kernel, ForkedKernel.waiting = ForkedKernel.waiting, None
        if kernel is None:
            return await super().launch_kernel(cmd, **given)
        environment = {**(given.get("env") or os.environ), "JPY_PARENT_PID": str(os.getpid())}
        kernel.launch(cmd[cmd.index("-f") + 1], environment, given.get("cwd"))
        self.process = kernel  # type: ignore[assignment]
        self.pid = self.pgid = kernel.pid  # it leads a session of its own
        self.cwd = given.get("cwd") or Path.cwd()
        return self.connection_info


def _become_kernel(reader: int) -> None:
    """Wait for the connection file and be the kernel; never returns."""
    os.setsid()
    told = b""
    while part := os.read(reader, 65536):
        told += part
    if not told:  # whom it would have served has ended
        os._exit(0)
    connection_file, environment, folder = json.loads(told)
    os.environ.clear()
    os.environ.update(environment)
    if folder:
        os.chdir(folder)
    # Whose end it is to watch for was read when ipykernel was loaded, before there was anybody.
    parent = f"--IPKernelApp.parent_handle={environment['JPY_PARENT_PID']}"
    sys.argv = ["ipykernel_launcher", "-f", connection_file, parent]
    code = 1
    try:
        from ipykernel import kernelapp

        kernelapp.launch_new_instance()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        os._exit(code)


class KernelOverSockets(AsyncKernelManager):
    """A kernel manager that talks over Unix sockets (ZeroMQ ipc) where there are any."""

    def __init__(self, **traits: Any) -> None:  # noqa: ANN401 - traits of any type
        super().__init__(**traits)
        self._sockets = ""
        if os.name == "posix":
            # A socket's path may have some 100 bytes: a short folder of its own, readable by its owner only.
            self._sockets = tempfile.mkdtemp(prefix="ak-")
            self.transport = "ipc"
            self.ip = f"{self._sockets}/k"

    async def _async_pre_start_kernel(self, **given: Any) -> tuple[list[str], dict[str, Any]]:  # noqa: ANN401
        # Where a kernel waits already, it is the one.
        if self.provisioner is None and ForkedKernel.waiting is not None:
            self.kernel_id = self.kernel_id or str(uuid.uuid4())
            self.provisioner = ForkedProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        return await super()._async_pre_start_kernel(**given)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        # Removes the sockets' folder with the kernel.
        await super()._async_cleanup_resources(restart=restart)
        if not restart and self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
