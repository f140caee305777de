"""Plays what public clients of the API send, in their order, and reads the answers as they do.

A transcript in `transcripts/` is one client: what is known of it, its headers, and stories. A story
is a list of steps, each a request as it stands on the wire and what the client reads of the answer.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from asgi import Reply

TRANSCRIPTS = Path(__file__).parent / "transcripts"
OWNER_HEADERS = {"Authorization": "Token {token}", "Accept": "*/*; version=2"}
"""How the shop's owner calls, to prepare what a story begins with and to see what came of it."""

Send = Callable[[str, str, Mapping[str, str], bytes], Reply]
"""Makes a request of a method, a target as it stands on the wire, headers and a body."""

_STEP = {"what", "id", "when", "owner", "times", "method", "path", "headers", "body", "answer"}
_ANSWER = {"status", "no_address", "reads", "lacks", "is", "keep"}
_ABSENT = object()
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Story:
    """One thing that a client does, on a platform that is empty when it begins."""

    client: str
    of: str
    name: str
    headers: Mapping[str, str]
    goes_on_with: list[Any]
    steps: list[Mapping[str, Any]]

    def __str__(self) -> str:
        return f"{self.client}: {self.name}"


def stories() -> list[Story]:
    """All stories of all transcripts."""
    return [story for path in sorted(TRANSCRIPTS.glob("*.json")) for story in _stories_of(path)]


def _stories_of(path: Path) -> Iterator[Story]:
    told = json.loads(path.read_text("utf-8"))
    for name, steps in told["stories"].items():
        for step in steps:
            assert not step.keys() - _STEP, f"{path.name}, {name}: {step.keys() - _STEP}"
            unknown = step.get("answer", {}).keys() - _ANSWER
            assert not unknown, f"{path.name}, {name}: {unknown}"
        yield Story(path.stem, told["client"], name, told["headers"], told["goes_on_with"], steps)


@dataclass
class Replay:
    """One client at its work: what it keeps of the answers, and how its steps were answered."""

    send: Send
    kept: dict[str, Any]
    url: str = "http://shop.test"
    statuses: dict[str, int] = field(default_factory=dict)

    def play(self, story: Story) -> None:
        """Make the requests that the client would make, and fail where it would be lost."""
        for step in story.steps:
            when = step.get("when", {})
            if all(_is_one_of(self.statuses[of], [was]) for of, was in when.items()):
                for number in range(1, step.get("times", 1) + 1):
                    self.kept["n"] = number
                    self._take(story, step)

    def _take(self, story: Story, step: Mapping[str, Any]) -> None:
        target = self._filled(step["path"]).removeprefix(self.url)
        headers = OWNER_HEADERS if step.get("owner") else story.headers
        sent = self._filled({**headers, **step.get("headers", {})})
        where = f"{step.get('what', '')}\n{step['method']} {target}"
        assert target.startswith("/"), f"{where}\nis an address of another host"
        body = json.dumps(self._filled(step["body"])).encode() if "body" in step else b""
        reply = self.send(step["method"], target, sent, body)
        where += f"\n{reply.status} {reply.text}"
        usual = ["2xx"] if step.get("owner") else story.goes_on_with
        self._read(step.get("answer", {}), reply, where, usual)
        self.statuses[step.get("id", "")] = reply.status

    def _read(self, answer: Mapping[str, Any], reply: Reply, where: str, usual: list[Any]) -> None:
        assert _is_one_of(reply.status, answer.get("status", usual)), where
        assert isinstance(reply.json, dict | list), where
        assert answer.get("no_address") or "No such address" not in reply.text, where
        for path, types in answer.get("reads", {}).items():
            found = _at(reply.json, path)
            is_of_type = any(TYPES[each](found) for each in types.split(" or "))
            assert is_of_type, f"{path}: {types}\n{where}"
        for path in answer.get("lacks", ()):
            assert _at(reply.json, path) in (_ABSENT, None), f"{path} is there\n{where}"
        for path, expected in answer.get("is", {}).items():
            assert _at(reply.json, path) == self._filled(expected), f"{path}: {expected}\n{where}"
        for name, path in answer.get("keep", {}).items():
            self.kept[name] = _at(reply.json, path)
            assert self.kept[name] is not _ABSENT, f"{path} is not there\n{where}"

    def _filled(self, said: Any) -> Any:
        """The same with what was kept in place of `{name}`; alone in a text, it keeps its type."""
        if isinstance(said, Mapping):
            return {self._filled(name): self._filled(value) for name, value in said.items()}
        if isinstance(said, list):
            return [self._filled(each) for each in said]
        if not isinstance(said, str):
            return said
        if alone := _PLACEHOLDER.fullmatch(said):
            return self.kept[alone[1]]
        return _PLACEHOLDER.sub(lambda found: str(self.kept[found[1]]), said)


def _is_moment(found: Any) -> bool:
    try:
        return datetime.fromisoformat(found).tzinfo is not None
    except (TypeError, ValueError):
        return False


TYPES: dict[str, Callable[[Any], bool]] = {
    "anything": lambda found: found is not _ABSENT,
    "flag": lambda found: isinstance(found, bool),
    "integer": lambda found: isinstance(found, int) and not isinstance(found, bool),
    "list": lambda found: isinstance(found, list),
    "moment": _is_moment,
    "money": lambda found: isinstance(found, str) and re.fullmatch(r"\d+\.\d\d", found) is not None,
    "nothing": lambda found: found is _ABSENT,
    "null": lambda found: found is None,
    "number": lambda found: isinstance(found, int | float) and not isinstance(found, bool),
    "object": lambda found: isinstance(found, dict),
    "text": lambda found: isinstance(found, str),
}


def _is_one_of(status: int, wanted: list[Any]) -> bool:
    """Tell whether a status is among those named: by number, `2xx` or `4xx`."""
    return any(each in (status, f"{status // 100}xx") for each in wanted)


def _at(found: Any, path: str) -> Any:
    """What stands at a path of names and places, such as `results.0.id`; the empty one is all."""
    for name in filter(None, path.split(".")):
        if name == "length" and isinstance(found, list):
            found = len(found)
        elif isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return _ABSENT
    return found
