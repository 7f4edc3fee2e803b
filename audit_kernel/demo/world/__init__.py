"""The seeded world that proves the checks: deliveries with planted episodes and honest look-alikes, and their truth."""

from __future__ import annotations

from audit_kernel.demo.world.write import write_truth, write_world

__all__ = ["write_truth", "write_world"]
