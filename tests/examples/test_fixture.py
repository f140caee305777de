"""The fixture that pytest finds wherever Ordertrail is installed."""

import subprocess
import sys
from pathlib import Path

TEST = """
import datetime, decimal, ordertrail

def test_an_order_that_is_shipped_wins_its_deal(ordertrail_tracker):
    order = ordertrail.Order(
        "ORD-1", ordertrail.Customer("a@b.example"), datetime.datetime.now(datetime.UTC), "EUR",
        (ordertrail.Line("MUG", 1, decimal.Decimal(8)),),
    )
    ordertrail_tracker.placed(order)
    ordertrail_tracker.fulfilled("ORD-1")
    assert ordertrail_tracker.holds("ORD-1")["status"] == 2
"""
UNUSED = """
import sys

def test_what_nobody_uses_is_not_imported():
    assert "ordertrail.testing" in sys.modules
    assert "ordertrail.sync.tracker" not in sys.modules
    assert "aiohttp" not in sys.modules
"""


def run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_shop.py").write_text(test)
    words = ["-q", "-p", "ordertrail.testing", "-p", "no:cacheprovider", "-W", "error"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--rootdir", str(folder), str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_shops_test_asks_the_fixture_what_would_be_sent(tmp_path: Path) -> None:
    done = run(tmp_path, TEST)
    assert done.returncode == 0, done.stdout


def test_the_fixture_costs_nothing_where_it_is_not_used(tmp_path: Path) -> None:
    done = run(tmp_path, UNUSED)
    assert done.returncode == 0, done.stdout


def test_the_package_registers_the_fixture() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    assert '"ordertrail.testing" = "ordertrail.testing"' in project
