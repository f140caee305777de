"""A shop that calls the API, and a person who looks at the console meanwhile."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

import shop

import served
from asgi import Reply

PUBLIC, OWN = "/api/public", "/api/ordertrail/v1"


@dataclass
class Seen:
    """A platform from both sides."""

    platform: served.Served
    token: str
    browser: shop.Browser

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API; paths without a slash in front are public ones."""
        target = path if path.startswith("/") else f"{PUBLIC}/{path}"
        reply: Reply = self.platform.call(self.token, method, target, body)
        assert reply.status < 300, reply.text
        return reply.json

    def text(self, address: str) -> str:
        """What a person reads on a page, on one line."""
        reply = self.browser.get(f"/console/{address}")
        assert reply.status == 200, reply.text
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", reply.text)))

    def story(self, address: str) -> list[str]:
        """What stands on the timeline of a page, newest first: title, name, and what changed."""
        page = self.browser.get(f"/console/{address}.json").json
        return [" ".join(_said(each)) for each in page.get("timeline") or page["changes"]]


def look_at(platform: served.Served, token: str) -> Seen:
    """The platform with a key to it, and somebody signed in."""
    return Seen(platform, token, shop.signed_in(platform))


def _said(entry: dict[str, Any]) -> Iterator[str]:
    yield entry["title"]
    yield from (name for name in (entry["about"], entry["deal_name"]) if name)
    if entry["is_new"]:
        return
    for each in entry["changes"]:
        old = f"{each['old']['text']} > " if each["old"] else ""
        yield f"[{each['label']}: {old}{each['new']['text']}]"
