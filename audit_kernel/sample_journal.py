"""The protocol of a month's draw: the frame's hash is in a journal before the seed is known, and each is there once.

Two lines of `journals/samples.jsonl` make a draw. `frame`: month, number of the draw, SHA-256 of the frame, its size,
the store's snapshot, the design. `seed`: the seed, and whether an operator gave it or it was derived as SHA-256 of
`frame's hash | hash of the archive's head`. A command killed between the two goes on where it stopped.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from audit_kernel.errors import RunError, UsageError, VerificationError
from audit_kernel.evidence import chain
from audit_kernel.evidence.site_signing import site_signer
from audit_kernel.files import OWNER_ONLY_FILE
from audit_kernel.journal import START, Journal
from audit_kernel.sample_design import Design
from audit_kernel.use_log import operating_system_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audit_kernel.site import Site

FILE = "samples.jsonl"
LOCK = "samples.lock"
OPERATOR, DERIVED = "operator", "derived"


@dataclass(frozen=True)
class Frame:
    """The frame of a month as it is registered."""

    month: str
    sha256: str
    snapshot: int
    design: Design


@dataclass(frozen=True)
class Request:
    """What the operator asks for: a seed and its witness, both optional, and why a month is drawn once more."""

    seed: str = ""
    witness: str = ""
    again: str = ""


@dataclass(frozen=True)
class Draw:
    """A draw: the journal's line of its frame, and that of its seed once there is one."""

    frame: Mapping[str, Any]
    seeded: Mapping[str, Any] | None = None

    @property
    def number(self) -> int:
        """1 for a month's first draw."""
        return int(self.frame["entry"]["draw"])

    @property
    def reason(self) -> str:
        """Why the month was drawn again; empty for the first."""
        return str(self.frame["entry"]["reason"])

    @property
    def seed(self) -> str:
        """The seed; empty while there is none."""
        return str(self.seeded["entry"]["seed"]) if self.seeded else ""

    @property
    def design(self) -> Design:
        """The design that was registered with the frame."""
        return Design.from_plain(self.frame["entry"]["design"])

    def is_of(self, frame: Frame) -> bool:
        """Tell whether it was registered for this frame, these decisions and these sizes."""
        own, other = self.design, frame.design
        is_same = own.decisions == other.decisions and own.draw_parameters == other.draw_parameters
        return is_same and bool(self.frame["entry"]["frame_sha256"] == frame.sha256)

    def as_plain(self) -> dict[str, Any]:
        """Return both lines, as they stand in a statement."""
        return {"frame": dict(self.frame), "seed": dict(self.seeded) if self.seeded else None}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Draw:
        """Return what `as_plain` gave."""
        return cls(values["frame"], values["seed"])


def draws_of(site: Site, month: str) -> list[Draw]:
    """Return a month's draws in order; of a draw whose frame was registered anew before its seed, the last frame.

    Raises
    ------
    JournalError: a line of the journal is damaged.
    """
    draws: dict[int, Draw] = {}
    for line in Journal(site.journals_folder / FILE).entries():
        entry = line["entry"]
        if entry.get("month") != month:
            continue
        number = int(entry["draw"])
        draws[number] = Draw(line) if entry["kind"] == "frame" else Draw(draws[number].frame, line)
    return [draws[number] for number in sorted(draws)]


def register_frame(site: Site, frame: Frame, again: str = "") -> Draw:
    """Write the frame of a month's draw, once; the same frame again gives the draw that is there.

    Raises
    ------
    RunError: the month was drawn already with another frame or design, and no reason is given to draw again.
    JournalError: the journal cannot be written.
    """
    with _lock(site):
        return _registered(site, frame, again)


def register_seed(site: Site, month: str, seed: str, witness: str = "") -> Draw:
    """Write the operator's seed for the frame that waits for one.

    Raises
    ------
    UsageError: no frame of the month waits for a seed, or the seed is empty.
    RunError: the draw has another seed already.
    JournalError: the journal cannot be written.
    """
    if not seed.strip():
        raise UsageError("The seed is empty.", "Give for example the numbers of the dice.")
    with _lock(site):
        draws = draws_of(site, month)
        if not draws:
            raise UsageError(
                "No frame of {month} is registered, so a seed would come before it.",
                "Write it first: audit-kernel sample frame {month}",
                month=month,
            )
        if draws[-1].seeded and draws[-1].seed != seed.strip():
            raise _drawn_already(draws[-1])
        return _seeded(site, draws[-1], Request(seed, witness), is_frame_first=True)


