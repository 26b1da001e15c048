"""What is served is described, and the other way round."""

from __future__ import annotations

import json
import re

import pytest

from alo.serve.http_api.guard import Access
from alo.serve.http_api.handlers import Handlers
from alo.serve.http_api.routes import ROUTES, Served, nothing_at

from .test_app import Service


def test_every_route_is_described_and_every_description_is_served(shared: Service) -> None:
    content = shared.client.get("/openapi.json").json()

    described = {(path, verb.upper()) for path, verbs in content["paths"].items() for verb in verbs}
    assert described == {(route.path, route.verb) for route in ROUTES}
    for path, verb in described:
        url = re.sub(r"{name}", "my model", path.replace("{version}", "none"))
        answer = shared.client.request(verb, url.replace("{id}", "0" * 16))
        assert answer.status_code != 405, path
        assert "nothing is served" not in answer.text, path
        operation = content["paths"][path][verb.lower()]
        assert str(answer.status_code) in operation["responses"], path


def test_every_handler_has_a_route() -> None:
    handlers = {name for name in vars(Handlers) if not name.startswith("_")}

    assert handlers <= {route.handler.__name__ for route in ROUTES}


def test_descriptions_are_complete(shared: Service) -> None:
    content = shared.client.get("/openapi.json").json()

    operations = [each for verbs in content["paths"].values() for each in verbs.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in operations)
    for path, verbs in content["paths"].items():
        for operation in verbs.values():
            in_path = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert in_path == set(re.findall(r"{(\w+)}", path))
    for name in re.findall(r'"#/components/schemas/(\w+)"', json.dumps(content)):
        assert name in content["components"]["schemas"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "protocol='v2'"),
        ("/v1/models/a:predict", "protocol='v2'"),
        ("/v1/other", "/docs"),
        ("/v2/repository/index", "only binary_tensor_data"),
    ],
)
def test_who_asks_for_what_is_not_served_reads_what_is(path: str, said: str) -> None:
    what = nothing_at(path)

    assert path in what
    assert said in what


def test_a_verb_that_a_path_does_not_take_is_answered_with_those_it_does(shared: Service) -> None:
    answer = shared.client.delete("/v1/inference")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert "not for DELETE; POST" in answer.json()["error"]["message"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_only_health_and_what_is_public_is_for_those_without_the_token(route: Served) -> None:
    is_open = not route.wants_token(Access(token="a"))  # noqa: S106

    assert is_open == (route.path.endswith(("z", "/ready", "/live", "/v2", "/docs/{name}")))
    assert not route.wants_token(Access())
    is_public = not route.wants_token(Access(token="a", public_docs=True))  # noqa: S106
    assert is_public == (is_open or route.path in ("/docs", "/openapi.json"))
