"""The plain script, run as anyone would run it."""

import hashlib
import subprocess
import sys
from pathlib import Path

from served_platform import EXAMPLES, Platform

JOHN = hashlib.sha256(b"john@example.com").hexdigest()


def run(platform: Platform, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "plain" / "shop.py")],
        env={**platform.environment, "SHOP_OUTBOX": str(folder / "shop.outbox")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_script_delivers_an_order_its_fulfilment_and_what_came_back(
    platform: Platform, tmp_path: Path
) -> None:
    done = run(platform, tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("delivered\n", "", 0)
    deal = platform.deal("ORD-78523")
    assert (float(deal["value"]), deal["status"]) == (129.9, 2)
    assert platform.event_names(JOHN) == [
        "order", "order", "purchase", "purchase", "purchase_completed",
    ]  # fmt: skip


def test_a_platform_that_is_away_keeps_nothing_from_being_accepted(tmp_path: Path) -> None:
    script = (EXAMPLES / "plain" / "shop.py").read_text("utf-8")
    away = Platform("http://127.0.0.1:9", "T" * 64)
    hasty = tmp_path / "hasty.py"
    hasty.write_text(script.replace("timeout_s=30", "timeout_s=0.1"))
    done = subprocess.run(
        [sys.executable, str(hasty)],
        env={**away.environment, "SHOP_OUTBOX": str(tmp_path / "shop.outbox")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 75
    assert done.stdout.startswith("7 calls wait")
