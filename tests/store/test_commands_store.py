"""The commands that keep a store: what they print, in the site's language, and their exit codes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from audit_kernel.cli import app
from audit_kernel.errors import ParameterError, UsageError
from audit_kernel.store.intake import take_in
from tests.store.logs import ask, row


def run(site, *arguments):
    """Run a command of the site; return what it printed."""
    answer = CliRunner().invoke(app, [*arguments, "--site", str(site.folder)])
    if answer.exception:
        raise answer.exception
    return answer.output


def test_disposal_is_shown_held_confirmed_and_recorded(site, gerica):
    take_in(site, gerica("a.csv", [row(1, "03.02.2019"), row(2, "04.02.2019"), row(3)]), "gerica")
    shown = run(site, "dispose", "--before", "2020-01-01")
    assert "Det som ville blitt slettet" in shown
    assert "Ingenting er endret" in shown
    assert ask(site, "select count(*) from lake.accesses_by_patient") == [(3,)]
    held = run(site, "hold", "add", "--reason", "sak 2026/17", "--from", "2019-02-04", "--to", "2019-02-04")
    assert "sak 2026/17" in held
    (hold,) = json.loads(run(site, "hold", "list", "--json"))
    lines = json.loads(run(site, "dispose", "--before", "2020-01-01", "--json"))["would_go"]
    assert [(line["table"], line["n_rows"], line["n_held"]) for line in lines] == [
        ("accesses_by_patient", 1, 1),
        ("accesses_by_employee", 1, 1),
    ]
    (done,) = json.loads(run(site, "dispose", "--before", "2020-01-01", "--confirm", "--json"))["disposed_of"]
    assert (done["n_rows"], done["n_held"]) == (2, 2)
    assert (site.archive_folder / done["disposal_id"] / "data" / "disposal.json").is_file()
    assert "avsluttet" in run(site, "hold", "release", hold["hold_id"], "--reason", "avsluttet")
    said = run(site, "dispose", "--before", "2020-01-01", "--confirm")
    assert "2 rader ble slettet; 0 rader står igjen på grunn av slettestans" in said


def test_a_store_is_moved_and_the_command_says_that_the_old_one_stays(site, gerica, tmp_path):
    take_in(site, gerica("a.csv", [row(1)]), "gerica")
    said = run(site, "store", "move", "--files", str(tmp_path / "share"))
    assert "Lageret er flyttet" in said
    assert "Det gamle lageret ligger der det lå" in said
    assert "Ingen" in run(site, "hold", "list") or "ingen" in run(site, "hold", "list")


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("dispose", "--before", "2020-13-01"), ParameterError),
        (("dispose",), UsageError),
        (("dispose", "--patient", "1042", "--confirm"), UsageError),
        (("hold", "add", "--reason", "sak 1"), UsageError),
        (("store", "move"), UsageError),
    ],
)
def test_wrong_use_is_refused_with_exit_code_two(swedish_site, arguments, kind):
    with pytest.raises(kind) as caught:
        run(swedish_site, *arguments)
    assert caught.value.exit_code == 2
