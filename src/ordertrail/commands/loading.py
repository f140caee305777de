"""How the command line gets at its commands and settings: when they are called, and no sooner."""

import importlib
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from ordertrail.domain.errors import Invalid
from ordertrail.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, nothing else.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database", help="sqlite:///FILE or postgresql://…; else ORDERTRAIL_DATABASE_URL."
    ),
]


def command(name: str, extra: str | None = None) -> Any:
    """Return the module of a command; raises Invalid when what it needs is not installed."""
    try:
        return importlib.import_module(f"ordertrail.commands.{name}")
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith("ordertrail"):
            raise
        raise Invalid(
            {error.name or name: f"is not installed: pip install 'ordertrail[{extra}]'"}
        ) from None


def settings(database: str | None = None, **given: object) -> Settings:
    """Return the settings, those that are given taking precedence over the environment."""
    values = {"database_url": database, **given}
    try:
        return Settings(**{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])): each["msg"] for each in error.errors()}
        raise Invalid(wrong) from None