def settle_draw(site: Site, frame: Frame, request: Request) -> Draw:
    """Return the month's draw, from frame to seed; what is registered already is repeated, never doubled.

    Raises
    ------
    RunError: the month was drawn already with another frame, design or seed, and no reason is given to draw again.
    VerificationError: the archive's head is not signed by the site's key, so no seed can be derived from it.
    JournalError: the journal cannot be read or written.
    """
    with _lock(site):
        same = [draw for draw in draws_of(site, frame.month) if draw.is_of(frame) and draw.seeded]
        same = [draw for draw in same if not request.seed.strip() or draw.seed == request.seed.strip()]
        same = [draw for draw in same if not request.again.strip() or draw.reason == request.again.strip()]
        if same:
            return same[-1]
        before = {draw.frame["hash"] for draw in draws_of(site, frame.month)}
        draw = _registered(site, frame, request.again)
        if draw.seeded and request.seed.strip():
            raise _drawn_already(draw)
        return _seeded(site, draw, request, is_frame_first=draw.frame["hash"] in before)


def _registered(site: Site, frame: Frame, again: str) -> Draw:
    draws, again = draws_of(site, frame.month), again.strip()
    same = [draw for draw in draws if draw.is_of(frame) and (not again or draw.reason == again)]
    if same:
        return same[-1]
    last = draws[-1] if draws else None
    if last and last.seeded and not again:
        raise _drawn_already(last)
    is_waiting = last is not None and not last.seeded
    number = 1 if last is None else last.number + (0 if is_waiting else 1)
    reason = again or (last.reason if last and is_waiting else "")
    entry = {
        "kind": "frame",
        "month": frame.month,
        "draw": number,
        "reason": reason,
        "frame_sha256": frame.sha256,
        "snapshot": frame.snapshot,
        "design": frame.design.as_plain(),
        "user": operating_system_user(),
    }
    Journal(site.journals_folder / FILE).append(entry)
    return draws_of(site, frame.month)[-1]


def _seeded(site: Site, draw: Draw, request: Request, *, is_frame_first: bool) -> Draw:
    if draw.seeded:
        return draw
    entry = draw.frame["entry"]
    line: dict[str, Any] = {
        "kind": "seed",
        "month": entry["month"],
        "draw": draw.number,
        "frame_sha256": entry["frame_sha256"],
        "user": operating_system_user(),
    }
    if seed := request.seed.strip():
        line |= {"seed": seed, "origin": OPERATOR, "witness": request.witness.strip(), "is_frame_first": is_frame_first}
    else:
        run, head = archive_head(site)
        seed = derived_seed(entry["frame_sha256"], head)
        line |= {"seed": seed, "origin": DERIVED, "archive_run": run, "archive_head": head}
    Journal(site.journals_folder / FILE).append(line)
    return draws_of(site, entry["month"])[draw.number - 1]


def derived_seed(frame_sha256: str, head: str) -> str:
    """Return the seed: `printf '%s' 'FRAME|HEAD' | sha256sum`."""
    return hashlib.sha256(f"{frame_sha256}|{head}".encode()).hexdigest()


def archive_head(site: Site) -> tuple[str, str]:
    """Return the archive's last run and the SHA-256 of its tagmanifest-sha256.txt; 64 zeros before the first run.

    Raises
    ------
    VerificationError: the head record is not signed by the site's key.
    """
    try:
        head = chain.read_head(site.archive_folder, site_signer(site).public_key())
    except ValueError:
        raise VerificationError(
            "The archive's head record is not signed by the site's key, so no seed is derived from it.",
            "Run `audit-kernel verify` on the archive.",
        ) from None
    return (head.run, head.tagmanifest_sha256) if head and head.sequence else ("", START)


def _drawn_already(draw: Draw) -> RunError:
    entry = draw.frame["entry"]

    return RunError(
        "The sample of {month} was drawn already (draw {number}), over another frame, plan or seed.",
        "To repeat it, run the month with --snapshot {snapshot} and without another seed. To draw once more, give the"
        ' reason with --draw-again "why"; both draws stay in the journal.',
        month=entry["month"],
        number=draw.number,
        snapshot=entry["snapshot"],
    )


def _lock(site: Site) -> FileLock:
    return FileLock(site.temporary_folder / LOCK, mode=OWNER_ONLY_FILE)
