"""Attribute definitions that grow with what is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ordertrail.domain import attribute
from ordertrail.domain.attribute import ContentType
from ordertrail.kit.database import Tx
from ordertrail.store import ids, workspaces


def learn(
    tx: Tx, workspace_id: int, content_type: ContentType, sent: Iterable[Mapping[str, Any]]
) -> None:
    """Define the attributes that were sent for the first time, and widen inferred types."""
    values = [each for each in sent if each]
    names = {name for each in values for name in each}
    if not names:
        return
    known = workspaces.attributes(tx, workspace_id, content_type, names)
    learnt = attribute.learn(content_type, known, values)
    if not learnt:
        return
    new = [each for each in learnt.values() if each.id is None]
    numbers = ids.take(tx, workspace_id, attribute=len(new))["attribute"]
    named = [replace(each, id=number) for each, number in zip(new, numbers, strict=True)]
    workspaces.add_attributes(tx, workspace_id, named)
    wider = [each for each in learnt.values() if each.id is not None]
    workspaces.widen_attributes(tx, workspace_id, wider)
