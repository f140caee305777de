"""What attributes are called and hold is looked up by the names that were sent."""

from ordertrail.actions.attribute_settling import Settling
from ordertrail.domain.attribute import ContentType
from ordertrail.kit.database import Tx
from ordertrail.store import attributes
from served import Served


def test_attributes_are_looked_up_by_the_names_sent_only(platform: Served) -> None:
    sent = {"size": "L", "gift": True}

    def learn(tx: Tx) -> None:
        settling = Settling(tx, 1, ContentType.DEAL, [sent])
        settling.accept(sent)
        settling.write(tx)

    platform.database.write(learn)
    for names, kind, found in (
        ({"size", "unknown"}, ContentType.DEAL, {"size"}),
        ({"size"}, ContentType.CONTACT, set()),
        (set(), ContentType.DEAL, set()),
    ):
        known = platform.database.read(
            lambda reader, kind=kind, names=names: attributes.by_names(reader, 1, kind, names)
        )
        assert known.keys() == found
