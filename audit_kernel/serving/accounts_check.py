"""Compares this machine's users, groups and folders with what `accounts` says, and refuses a catalogue in SQLite."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from audit_kernel.errors import Phrase
from audit_kernel.serving.accounts import GROUPS, SERVICE, SERVICE_GROUPS, members, places_of, reviewer_accounts
from audit_kernel.serving.check import Lack, missing, unsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_kernel.serving.accounts import Place
    from audit_kernel.site import Site

MAKE_USERS = Phrase("Run as root: systemd-sysusers {file}; `serve accounts --write DIR` writes it.")
MAKE_ACCOUNT = Phrase(
    "Make the reviewer's account with a group of its own name (useradd --user-group), then `serve accounts` again."
)
SET_RIGHTS = Phrase(
    "Run as root: chown -R audit-kernel: on the site's folder, then systemd-tmpfiles --create {file}, which"
    " `serve accounts --write DIR` writes."
)
SYSUSERS, TMPFILES = "sysusers.d-audit-kernel.conf", "tmpfiles.d-audit-kernel.conf"


def account_lacks(site: Site) -> list[Lack]:
    """Return what differs on this machine."""
    found = []
    if not site.settings.store.is_postgres:
        found.append(
            unsafe(
                Phrase("The store's catalogue is a SQLite file, which nobody reads without the right to write it."),
                Phrase("Move it to PostgreSQL: audit-kernel store move --catalogue 'postgres:dbname=... host=...'"),
            )
        )
    people = list(_people(site))
    return [*found, *people, *([] if people else _places(site))]


def _people(site: Site) -> Iterator[Lack]:
    accounts = reviewer_accounts(site)
    for name in (*GROUPS, *accounts):
        found = members(name)
        if found is None:
            remedy = MAKE_ACCOUNT if name in accounts else MAKE_USERS
            yield missing(Phrase("The group {name} is missing."), remedy, name=name, file=SYSUSERS)
            continue
        if name in accounts and set(found) - {name, SERVICE}:
            yield unsafe(
                Phrase("Others are in the group {name}, which is one reviewer's own."), MAKE_ACCOUNT, name=name
            )
        if name in (*SERVICE_GROUPS, *accounts) and SERVICE not in found:
            problem = Phrase("The user {user} is not in the group {name}.")
            yield missing(problem, MAKE_USERS, user=SERVICE, name=name, file=SYSUSERS)
    try:
        pwd.getpwnam(SERVICE)
    except KeyError:
        yield missing(Phrase("The user {user} is missing."), MAKE_USERS, user=SERVICE, file=SYSUSERS)


def _places(site: Site) -> Iterator[Lack]:
    for place, path in places_of(site):
        try:
            status = path.lstat()
        except OSError:
            if place.path != "keys/signing-key.pem":  # an outside signer may hold it
                yield missing(Phrase("{path} is missing."), SET_RIGHTS, path=path, file=TMPFILES)
            continue
        expected = f"{SERVICE}:{place.group} {place.mode:04o}"
        found = f"{_name(pwd.getpwuid, status.st_uid)}:{_name(grp.getgrgid, status.st_gid)}"
        found += f" {stat.S_IMODE(status.st_mode):04o}"
        if found != expected:
            problem = Phrase("{path} belongs to {found}; it should be {expected}.")
            yield unsafe(problem, SET_RIGHTS, path=path, found=found, expected=expected, file=TMPFILES)
        elif place.is_deep:
            yield from _within(place, path)


def _within(place: Place, folder: Path) -> Iterator[Lack]:
    """Look for the first thing in a folder that lets in whom the folder does not, or keeps out whom it lets in."""
    group = grp.getgrnam(place.group).gr_gid
    for here, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(here) / name
            status = path.lstat()
            is_open = status.st_mode & stat.S_IRWXO and not stat.S_ISLNK(status.st_mode)
            if is_open or (status.st_mode & stat.S_IRWXG and status.st_gid != group):
                problem = Phrase("{path} lets in others than {group}.")
                yield unsafe(problem, SET_RIGHTS, path=path, group=place.group, file=TMPFILES)
                return
            if place.mode & stat.S_IRGRP and not status.st_mode & stat.S_IRGRP and not name.endswith(".lock"):
                problem = Phrase("{path} keeps out {group}.")
                yield missing(problem, SET_RIGHTS, path=path, group=place.group, file=TMPFILES)
                return


def _name(lookup: object, number: int) -> str:
    try:
        return str(lookup(number)[0])  # type: ignore[operator] # of pwd or grp: the name comes first
    except KeyError:
        return str(number)
