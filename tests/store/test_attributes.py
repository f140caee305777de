"""What attributes are called and hold is looked up by the names that were sent."""

from ordertrail.actions import attributes
from ordertrail.domain.attribute import ContentType
from ordertrail.store import workspaces
from served import Served


def test_attributes_are_looked_up_by_the_names_sent_only(platform: Served) -> None:
    sent = {"size": "L", "gift": True}
    platform.database.write(lambda tx: attributes.learn(tx, 1, ContentType.DEAL, [sent]))
    for names, kind, found in (
        ({"size", "unknown"}, ContentType.DEAL, {"size"}),
        ({"size"}, ContentType.CONTACT, set()),
        (set(), ContentType.DEAL, set()),
    ):
        known = platform.database.read(
            lambda reader, kind=kind, names=names: workspaces.attributes(reader, 1, kind, names)
        )
        assert known.keys() == found
