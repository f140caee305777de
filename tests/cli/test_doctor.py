"""An address is shown without its password."""

import pytest

from ordertrail.settings import without_password


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://shop:secret@db.example/outbox",
        "postgresql://shop:sec@ret@db.example/outbox",
        "postgresql://db.example/outbox?user=shop&password=secret&sslmode=require",
    ],
)
def test_the_password_of_an_address_is_not_shown(address: str) -> None:
    shown = without_password(address)
    assert "sec" not in shown
    assert "ret" not in shown
    assert "db.example/outbox" in shown
    assert "***" in shown


def test_an_address_without_a_password_is_shown_whole() -> None:
    assert without_password("sqlite:///shop/orders.db") == "sqlite:///shop/orders.db"
