"""Filters find what they say: as text, numbers, times and flags, whatever is in the value."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordertrail.domain.contact import Contact
from ordertrail.domain.errors import Invalid
from ordertrail.domain.filter import Filter, Op
from ordertrail.kit.paging import Place
from ordertrail.kit.sqlite import Sqlite
from ordertrail.store import contact_filters, contacts, migrations
from served import serve

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ODD = st.text("aAłŁß%_\\*?[']\"$. 1é", max_size=4)
PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"orders": 9, "plan": "Pro 100%", "is_pro": True, "seen_at": "2026-03-01T10:00:00Z"}
    | {"code": "2024-01-02-XYZ"},
    "bob": {"orders": 12.5, "plan": "pro_1", "is_pro": False, "seen_at": "2026-03-02T00:00+02:00"},
    "Łuk": {"orders": "12", "plan": "Łódź", "seen_at": "2026-03-03", 'quote"s': 1},
    "nil": {"orders": None, "plan": None},
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    with serve(tmp_path_factory.mktemp("filters")) as platform:
        made = [
            replace(
                Contact(number, f"key{number}", AT.replace(day=number), AT),
                custom_id=name,
                email=f"{name}@Shop.test" if number < 3 else None,
                profile={"first_name": name, "city": name, "score": number}
                | (
                    {"unsubscribed": True, "last_seen": "2026-03-05T00:00:00Z"}
                    if number == 1
                    else {}
                ),
                attributes=attributes,
            )
            for number, (name, attributes) in enumerate(PEOPLE.items(), 1)
        ]
        platform.database.write(lambda tx: contacts.add(tx, 1, made))
        yield platform.database


def found(database: Sqlite, **sought: str) -> list[str | None]:
    """The custom ids of those that the filters find, oldest first."""
    named = [name.rpartition("__") for name in sought]
    filters = [
        Filter(field or op, Op(op) if marked else Op.EXACT, value)
        for (field, marked, op), value in zip(named, sought.values(), strict=True)
    ]
    condition = contact_filters.condition(filters)
    page = database.read(lambda r: contact_filters.page(r, 1, condition, Place()))
    assert page.count == len(page.items)
    return [each.custom_id for each in reversed(page.items)]


@pytest.mark.parametrize(
    ("sought", "wanted"),
    [
        ({"orders__gt": "9"}, ["bob"]),
        ({"orders__gte": "9"}, ["ann", "bob"]),
        ({"orders__lt": "10.5"}, ["ann"]),
        ({"orders": "12.50"}, ["bob"]),
        ({"orders": "12"}, ["Łuk"]),
        ({"orders__startswith": "12"}, ["bob", "Łuk"]),
        ({"orders__gt": "9", "is_pro": "False"}, ["bob"]),
        ({"is_pro__startswith": "True"}, ["ann"]),
        ({"is_pro__startswith": "true"}, ["ann"]),
        ({"is_pro": "1"}, ["ann"]),
        ({"is_pro": "false"}, ["bob"]),
        ({"plan__contains": "pro"}, ["bob"]),
        ({"plan__icontains": "pro"}, ["ann", "bob"]),
        ({"plan__icontains": "0%"}, ["ann"]),
        ({"plan__icontains": "O_1"}, ["bob"]),
        ({"plan__istartswith": "łÓ"}, ["Łuk"]),
        ({"plan__iendswith": "ź"}, ["Łuk"]),
        ({"plan__endswith": "100%"}, ["ann"]),
        ({"plan__lt": "a"}, ["ann"]),
        ({"seen_at__gte": "1772359200"}, ["ann", "bob", "Łuk"]),
        ({"seen_at__gt": "1772359200"}, ["bob", "Łuk"]),
        ({"seen_at__lt": "2026-03-02"}, ["ann", "bob"]),
        ({"seen_at": "2026-03-01T22:00:00Z"}, ["bob"]),
        ({"seen_at__gte": "2026-03-01T23:00:00 01:00"}, ["bob", "Łuk"]),
        ({"code__gt": "2024-01-02"}, ["ann"]),
        ({"code__lt": "2024-01-03"}, ["ann"]),
        ({"code__lt": "2024-01-02"}, []),
        ({"code": "2024-01-02-XYZ"}, ["ann"]),
        ({"created_at__gte": "2026-03-03"}, ["Łuk", "nil"]),
        ({"created_at__lte": "1772539200"}, ["ann", "bob", "Łuk"]),
        ({"created_at__startswith": "2026-03-04T12"}, ["nil"]),
        ({"last_seen__gte": "1772323200"}, ["ann"]),
        ({"last_seen__gte": "1772668801"}, []),
        ({"email__contains": "ANN@shop"}, ["ann"]),
        ({"email": " BOB@SHOP.test"}, ["bob"]),
        ({"custom_id": "Łuk"}, ["Łuk"]),
        ({"user_key": "key2"}, ["bob"]),
        ({"id__lte": "2"}, ["ann", "bob"]),
        ({"id__startswith": "2"}, ["bob"]),
        ({"score__gt": "2"}, ["Łuk", "nil"]),
        ({"status": "user"}, ["ann", "bob"]),
        ({"gender": "unknown"}, ["ann", "bob", "Łuk", "nil"]),
        ({"unsubscribed": "True"}, ["ann"]),
        ({"unsubscribed": "false"}, ["bob", "Łuk", "nil"]),
        ({"notifications__startswith": "true"}, ["ann", "bob", "Łuk", "nil"]),
        ({"name__startswith": "Ł"}, ["Łuk"]),
        ({"city__endswith": "il"}, ["nil"]),
        ({"no_such_attribute__contains": "a"}, []),
    ],
    ids=str,
)
def test_a_filter_finds_what_it_says(
    database: Sqlite, sought: dict[str, str], wanted: list[str]
) -> None:
    assert found(database, **sought) == wanted


@pytest.mark.parametrize(
    "sought",
    [{"id": "one"}, {"created_at__gte": "soon"}, {"score__lt": "a"}, {"assigned_to": "1a"}],
)
def test_a_value_that_the_field_can_never_have_is_refused(
    database: Sqlite, sought: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        found(database, **sought)
    assert list(refused.value.fields) == [next(iter(sought)).partition("__")[0]]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    file = Sqlite(tmp_path_factory.mktemp("odd") / "t.db")
    migrations.apply(file)
    file.write(
        lambda tx: tx.run(
            "INSERT INTO workspaces (id, uid, name, currency, time_zone, created_at)"
            " VALUES (:workspace_id, 'w', 'w', 'EUR', 'UTC', 0)",
            workspace_id=1,
        )
    )
    yield file
    file.close()


MODEL = {
    Op.EXACT: lambda has, asked: has == asked,
    Op.STARTSWITH: lambda has, asked: has.startswith(asked),
    Op.ENDSWITH: lambda has, asked: has.endswith(asked),
    Op.CONTAINS: lambda has, asked: asked in has,
    Op.LT: lambda has, asked: has < asked,
    Op.GTE: lambda has, asked: has >= asked,
}
"""What an operation on text means."""


@given(texts=st.lists(ODD, min_size=1, max_size=5), asked=ODD.filter(bool))
def test_text_is_found_character_by_character(odd: Sqlite, texts: list[str], asked: str) -> None:
    """Nothing in a value is taken for a pattern, in a column and in an attribute alike."""
    made = [
        Contact(number, f"k{number}", AT, AT, profile={"city": text}, attributes={"said": text})
        for number, text in enumerate(texts, 1)
    ]

    def work(tx: Any) -> dict[tuple[str, Op], set[int]]:
        tx.run("DELETE FROM contacts WHERE workspace_id = :workspace_id", workspace_id=1)
        contacts.add(tx, 1, made)
        return {
            (field, op): {
                each.id
                for each in contact_filters.page(
                    tx, 1, contact_filters.condition([Filter(field, op, asked)]), Place()
                ).items
            }
            for field in ("city", "said")
            for op in MODEL
        }

    for (_, op), ids in odd.write(work).items():
        assert ids == {n for n, text in enumerate(texts, 1) if MODEL[op](text, asked)}, op
