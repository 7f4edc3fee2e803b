"""Which group of the operating system gets which folder of a site: systemd's files that make it so, rules of sudo.

One user, `audit-kernel`, owns everything, takes logs in, runs months and seals. A person's account has the groups of
its roles. The bit set-group-ID on a folder is what tells the program that the group may read what it writes there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit_kernel.catalog import resource_folder
from audit_kernel.files import write_new
from audit_kernel.review.delivery import ACCOUNT, FOLDER_MODE
from audit_kernel.serving.settings import ROLES
from audit_kernel.site import WORK_LISTS
from audit_kernel.use_log import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from audit_kernel.site import Site

SERVICE = "audit-kernel"
INVESTIGATORS, REVIEWERS, AUDITORS, OPERATORS = GROUPS = tuple(f"ak-{role}" for role in ROLES)
SERVICE_GROUPS = (INVESTIGATORS, AUDITORS, OPERATORS)  # and each reviewer's own: what they save must be read
READABLE = 0o644
SQL_FILE = "catalogue-roles.sql"


@dataclass(frozen=True)
class Place:
    """A file or folder of the site.

    group: the group that the mode's middle digit is about.
    is_deep: everything in it gets the same, less the right to enter, and less the right to write where nobody has it.
    is_made: a folder that a site of one user does not have.
    """

    path: str
    mode: int
    group: str = SERVICE
    is_deep: bool = False
    is_made: bool = False


PLACES = (
    Place("", 0o711),  # whoever knows a name in it may try it
    Place("settings.yml", 0o644),  # holds no secret; every page reads it
    Place("parameters", 0o2750, INVESTIGATORS, is_deep=True),
    Place("sql", 0o2750, INVESTIGATORS, is_deep=True),
    Place("notebooks", 0o2750, INVESTIGATORS, is_deep=True),
    Place("store", 0o2750, INVESTIGATORS, is_deep=True),
    Place("archive", 0o2750, AUDITORS, is_deep=True),
    Place("restricted", 0o700, is_deep=True),
    Place("cases", 0o3770, INVESTIGATORS, is_deep=True),  # sticky: nobody removes what is another's
    Place("journals", 0o3770, INVESTIGATORS, is_deep=True),
    Place("keys", 0o2710, INVESTIGATORS),
    Place("keys/pseudonym-key", 0o640, INVESTIGATORS),  # names the cases
    Place("keys/signing-key.pem", 0o600),
    Place("logs", 0o3730, OPERATORS),  # a letter box: put in, neither listed nor read
    Place("asked", 0o3770, INVESTIGATORS, is_made=True),  # what the service is asked to seal
    Place("copies", 0o2750, INVESTIGATORS, is_deep=True, is_made=True),
    Place("temporary", 0o3770, INVESTIGATORS),
    Place(WORK_LISTS, 0o711, is_made=True),  # in it a folder for each reviewer
)
# Of the program's commands, those whose answers name no patient, and the options that operators may give. A list, since
# another --site, or records in quarantine, would be more than they may see or do.
OPERATED = {
    "alarm": "trial",
    "due": "alarm|json|language|list|tries",
    "intake": "json|source",
    "ledger": "json",
    "month": "approved-by|draw-again|json|language|run-by|seed|seed-witness",
    "reference": "json|kind",
    "review collect": "json",
    "review deliver": "json",
    "verify": "code|json|language",
}
SUDOERS = """\
# What operators do in the name of {service}: visudo -cf FILE, then /etc/sudoers.d/audit-kernel, root's, mode 440.
Cmnd_Alias AUDIT_KERNEL_OPERATED = {commands}
Defaults!AUDIT_KERNEL_OPERATED env_reset, !setenv, use_pty
%{operators} ALL=({service}) NOPASSWD: AUDIT_KERNEL_OPERATED
"""


def places_of(site: Site) -> list[tuple[Place, Path]]:
    """Return each place with its path; a store's folder elsewhere, on a share, is one more."""
    own = [Place(f"{WORK_LISTS}/{name}", FOLDER_MODE, name, is_made=True) for name in known_accounts(site)]
    found = [(place, site.folder / place.path) for place in (*PLACES, *own)]
    store = site.settings.store
    if not store.is_object_store and not (site.folder / store.files).is_relative_to(site.store_folder):
        found.append((Place(store.files, 0o2750, INVESTIGATORS, is_deep=True), site.folder / store.files))
    return found


def reviewer_accounts(site: Site) -> list[str]:
    """Return the accounts that get work lists: those that settings name for a reviewer, and the group's members.

    What no folder can be called is left out; `review deliver` tells of it.
    """
    names = {each.user for each in site.settings.review.reviewers} | set(members(REVIEWERS) or ())
    return sorted(name for name in names - {SERVICE} if ACCOUNT.fullmatch(name))


def known_accounts(site: Site) -> list[str]:
    """Return those of them that have a group of their own, as `useradd` makes it."""
    return [name for name in reviewer_accounts(site) if members(name) is not None]


def members(group: str) -> list[str] | None:
    """Return who is in a group of the operating system; None where there is no such group."""
    import grp

    try:
        return grp.getgrnam(group).gr_mem
    except KeyError:
        return None


def operated(site: Site) -> list[str]:
    """Return the arguments that operators may give, as regular expressions of sudo (1.9.10 or newer)."""
    folder = str(site.folder).replace(".", "[.]").replace("+", "[+]")
    return [f"^{name} --site {folder}( ([^ -][^ ]*|--({options})))*$" for name, options in OPERATED.items()]


def files(site: Site, program: Path) -> dict[str, str]:
    """Return the text of each file by name: users and groups, folders, sudo's rules, the catalogue's roles.

    Parameters
    ----------
    program: the command `audit-kernel` as root installed it.
    """
    people = [*(f"g {group} -" for group in GROUPS), f'u {SERVICE} - "Log control" {site.folder}']
    own = known_accounts(site)  # of others systemd would make the group itself, and then `useradd` refuses the user
    people += [f"m {SERVICE} {group}" for group in (*SERVICE_GROUPS, *own)]
    places = places_of(site)
    folders = [f"d {path} {place.mode:04o} {SERVICE} {place.group} -" for place, path in places if place.is_made]
    # Made by the service, so that no investigator owns it and may remove it.
    journals = site.folder / "journals"
    folders += [f"f {journals / name} 0660 {SERVICE} {INVESTIGATORS} -" for name in (FILE, f"{FILE}.lock")]
    for place, path in places:
        kind, mode = ("Z", "~") if place.is_deep else ("z", "")
        folders.append(f"{kind} {path} {mode}{place.mode:04o} {SERVICE} {place.group} -")
    commands = ", \\\n    ".join(f"{program} {each}" for each in operated(site))
    told = {"service": SERVICE, "operators": OPERATORS, "commands": commands}
    return {
        "sysusers.d-audit-kernel.conf": "\n".join(people) + "\n",
        "tmpfiles.d-audit-kernel.conf": "\n".join(folders) + "\n",
        "sudoers.d-audit-kernel": SUDOERS.format(**told),
        SQL_FILE: (resource_folder("deploy") / SQL_FILE).read_text(encoding="utf-8"),
    }


def write_files(site: Site, program: Path, folder: Path) -> list[Path]:
    """Write them into a folder; overwrite nothing.

    Raises
    ------
    FileExistsError: one is there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files(site, program).items():
        write_new(folder / name, text.encode(), READABLE)
    return [folder / name for name in files(site, program)]
