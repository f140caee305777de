"""Tags as a batch names them: found by their names, or made."""

from collections.abc import Iterable
from datetime import datetime

from ordertrail.domain.tag import Tag
from ordertrail.kit.database import Tx
from ordertrail.store import ids, tags


class Tagging:
    """The tags of one batch; one that nobody used before becomes a known one."""

    def __init__(self, tx: Tx, workspace_id: int, names: Iterable[str]) -> None:
        asked = set(names)
        self._workspace_id = workspace_id
        self._known = tags.ids_by_names(tx, workspace_id, asked)
        missing = len(asked) - len(self._known)
        self._numbers = ids.take(tx, workspace_id, tag=missing)["tag"]
        self._new: list[Tag] = []

    def tag(self, name: str) -> tuple[Tag, bool]:
        """Return the tag with this name, and whether it is new."""
        is_new = name not in self._known
        if is_new:
            self._known[name] = next(self._numbers)
            self._new.append(Tag(self._known[name], name))
        return Tag(self._known[name], name), is_new

    def write(self, tx: Tx, at: datetime) -> None:
        """Write the tags that are new."""
        tags.add(tx, self._workspace_id, self._new, at)
