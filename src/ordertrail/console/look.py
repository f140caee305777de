"""The look: templates, the static files, and how numbers and times are written."""

import functools
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2

from ordertrail.console.say import STATUS_NAMES
from ordertrail.domain import money
from ordertrail.domain.deal import Status

HERE = Path(__file__).parent
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_MINUS = "\N{MINUS SIGN}"


class Look:
    """Templates and static files, read once; the address of a static file changes with it."""

    def __init__(self) -> None:
        self.files = {path.name: path.read_bytes() for path in (HERE / "static").iterdir()}
        self.edition = _edition(self.files)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.globals["static"] = f"/console/static/{self.edition}"
        self._templates.globals["statuses"] = {int(s): name for s, name in STATUS_NAMES.items()}
        self._templates.filters |= {
            "number": number,
            "amount": amount,
            "moment": moment,
            "exact": exact,
            "status": lambda status: STATUS_NAMES[Status(status)],
        }

    def render(self, template: str, context: Mapping[str, object]) -> str:
        """Return the page; every value is escaped, and a name that is not there is an error."""
        return self._templates.get_template(template).render(context)


@functools.cache
def same() -> Look:
    """Return the one look of this process: its templates are compiled once."""
    return Look()


def number(value: int | Decimal) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}".replace("-", _MINUS)


def amount(value: Decimal, currency: str | None = None) -> str:
    """Return an amount with its thousands apart, all its decimals, and those of its currency."""
    decimals = max(-int(value.as_tuple().exponent), money.EXPONENTS.get(currency or "", 0), 0)
    return f"{value:,.{decimals}f}".replace("-", _MINUS)


def zone(name: str) -> ZoneInfo:
    """Return the time zone of this name, UTC when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(at: datetime, time_zone: ZoneInfo) -> str:
    """Return a time as its zone's clocks show it, to the minute."""
    local = at.astimezone(time_zone)
    return f"{local.day} {local:%b %Y}, {local:%H:%M}"


def exact(at: datetime) -> str:
    """Return a time in UTC as machines read it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _edition(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(files[name])
    return digest.hexdigest()[:12]
