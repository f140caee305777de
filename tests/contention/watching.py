"""Who reads while others write: follows the numbers of what is kept, and looks at orders' lines."""

import threading
import time
from typing import Any

import psycopg

PAUSE_S = 0.02
NUMBERED = "(SELECT id FROM journal UNION ALL SELECT id FROM events) n"
"""What is numbered together: an event's own row is its entry in the journal."""

MIXED = """
SELECT d.custom_id FROM deals d JOIN order_products o
ON o.workspace_id = d.workspace_id AND o.deal_id = d.id
WHERE split_part(d.name, '.', 1) <> split_part(o.product_custom_id, '-', 1)
OR split_part(d.name, '.', 2) <> CAST(o.price_micros / 1000000 AS text)
"""


class Follower(threading.Thread):
    """Reads what is numbered higher than the highest number that it has seen."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.seen: list[int] = []
        self.mixed: list[str] = []
        self.longest_pause_s = 0.0
        """The longest time in which nobody's writes came."""
        self.ended = threading.Event()

    def run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            is_last, newest_at = False, time.monotonic()
            while not is_last:
                is_last = self.ended.wait(PAUSE_S)
                last = self.seen[-1] if self.seen else 0
                query = f"SELECT id FROM {NUMBERED} WHERE id > %s ORDER BY id"
                news = [number for (number,) in connection.execute(query, (last,))]
                if news:
                    self.seen += news
                    pause_s = time.monotonic() - newest_at
                    self.longest_pause_s = max(self.longest_pause_s, pause_s)
                    newest_at = time.monotonic()
                self.mixed += [deal for (deal,) in connection.execute(MIXED)]


def skipped(url: str, seen: list[int]) -> set[int]:
    """The numbers in the database that a follower has not come across."""
    with psycopg.connect(url, autocommit=True) as connection:
        found: list[tuple[Any, ...]] = connection.execute(f"SELECT id FROM {NUMBERED}").fetchall()
    return {number for (number,) in found} - set(seen)
