"""Lists are counted once, and not at all where the first page shows everything."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ordertrail.domain.contact import Contact
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import PAGE_SIZE_MAX, Place
from ordertrail.store import contact_filters, contacts
from served import serve

AT = datetime(2026, 3, 1, tzinfo=UTC)


class Counting:
    """A reader that counts the statements it was asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self.asked = reader, 0

    def rows(self, query: str, **named: object) -> list[list[object]]:
        self.asked += 1
        return self._reader.rows(query, **named)

    def fetch(self, query: str, **named: object) -> list[tuple[object, ...]]:
        self.asked += 1
        return self._reader.fetch(query, **named)


@pytest.mark.parametrize(
    ("there", "asked"), [(0, 1), (1, 1), (PAGE_SIZE_MAX, 1), (PAGE_SIZE_MAX + 1, 2)]
)
def test_a_first_page_that_shows_everything_is_its_own_count(
    tmp_path: Path, there: int, asked: int
) -> None:
    with serve(tmp_path) as platform:
        made = [Contact(number, f"k{number}", AT, AT) for number in range(1, there + 1)]
        platform.database.write(lambda tx: contacts.add(tx, 1, made))

        def work(reader: Reader) -> tuple[int, int]:
            counting = Counting(reader)
            page = contact_filters.page(counting, 1, contact_filters.condition([]), Place())
            return page.count, counting.asked

        assert platform.database.read(work) == (there, asked)
