"""How JupyterLab is started: its own configuration, read-only page, nothing left behind, nothing from outside."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import sys
from pathlib import Path

import nbformat
import pytest

from audit_kernel.catalog import resource_folder
from audit_kernel.errors import UsageError
from audit_kernel.investigation import launch
from audit_kernel.site import create_site


@pytest.fixture
def site(tmp_path):
    return create_site(tmp_path / "site", "NO")


@pytest.mark.parametrize("page", launch.PAGES)
def test_a_page_s_notebook_is_one_hidden_cell_without_output_that_cannot_be_edited_or_deleted(page):
    notebook = nbformat.read(resource_folder("notebooks") / f"{page}.ipynb", as_version=4)
    nbformat.validate(notebook)
    (cell,) = notebook.cells
    assert (cell.outputs, cell.execution_count) == ([], None)
    assert cell.metadata == {"deletable": False, "editable": False, "jupyter": {"source_hidden": True}}


def test_the_server_gets_folders_of_its_own_and_they_are_removed(site):
    with launch.prepared(site) as (root, environment):
        assert environment["AUDIT_KERNEL_SITE"] == str(site.folder)
        names = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR")
        assert all(Path(environment[name]).is_relative_to(site.folder / "temporary") for name in names)
        assert stat.S_IMODE(Path(environment["JUPYTER_RUNTIME_DIR"]).stat().st_mode) & 0o077 == 0 or Path(
            environment["JUPYTER_RUNTIME_DIR"]
        ).is_relative_to(site.folder)
        assert root.is_dir()
    assert list((site.folder / "temporary").iterdir()) == []
    assert not Path(environment["JUPYTER_RUNTIME_DIR"]).exists()


def test_the_page_served_is_a_read_only_copy_beside_the_site_s_own_notebooks(site):
    (site.folder / "notebooks" / "mine.ipynb").write_text("{}")
    with launch.prepared(site) as (root, _environment):
        page = root / "notebooks" / launch.PAGE
        assert page.read_bytes() == (resource_folder("notebooks") / launch.PAGE).read_bytes()
        assert not stat.S_IMODE(page.stat().st_mode) & 0o222
        assert (root / "own" / "mine.ipynb").is_file()
    assert (site.folder / "notebooks" / "mine.ipynb").is_file()


@pytest.mark.parametrize("page", launch.PAGES)
def test_each_page_can_be_the_one_that_opens_and_leads_to_the_other(site, page):
    with launch.prepared(site, page) as (root, environment):
        settings = json.loads((Path(environment["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.json").read_text())
        assert settings["LabApp"]["default_url"] == settings["ServerApp"]["default_url"] == launch.address(page)
        assert sorted(path.stem for path in (root / "notebooks").iterdir()) == sorted((*launch.PAGES, "explore"))
    script = (launch.EXTENSIONS / "audit-kernel-investigation" / "static" / "remoteEntry.js").read_text(
        encoding="utf-8"
    )
    assert f'"notebooks/{page}.ipynb"' in script


def test_a_page_that_is_not_there_is_refused(site):
    with pytest.raises(UsageError, match="There is no page 'nonsense'"):
        launch.start_lab(site, page="nonsense")


def test_kernels_talk_over_sockets_whose_paths_are_short_enough(site):
    with launch.prepared(site) as (_root, environment):
        settings = json.loads((Path(environment["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.json").read_text())
        expected = "tcp" if sys.platform == "win32" else "ipc"
        assert settings["KernelManager"]["transport"] == expected
        socket = Path(environment["JUPYTER_RUNTIME_DIR"]) / f"kernel-{'x' * 36}-ipc-5"
        assert len(os.fsencode(socket)) <= 107


def test_only_this_machine_is_served_and_the_token_stays_on(site):
    with launch.prepared(site) as (_root, environment):
        settings = json.loads((Path(environment["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.json").read_text())
    assert settings["ServerApp"]["ip"] == "127.0.0.1"
    assert not {"token", "password", "disable_check_xsrf"} & settings["ServerApp"].keys()
    assert settings["ServerApp"]["terminals_enabled"] is False
    assert settings["LabApp"]["news_url"] is None


def test_autosave_news_and_widget_state_are_off(site):
    with launch.prepared(site) as (_root, environment):
        folder = Path(environment["JUPYTERLAB_SETTINGS_DIR"])
        read = {
            path.relative_to(folder).as_posix(): json.loads(path.read_text()) for path in folder.rglob("*-settings")
        }
    assert read["@jupyterlab/docmanager-extension/plugin.jupyterlab-settings"]["autosave"] is False
    assert read["@jupyterlab/apputils-extension/notification.jupyterlab-settings"]["fetchNews"] == "false"
    assert read["@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings"]["saveState"] is False


def test_the_extension_is_found_where_the_server_looks_for_it():
    from jupyterlab_server.config import get_federated_extensions

    found = get_federated_extensions(launch.SERVER_SETTINGS["LabApp"]["extra_labextensions_path"])
    (extension,) = found.values()
    load = Path(extension["ext_path"]) / extension["jupyterlab"]["_build"]["load"]
    assert load.is_file()
    assert f'"{extension["name"]}"' in load.read_text(encoding="utf-8")


def test_the_scripts_name_no_outside_address():
    scripts = [path for path in Path(launch.__file__).parent.rglob("*") if path.suffix in {".js", ".css", ".json"}]
    assert len(scripts) >= 6
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert "http:" not in text
        assert "https:" not in text
        assert "innerHTML" not in text


def test_without_jupyterlab_the_remedy_is_named(site, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"audit-kernel\[lab\]"):
        launch.start_lab(site)


def test_the_server_s_exit_code_is_given_back_and_its_folders_are_gone(site, monkeypatch):
    monkeypatch.setattr(launch, "command", lambda **_: [sys.executable, "-c", "raise SystemExit(7)"])
    assert launch.start_lab(site, open_browser=False) == 7
    assert list((site.folder / "temporary").iterdir()) == []
