"""Keys on the command line: made, listed, rotated and revoked in a real database file."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ran import Ran, run

from ordertrail.commands import moments
from ordertrail.domain.errors import Invalid

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/platform.db"


@pytest.fixture
def keys(database: str) -> "Keys":
    return Keys(database)


class Keys:
    """The commands on one database."""

    def __init__(self, database: str) -> None:
        self.database = database

    def run(self, command: str, *words: str) -> Ran:
        return run("keys", *command.split(), *words, "--database", self.database)

    def create(self, *words: str) -> dict[str, Any]:
        return dict(self.run("create --json --name", "shop", *words).json)

    def list(self) -> list[dict[str, Any]]:
        return list(self.run("list --json").json)

    def bytes(self) -> bytes:
        folder = Path(self.database.removeprefix("sqlite:///")).parent
        return b"".join(path.read_bytes() for path in folder.iterdir())


def moment(said: Any) -> datetime:
    return datetime.fromisoformat(said)


def test_of_a_token_only_the_hash_is_kept(keys: Keys) -> None:
    made = keys.create()["token"]
    rotated = keys.run("rotate 1 --json").json["token"]
    for token in (made, rotated):
        assert re.fullmatch(r"[0-9a-f]{64}", token)
        assert token.encode() not in keys.bytes()
        assert hashlib.sha256(token.encode()).hexdigest().encode() in keys.bytes()


def test_a_key_is_made_as_it_was_asked_for(keys: Keys) -> None:
    asked = "--scope read --rate-limit 10 --ip 10.0.0.0/8 --ip ::1 --expires 2999-01-31"
    made = keys.create(*asked.split())
    made.pop("token")
    assert keys.list() == [made]
    assert (made["id"], made["name"], made["scope"], made["rate_limit"]) == (1, "shop", "read", 10)
    assert made["networks"] == ["10.0.0.0/8", "::1"]
    assert made["expires_at"] == "2999-01-31T00:00:00Z"
    assert (made["revoked_at"], made["last_used_at"]) == (None, None)


def test_a_key_without_more_words_has_no_limit_and_no_end(keys: Keys) -> None:
    made = keys.create()
    assert (made["scope"], made["rate_limit"], made["networks"]) == ("both", 0, [])
    assert made["expires_at"] is None


def test_the_token_alone_is_printed_so_that_it_can_be_kept_in_a_variable(keys: Keys) -> None:
    made = keys.run("create --name shop")
    assert (made.code, len(made.out)) == (0, 65)
    assert "only time" in made.err
    rotated = keys.run("rotate 1")
    assert (rotated.code, len(rotated.out)) == (0, 65)
    assert "Key 2 follows key 1." in rotated.err


def test_into_a_pipe_each_key_is_listed_on_a_line_of_its_own(keys: Keys) -> None:
    name = "the checkout of the shop in the old town " * 2
    networks = [word for n in range(9) for word in ("--ip", f"192.0.{n}.0/24")]
    assert keys.run("create --name", name.strip(), *networks).code == 0
    head, line = keys.run("list").out.splitlines()
    assert head.split()[:2] == ["id", "name"]
    assert name.strip() in line
    assert line.rstrip().endswith("never")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("24h", NOW + timedelta(hours=24)),
        ("90d", NOW + timedelta(days=90)),
        ("2w", NOW + timedelta(days=14)),
        ("99999w", NOW + timedelta(weeks=99_999)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T18:00", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31T18:00Z", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31T18:00+02:00", datetime(2027, 1, 31, 16, tzinfo=UTC)),
    ],
)
def test_an_end_is_a_span_a_date_or_a_time(text: str, at: datetime) -> None:
    assert moments.moment("expires", text, NOW) == at
    assert moments.moment("expires", text, NOW).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["", "soon", "90", "-1d", "1.5h", "100000d", "2027-02-30", "9999-12-31T23:59-10:00"]
)
def test_an_end_that_is_none_of_these_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match=r"expires: .*90d"):
        moments.moment("expires", text, NOW)


@pytest.mark.parametrize("text", ["2s", "1y"])
def test_every_unit_of_a_span_is_named(text: str) -> None:
    for refused in (
        lambda: moments.moment("expires", text, NOW),
        lambda: moments.span("overlap", text),
    ):
        with pytest.raises(Invalid, match="minutes, hours, days or weeks, as in 30m, 24h, 90d, 2w"):
            refused()


@pytest.mark.parametrize("text", ["0", "0m", "0h"])
def test_no_overlap_is_an_overlap(text: str) -> None:
    assert moments.span("overlap", text) == timedelta()


@pytest.mark.parametrize("text", ["", "soon", "-1h", "24", "2027-01-31", "1h30m"])
def test_an_overlap_that_is_no_span_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match=r"overlap: .*24h"):
        moments.span("overlap", text)


@pytest.mark.parametrize("when", ["2020-01-31", "0d", "soon"])
def test_a_key_that_would_never_work_is_not_made(keys: Keys, when: str) -> None:
    keys.create()
    for command in ("create --name late", "rotate 1"):
        refused = keys.run(command, "--expires", when)
        assert (refused.code, "expires:" in refused.err) == (2, True)
    assert [(key["id"], key["expires_at"]) for key in keys.list()] == [(1, None)]


def test_a_rotated_key_is_followed_by_one_like_it(keys: Keys) -> None:
    made = keys.create(*"--scope write --rate-limit 7 --ip 10.0.0.0/8".split())
    rotated = keys.run("rotate 1 --json").json
    assert rotated["token"] != made["token"]
    for name in ("name", "scope", "rate_limit", "networks", "expires_at"):
        assert rotated[name] == made[name]
    old, new = keys.list()
    assert old == rotated["old"]
    assert moment(old["expires_at"]) == moment(new["created_at"]) + timedelta(hours=24)
    assert new == {name: rotated[name] for name in new}


def test_a_rotated_key_works_for_the_overlap_that_is_said(keys: Keys) -> None:
    keys.create()
    rotated = keys.run("rotate 1 --overlap 30m --expires 90d --json").json
    at = moment(rotated["created_at"])
    assert moment(rotated["old"]["expires_at"]) == at + timedelta(minutes=30)
    assert moment(rotated["expires_at"]) == at + timedelta(days=90)


def test_a_rotated_key_that_expires_sooner_anyway_keeps_its_time(keys: Keys) -> None:
    end = keys.create("--expires", "1h")["expires_at"]
    assert keys.run("rotate 1 --json").json["old"]["expires_at"] == end
    assert [key["expires_at"] for key in keys.list()] == [end, None]
    assert moment(keys.run("rotate 1 --overlap 0 --json").json["old"]["expires_at"]) < moment(end)


def test_rotating_what_is_out_of_use_is_refused_and_changes_nothing(keys: Keys) -> None:
    for _ in range(2):
        keys.create()
    keys.run("revoke 1")
    keys.run("rotate 2 --overlap 0")
    before = keys.list()
    for key_id, why in (("1", "is revoked"), ("2", "has expired"), ("77", "no key 77")):
        refused = keys.run("rotate", key_id)
        assert (refused.code, refused.out, why in refused.err) == (2, "", True)
    assert keys.list() == before


def test_a_key_is_revoked_once(keys: Keys) -> None:
    keys.create()
    assert keys.run("revoke 1").out == "key 1 is revoked\n"
    again = keys.run("revoke 1")
    assert (again.code, "no key 1 that is in use" in again.err) == (2, True)
    keys.create()
    revoked = keys.run("revoke 2 --json").json
    assert revoked == keys.list()[1]
    assert revoked["revoked_at"] is not None


def test_the_list_says_how_each_key_ends(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    keys.create()
    keys.create("--expires", "2999-01-31T18:05Z", "--rate-limit", "10", "--ip", "10.0.0.0/8")
    keys.create()
    keys.create()
    keys.run("rotate 3 --overlap 0")
    keys.run("revoke 4")
    table = keys.run("list").out.splitlines()
    rows = [" ".join(line.split()) for line in table]
    assert rows[0] == "id name scope rate addresses made last used ends"
    today = r"\d{4}-\d\d-\d\d"
    for row, wanted in zip(
        rows[1:],
        (
            rf"1 shop both none any {today} never never",
            rf"2 shop both 10/s 10\.0\.0\.0/8 {today} never expires 2999-01-31 18:05",
            rf"3 shop both none any {today} never expired {today} \d\d:\d\d",
            rf"4 shop both none any {today} never revoked {today} \d\d:\d\d",
            rf"5 shop both none any {today} never never",
        ),
        strict=True,
    ):
        assert re.fullmatch(wanted, row)


def test_the_list_cuts_nothing_off_in_a_narrow_window(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    networks = ["192.168.100.200/32", "2001:db8:1234:5678::/64"]
    name = "all tills of the shop in the high street, and the one in the station"
    keys.run(
        "create --name", name, "--expires", "2999-01-31", "--ip", *" --ip ".join(networks).split()
    )
    shown = keys.run("list").out
    assert "…" not in shown
    assert "2999-01-31" in shown


@pytest.mark.parametrize("command", ["list", "rotate 1", "revoke 1"])
def test_a_database_that_is_not_there_is_not_made(keys: Keys, command: str, tmp_path: Path) -> None:
    refused = keys.run(command)
    assert (refused.code, "there is none" in refused.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
