"""Real orders that come with Ordertrail, to try it on: 1,000 of the Online Retail data set.

Their source and licence stand in `ATTRIBUTION.md` beside them.
"""

from pathlib import Path

SAMPLE: Path = Path(__file__).with_name("online_retail.csv.gz")
"""The orders, in the format that `ordertrail.sync.shops.online_retail` reads."""
