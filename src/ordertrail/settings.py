"""The settings of one process: read once from the environment, then passed as arguments."""

import re

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting has the environment name `ORDERTRAIL_` and its own name in capitals."""

    model_config = SettingsConfigDict(env_prefix="ORDERTRAIL_", frozen=True)

    database_url: str = Field(
        "sqlite:///ordertrail.db",
        description="Where the platform keeps its data: sqlite:///FILE or postgresql://….",
    )
    url: str = Field(
        "http://127.0.0.1:8000",
        description="The endpoint. `sync`, `verify` and `outbox deliver` want it said.",
    )
    token: str = Field(
        "",
        description="The 64-character API key for that endpoint.",
        json_schema_extra={"is_secret": True},
    )
    outbox: str = Field(
        "ordertrail.outbox",
        description="Where the sync keeps orders and what it delivered: a file, sqlite:///FILE or postgresql://….",
    )
    connections_max: int = Field(
        32,
        ge=1,
        le=1000,
        description="How many connections `ordertrail sync` opens to the endpoint.",
    )
    editor: str = Field(
        "vi",
        validation_alias=AliasChoices("ORDERTRAIL_EDITOR", "EDITOR"),
        description="The editor of `ordertrail outbox edit`; EDITOR is taken too.",
    )
    body_bytes_max: int = Field(
        1 << 20,
        ge=1024,
        description="The largest request body that the API accepts, in bytes.",
    )
    waiting_max: int = Field(
        5_000,
        ge=1,
        description="How many writes may wait for the disk before callers are told to come back.",
    )
    read_limit_s: float = Field(
        10.0,
        gt=0,
        description="How long one read of the database may take, in seconds.",
    )
    request_log: bool = Field(
        True,
        description="Whether answered API calls are logged for the console.",
    )
    request_log_rows_max: int = Field(
        100_000,
        ge=1_000,
        description="How many calls the log keeps.",
    )
    request_log_days_max: int = Field(
        7,
        ge=1,
        description="For how many days the log keeps a call.",
    )
    journal_days_max: int | None = Field(
        None,
        ge=1,
        description="For how many days the journal keeps a change; for ever if not set.",
    )
    background: bool = Field(
        True,
        description="Whether `serve` does background work too; else `ordertrail work` has to run.",
    )
    headers_bytes_max: int = Field(
        32 << 10,
        ge=1024,
        description="The largest request line and headers that the server accepts, in bytes.",
    )
    headers_wait_s: float = Field(
        15.0,
        gt=0,
        description="How long the headers of a request may take to come, in seconds.",
    )
    body_wait_s: float = Field(
        30.0,
        gt=0,
        description="How long a caller may take to send a body, or to take an answer, in seconds.",
    )
    idle_wait_s: int = Field(
        75,
        ge=1,
        description="How long a connection is kept open for the next request, in seconds.",
    )
    metrics_open: bool = Field(
        False,
        description="Whether `/metrics` is told to all; else only to callers on the same machine.",
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        description="A port of the first process of `serve` alone; the second has the next.",
    )
    access_log: bool = Field(
        False,
        description="Whether each finished request is logged, by its route and without its path.",
    )

    @property
    def outbox_named(self) -> str:
        """The outbox as it can be shown: without the password of an address."""
        return without_password(self.outbox)


def without_password(address: str) -> str:
    """Return an address without the password that may stand in it, percent-encoded or not."""
    shown = re.sub(r"(//[^:/@]*):.*@", r"\1:***@", address)
    return re.sub(r"(password=)[^&\s]*", r"\1***", shown)


def is_secret(name: str) -> bool:
    """Tell whether a setting must not be shown."""
    extra = Settings.model_fields[name].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("is_secret"))
