"""The stages that a deal was in, read from the journal by an index that holds them alone."""

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from ordertrail.domain.journal import Subject
from ordertrail.domain.pipeline import StageChange
from ordertrail.kit import clock
from ordertrail.kit.database import Reader
from ordertrail.kit.paging import PAGE_SIZE_MAX, Page, Place, page_at
from ordertrail.store import names, sql

_OF_DEAL = (
    "FROM journal {0} @by(journal_stages) WHERE {0}.workspace_id = :workspace_id"
    " AND {0}.subject = 'deal' AND {0}.changes -> 'stage' IS NOT NULL"
    " AND {0}.subject_id = :deal_id"
)
_OF_ONE, _OF_NEXT = _OF_DEAL.format("j"), _OF_DEAL.format("n")
_COUNT = f"SELECT count(*) {_OF_ONE}"
_STAGE = "CAST(j.changes -> 'stage' ->> 1 AS BIGINT)"
_COLUMNS = (
    f"j.id, j.at, coalesce(k.name, j.author), {_STAGE}, s.name,"
    f" (SELECT n.at {_OF_NEXT} AND n.id > j.id ORDER BY n.id LIMIT 1)"
)
_AROUND = (
    f" LEFT JOIN keys k ON k.workspace_id = :workspace_id AND k.id = {sql.KEY_OF_AUTHOR}"
    " LEFT JOIN stages s ON s.workspace_id = :workspace_id"
    f" AND s.id = {_STAGE}"
)


def page(reader: Reader, workspace_id: int, deal_id: int, place: Place) -> Page[StageChange]:
    """Return a page of the stages of a deal, newest first."""
    where, order = "", "DESC"
    asked = {"workspace_id": workspace_id, "deal_id": deal_id, "limit": PAGE_SIZE_MAX + 1}
    if place.edge is not None:
        where, order = (
            (" AND j.id > :edge", "ASC") if place.is_back else (" AND j.id < :edge", order)
        )
        asked["edge"] = place.edge
    picked = f"(SELECT j.* {_OF_ONE}{where} ORDER BY j.id {order} LIMIT :limit) j"
    found = reader.rows(sql.rows(_COLUMNS, f"{picked}{_AROUND}"), **asked)
    found.sort(key=itemgetter(0), reverse=order == "DESC")
    count = place.count if place.count is not None else count_of(reader, workspace_id, deal_id)
    changes = _changes(reader, workspace_id, found)
    return page_at(place, changes, count, lambda each: each.id, PAGE_SIZE_MAX)


def window(
    reader: Reader, workspace_id: int, deal_id: int, first: int, last: int
) -> list[StageChange]:
    """Return the stages of a deal from the `first` to the `last`, counted from the newest, 1."""
    picked = f"(SELECT j.* {_OF_ONE} ORDER BY j.id DESC LIMIT :limit OFFSET :offset) j"
    found = reader.rows(
        sql.rows(_COLUMNS, f"{picked}{_AROUND}"),
        workspace_id=workspace_id,
        deal_id=deal_id,
        limit=last - first + 1,
        offset=first - 1,
    )
    found.sort(key=itemgetter(0), reverse=True)
    return _changes(reader, workspace_id, found)


def count_of(reader: Reader, workspace_id: int, deal_id: int) -> int:
    """Return how often a deal came to a stage."""
    [[count]] = reader.fetch(_COUNT, workspace_id=workspace_id, deal_id=deal_id)
    return int(count)


def _changes(reader: Reader, workspace_id: int, rows: Sequence[list[Any]]) -> list[StageChange]:
    """The stages that rows tell of; those that were removed as they were called last."""
    changes = [_change(row) for row in rows]
    removed = {(Subject.STAGE, each.stage_id) for each in changes if each.stage_name is None}
    known = names.names(reader, workspace_id, removed).known
    return [
        each
        if each.stage_name is not None
        else replace(each, stage_name=known.get((Subject.STAGE, each.stage_id)))
        for each in changes
    ]


def _change(row: list[Any]) -> StageChange:
    identity, at, changed_by, stage_id, stage_name, left_at = row
    return StageChange(
        identity,
        stage_id,
        stage_name,
        changed_by,
        clock.from_micros(at),
        clock.optional_moment(left_at),
    )
