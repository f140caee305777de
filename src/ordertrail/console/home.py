"""Home: the workspace in numbers, and what to do when there are none yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ordertrail.actions import browse
from ordertrail.actions.browse import DealRow
from ordertrail.console.desk import Visit
from ordertrail.insight import reports
from ordertrail.insight.reports import Summary
from ordertrail.kit.database import Reader

NEWEST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class HomePage:
    """The summary and the newest orders; `origin` is the address to sync to."""

    template: ClassVar[str] = "home.html"
    section: ClassVar[str] = "home"

    summary: Summary
    newest: Sequence[DealRow]
    origin: str

    @property
    def title(self) -> str:
        """The page's name."""
        return "Home"


def home(reader: Reader, visit: Visit) -> HomePage:
    """Read the home page."""
    workspace_id = visit.workspace.id
    return HomePage(
        reports.summary(reader, workspace_id),
        browse.newest_deals(reader, workspace_id, NEWEST_SHOWN),
        visit.origin,
    )
