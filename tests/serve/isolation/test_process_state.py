"""What a request does to its worker's process ends with it; what a module does stays the step's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alo.engine.request import RunRequest
from alo.serve.service import prepare
from alo.workers.handle import Worker
from alo.workers.protocol import Failure, Message, Request, Summary

from ..conftest import OUTPUT

MakeSolution = Callable[..., Path]

# Each module does to the process what only its own step is to see.
MODULE = """
import decimal, logging, os, sys, warnings
from pathlib import Path
from alolib.asset import Asset

os.environ["SET_BY_{name}"] = "1"
sys.path.insert(0, "/of/{name}")
warnings.filterwarnings("error", message="{name}")
logging.getLogger("a logger").setLevel({level})
decimal.getcontext().prec = {level}


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)

    @Asset.decorator_run
    def run(self):
        assert [name for name in os.environ if name.startswith("SET_BY")] == ["SET_BY_{name}"]
        assert [path for path in sys.path if path.startswith("/of/")] == ["/of/{name}"]
        assert logging.getLogger("a logger").level == decimal.getcontext().prec == {level}
        assert os.umask(0o11) != 0o11 and "IN_RUN" not in os.environ
        os.environ["IN_RUN"] = "1"
        for text in ("one", "two"):
            try:
                warnings.warn(text)
                assert text != "{name}"
            except UserWarning:
                assert text == "{name}"
        self.data = {{}}
        {output}
        self.asset.save_data(self.data)
        self.asset.save_config(self.asset.load_config())
"""


@contextmanager
def working(home: Path) -> Iterator[Worker]:
    service = prepare(RunRequest(home), "serve", lambda event: None)
    own = service.folder.path / "worker"
    worker = Worker(service.job, own, service.models, service.model_id, lambda event: None)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def news_of(worker: Worker, name: str, **args: object) -> list[Message]:
    return list(worker.run(Request(name, args={"inference": args}), None, lambda: None))


def test_each_request_finds_the_process_as_it_was(make_solution: MakeSolution) -> None:
    output = "self.data['result'] = 'fine'\n" + OUTPUT
    indented = "\n".join(f"        {line}" for line in output.splitlines()).strip()
    steps = {
        "one": MODULE.format(name="one", level=10, output=""),
        "two": MODULE.format(name="two", level=40, output=indented),
    }
    home = make_solution(inference=steps, control={"backup_artifacts": False})
    with working(home) as worker:
        news = [list(worker.run(Request(f"{n}"), None, lambda: None)) for n in range(3)]

    assert [each for each in news if any(isinstance(one, Failure) for one in each)] == []
    assert all(any(isinstance(one, Summary) for one in each) for each in news)


def test_an_interrupt_that_is_the_assets_costs_its_request_alone(
    make_solution: MakeSolution,
) -> None:
    code = "import os\nif self.args.get('raise'): raise KeyboardInterrupt('mine')\n"
    result = "self.data['result'] = str(os.getpid())\n"
    home = make_solution(
        inference={"inference": code + result + OUTPUT}, control={"backup_artifacts": False}
    )

    with working(home) as worker:
        before, failed, after = [
            news_of(worker, name, **args)
            for name, args in (("a", {}), ("b", {"raise": True}), ("c", {}))
        ]

    (failure,) = [each for each in failed if isinstance(each, Failure)]
    assert failure.code == "E152"
    assert "KeyboardInterrupt: mine" in failure.comment
    pids = [each.content["result"] for each in (*before, *after) if isinstance(each, Summary)]
    assert len(pids) == 2
    assert len(set(pids)) == 1
