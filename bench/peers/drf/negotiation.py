"""What is spoken: JSON, whatever parameters the header Accept has."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class AlwaysJson(BaseContentNegotiation):
    def select_parser(self, _request: Request, parsers: list[Any]) -> Any:
        return parsers[0]

    def select_renderer(
        self, _request: Request, renderers: list[Any], _format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type
