"""The settings of a flow in a file."""

import re
from pathlib import Path

import pytest

from ordertrail.domain.deal import Status
from ordertrail.domain.errors import Invalid
from ordertrail.domain.identity import Strategy
from ordertrail.kit import json
from ordertrail.sync.flow_file import FILE_BYTES_MAX, flow_of, read_flow
from ordertrail.sync.rules import Flow, FlowName, Milestone, Names, Place, Revenue, Stages

MANUAL = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()


def flow(folder: Path, text: str, name: str = "flow.toml") -> Flow:
    path = folder / name
    path.write_text(text)
    return read_flow(path)


def refusal(folder: Path, text: str, name: str = "flow.toml") -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        flow(folder, text, name)
    return caught.value.fields


def test_an_empty_file_says_nothing_new(tmp_path: Path) -> None:
    assert flow(tmp_path, "") == flow(tmp_path, "{}", "flow.JSON") == Flow()


def test_the_manual_shows_a_whole_example(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    wanted = Flow(
        name=FlowName.DETAILED,
        sync_point=Milestone.PLACED,
        identity=Strategy.EMAIL_SHA256,
        prefers_account=True,
        returns=("return", "refund"),
        never_sent=("newsletter", "push_consent"),
        stages=Stages(13, 12, 14),
        statuses={
            "pending": Place(11, Milestone.PLACED, None, False),
            "paid": Place(13),
            "shipped": Place(12, Milestone.FULFILLED),
            "abandoned": Place(14, Milestone.CANCELLED, Status.ABANDONED, False),
        },
        names=Names(
            order="order",
            purchase="purchase",
            conversion="purchase_completed",
            attributes={"delivery_cost": "shipping", "coupon": None},
        ),
        revenue=Revenue(delivery=True, fees=True, tax=False),
    )
    assert flow(tmp_path, example) == wanted
    assert flow(tmp_path, json.dumps(wanted), "flow.json") == wanted


def test_a_status_is_a_number_or_a_name(tmp_path: Path) -> None:
    text = '[statuses."on hold"]\nstage = 7\nstatus = '
    for status in ("3", '"lost"', '"LOST"'):
        assert flow(tmp_path, text + status).statuses["on hold"].status is Status.LOST


def test_an_attribute_that_is_false_is_not_sent(tmp_path: Path) -> None:
    found = flow(tmp_path, "[names.attributes]\ncoupon = false\n")
    assert found.names.attributes == {"coupon": None}


WRONG = [
    ('nmae = "simple"', "nmae", "is not known here; did you mean name?"),
    ("[stages]\nfulfiled = 1", "stages.fulfiled", "is not known here; did you mean fulfilled?"),
    ("[names]\nrevenue = 1", "names.revenue", "is not known here"),
    ("[revenue]\nshipping = true", "revenue.shipping", "is not known here"),
    (
        "[statuses.paid]\nstage = 1\nmile_stone = 1",
        "statuses.paid.mile_stone",
        "is not known here; did you mean milestone?",
    ),
    ('[stages]\nplaced = "13"', "stages.placed", "must be a whole number, not text"),
    ("[stages]\nplaced = 13.5", "stages.placed", "must be a whole number, not a number with a"),
    ("[statuses.paid]\nmilestone = 'placed'", "statuses.paid.stage", "is missing"),
    (
        "[statuses.'on hold']\nstage = 1\nstatus = 'gone'",
        "statuses.'on hold'.status",
        "must be one of: abandoned, in_progress, won, lost, archived",
    ),
    (
        "[statuses.paid]\nstage = 1\nmilestone = 'gone'",
        "statuses.paid.milestone",
        "must be one of: placed, fulfilled, cancelled",
    ),
    ("name = 'both'", "name", "must be one of: simple, detailed"),
    ("identity = 'name'", "identity", "must be one of: email-sha256, email, shop-id"),
    (
        "[statuses.paid]\nstage = 1\nstatus = 9",
        "statuses.paid.status",
        "must be one of: 0, 1, 2, 3, 4",
    ),
    ("sync_point = 'cancelled'", "sync_point", "must be placed or fulfilled"),
    ("returns = ['gift']", "returns", "may name: return, refund"),
    ("prefers_account = 1", "prefers_account", "must be true or false, not a whole number"),
    ("[revenue]\ntax = 'yes'", "revenue.tax", "must be true or false, not text"),
    ("statuses = 1", "statuses", "must be an object, not a whole number"),
    (
        "[names.attributes]\nmarketing = 'email_consent'",
        "names.attributes.marketing",
        "a consent is never sent with an order; it has a flow of its own",
    ),
    (
        "never_sent = ['Push consent']\n[names.attributes]\npush_consent = 'push'",
        "names.attributes.push_consent",
        "a consent is never sent with an order; it has a flow of its own",
    ),
    ("name =", "flow.toml", "is not TOML: Invalid value (at end of document)"),
    ("a = 1\na = 2", "flow.toml", "is not TOML: Cannot overwrite a value"),
]


@pytest.mark.parametrize(("text", "path", "reason"), WRONG)
def test_what_is_wrong_is_named_by_its_path(
    tmp_path: Path, text: str, path: str, reason: str
) -> None:
    fields = refusal(tmp_path, text)
    assert list(fields) == [path]
    assert fields[path].startswith(reason)


def test_json_is_held_to_the_same(tmp_path: Path) -> None:
    assert refusal(tmp_path, '{"stages": {"plced": 1}}', "flow.json") == {
        "stages.plced": "is not known here; did you mean placed?"
    }
    assert list(refusal(tmp_path, "{", "flow.json")) == ["flow.json"]
    assert refusal(tmp_path, "[]", "flow.json") == {"data": "must be an object, not a list"}


def test_a_file_that_cannot_be_one_is_refused_by_its_name(tmp_path: Path) -> None:
    assert refusal(tmp_path, "", "flow.yaml") == {"flow.yaml": "is none of .toml, .json"}
    assert refusal(tmp_path, "#" * (FILE_BYTES_MAX + 1)) == {
        "flow.toml": f"has more than {FILE_BYTES_MAX} bytes"
    }
    with pytest.raises(Invalid, match=r"none\.toml: cannot be read: No such file"):
        read_flow(tmp_path / "none.toml")
    path = tmp_path / "flow.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(Invalid, match="is not UTF-8 text"):
        read_flow(path)


def test_plain_data_is_settings_too() -> None:
    assert flow_of({"name": "simple"}) == Flow(name=FlowName.SIMPLE)
