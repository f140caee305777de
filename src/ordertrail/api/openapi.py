"""The API as an OpenAPI 3.1 document, made from the routes and the shapes in `wire`."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ordertrail.api.route import OWN, PUBLIC, Route
from ordertrail.wire.errors import ErrorShown
from ordertrail.wire.examples import EXAMPLES

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_EVERY_CALL = ("400", "401", "403", "408", "429", "500", "503")
_OF_WRITES = ("409", "413", "415", "422")
_MEANINGS = {
    "400": "A field is wrong; `errors` says which, and what to change.",
    "401": "No token, or one that is unknown, revoked or expired.",
    "403": "The key lacks the scope, or may not be used from this address.",
    "404": "There is no such thing in this workspace.",
    "408": "The body did not come in time.",
    "409": "True, but not now: what it would change is in use, or its key is still running.",
    "413": "The body is too large.",
    "415": "The body is encoded in a way that is not supported.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "The key's own rate limit is used up; `retry-after` says for how many seconds.",
    "500": "A fault of the server; its log says more under the request id.",
    "501": "Something that is not installed here is needed for it.",
    "503": "Too busy, or the database is away; `retry-after` says for how many seconds.",
}
_PROBLEMS: Mapping[str, Json] = {
    "400": {
        "detail": "email: must be an e-mail address",
        "errors": {"email": ["must be an e-mail address"]},
    },
    "404": {"detail": "no contact with the id 7"},
    "429": {"detail": "Request was throttled. Expected available in 1 second."},
}
"""What some errors say, each word for word; others are what they mean."""

_QUERIES = {
    "cursor": "Where the page begins: take it from `next` or `previous`.",
    "search": "The date field that `min` and `max` are about.",
    "min": "UNIX seconds, included.",
    "max": "UNIX seconds, included.",
    "many": "`true` for all that are found, as a list.",
    "dry_run": "`true` to be told what would happen, and change nothing.",
    "format": "How the answer is written.",
}
_CLOSED = re.compile(r"\{(\w+)\}")


def document(routes: Iterable[Route], version: str) -> Json:
    """Return the description of these routes."""
    every = list(routes)
    shapes = [shape for route in every for shape in (route.takes, route.gives) if shape is not None]
    refs, components = msgspec.json.schema_components([*shapes, ErrorShown], ref_template=_REF)
    of_shape = dict(zip(map(id, shapes), refs, strict=False))
    paths: dict[str, Json] = {}
    for route in every:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, of_shape)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ordertrail",
            "version": version,
            "summary": "The public REST API v2, and what Ordertrail adds to it.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in _groups(every)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {status: _problem(status) for status in _MEANINGS},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token ` and the 64 characters of an API key.",
                }
            },
        },
    }


def _operation(route: Route, refs: Mapping[int, Json]) -> Json:
    is_write = route.method != "GET"
    statuses = [*_EVERY_CALL, *(_OF_WRITES if is_write else ())]
    if "{" in route.path or is_write or "search" in route.path:
        statuses.append("404")
    if route.path.startswith(f"{OWN}/export"):
        statuses.append("501")
    said: Json = {
        "operationId": _name(route),
        "summary": route.says[:1].upper() + route.says[1:],
        "tags": [_group(route.path)],
        "parameters": _parameters(route),
        "responses": {
            **_good(route, refs),
            **{s: {"$ref": f"#/components/responses/{s}"} for s in sorted(statuses)},
        },
    }
    if route.takes is not None:
        media = {"schema": refs[id(route.takes)], "example": EXAMPLES[route.takes]}
        content = {"application/json": media}
        said["requestBody"] = {"required": not route.may_lack_body, "content": content}
    elif route.sent_media:
        content = {each: {"schema": {"type": "string"}} for each in route.sent_media}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _good(route: Route, refs: Mapping[int, Json]) -> Json:
    schema = {"schema": refs[id(route.gives)]} if route.gives is not None else {"schema": {}}
    content: Json = {"application/json": schema}
    if route.media:
        content = {media: {"schema": {"type": "string"}} for media in route.media}
    told = {"description": "As asked.", "content": content}
    if route.status != 201:
        return {str(route.status): told}
    return {
        "201": {**told, "description": "Created."},
        "200": {**told, "description": "Was there."},
    }


def _problem(status: str) -> Json:
    schema = {"$ref": _REF.format(name=ErrorShown.__name__)}
    media = {"schema": schema, "example": _PROBLEMS.get(status, {"detail": _MEANINGS[status]})}
    said: Json = {"description": _MEANINGS[status], "content": {"application/json": media}}
    if status in ("429", "503"):
        wait = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
        said["headers"] = {"retry-after": wait}
    return said


def _parameters(route: Route) -> list[Json]:
    found = [_in_path(name) for name in _CLOSED.findall(route.path)]
    found += [_in_query(name) for name in route.queries]
    if route.method != "GET":
        found += [
            _in_header("Idempotency-Key", "The same key and body again give the same answer."),
            _in_header("X-Ordertrail-Origin", "`live`, `backfill` or `replay`."),
        ]
    return found


def _in_path(name: str) -> Json:
    is_ours = name == "id"
    schema: Json = {"type": "integer", "minimum": 1} if is_ours else {"type": "string"}
    if not is_ours:
        schema |= {"minLength": 1, "maxLength": 255}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str) -> Json:
    said: Json = {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
    return {**said, "description": _QUERIES[name]} if name in _QUERIES else said


def _in_header(name: str, says: str) -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    return {
        "name": name,
        "in": "header",
        "required": False,
        "schema": schema,
        "description": says,
    }


def _name(route: Route) -> str:
    words = re.findall(r"[a-z0-9_]+", _inner(route.path).lower())
    return "_".join([route.method.lower(), *words])


def _groups(routes: Iterable[Route]) -> list[str]:
    """The groups in the order of the routes, those of the public API before our own."""
    names = dict.fromkeys(_group(each.path) for each in routes)
    return sorted(names, key=lambda name: ": " in name)


def _group(path: str) -> str:
    first = _inner(path).strip("/").split("/")[0].removesuffix("-by-id")
    return first if path.startswith(PUBLIC) else f"ordertrail: {first}"


def _inner(path: str) -> str:
    return path.removeprefix(PUBLIC).removeprefix(OWN)


_ABOUT = """
Every address ends in a slash. Send `Accept: */*; version=2` for the names of version 2, which
this document describes; without it the names are those of version 1. A field that is not named
here is an attribute: it stands beside the others, in requests as in answers. What was not taken as
it was sent is said in the header `X-Ordertrail-Warnings`, a JSON list.
""".strip()
