"""Attacks on an archive: each changes it as somebody could, and says what `verify` must name."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_kernel.canonical import canonical_json
from audit_kernel.evidence import bag, chain, keys
from audit_kernel.evidence.key_change import HAND_OVER
from audit_kernel.evidence.verify import verify
from tests.evidence.sealing import rewrite

TAG_SIGNATURE = bag.TAG_MANIFEST + bag.SIGNATURE


@dataclass
class World:
    """An archive that is attacked, and what lies elsewhere: public keys, the authority's certificate, filed codes.

    earlier_head: the head record before the last run. key: the one that the present attack is looked at with.
    """

    archive: Path
    public_keys: list[Path]  # the oldest first
    authority: Path
    codes: list[str]
    earlier_head: bytes
    files: dict[str, bytes] = field(init=False)
    runs: list[str] = field(init=False)
    key: Path = field(init=False)

    def __post_init__(self):
        paths = [path for path in self.archive.rglob("*") if path.is_file()]
        self.files = {path.relative_to(self.archive).as_posix(): path.read_bytes() for path in paths}
        self.runs = [run.name for run in chain.archive_runs(self.archive)]

    def restore(self):
        shutil.rmtree(self.archive)
        for name, content in self.files.items():
            path = self.archive / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def some_file(self, draw: random.Random) -> str:
        return draw.choice([name for name, content in sorted(self.files.items()) if content])


@dataclass
class Figures:
    """How many attacks of each kind were made, and those not found or not named."""

    made: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def changed_byte(world, draw):
    name = world.some_file(draw)
    content = bytearray(world.files[name])
    content[draw.randrange(len(content))] ^= draw.randint(1, 255)
    rewrite(world.archive / name, bytes(content))
    return {name}


def truncated(world, draw):
    name = world.some_file(draw)
    rewrite(world.archive / name, world.files[name][: draw.randrange(len(world.files[name]))])
    return {name}


def lengthened(world, draw):
    name = world.some_file(draw)
    rewrite(world.archive / name, world.files[name] + draw.randbytes(draw.randint(1, 9)))
    return {name}


def removed_file(world, draw):
    name = world.some_file(draw)
    (world.archive / name).unlink()
    return {name}


def added_file(world, draw):
    folder = draw.choice(["", *(f"{run}/{part}" for run in world.runs for part in ("", "data/"))])
    (world.archive / f"{folder}added.txt").write_text("x", encoding="utf-8")
    return {f"{folder}added.txt"}


def swapped_files(world, draw):
    """Two files exchanged: of one run, or of the same name in two runs."""
    inner = sorted(name for name in world.files if "/" in name)
    one = draw.choice(inner)
    run, rest = one.split("/", 1)
    others = [name for name in inner if name.startswith(f"{run}/")] + [f"{each}/{rest}" for each in world.runs]
    other = draw.choice([name for name in others if world.files.get(name, world.files[one]) != world.files[one]])
    rewrite(world.archive / one, world.files[other])
    rewrite(world.archive / other, world.files[one])
    return {one, other}


def reordered_runs(world, draw):
    one, other = draw.sample(world.runs, 2)
    (world.archive / one).rename(world.archive / "aside")
    (world.archive / other).rename(world.archive / one)
    (world.archive / "aside").rename(world.archive / other)
    return {one, other}


def removed_run(world, draw):
    run = draw.choice(world.runs)
    shutil.rmtree(world.archive / run)
    if HAND_OVER in run and world.key == world.public_keys[0]:  # nobody whom the old key vouches for names it
        return {f"{later}/{TAG_SIGNATURE}" for later in world.runs[world.runs.index(run) + 1 :]}
    return {run}


def removed_last_run(world, draw):
    shutil.rmtree(world.archive / world.runs[-1])
    return {world.runs[-1]}


def removed_last_run_with_its_head_record(world, draw):
    shutil.rmtree(world.archive / world.runs[-1])
    (world.archive / chain.HEAD).unlink()
    return {chain.HEAD}


def replaced_signature(world, draw):
    """The signature of another list, of the same list signed by another key, or nothing but zeros."""
    run = draw.choice(world.runs)
    name = draw.choice([bag.MANIFEST, bag.TAG_MANIFEST]) + bag.SIGNATURE
    listed = world.files[f"{run}/{name.removesuffix(bag.SIGNATURE)}"]
    other = draw.choice([each for each in world.runs if each != run])
    forged = [world.files[f"{other}/{name}"], Ed25519PrivateKey.generate().sign(listed), bytes(64)]
    rewrite(world.archive / run / name, draw.choice(forged))
    return {f"{run}/{name}"}


def recomputed_hashes(world, draw):
    """A page is changed and every hash made anew, in this run and all later ones; no key is known."""
    first = draw.randrange(len(world.runs))
    change_payload(world.archive / world.runs[first], draw)
    recompute(world, world.runs[first:])
    return {f"{run}/{TAG_SIGNATURE}" for run in world.runs[first:]}


def remade_with_another_key(world, draw):
    """The whole archive is made anew and signed with a key of the attacker's own, head record and copies included."""
    signer = Ed25519PrivateKey.generate()
    change_payload(world.archive / world.runs[0], draw)
    recompute(world, world.runs, signer)
    last = chain.read_run(world.archive / world.runs[-1])
    chain.write_head(world.archive, chain.head_of(last), signer)
    rewrite(world.archive / keys.PUBLIC_NAME, keys.public_pem(signer.public_key()))
    return {*(f"{run}/{TAG_SIGNATURE}" for run in world.runs), chain.HEAD, keys.PUBLIC_NAME}


