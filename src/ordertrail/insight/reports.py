"""Reports: numbers over a whole workspace, read at one moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ordertrail.domain import money
from ordertrail.domain.errors import Invalid
from ordertrail.kit.database import Reader
from ordertrail.kit.wording import either
from ordertrail.store import sql

_COUNTS = sql.rows(
    "kind, id, name, n",
    """(
    SELECT * FROM (SELECT 'stage' AS kind, s.id, s.name, coalesce(g.n, 0) AS n
    FROM pipelines p
    JOIN stages s ON s.workspace_id = p.workspace_id AND s.pipeline_id = p.id
    LEFT JOIN (SELECT stage_id, count(*) AS n FROM deals WHERE workspace_id = :workspace_id
               GROUP BY stage_id) g ON g.stage_id = s.id
    WHERE p.workspace_id = :workspace_id ORDER BY p.id, s.position, s.id) o
    UNION ALL
    SELECT 'contacts', 0, '', count(*) FROM contacts
    WHERE workspace_id = :workspace_id AND merged_into IS NULL
    UNION ALL
    SELECT 'products', 0, '', count(*) FROM products WHERE workspace_id = :workspace_id
    UNION ALL
    SELECT 'product_event', 0, event_type, count(*) FROM product_events
    WHERE workspace_id = :workspace_id GROUP BY event_type
    UNION ALL
    SELECT 'event', 0, t.name, g.n FROM event_types t
    JOIN (SELECT event_type_id, count(*) AS n FROM events WHERE workspace_id = :workspace_id
          GROUP BY event_type_id) g ON g.event_type_id = t.id
    WHERE t.workspace_id = :workspace_id
    ) f""",
)
_SENT = either("attributes -> 'gross_value'", "CAST(attributes -> 'gross_value' AS jsonb)")
_MONEY = sql.rows(
    "currency, value_minor, json(gross), n",
    f"(SELECT currency, value_minor, {_SENT} AS gross, count(*) AS n"
    " FROM deals WHERE workspace_id = :workspace_id"
    " GROUP BY currency, value_minor, gross ORDER BY currency) f",
)


@dataclass(frozen=True, slots=True)
class StageCount:
    """How many deals are in one stage."""

    stage_id: int
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Takings:
    """What the orders of one currency came to, in its major unit."""

    currency: str
    gross: Decimal
    refunds: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """A workspace in numbers.

    `net` is the sum of the deals' values. `gross` is the sum of the deals' attribute
    `gross_value`, and of the value where that was not sent or is no number. `refunds` is what
    lies between them. Deals of every status count, also lost ones: a returned order has the value
    0, and one that was called off keeps its value.
    """

    orders: int
    deals_by_stage: tuple[StageCount, ...]
    contacts: int
    products: int
    product_events: Mapping[str, int]
    events: Mapping[str, int]
    money: tuple[Takings, ...]


def summary(reader: Reader, workspace_id: int) -> Summary:
    """Return the workspace in numbers, exact to the minor unit; by currency, never mixed."""
    counts = reader.rows(_COUNTS, workspace_id=workspace_id)
    stages = tuple(StageCount(i, name, n) for kind, i, name, n in counts if kind == "stage")
    return Summary(
        orders=sum(stage.count for stage in stages),
        deals_by_stage=stages,
        contacts=sum(n for kind, _, _, n in counts if kind == "contacts"),
        products=sum(n for kind, _, _, n in counts if kind == "products"),
        product_events=_largest_first(counts, "product_event"),
        events=_largest_first(counts, "event"),
        money=_takings(reader.rows(_MONEY, workspace_id=workspace_id)),
    )


def _largest_first(counts: list[list[Any]], wanted: str) -> dict[str, int]:
    found = [(name, n) for kind, _, name, n in counts if kind == wanted]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def _takings(rows: Iterable[list[Any]]) -> tuple[Takings, ...]:
    """Added up here and not by the database, whose whole numbers end at 64 bits."""
    gross: dict[str, int] = {}
    net: dict[str, int] = {}
    for currency, value, sent, n in rows:
        net[currency] = net.get(currency, 0) + value * n
        gross[currency] = gross.get(currency, 0) + _gross(sent, value, currency) * n
    return tuple(
        Takings(
            currency,
            gross=money.amount(gross[currency], currency),
            refunds=money.amount(gross[currency] - net[currency], currency),
            net=money.amount(net[currency], currency),
        )
        for currency in net
    )


def _gross(sent: object, value_minor: int, currency: str) -> int:
    if not isinstance(sent, int | Decimal | str) or isinstance(sent, bool):
        return value_minor
    try:
        return money.minor(money.decimal(sent), currency)
    except Invalid:
        return value_minor
