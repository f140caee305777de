"""The page that describes the API and lets people try it; it loads nothing from elsewhere."""

import functools
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordertrail.api.openapi import document
from ordertrail.api.routes import EVERY
from ordertrail.wire import body

HERE = Path(__file__).parent
PREFIX = "/api/docs"
DOCUMENT = "/api/openapi.json"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_SHOWN = ("swagger-ui-bundle.js", "swagger-ui.css", "start.js")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_GUARDED = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def routes(version: str) -> list[Route]:
    """Return the routes of the page, its files and the document that it shows."""
    described = _described(version)
    page = (HERE / "static" / "docs.html").read_bytes()
    files = {path.name: path.read_bytes() for path in _files()}

    async def describe(_: Request) -> Response:
        return Response(described, media_type="application/json")

    async def show(_: Request) -> Response:
        return Response(page, 200, _GUARDED, "text/html; charset=utf-8")

    async def file(request: Request) -> Response:
        name = request.path_params["name"]
        raw = files.get(name)
        if raw is None:
            return Response(b"There is no such file.\n", 404, media_type="text/plain")
        headers = {**_GUARDED, "cache-control": "public, max-age=3600"}
        return Response(raw, 200, headers, _TYPES[Path(name).suffix])

    return [
        Route(DOCUMENT, describe),
        Route(PREFIX, show),
        Route(f"{PREFIX}/", show),
        Route(f"{PREFIX}/{{name}}", file),
    ]


@functools.cache
def _described(version: str) -> bytes:
    return body.encode(document(EVERY, version))


def _files() -> list[Path]:
    folders = (HERE / "static", HERE / "vendor" / "swagger-ui")
    return [path for folder in folders for path in folder.iterdir() if path.name in _SHOWN]
