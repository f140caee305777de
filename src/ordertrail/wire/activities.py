"""Agents and what they do, on the wire; this platform keeps neither."""

from typing import TypedDict


class AgentShown(TypedDict):
    """A person who sells; things are assigned to the `group_id`, or to the `id` without one."""

    id: int
    group_id: int | None
    name: str
    email: str
    status: str


class ApplicationShown(TypedDict):
    """Who works in the workspace."""

    owner: str | None
    agents: list[AgentShown]


class ActivityShown(TypedDict):
    """A task or a note about a deal."""

    id: int
    title: str
    description: str
    activity_type: int
    deal_id: int | None
    assigned_to: int | None
    created_by: int | None
    done: bool
    due_date: str | None
    done_date: str | None
    created_at: str


class ActivityTypeShown(TypedDict):
    """A kind of activities."""

    id: int
    name: str
    icon: str
