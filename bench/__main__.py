"""`make bench`: measures the cases and writes docs/benchmarks.md; `make bench ONLY=deals` one.

The figures are kept as `bench/results/kept/<case>.json`.
"""

import argparse
import importlib
import json
import signal
import sys

from bench.harness import run
from bench.page import CASES, PAGE, RESULTS, page, table


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    parser.add_argument("--rounds", type=int, help="how often each contender has its turn")
    parser.add_argument("--write-docs", action="store_true", help="measure nothing")
    wanted = parser.parse_args()
    chosen = (wanted.only,) if wanted.only else () if wanted.write_docs else CASES
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is stopped
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        print(f"\n{name}", flush=True)
        case = importlib.import_module(f"bench.{name}").CASE
        found = run(
            case, wanted.seconds, wanted.rounds, lambda said: print(f"  {said}", flush=True)
        )
        (RESULTS / f"{name}.json").write_text(json.dumps({"case": name, **found}, indent=2) + "\n")
        print("\n".join(table(found)))
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