ATTACKS = (
    truncated,
    lengthened,
    removed_file,
    added_file,
    swapped_files,
    reordered_runs,
    removed_run,
    removed_last_run,
    removed_last_run_with_its_head_record,
    replaced_signature,
    recomputed_hashes,
    remade_with_another_key,
)


def change_payload(folder, draw):
    payload = sorted(path for path in (folder / "data").rglob("*") if path.is_file() and path.name != "statement.json")
    rewrite(draw.choice(payload), b"<p>nothing was found</p>")


def recompute(world, runs, signer=None):
    """Make statements, lists and the chain of runs fit their files; sign them anew where a key is given."""
    for run in runs:
        folder = world.archive / run
        statement = json.loads((folder / bag.STATEMENT).read_bytes())
        place = statement["predicate"][chain.CHAIN_FIELD]
        if place["preceding"]:
            before = world.archive / place["preceding"]["run"] / bag.TAG_MANIFEST
            place["preceding"]["tagmanifest_sha256"] = bag.digest_of(before)
        for subject in statement["subject"]:
            subject["digest"]["sha256"] = bag.digest_of(folder / subject["name"])
        rewrite(folder / bag.STATEMENT, canonical_json(statement))
        if signer:
            rewrite(folder / bag.PUBLIC_KEY, keys.public_pem(signer.public_key()))
        for manifest, is_payload in ((bag.MANIFEST, True), (bag.TAG_MANIFEST, False)):
            tree = bag.read_tree(folder).files
            listed = {
                path: bag.digest_of(tree[path])
                for path in tree
                if path.startswith("data/") == is_payload and path not in bag.UNLISTED_FILES
            }
            rewrite(folder / manifest, bag.manifest_text(listed))
            if signer:
                rewrite(folder / (manifest + bag.SIGNATURE), signer.sign(bag.manifest_text(listed)))


def attack(world: World, changes: int, others: int, seed: int) -> Figures:
    """Make `changes` single-byte changes and `others` attacks of each other kind, each on the whole archive.

    An attack is missed unless `verify`, with a public key and the authority's certificate from outside, fails and
    names every file or run that was changed.
    """
    draw, figures = random.Random(seed), Figures()
    world.restore()
    for make in [changed_byte] * changes + list(ATTACKS) * others:
        world.key = draw.choice(world.public_keys)
        named = make(world, draw)
        found = [each for each in verify(world.archive, world.key, authority=world.authority) if each.is_failure]
        told = {each.place() for each in found} | {each.run for each in found if not each.file}
        figures.made[make.__name__] += 1
        if not named <= told:
            figures.missed.append(f"{make.__name__}: {sorted(named - told)} not among {sorted(told)}")
        world.restore()
    return figures
