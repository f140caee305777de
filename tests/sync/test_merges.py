"""Our own platform carries out the merges that the sync plans for it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from made_orders import FULFILLED, JOHN

from live import live
from ordertrail import Tracker

OLD = replace(FULFILLED, id="O1")
NEW = replace(
    FULFILLED,
    id="O2",
    placed_at=FULFILLED.placed_at + timedelta(days=9),
    fulfilled_at=FULFILLED.placed_at + timedelta(days=9, hours=1),
    customer=replace(JOHN, email="john@new.example"),
)


def test_a_changed_email_leaves_one_contact_with_all_orders(tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with live(tmp_path) as there, Tracker(there.url, there.token, outbox=outbox) as tracker:
        for order in (OLD, NEW):
            tracker.track(order)
            assert tracker.drain()
        [person] = there.get("users/")["results"]
        assert person["email"] == "john@new.example"
        assert there.get("users/search/?email=john@example.com") == person
        owners = {there.get(f"deals-by-id/{each.id}/")["user_id"] for each in (OLD, NEW)}
        assert owners == {person["id"]}
        assert there.get(f"users/{person['id']}/events/")["count"] == 2
        tracker.track(replace(OLD, cancelled_at=NEW.placed_at + timedelta(days=1)))
        assert tracker.drain()
        assert there.get("users/")["results"][0]["email"] == "john@new.example"
        assert tracker.verify().is_clean
