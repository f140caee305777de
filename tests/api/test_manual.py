"""The page that lists the addresses lists those that there are."""

from pathlib import Path

from ordertrail.api.manual import rewritten

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_manual_lists_every_address_and_no_other() -> None:
    page = PAGE.read_text("utf-8")
    assert "| GET | `/api/public/deals/{id}/` | read |" in page
    assert page == rewritten(page), "run `python -m ordertrail.api.manual docs/api.md`"
