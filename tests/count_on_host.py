"""`ordertrail work` with two more pieces, which count: each turn goes on where the last one ended.

A turn lasts for longer than any test. It reads the last number once and writes the next ones, one
in a transaction, with a moment between them. Two at the same time would write a number twice.
"""

import threading

from ordertrail.automation.background import Piece, Turn
from ordertrail.commands import work
from ordertrail.kit import processes
from ordertrail.settings import Settings

TABLE = "CREATE TABLE counted (piece text, number bigint, holder text)"
LAST = "SELECT coalesce(max(number), 0) FROM counted WHERE piece = :piece"
ADD = "INSERT INTO counted VALUES (:piece, :number, :holder)"
STEPS = 10_000
BETWEEN_S = 0.02


def count(turn: Turn) -> int:
    piece = turn.lease.name
    [(last,)] = turn.read(lambda reader: reader.fetch(LAST, piece=piece))
    between = threading.Event()
    for number in range(last + 1, last + 1 + STEPS):
        turn.write(lambda tx, n=number: tx.run(ADD, piece=piece, number=n, holder=processes.name()))
        between.wait(BETWEEN_S)
    return STEPS


if __name__ == "__main__":
    work.run(Settings(), [Piece(name, 0.0, count) for name in "ab"])
