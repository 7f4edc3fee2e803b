"""What `serve device` prints: the register, and who was refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit_kernel.locale import format_date
from audit_kernel.printing import Printer
from audit_kernel.serving.devices import ACTIVE, EXPIRED, REQUESTED, REVOKED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from audit_kernel.serving.device_refusals import Refusal
    from audit_kernel.serving.devices import Device


class DevicePrinter(Printer):
    """Prints devices."""

    def devices(self, devices: Sequence[Device], now: datetime) -> None:
        """Print the register."""
        _ = self.translate
        if not devices:
            self.say(_("No device stands in the register."))
            return
        states = {
            REQUESTED: _("asked for"),
            ACTIVE: _("gets in"),
            EXPIRED: _("expired"),
            REVOKED: _("revoked"),
        }
        headings = (_("Device"), _("State"), _("Valid until"), _("Serial number"), _("Noted by"), _("Reason"))
        rows = [
            (
                each.name,
                states[each.state(now)],
                format_date(each.valid_until.date(), self.language) if each.valid_until else "",
                each.serial,
                each.noted_by,
                self._cut(each.reason),
            )
            for each in devices
        ]
        self._table(_("Devices"), [(heading, "") for heading in headings], rows)

    def refusals(self, refusals: Mapping[Refusal, int]) -> None:
        """Print who was refused, most often first."""
        _ = self.translate
        if not refusals:
            self.say(_("No device was refused since the last reading."))
            return
        reasons = {
            "certificate": _("no valid certificate"),
            "organisation": _("another organisation"),
            "register": _("not in the register, or revoked"),
            "others": _("others"),
        }
        headings = [(heading, "") for heading in (_("Reason"), _("nginx says"), _("Subject"), _("Address"))]
        rows = [
            (reasons.get(each.reason, each.reason), each.verify, each.subject, each.address, self._number(count))
            for each, count in refusals.items()
        ]
        self._table(_("Refused devices"), [*headings, (_("Times"), "end")], rows)
