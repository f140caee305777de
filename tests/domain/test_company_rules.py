"""A company changes by what is said of it, and has members within a limit."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ordertrail.domain.company import (
    MEMBERS_MAX,
    Company,
    CompanyChange,
    apply,
    check_new,
    with_member,
    without_member,
)
from ordertrail.domain.errors import Conflict, Invalid

MADE = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ACME = Company(1, "Acme", MADE, MADE, "acme", {"city": "York"}, {"plan": "pro"})


def test_only_what_is_said_is_touched_and_told() -> None:
    change = CompanyChange(name="Acme Ltd", details={"city": "Hull"}, attributes={"plan": "pro"})
    changed, changes = apply(ACME, change, NOW)
    assert changes == {"name": ("Acme", "Acme Ltd"), "city": ("York", "Hull")}
    assert changed == replace(ACME, name="Acme Ltd", details={"city": "Hull"}, updated_at=NOW)


def test_what_is_said_again_changes_nothing() -> None:
    same = CompanyChange("acme", "Acme", {"city": "York"}, {"plan": "pro"}, dropped=("other",))
    assert apply(ACME, same, NOW) == (ACME, {})


def test_an_attribute_is_dropped_and_not_only_emptied() -> None:
    changed, changes = apply(ACME, CompanyChange(dropped=("plan",)), NOW)
    assert changed.attributes == {}
    assert changes == {"plan": ("pro", None)}


def test_members_come_and_go_once_and_stay_in_order() -> None:
    company = with_member(with_member(ACME, 7, NOW), 3, NOW)
    assert (company.member_ids, company.updated_at) == ((3, 7), NOW)
    assert with_member(company, 7, NOW) is company
    assert without_member(company, 7, NOW).member_ids == (3,)
    assert without_member(company, 9, NOW) is company


def test_a_company_has_so_many_members_and_no_more() -> None:
    full = replace(ACME, member_ids=tuple(range(MEMBERS_MAX)))
    assert with_member(full, 3, NOW) is full
    with pytest.raises(Conflict):
        with_member(full, MEMBERS_MAX, NOW)


def test_a_company_that_is_not_there_yet_needs_a_name() -> None:
    check_new(CompanyChange(name="Acme"))
    with pytest.raises(Invalid):
        check_new(CompanyChange("acme"))
