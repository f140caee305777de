"""`make contend`: eight processes write the same orders and people; prints what came of it."""

import argparse
import sys
import tempfile
from pathlib import Path

import postgres_server
from contention.play import WRITERS, play


def main() -> int:
    parser = argparse.ArgumentParser(prog="contention", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long they write")
    parser.add_argument("--stop", type=float, default=15.0, help="how long one stands still")
    wanted = parser.parse_args()
    with postgres_server.running() as server, tempfile.TemporaryDirectory() as folder:
        played = play(server.new_database(), Path(folder), wanted.seconds, stop_s=wanted.stop)
    answers = sum(played.statuses.values())
    print(
        f"{WRITERS} processes, {wanted.seconds:g} s: {answers} answers"
        f" ({answers / wanted.seconds:.0f}/s), {played.followed} rows followed in order,"
        f" longest pause {played.longest_pause_s:.1f} s"
    )
    print("answers by status:", dict(sorted(played.statuses.items())))
    print("\n".join(played.complaints[:50]) or "nothing is wrong")
    return bool(played.complaints)


if __name__ == "__main__":
    sys.exit(main())
