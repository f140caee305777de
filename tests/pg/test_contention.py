"""Eight processes write the same fifty orders and people, merge and delete them, at once."""

from pathlib import Path

from contention.play import play
from postgres_server import Server

SECONDS = 6.0


def test_nothing_is_lost_skipped_or_mixed_where_many_write_at_once(
    postgres: Server, tmp_path: Path
) -> None:
    played = play(postgres.new_database(), tmp_path, SECONDS)
    assert played.complaints == []
    assert played.statuses.keys() <= {200, 201, 400, 404, 409}
    assert played.statuses[200] > 500
    assert played.followed > 500
