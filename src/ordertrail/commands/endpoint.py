"""The endpoint that a command speaks to: where it is, who speaks to it, and how fast."""

from ordertrail.client.client import Client
from ordertrail.domain.errors import Invalid, Unauthorised
from ordertrail.settings import Settings
from ordertrail.sync.shift import Limits
from ordertrail.sync.worker import Pace


def require_endpoint(settings: Settings) -> None:
    """Raise Invalid or Unauthorised when nobody said where to, or with which key.

    The address has no default here: an API key is sent to nobody who was not named.
    """
    if "url" not in settings.model_fields_set:
        raise Invalid({"to": "no endpoint: give --to, or set ORDERTRAIL_URL"})
    if not settings.token:
        raise Unauthorised("no API key: give --token, or set ORDERTRAIL_TOKEN")


def client_of(settings: Settings) -> Client:
    """Return the client of the endpoint."""
    return Client(settings.url, settings.token, connections_max=settings.connections_max)


def pace_of(settings: Settings, limit_rate: float | None) -> Pace:
    """Return how a worker goes about its work."""
    return Pace(limits=Limits(calls_max=settings.connections_max), limit_per_s=limit_rate)
