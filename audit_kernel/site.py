"""A site: the folder in which one controller keeps its settings, logs, store, archive, journals and keys."""

from __future__ import annotations

import os
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from audit_kernel.errors import SettingsError, UsageError
from audit_kernel.evidence import keys
from audit_kernel.pseudonyms import pseudonym_key
from audit_kernel.retention_settings import RetentionSettings
from audit_kernel.routine_settings import ReviewSettings, RoutineSettings
from audit_kernel.schedule_settings import AlarmSettings, ScheduleSettings
from audit_kernel.signing_settings import SigningSettings, TimestampSettings
from audit_kernel.spark_settings import SparkSettings
from audit_kernel.store_settings import StoreSettings
from audit_kernel.use_log_settings import UseLogSettings
from audit_kernel.yaml_file import read_yaml, wrong_key

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS_FILE = "settings.yml"
SITE_VARIABLE = "AUDIT_KERNEL_SITE"
OWNER_ONLY = 0o700
WORK_LISTS = "worklists"  # a folder in it for each reviewer who has an account apart
PRIVATE_FOLDERS = ("logs", "store", "archive", "restricted", "cases", "journals", "keys", "temporary")
SITE_ADDITIONS = ("parameters/sources", "sql/checks", "sql/reports", "notebooks")

Country = Literal["NO", "SE"]
Language = Literal["en", "nb", "sv"]
Sector = Literal["public", "private"]
Identity = Literal["full", "masked"]
COUNTRY_DEFAULTS: dict[str, tuple[str, str]] = {"NO": ("nb", "Europe/Oslo"), "SE": ("sv", "Europe/Stockholm")}


time_zones = lru_cache(available_timezones)  # which looks through a thousand files each time


class IntakeSettings(BaseModel):
    """How far a packed log may expand (.gz, .zip, .zst, .xlsx)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    largest_unpacked: str = Field(default="20GB", pattern=r"^[1-9][0-9]{0,5}(MB|GB)$", description="unpacked size")
    largest_ratio: int = Field(default=500, ge=1, le=1_000_000, description="unpacked size to packed size")

    @property
    def limits(self) -> tuple[int, int]:
        """`largest_unpacked` in bytes (MB and GB are powers of ten) and `largest_ratio`."""
        unit = 10**9 if self.largest_unpacked.endswith("GB") else 10**6
        return int(self.largest_unpacked[:-2]) * unit, self.largest_ratio


class Settings(BaseSettings):
    """A site's settings, read from `settings.yml` alone: no environment variable changes what evidence is made of."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=200, description="the controller's name, shown on every page")
    country: Country
    language: Language
    time_zone: str
    sector: Sector = Field(default="public", description="whose rules hold for log extracts: public or private")
    countries: str = Field(default="", description="a database of network addresses' countries, relative to the site")
    identity: Identity = Field(default="full", description="how people stand in a month's and a report's evidence")
    store: StoreSettings = StoreSettings()
    engine: Literal["duckdb", "spark"] = Field(default="duckdb", description="what counts a month's control")
    spark: SparkSettings = SparkSettings()
    intake: IntakeSettings = IntakeSettings()
    routine: RoutineSettings = RoutineSettings()
    review: ReviewSettings = ReviewSettings()
    signing: SigningSettings = SigningSettings()
    timestamp: TimestampSettings = TimestampSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    alarm: AlarmSettings = AlarmSettings()
    retention: RetentionSettings = RetentionSettings()
    use_log: UseLogSettings = UseLogSettings()

    @field_validator("time_zone")
    @classmethod
    def _time_zone_exists(cls, value: str) -> str:
        if value not in time_zones():
            message = "a time zone's name, for example Europe/Oslo or Europe/Stockholm"
            raise ValueError(message)
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base's signature, here and below
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the file's values only."""
        return (init_settings,)


