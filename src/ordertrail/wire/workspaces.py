"""What a workspace is made of, on the wire."""

from typing import TypedDict


class PipelineShown(TypedDict):
    """A pipeline."""

    id: int
    name: str


class StageShown(TypedDict):
    """A stage; `order` is its place in its pipeline."""

    id: int
    name: str
    description: str
    pipeline: int
    order: int


class AboutShown(TypedDict):
    """Which workspace of which installation this is, and what the API offers besides."""

    name: str
    version: str
    workspace: str
    features: list[str]
