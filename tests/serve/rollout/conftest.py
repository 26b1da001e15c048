"""Models to roll out: train runs whose models answer with a word each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from alo.errors import ServeError
from alo.workers.protocol import Finished, Message, Request, Summary

from ..conftest import OUTPUT
from ..http_api.test_app import Service

MakeSolution = Callable[..., Path]
Alo = Callable[..., Any]
Run = Callable[..., Any]
TRAIN = "Path(self.asset.get_model_path(), 'm').write_text(str(self.args['word']))"
USE = (
    "word = Path(self.asset.get_model_path(), 'm').read_text()\n"
    "if word == 'broken':\n    raise ValueError('a model of no use')\n"
    "if word == 'hangs':\n    import time\n    time.sleep(3600)\n"
    "self.data['result'] = word\n"
    f"{OUTPUT}"
)


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution(
        {"train": TRAIN},
        {"inference": USE},
        args={"train": {"word": "none"}},
        control={"backup_artifacts": True},
    )


@pytest.fixture
def trained(home: Path, run: Run) -> dict[str, str]:
    """Train runs by the word that their model answers."""
    found = {}
    for word in ("one", "two", "broken"):
        (outcome,) = run(home, mode="train", overrides=(f"train.word={word}",))
        found[word] = outcome.run_id
    return found


@pytest.fixture
def service(home: Path, trained: dict[str, str], alo: Alo) -> Iterator[Service]:
    """With the model ``one`` deployed."""
    assert alo("deploy", trained["one"], cwd=home).returncode == 0
    started = Service(home, "--workers", "2")
    yield started
    started.close()


def result(service: Service) -> str:
    answer = service.infer()
    assert answer.status_code == 200, answer.text
    return str(answer.json()["summary"]["result"])


def status(home: Path, alo: Alo) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(alo("deploy", "--status", "--json", cwd=home).stdout)
    return found


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Service]]:
    """A service that is ended after the test."""
    started: list[Service] = []

    def start_one(*words: str) -> Service:
        started.append(Service(home, *words))
        return started[-1]

    yield start_one
    for one in started:
        one.close()


class StandIn:
    """A worker without a process: what was done with it is in ``did``, its siblings' deeds too.

    Args:
        broken: models that fail their check.
        answers: the summary of a request; an exception is raised.
    """

    def __init__(
        self,
        model_id: str = "",
        broken: tuple[str, ...] = (),
        answers: Callable[[Request], Mapping[str, object]] = lambda request: {},
        did: list[tuple[str, str]] | None = None,
    ) -> None:
        self.model_id, self.models = model_id, Path()
        self._broken, self._answers = broken, answers
        self.did = [] if did is None else did
        self.checked_within_s: float | None = None

    def sibling(self, models: Path, model_id: str) -> StandIn:
        other = StandIn(model_id, self._broken, self._answers, self.did)
        other.models = models
        return other

    def start(self) -> None:
        self.did.append(("start", self.model_id))

    def stop(self) -> None:
        self.did.append(("stop", self.model_id))

    def check(self, sample: Request, limit_s: float | None, *, may_be_gone: bool) -> None:
        self.did.append(("check", self.model_id))
        self.checked_within_s = limit_s
        if self.model_id in self._broken:
            raise ServeError("the check failed: of no use")

    def use(self, models: Path, model_id: str) -> None:
        self.models, self.model_id = models, model_id

    def replace_with(self, other: StandIn) -> None:
        self.models, self.model_id = other.models, other.model_id

    def run(
        self, request: Request, limit_s: float | None, meanwhile: Callable[[], object]
    ) -> Iterator[Message]:
        yield Summary(self._answers(request), ())
        yield Finished(())
