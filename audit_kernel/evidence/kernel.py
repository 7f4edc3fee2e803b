"""The kernel of a run: reached over sockets in a private folder, never over a network port."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from jupyter_client.manager import AsyncKernelManager


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

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        # Removes the sockets' folder with the kernel.
        await super()._async_cleanup_resources(restart=restart)
        if not restart and self._sockets:
            shutil.rmtree(self._sockets, ignore_errors=True)
