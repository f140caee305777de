"""A shop in the simulation: its orders, what becomes of them, and every snapshot it ever made."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from ordertrail.domain.order import Customer, Line, Order, Refund, RefundLine

DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}
SKUS = ("A-1", "B/2", "ü:3", "order", "%25")
HALF_DAYS = [timezone(timedelta(hours=hours)) for hours in (-14, -5, 0, 2, 14)]
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Person:
    """A customer of the shop, as it knows them."""

    customer: Customer
    has_account: bool


@dataclass
class Shop:
    """One source of orders; `ranks_by` says how it tells which snapshot of an order is newer."""

    source: str
    chance: random.Random
    now: Callable[[], datetime]
    ranks_by: str = "version"
    changes_emails: bool = True
    zone: timezone = UTC
    histories: dict[str, list[Order]] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    _latest_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def newest(self) -> list[Order]:
        """Return the newest snapshot of every order."""
        return [history[-1] for history in self.histories.values()]

    def place(self) -> Order:
        """Take a new order."""
        currency = self.chance.choice(list(DECIMALS))
        lines = tuple(self._line(currency) for _ in range(self.chance.randint(1, 4)))
        at = self._moment()
        order = Order(
            f"{self.source}:{len(self.histories) + 1}",
            self._customer(),
            at,
            currency,
            lines,
            delivery=self._maybe_amount(currency),
            fees=self._maybe_amount(currency),
            tax=self._maybe_amount(currency),
            attributes=self._attributes(),
            status="new" if self.chance.random() < 0.5 else None,
        )
        if self.chance.random() < 0.3:
            order = replace(order, discount=min(self._amount(currency), lines[0].unit_price))
        if self.chance.random() < 0.2:
            order = replace(order, total=gross(order) + Decimal(1).scaleb(-DECIMALS[currency]))
        self.histories[order.id] = []
        return self._keep(order, at)

    def change(self) -> Order | None:
        """Let something happen to one order; None when nothing can."""
        if not self.histories:
            return None
        latest = list(self.histories)[-12:]
        order = self.histories[self.chance.choice(latest)][-1]
        changes: list[Callable[[Order], Order]] = [
            self._fulfilled,
            self._fulfilled,
            self._cancelled,
            self._partly_returned,
            self._wholly_returned,
            self._money_back,
            self._refund_deleted,
            self._annotated,
            self._corrected,
            self._impossible,
        ]
        if refunded(order) > gross(order):
            changes = [self._mended]
        changed = self.chance.choice(changes)(order)
        return None if changed == order else self._keep(changed, self._moment())

    def mend_all(self) -> None:
        """Set right whatever cannot be true."""
        for history in self.histories.values():
            if refunded(history[-1]) > gross(history[-1]):
                self._keep(self._mended(history[-1]), self._moment())

    def told(self, order: Order) -> Order:
        """Return the snapshot as it is sent: times in the zone that the shop is set to."""
        return replace(
            order,
            placed_at=order.placed_at.astimezone(self.zone),
            fulfilled_at=order.fulfilled_at and order.fulfilled_at.astimezone(self.zone),
            cancelled_at=order.cancelled_at and order.cancelled_at.astimezone(self.zone),
            updated_at=order.updated_at and order.updated_at.astimezone(self.zone),
            refunds=tuple(
                replace(each, at=each.at.astimezone(self.zone)) for each in order.refunds
            ),
        )

    def new_email(self) -> None:
        """Let one account have another e-mail from now on."""
        number = self.chance.randrange(len(self.people))
        person = self.people[number]
        if person.has_account and self.changes_emails:
            email = f"{self.source}{number}.{self.chance.randrange(1000)}@new.example"
            customer = replace(person.customer, account_email=email)
            self.people[number] = replace(person, customer=customer)

    def _keep(self, order: Order, at: datetime) -> Order:
        history = self.histories[order.id]
        if self.ranks_by == "version":
            version = (history[-1].version or 0) if history else 0
            order = replace(order, version=version + self.chance.randint(1, 3))
        is_dated = self.ranks_by == "updated_at" or (self.ranks_by and self.chance.random() < 0.3)
        order = replace(order, updated_at=at if is_dated else None)
        history.append(order)
        return order

    def _moment(self) -> datetime:
        """The shop's own time, which never stands still."""
        self._latest_at = max(self._latest_at + MICROSECOND, self.now())
        return self._latest_at

    def _customer(self) -> Customer:
        if not self.people or (len(self.people) < 12 and self.chance.random() < 0.5):
            self.people.append(self._person(len(self.people)))
        return self.chance.choice(self.people).customer

    def _person(self, number: int) -> Person:
        name = f"{self.source}{number}"
        profile = Customer(f"{name}@example.com", None, f"First {number}", f"Last {number}")
        kind = self.chance.random()
        if kind < 0.1:
            return Person(Customer(first_name="Guest"), False)
        if kind < 0.5:
            return Person(replace(profile, phone=f"+48{number:09}"), False)
        billing = profile.email if self.chance.random() < 0.7 else f"{name}@billing.example"
        account = f"{name.upper()}@Example.com"
        return Person(replace(profile, email=billing, shop_id=name, account_email=account), True)

    def _line(self, currency: str) -> Line:
        sku = None if self.chance.random() < 0.1 else self.chance.choice(SKUS)
        name = None if sku is None else f"Thing {sku}"
        return Line(sku, self.chance.randint(1, 4), self._amount(currency), name)

    def _amount(self, currency: str) -> Decimal:
        return Decimal(self.chance.randrange(1, 100_000)).scaleb(-DECIMALS[currency])

    def _maybe_amount(self, currency: str) -> Decimal | None:
        return self._amount(currency) if self.chance.random() < 0.3 else None

    def _attributes(self) -> dict[str, object]:
        paid = self.chance.choice(["card", "blik", None])
        return {"payment_method": paid} if self.chance.random() < 0.5 else {}

    def _fulfilled(self, order: Order) -> Order:
        if order.fulfilled_at or order.cancelled_at:
            return order
        return replace(order, fulfilled_at=self._moment(), status=order.status and "sent")

    def _cancelled(self, order: Order) -> Order:
        if order.fulfilled_at or order.cancelled_at:
            return order
        return replace(order, cancelled_at=self._moment())

    def _partly_returned(self, order: Order) -> Order:
        left = {line.sku: line for line in order.lines if line.sku}
        for refund in order.refunds:
            for each in refund.lines:
                left.pop(each.sku, None)
        if not left:
            return order
        sku = self.chance.choice(list(left))
        value = min(left[sku].unit_price, gross(order) - refunded(order))
        return self._refund(order, value, (RefundLine(sku, 1),))

    def _wholly_returned(self, order: Order) -> Order:
        quantities: dict[str, int] = {}
        for line in order.lines:
            if line.sku:
                quantities[line.sku] = quantities.get(line.sku, 0) + line.quantity
        for refund in order.refunds:
            for each in refund.lines:
                quantities[each.sku] -= each.quantity
        back = tuple(RefundLine(sku, left) for sku, left in quantities.items() if left > 0)
        return self._refund(order, gross(order) - refunded(order), back) if back else order

    def _money_back(self, order: Order) -> Order:
        left = gross(order) - refunded(order)
        if left <= 0:
            return order
        part = left if self.chance.random() < 0.2 else min(self._amount(order.currency), left)
        return self._refund(order, part, ())

    def _refund(self, order: Order, value: Decimal, lines: tuple[RefundLine, ...]) -> Order:
        at = self._moment()
        name = f"R{at.timestamp():.6f}"
        return replace(order, refunds=(*order.refunds, Refund(name, at, value, lines)))

    def _refund_deleted(self, order: Order) -> Order:
        return replace(order, refunds=order.refunds[:-1])

    def _annotated(self, order: Order) -> Order:
        note = {"note": self.chance.randrange(1000)}
        return replace(order, attributes={**order.attributes, **note})

    def _corrected(self, order: Order) -> Order:
        """A guest mistyped the e-mail, or gives one at last."""
        if order.customer.shop_id or not self.changes_emails:
            return order
        email = f"{self.source}{self.chance.randrange(30)}@corrected.example"
        return replace(order, customer=replace(order.customer, email=email))

    def _impossible(self, order: Order) -> Order:
        """More money back than there was; the next change mends it."""
        return replace(order, refunds=(Refund("R0", self._moment(), gross(order) + 1),))

    def _mended(self, order: Order) -> Order:
        return replace(order, refunds=())


def gross(order: Order) -> Decimal:
    """What the customer was asked to pay."""
    if order.total is not None:
        return order.total
    goods = sum((line.unit_price * line.quantity for line in order.lines), Decimal(0))
    more = (order.delivery or 0) + (order.fees or 0) + (order.tax or 0)
    return goods + more - (order.discount or 0)


def refunded(order: Order) -> Decimal:
    """What the customer was given back."""
    return sum((refund.value for refund in order.refunds), Decimal(0))