class Site:
    """A site's folder with its settings.

    `live` is the site whose store, keys, archive and use log it has, where `folder` holds a sealed run's inputs;
    `asked_on` the day (UTC) whose thresholds are valid where no period is asked about, today when None.
    `asked_by` the user for whom the service seals (`sealing`); empty where whoever runs the program asks for himself.

    Raises
    ------
    SettingsError: there is no site at `folder`, or a setting is wrong; the message names file, key and allowed values.
    """

    def __init__(
        self, folder: Path, live: Path | None = None, asked_on: date | None = None, asked_by: str = ""
    ) -> None:
        self.folder, self.asked_on, self.asked_by = folder.resolve(), asked_on, asked_by
        self.live_folder = live.resolve() if live else self.folder
        self.settings = read_settings(self.folder / SETTINGS_FILE)
        self.use_log = self.settings.use_log  # who looks, and where that is written, today
        if live:  # where the store lies today
            today = read_settings(self.live_folder / SETTINGS_FILE)
            self.use_log = today.use_log
            self.settings = self.settings.model_copy(update={"store": today.store})

    @property
    def store_folder(self) -> Path:
        """Folder of the catalogue and its files."""
        return self.live_folder / "store"

    @property
    def archive_folder(self) -> Path:
        """Folder of the sealed runs."""
        return self.live_folder / "archive"

    @property
    def restricted_folder(self) -> Path:
        """Folder of the sealed runs that only the privacy officer reads."""
        return self.live_folder / "restricted"

    @property
    def cases_folder(self) -> Path:
        """Folder of what was added to cases."""
        return self.live_folder / "cases"

    @property
    def asked_folder(self) -> Path:
        """The letter box in which investigators ask the service to seal; a site of one user has none."""
        return self.live_folder / "asked"

    @property
    def copies_folder(self) -> Path:
        """Folder of what the service sealed for investigators, and of what it answered."""
        return self.live_folder / "copies"

    @property
    def journals_folder(self) -> Path:
        """Folder of the append-only journals; the use log alone lies in the live site's."""
        return self.folder / "journals"

    @property
    def keys_folder(self) -> Path:
        """Folder of the signing key."""
        return self.live_folder / "keys"

    @property
    def countries_file(self) -> Path | None:
        """The database of countries; None where the site has none."""
        return self.folder / self.settings.countries if self.settings.countries else None

    @property
    def temporary_folder(self) -> Path:
        """Folder for files that live as long as one command."""
        folder = self.live_folder / "temporary"
        folder.mkdir(mode=OWNER_ONLY, exist_ok=True)
        return folder

    def instant(self, day: date) -> datetime:
        """Return the start of a local day as a UTC timestamp without offset."""
        local = datetime.combine(day, time(), ZoneInfo(self.settings.time_zone))
        return local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)

    def period(self, from_date: date | None, to_date: date | None) -> tuple[datetime | None, datetime | None]:
        """Return whole local days, `to_date` included, as half-open UTC timestamps; None leaves that side open.

        Raises
        ------
        UsageError: the period ends before it begins.
        """
        if from_date and to_date and to_date < from_date:
            raise UsageError(
                "The period ends ({to_date}) before it begins ({from_date}).",
                "Give the first day with --from and the last with --to.",
                to_date=to_date,
                from_date=from_date,
            )
        start_at = self.instant(from_date) if from_date else None
        return start_at, self.instant(to_date + timedelta(days=1)) if to_date else None


def read_settings(path: Path) -> Settings:
    """Read and check `settings.yml`.

    Raises
    ------
    SettingsError: the file is missing, or a key is wrong or unknown.
    """
    if not path.is_file():
        raise SettingsError(
            "There is no site at {folder!r}: {file} is missing.",
            "Make one with: audit-kernel init DIR --country NO",
            folder=str(path.parent),
            file=path.name,
        )
    values = read_yaml(path)
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SettingsError("{path}: not a list of `key: value` lines.", "Correct the file and try again.", path=path)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise wrong_key(error, path, Settings) from None


def find_site(folder: Path | None = None) -> Site:
    """Open the site at `folder`, else the one AUDIT_KERNEL_SITE names, else the one around the current folder.

    Raises
    ------
    SettingsError: none of them is a site.
    """
    if folder is not None:
        return Site(folder)
    if named := os.environ.get(SITE_VARIABLE):
        return Site(Path(named))
    here = Path.cwd()
    for candidate in (here, *here.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return Site(candidate)
    raise SettingsError(
        "There is no site at {folder!r} or above it.",
        "Name it with --site DIR, or make one with: audit-kernel init DIR --country NO",
        folder=str(here),
    )


def create_site(folder: Path, country: str, name: str = "") -> Site:
    """Make a site: settings, folders, keys, an empty store comes with the first intake.

    Raises
    ------
    UsageError: the folder is not empty, or the country is not supported.
    """
    if country not in COUNTRY_DEFAULTS:
        raise UsageError(
            "Country {country!r} is not known.",
            "Give one of {allowed}.",
            country=country,
            allowed=", ".join(COUNTRY_DEFAULTS),
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "{folder!r} is not an empty folder.", "Name a new folder; nothing was changed.", folder=str(folder)
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(OWNER_ONLY)
    for private in PRIVATE_FOLDERS:
        (folder / private).mkdir(mode=OWNER_ONLY)
    for additions in SITE_ADDITIONS:
        (folder / additions).mkdir(parents=True)
    keys.new_signing_key(folder / "keys")
    pseudonym_key(folder / "keys")
    (folder / SETTINGS_FILE).write_text("".join(_settings_lines(name or folder.name, country)), encoding="utf-8")
    return Site(folder)


def _settings_lines(name: str, country: str) -> Iterator[str]:
    import yaml

    language, time_zone = COUNTRY_DEFAULTS[country]
    yield "# Settings of this site. A wrong or unknown key is refused. docs/operating.md explains each.\n"
    yield yaml.safe_dump({"name": name}, allow_unicode=True)
    yield f'country: "{country}"           # quoted: a bare NO means "no" in YAML\nlanguage: {language}'
    yield "        # en, nb or sv: the language of pages where none is asked for\n"
    yield f"time_zone: {time_zone}\n"
    yield 'countries: ""           # a database (.mmdb) of the countries of network addresses, in this folder\n'
    yield "store:\n    memory_limit: 3GB   # DuckDB's own limit; the whole process uses about 1 GB more\n"
    yield "    threads: 2\nroutine:                # the local routine in force, shown on pages\n"
    yield '    name: ""\n    version: ""\n    person_responsible: ""\n'
    yield '    run_by: ""              # name and title of who runs the months\n'
    yield "    staff_informed_on: null # when staff were last informed of log control, e.g. 2026-01-15\n"
    yield '    staff_informed_how: ""\n'
