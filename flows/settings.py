"""Environment and `sourcenote.toml`, read once into one frozen object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import date  # pydantic reads the annotations when it runs
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ModelWrapValidatorHandler, SecretStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from flows import settings_check as check
from flows.decisions import EXAMPLE, example_violations, is_local_url, missing_decisions
from flows.settings_faults import find_faults
from flows.settings_sources import EnvironSource, FileSource, read_toml
from flows.shipped import shared_domains, shipped_rows
from sources.kit.catalogue import modules
from sources.kit.errors import SettingsInvalid
from sources.kit.policy import (
    Assessment,
    Authority,
    ChannelRule,
    ChannelSettings,
    Controller,
    DeletionCap,
    Links,
    Policy,
    ProtectionFlag,
    Purpose,
    Recipient,
    RetentionPolicy,
    Scope,
    SourceSettings,
    Store,
    WarehouseSettings,
)

__all__ = [
    "Settings",
    "example_violations",
    "is_local_url",
    "load",
    "missing_decisions",
    "prefect_environment",
    "shared_domains",
    "shipped_rows",
]

DEFAULT_CONFIG = Path("sourcenote.toml")
DEFAULT_HOME = Path("var")
# Below what a caller gives: what `load` has read. Empty outside `load`, so that a Settings made
# by hand (tests, the demo) never depends on where it is made.
_LAYERS: ContextVar[tuple[PydanticBaseSettingsSource, ...]] = ContextVar("layers", default=())


class Settings(BaseSettings):
    """The whole configuration, validated as a whole; `load` builds it.

    What the owner has not decided is None or absent, and `undecided` holds which keys are still
    blank, by the label of their table or row. Rows that the product ships with are there already.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        case_sensitive=True,
        hide_input_in_errors=True,
        defer_build=True,
    )

    controller: Controller | None = None
    policy: Policy | None = None
    links: Links | None = None
    purpose: tuple[Purpose, ...] = ()
    assessment: tuple[Assessment, ...] = ()
    recipient: tuple[Recipient, ...] = ()
    channel_rule: tuple[ChannelRule, ...] = ()
    retention: tuple[RetentionPolicy, ...] = ()
    protection_flag: tuple[ProtectionFlag, ...] = ()
    authority: tuple[Authority, ...] = ()
    channel: ChannelSettings = Field(default_factory=ChannelSettings)
    sources: dict[str, SourceSettings] = {}
    schedule: dict[str, str] = {}
    warehouse: WarehouseSettings
    store: tuple[Store, ...] = ()
    scope: Scope = Field(default_factory=Scope)
    deletion_cap: DeletionCap = Field(default_factory=DeletionCap)
    home: Path
    secret_file: Path
    prefect_api_url: str | None = Field(default=None, repr=False)
    api_keys: dict[str, SecretStr] = {}
    undecided: dict[str, tuple[str, ...]] = {}

    @property
    def is_example(self) -> bool:
        """Whether anything here is approved by nobody but the example: every output says so."""
        names = [
            *(rule.accepted_by for rule in self.channel_rule),
            *(row.approver for row in self.assessment),
            *(row.decided_by for row in self.retention),
        ]
        return any(name is not None and name.strip().upper() == EXAMPLE for name in names)

    def rule(self, country: str, channel: str, recipient_kind: str) -> ChannelRule | None:
        """Return the channel rule for that country and kind; None means forbidden."""
        wanted = (country, channel, recipient_kind)
        for row in self.channel_rule:
            if (row.country, row.channel, row.recipient_kind) == wanted:
                return row
        return None

    def approved_assessment(self, purpose: str, category: int, on: date) -> Assessment | None:
        """Return the assessment that carries purpose and category on that day, the newest first."""
        found = [
            row
            for row in self.assessment
            if (row.purpose, row.person_category) == (purpose, category) and row.is_approved(on)
        ]
        return max(found, key=lambda row: row.approved_on, default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _judge_as_a_whole(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Name every error at once, contradictions between rows included."""
        tables = _with_places(check.without_blanks(dict(data) if isinstance(data, Mapping) else {}))
        faults = [check.fault_wording(tables, f) for f in find_faults(tables, _source_ids())]
        try:
            judged = handler(tables)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            left_open = [line for line in found if check.is_left_open(line)]
            faults += [check.wording(tables, line) for line in found if line not in left_open]
            if not faults:
                undecided = check.open_keys(tables, left_open)
                return handler({**check.withhold(tables, left_open), "undecided": undecided})
        if faults:
            raise ValidationError.from_exception_data(
                cls.__name__,
                [InitErrorDetails(type=_raw_error(text), input=None) for text in faults],
                hide_input=True,
            )
        return judged

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given and, while `load` runs, the environment and the file."""
        return (init_settings, *_LAYERS.get())


def load(
    config: Path | None,
    *,
    warehouse_url: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the configuration: command line over environment over file over what ships.

    `config` None means SOURCENOTE_CONFIG, else `sourcenote.toml`; only that last one may be
    missing. SettingsInvalid names every error with its table, key and cure, and repeats no value.
    """
    variables = os.environ if environ is None else environ
    given = {name: value for name, value in variables.items() if value}
    named = config or (Path(given["SOURCENOTE_CONFIG"]) if "SOURCENOTE_CONFIG" in given else None)
    path = named or DEFAULT_CONFIG
    tables = read_toml(path, may_be_missing=named is None)
    errors = check.unknown_tables(tables)
    on_command: dict[str, Any] = {"warehouse": {"url": warehouse_url}} if warehouse_url else {}
    layers = (EnvironSource(Settings, given, tables), FileSource(Settings, tables))
    reading = _LAYERS.set(layers)
    try:
        settings = Settings(**on_command)
    except ValidationError as error:
        errors += [line["msg"] for line in error.errors(include_url=False, include_input=False)]
    finally:
        _LAYERS.reset(reading)
    if errors:
        raise SettingsInvalid(str(path), errors)
    return settings


def _with_places(tables: check.Tables) -> check.Tables:
    """Fill in the state folder and what lies in it by default."""
    home = Path(tables.get("home") or DEFAULT_HOME).expanduser()
    placed = {"secret_file": home / "sourcenote.key", **tables, "home": home}
    warehouse = placed.get("warehouse", {})
    if isinstance(warehouse, dict):
        placed["warehouse"] = {"url": f"sqlite:///{home / 'sourcenote.db'}", **warehouse}
    return placed


def _source_ids() -> frozenset[str]:
    # A source is found by its file in sources/ (docs/add-a-source); nothing is imported here.
    return frozenset(modules())


def _raw_error(text: str) -> PydanticCustomError:
    return PydanticCustomError("configuration", "{text}", {"text": text})


def prefect_environment(home: Path) -> dict[str, str]:
    """Return the variables to set before Prefect is imported; nothing leaves this machine.

    Prefect's own state stays in our state folder, telemetry and advertising are off, results (they
    would hold personal data) are never kept, and a slow machine gets time to start the server.
    """
    return {
        "PREFECT_HOME": str((home / "prefect").resolve()),
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    }


def announce_server(host: str, port: int) -> None:
    """Tell Prefect's server, before it is imported, the address it is given: its pages name it.

    Nobody looks at its mark on runs that are late (our own ledger says what was missed), and
    setting it collides with other writers of its SQLite file.
    """
    os.environ |= {
        "PREFECT_SERVER_API_HOST": host,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    }


def hand_on(settings: Settings, config: Path | None) -> None:
    """Set what a process of ours reads in its turn, as this one was told by its command line."""
    os.environ |= {
        "SOURCENOTE_HOME": str(settings.home.resolve()),
        "SOURCENOTE_SECRET_FILE": str(settings.secret_file.resolve()),
        "SOURCENOTE_WAREHOUSE_URL": settings.warehouse.url,
    }
    if config is not None:
        os.environ["SOURCENOTE_CONFIG"] = str(config.resolve())


def enter_environment(home: Path, api_url: str | None = None) -> None:
    """Set what Prefect and Great Expectations read at import; call before importing either.

    What the caller has set stands: an owner may point Prefect elsewhere. `api_url` is a server
    this process has just started.
    """
    wanted = {**prefect_environment(home), "GX_ANALYTICS_ENABLED": "false"}
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    if api_url:
        os.environ["PREFECT_API_URL"] = api_url
