"""The description of the API is true: every address is tried with requests made from it."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import live
from ordertrail.api.openapi import document
from ordertrail.api.routes import EVERY
from ordertrail.version import VERSION

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_dict(document(EVERY, VERSION))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    with live.live(tmp_path_factory.mktemp("described")) as running:
        yield running


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_answered_is_what_is_described(case: schemathesis.Case, server: live.Live) -> None:
    headers = {"Authorization": f"Token {server.token}", "Accept": "*/*; version=2"}
    case.call_and_validate(base_url=server.url, headers=headers, checks=CHECKS)
