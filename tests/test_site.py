from __future__ import annotations

import os
import stat
from datetime import date, datetime

import pytest

from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.site import Site, create_site, find_site
from audit_kernel.yaml_file import Texts, read_model, read_yaml

GOOD = 'name: Nordli\ncountry: "NO"\nlanguage: nb\ntime_zone: Europe/Oslo\n'


@pytest.fixture
def settings_file(tmp_path):
    def write(text: str):
        path = tmp_path / "settings.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refused(path) -> str:
    with pytest.raises(SettingsError) as caught:
        Site(path.parent)
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize(
    ("country", "language", "zone"), [("NO", "nb", "Europe/Oslo"), ("SE", "sv", "Europe/Stockholm")]
)
def test_a_new_site_has_its_countrys_settings_and_all_its_folders(tmp_path, country, language, zone):
    site = create_site(tmp_path / "new" / "site", country, 'Å: "kommune" #1')
    assert (site.settings.name, site.settings.country) == ('Å: "kommune" #1', country)
    assert (site.settings.language, site.settings.time_zone) == (language, zone)
    for name in ("logs", "store", "archive", "journals", "keys", "temporary", "parameters/sources", "sql/checks"):
        assert (site.folder / name).is_dir()
    assert (site.keys_folder / "signing-key.pub.pem").is_file()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no owner-only modes.")
def test_store_keys_and_archive_are_owner_only_whatever_the_umask(tmp_path):
    old_mask = os.umask(0)
    try:
        site = create_site(tmp_path / "site", "NO")
    finally:
        os.umask(old_mask)
    for folder in (site.folder, site.store_folder, site.keys_folder, site.archive_folder, site.journals_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((site.keys_folder / "signing-key.pem").stat().st_mode) == 0o600


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not an empty folder"):
        create_site(tmp_path, "NO")
    with pytest.raises(UsageError, match="is not an empty folder"):
        create_site(tmp_path / "mine.txt", "NO")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_country_that_is_not_known_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(UsageError, match=r"Country 'DK' is not known\. Give one of NO, SE"):
        create_site(tmp_path / "site", "DK")
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD + "colour: red\n",
            "unknown key 'colour'; allowed here: alarm, countries, country, engine, identity, intake, language, name",
        ),
        (GOOD + "store: {memory: 3GB}\n", "'store.memory'; allowed here: catalogue, files, memory_limit, threads"),
        (GOOD.replace('"NO"', "DK"), "key 'country' has the value 'DK'; Input should be 'NO' or 'SE'"),
        (GOOD.replace('"NO"', "false"), "key 'country' has the value False; Input should be 'NO' or 'SE'"),
        (GOOD.replace("nb", "no"), "key 'language' has the value"),
        (GOOD.replace("Europe/Oslo", "CET+1"), "for example Europe/Oslo or Europe/Stockholm"),
        (GOOD + "store: {threads: 0}\n", "key 'store.threads' has the value 0; Input should be greater than"),
        (GOOD + "store: {memory_limit: lots}\n", "key 'store.memory_limit' has the value 'lots'"),
        (GOOD.replace("name: Nordli\n", ""), "key 'name' is missing"),
        (GOOD + "name: Other\n", "line 5: key 'name' stands twice"),
        ("- a\n- b\n", "not a list of `key: value` lines"),
        ("1: 2\n", "not a list of `key: value` lines"),
        ("name: [\n", "line 2"),
        ("? [a, b]\n: c\n", "line 1"),
        ("name: !!python/object/apply:os.system ['true']\n", "line 1: could not determine a constructor"),
        ("name: 2026-02-30\n", "not YAML"),
        ("name: a\x00b\n", "not YAML"),
        ("", "key 'name' is missing"),
    ],
)
def test_a_wrong_setting_names_file_key_and_what_is_allowed(settings_file, text, said):
    path = settings_file(text)
    message = refused(path)
    assert str(path) in message
    assert said in message


def test_settings_that_are_not_utf8_are_refused(tmp_path):
    (tmp_path / "settings.yml").write_bytes(b"name: \xff\n")
    assert "cannot be read as UTF-8 text (UnicodeDecodeError)" in refused(tmp_path / "settings.yml")


def test_settings_saved_with_a_byte_order_mark_are_read(tmp_path):
    (tmp_path / "settings.yml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert Site(tmp_path).settings.name == "Nordli"


def test_norway_needs_no_quotes(settings_file):
    assert Site(settings_file(GOOD.replace('"NO"', "NO")).parent).settings.country == "NO"


def test_a_long_wrong_value_is_told_shortly(settings_file):
    assert len(refused(settings_file(GOOD.replace("nb", "n" * 5000)))) < 600


def test_no_environment_variable_changes_a_setting(settings_file, monkeypatch):
    for name in ("NAME", "COUNTRY", "LANGUAGE", "TIME_ZONE", "STORE__THREADS"):
        monkeypatch.setenv(name, "x")
    assert Site(settings_file(GOOD).parent).settings.language == "nb"


def test_a_folder_that_is_no_site_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.delenv("AUDIT_KERNEL_SITE", raising=False)
    monkeypatch.chdir(tmp_path)
    for ask in (lambda: Site(tmp_path), find_site):
        with pytest.raises(SettingsError, match="audit-kernel init DIR --country NO"):
            ask()


def test_a_site_is_found_by_name_by_variable_and_from_a_folder_inside_it(tmp_path, monkeypatch):
    named, around = create_site(tmp_path / "named", "NO"), create_site(tmp_path / "around", "SE")
    monkeypatch.setenv("AUDIT_KERNEL_SITE", str(named.folder))
    monkeypatch.chdir(around.folder / "logs")
    assert find_site(around.folder).folder == around.folder
    assert find_site().folder == named.folder
    monkeypatch.delenv("AUDIT_KERNEL_SITE")
    assert find_site().folder == around.folder


def test_a_period_is_whole_local_days_with_the_last_one_included(settings_file):
    site = Site(settings_file(GOOD).parent)
    assert site.period(date(2026, 10, 25), date(2026, 10, 25)) == (  # 25 hours long
        datetime(2026, 10, 24, 22),
        datetime(2026, 10, 25, 23),
    )
    assert site.period(None, None) == (None, None)
    with pytest.raises(UsageError, match=r"ends \(2026-10-01\) before it begins \(2026-10-02\)"):
        site.period(date(2026, 10, 2), date(2026, 10, 1))


def test_a_text_missing_in_one_language_is_refused(tmp_path):
    path = tmp_path / "texts.yml"
    path.write_text("en: a\nsv: b\n")
    with pytest.raises(SettingsError, match="key 'nb' is missing"):
        read_model(path, Texts)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_yaml(tmp_path / "absent.yml")
