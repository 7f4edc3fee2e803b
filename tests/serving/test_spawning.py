"""What a person's server is started with, and who gets none."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import stat
import subprocess
from types import SimpleNamespace

import pytest
from tornado import web

from audit_kernel.errors import JournalError
from audit_kernel.serving import access_log, spawning
from audit_kernel.serving.refusals import REASONS
from audit_kernel.serving.single_user import pages_of
from audit_kernel.serving.spawning import (
    ACCOUNT_VARIABLE,
    ROLES_VARIABLE,
    RUNTIME_VARIABLE,
    AccountSpawner,
    before_start,
)
from audit_kernel.site import SITE_VARIABLE, create_site
from audit_kernel.use_log import FILE


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "SE")


def spawner_of(site, *roles, name="se100-ina", **more):
    """What the functions use of the Hub's spawner."""
    environment = {SITE_VARIABLE: str(site.folder), RUNTIME_VARIABLE: str(site.folder.parent / "run"), **more}
    groups = [SimpleNamespace(name=role) for role in roles]
    user = SimpleNamespace(name=name, groups=groups)
    return SimpleNamespace(user=user, environment=environment, authenticator=SimpleNamespace(language="en"))


def lines(site):
    return [json.loads(line)["entry"] for line in (site.journals_folder / FILE).read_text().splitlines()]


def test_a_server_gets_its_roles_in_order_a_folder_of_its_own_and_a_line_in_the_use_log(site):
    spawner = spawner_of(site, "operator", "somebody", "investigator")
    asyncio.run(before_start(spawner))
    assert spawner.environment[ROLES_VARIABLE] == "investigator,operator"
    folder = site.folder.parent / "run" / "se100-ina"
    assert spawner.environment["RUNTIME_DIRECTORY"] == str(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert lines(site)[-1] | {"activity": "server_start", "who": "se100-ina"} == lines(site)[-1]
    (folder / "left").write_text("behind")
    asyncio.run(before_start(spawner))
    assert list(folder.iterdir()) == []
    spawning.after_stop(spawner)
    assert not folder.exists()


def test_systemd_gets_the_groups_of_the_roles_and_makes_the_folder_itself(site):
    spawner = spawner_of(site, "auditor", "operator", name="daemon", **{ACCOUNT_VARIABLE: "{USERNAME}"})
    spawner.unit_extra_properties = {"ReadWritePaths": "/srv/site"}
    asyncio.run(before_start(spawner))
    assert spawner.unit_extra_properties["SupplementaryGroups"] == "ak-auditor ak-operator"
    assert spawner.environment[ROLES_VARIABLE] == "auditor"
    assert spawner.unit_extra_properties["ReadWritePaths"] == "/srv/site"
    assert spawner.unit_extra_properties["ProtectSystem"] == "strict"
    assert "RUNTIME_DIRECTORY" not in spawner.environment


def test_a_reviewer_with_an_account_gets_the_own_work_lists_and_without_one_the_whole_page(site):
    spawner = spawner_of(site, "reviewer", "operator", name="daemon", **{ACCOUNT_VARIABLE: "{USERNAME}"})
    spawner.unit_extra_properties = {}
    asyncio.run(before_start(spawner))
    assert spawner.environment[ROLES_VARIABLE] == "reviewer"
    assert pages_of(["reviewer"], has_account=True) == ["worklist"]
    assert pages_of(["investigator", "reviewer"], has_account=True) == ["investigate", "worklist"]
    assert pages_of(["reviewer", "operator"], has_account=False) == ["review", "operate"]


@pytest.mark.parametrize(
    ("roles", "account", "reason"),
    [
        ((), "", "no_role"),
        (("somebody",), "", "no_role"),
        (("auditor",), "ak-{USERNAME}", "no_account"),
        (("operator",), "daemon", "commands_only"),
    ],
)
def test_without_a_role_or_an_account_no_server_starts_and_the_person_is_told_why(site, roles, account, reason):
    spawner = spawner_of(site, *roles, **{ACCOUNT_VARIABLE: account})
    with pytest.raises(web.HTTPError) as caught:
        asyncio.run(before_start(spawner))
    assert (caught.value.status_code, caught.value.jupyterhub_message) == (403, REASONS[reason])
    assert not (site.folder.parent / "run").exists()


def test_what_cannot_be_recorded_is_not_started(site):
    (site.journals_folder / FILE).write_bytes(b"damaged\n")
    spawner = spawner_of(site, "investigator")
    with pytest.raises(JournalError, match="damaged"):
        asyncio.run(before_start(spawner))
    assert ROLES_VARIABLE not in spawner.environment


@pytest.mark.requires("root")
def test_where_there_is_no_systemd_a_server_runs_as_the_person_s_account(site):
    known = pwd.getpwnam("daemon")
    spawner = spawner_of(site, "investigator", name="mon", **{ACCOUNT_VARIABLE: "dae{USERNAME}"})
    asyncio.run(before_start(spawner))
    folder = site.folder.parent / "run" / "mon"
    assert (folder.stat().st_uid, folder.stat().st_gid) == (known.pw_uid, known.pw_gid)
    own = AccountSpawner(user=None)
    own.user, own.environment = spawner.user, spawner.environment
    assert own.user_env({"A": "b"}) == {"A": "b", "USER": "daemon", "HOME": known.pw_dir, "SHELL": known.pw_shell}
    asked = ["/bin/sh", "-c", "id -u; id -g; id -G"]
    preexec = own.make_preexec_fn("mon")
    done = subprocess.run(asked, preexec_fn=preexec, capture_output=True, text=True, check=True, cwd="/")
    user, group, *groups = done.stdout.split()
    assert (user, group) == (str(known.pw_uid), str(known.pw_gid))
    assert "0" not in groups


@pytest.mark.requires("root")
def test_what_root_s_hub_writes_into_the_use_log_belongs_to_the_site_s_owner(site):
    daemon = pwd.getpwnam("daemon")
    os.chown(site.folder, daemon.pw_uid, daemon.pw_gid)
    access_log.record_access(site.folder, access_log.LOGIN, who="se100-ina")
    for name in (FILE, f"{FILE}.lock"):
        assert (site.journals_folder / name).stat().st_uid == daemon.pw_uid
        assert stat.S_IMODE((site.journals_folder / name).stat().st_mode) & 0o007 == 0
