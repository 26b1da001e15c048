"""What is done for each route of ``alo serve``; ``routes`` says which those are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from alo.json_text import json_bytes
from alo.serve.http_api.answer_tensors import model_metadata, parameters_of, render
from alo.serve.http_api.bodies.binary_tensors import EXTENSION
from alo.serve.http_api.bodies.incoming import Bodies
from alo.serve.http_api.guard import Access
from alo.serve.http_api.paths import decoded
from alo.serve.http_api.refusal import RefusedError
from alo.serve.http_api.requests import take_body
from alo.serve.http_api.service import Answer, HttpService


class JsonResponse(Response):
    """Starlette's own fails on texts that are not UTF-8, as names of files may be."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The content as JSON, in bytes that also hold what is no UTF-8."""
        return json_bytes(content)


class Handlers:
    """A method for each thing that a client can ask for."""

    def __init__(self, service: HttpService, access: Access) -> None:
        self.service, self.access = service, access
        self._bodies = Bodies(service.limits)

    async def healthy(self, http: Request) -> Response:
        """That the server is alive, and which one it is of those of the project."""
        return JsonResponse({"status": "ok", "live": True, "service": self.service.name})

    async def ready(self, http: Request) -> Response:
        """Whether a worker is warm."""
        is_ready = self.service.pool.is_ready
        return JsonResponse(
            {"status": "ready" if is_ready else "booting", "ready": is_ready},
            200 if is_ready else 503,
        )

    async def metrics(self, http: Request) -> Response:
        """Metrics, as Prometheus reads them."""
        return Response(self.service.metrics.text(), media_type="text/plain; version=0.0.4")

    async def infer(self, http: Request) -> Response:
        """Run the inference pipeline on what was sent, now or later."""
        is_stored = _flag(http, "async")
        request_id, folder = self.service.new_folder(is_stored=is_stored)
        try:
            taken = await take_body(http, folder, self._bodies)
            if is_stored:
                answer = await run_in_threadpool(self.service.answer_later, request_id, *taken)
                return JsonResponse(answer.content(), 202)
            answer = await self.service.answer_now(request_id, *taken)
        except BaseException:
            await run_in_threadpool(self.service.drop, request_id, is_stored=is_stored)
            raise
        return JsonResponse(answer.content(), answer.http_status)

    async def result(self, http: Request) -> Response:
        """How far a request is, and what came of it."""
        answer = await self._found(http)
        return JsonResponse(answer.content())

    async def output(self, http: Request) -> Response:
        """An output file of a request."""
        request_id, name = http.path_params["id"], decoded(http.path_params["name"])
        path = await run_in_threadpool(self.service.output, request_id, name)
        try:
            found = path.stat() if path else None
        except FileNotFoundError:
            found = None
        if path is None or found is None:
            raise RefusedError(404, "there is no such output, or it is no longer kept")
        shown = name.encode("utf-8", "replace").decode()  # a header can have no other bytes
        return FileResponse(path, filename=shown, stat_result=found)

    async def _found(self, http: Request) -> Answer:
        answer = await run_in_threadpool(self.service.find, http.path_params["id"])
        if answer is None:
            raise RefusedError(404, "there is no such request, or it is no longer kept")
        return answer

    async def server(self, http: Request) -> Response:
        """What the server is, in the Open Inference Protocol."""
        from alo.version import __version__

        return JsonResponse({"name": "alo", "version": __version__, "extensions": [EXTENSION]})

    async def model(self, http: Request) -> Response:
        """What the model is, in the Open Inference Protocol."""
        self._check_model(http)
        return JsonResponse(model_metadata(self.service.plan.name, self.service.pool.model_id))

    async def model_ready(self, http: Request) -> Response:
        """Whether the model can answer."""
        self._check_model(http)
        is_ready = self.service.pool.is_ready
        content = {"name": self.service.plan.name, "ready": is_ready}
        return JsonResponse(content, 200 if is_ready else 503)

    async def infer_tensors(self, http: Request) -> Response:
        """Run the inference pipeline on tensors."""
        self._check_model(http)
        request_id, folder = self.service.new_folder(is_stored=False)
        try:
            taken = await self._bodies.parsed(http, "tensors", folder)
            asked = taken.args["request"]
            answer = await self.service.answer_now(request_id, {}, taken.files)
        except BaseException:
            await run_in_threadpool(self.service.drop, request_id, is_stored=False)
            raise
        failure = answer.result.failure if answer.result else None
        if failure is not None:
            return refusal(http, answer.http_status, failure.comment, {})
        content: dict[str, Any] = {
            **model_metadata(self.service.plan.name, self.service.pool.model_id, brief=True),
            "id": asked["id"] or request_id,
            "parameters": parameters_of(answer.result.summary or {} if answer.result else {}),
        }
        names = answer.result.outputs if answer.result else ()
        rendered, headers = await run_in_threadpool(
            lambda: render(content, self._outputs(request_id, names), asked)
        )
        return Response(rendered, headers=headers)

    def _outputs(self, request_id: str, names: Sequence[str]) -> list[Path]:
        found = (self.service.output(request_id, name) for name in names)
        return [path for path in found if path is not None]

    def _check_model(self, http: Request) -> None:
        name = self.service.plan.name
        if decoded(http.path_params["name"]) != name:
            raise RefusedError(404, f"there is no such model; it is '{name}'")
        version = http.path_params.get("version")
        if version is not None and decoded(version) != self.service.pool.model_id:
            there = self.service.pool.model_id
            raise RefusedError(404, f"there is no such version of the model; in use is '{there}'")


def refusal(http: Request, status: int, what: str, headers: dict[str, str]) -> Response:
    """The answer to a request that is not done, in the words of its protocol."""
    if f"{http.scope['path']}/".startswith("/v2/"):  # as the Open Inference Protocol has it
        return JsonResponse({"error": what}, status, headers)
    error = {"code": str(status), "name": "RefusedError", "message": what, "traceback": ""}
    content: dict[str, Any] = {"id": None, "status": "fail", "summary": None, "outputs": []}
    return JsonResponse({**content, "error": error}, status, headers)


def _flag(http: Request, name: str) -> bool:
    if not http.scope["query_string"]:  # which takes a while to parse
        return False
    text = http.query_params.get(name, "0").lower()
    if text not in ("0", "1", "true", "false"):
        raise RefusedError(400, f"'{name}' has to be 1 or 0")
    return text in ("1", "true")
