"""`make bench`: runs the cases and prints each beside its peer; `--only NAME` runs one.

Ratios are what counts: machines are shared and noisy, so a case and its peer run in turn in the
same minute. The figures are kept as `bench/results/<case>.json`.
"""

import argparse
import importlib
import json
import platform
from pathlib import Path

CASES = ("steps", "deals", "batch", "idle", "tracker", "outbox", "delivery", "backfill", "pages")
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    wanted = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for name in CASES:
        if wanted.only in (None, name):
            case = importlib.import_module(f"bench.{name}")
            print(f"\n{name}: {case.__doc__.splitlines()[0]}")
            found = case.run(wanted.seconds)
            for line in case.lines(found):
                print(f"  {line}")
            kept = {"case": name, "python": platform.python_version(), **found}
            (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
