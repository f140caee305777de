"""A process that holds a workspace in the middle of a transaction, until it is told to go on."""

import sys

from ordertrail.kit import clock
from ordertrail.kit.database import Tx
from ordertrail.kit.postgres import Postgres
from ordertrail.store import writers


def main(url: str, idle_limit_s: float) -> None:
    database = Postgres(url, idle_limit_s=idle_limit_s)
    tries: list[int] = []

    def hold(tx: Tx) -> None:
        tries.append(1)
        writers.claim(tx, 1, "holder", 1, clock.utc_now())
        tx.fetch("SELECT 1")
        if len(tries) == 1:
            print("held", flush=True)
            sys.stdin.readline()
            tx.fetch("SELECT 1")

    database.write(hold)
    print(len(tries), flush=True)
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
