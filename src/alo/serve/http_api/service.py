"""What an HTTP service does with a request, apart from HTTP: accept, keep, answer, measure."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.files import remove_tree, write_new, write_whole
from alo.serve.address import AddressNote
from alo.serve.folders import lives, sweep
from alo.serve.http_api.limits import Limits
from alo.serve.http_api.metrics import Metrics
from alo.serve.http_api.paths import encoded
from alo.serve.http_api.refusal import RefusedError
from alo.serve.http_api.request_store import RequestStore
from alo.serve.redis_queue.remote_protocol import TooLargeError
from alo.serve.rollout.follow import Changes
from alo.serve.service import Service
from alo.serve.upkeep import Upkeep, prune_history
from alo.serve.watched import Watched
from alo.workers.pool import NotReadyError, Pool, QueueFullError
from alo.workers.protocol import NO_FILES, Args, Failure, Files, Request
from alo.workers.ticket import Result, Ticket, do_nothing, notify

if TYPE_CHECKING:
    from alo.serve.redis_queue.remote_pool import RemotePool

MOST_RESULTS = 1000  # requests whose results and output files can still be asked for
ID = re.compile("[0-9a-f]{16}")
DATA = "request"  # the folder's name in input/inference/
STATUS_OF = {"refused": 422, "data": 422, "away": 503, "timeout": 504, "room": 507}


class Answer(NamedTuple):
    """How a request is reported to its client."""

    id: str
    status: str  # success, fail, queued or running
    result: Result | None = None

    @property
    def http_status(self) -> int:
        """200 for a request that succeeded or is not finished, else the status of its failure."""
        failure = self.result.failure if self.result else None
        if failure is None:
            return 200
        return STATUS_OF.get(failure.kind, 500)

    def content(self) -> dict[str, Any]:
        """As JSON has it."""
        result = self.result
        outputs = result.outputs if result else ()
        base = f"/v1/requests/{self.id}/outputs"
        return {
            "id": self.id,
            "status": self.status,
            "summary": _plain(result.summary) if result and result.summary else None,
            "outputs": [{"name": name, "url": f"{base}/{encoded(name)}"} for name in outputs],
            "error": _error(result.failure) if result and result.failure else None,
        }


class HttpService:
    """A pool of workers, the requests that wait for them, and what came of the last ones.

    Args:
        queue_url: of the Redis whose loops are to do the work; empty: workers of our own.
        alarm_secret: that signs what the URL of the plan's alarm is sent.
    """

    def __init__(
        self,
        service: Service,
        limits: Limits,
        queue_url: str,
        listener: Listener,
        alarm_secret: str = "",
    ) -> None:
        self.plan, self.limits = service.job.plan, limits
        self.workspace = workspace = service.job.workspace
        self._spool = service.folder.path / "spool"
        self._stored_folder = workspace.internal / "requests"
        self._watched = Watched(service, alarm_secret, listener)
        saw = self._watched.saw
        self.pool: Pool | RemotePool
        if queue_url:
            from alo.serve.redis_queue.remote_pool import RemotePool

            self.pool = RemotePool(queue_url, limits.request_s, limits.queue, listener, saw)
        else:
            workers = service.workers(limits.workers, limits.boot_s, listener)
            self.pool = Pool(
                workers,
                Changes(service, workers, limits.request_s, listener),
                limits.request_s,
                limits.queue,
                listener,
                limits.boot_s,
                limits.output_bytes,
                saw,
            )
        self.metrics = Metrics(self.pool, workspace)
        self._listener = listener
        self._store = RequestStore(
            workspace.internal / "requests.sqlite", service.folder.name, partial(lives, workspace)
        )
        works: dict[str, Callable[[], object]] = {
            "what dead services have left cannot be removed": partial(sweep, workspace),
            "what dead services have accepted cannot be taken up": self._take_up,
            "history cannot be pruned": partial(
                prune_history, workspace, service.job.plan.control.backup_size
            ),
        }
        self._folder_path, self.name = service.folder.path, service.folder.name
        self._address: AddressNote | None = None
        works["its address cannot be noted"] = self._note_address
        self._upkeep = Upkeep(works, listener)
        self._results: OrderedDict[str, Result] = OrderedDict()
        self._result_bytes = 0  # of their output files
        self._lock = threading.Lock()

    def start(self) -> None:
        """Boot the workers, and take up what an earlier service had accepted.

        Raises:
            ServeError: the pipeline cannot be warmed up.
        """
        self.pool.start()
        self._watched.start()
        self._take_up()
        self._upkeep.start()

    def listens_at(self, url: str, *, wants_token: bool) -> None:
        """Note for the project's other programs where it is asked."""
        self._address = AddressNote(self._folder_path, url, wants_token=wants_token)
        try:
            self._note_address()
        except OSError as error:
            self.report(f"its address cannot be noted: {error}")

    def _note_address(self) -> None:
        if self._address is not None:
            self._address.keep()

    def stop(self) -> None:
        """End the workers, and close what the service keeps."""
        self._upkeep.stop()
        self.pool.stop()
        self._watched.stop()
        self._store.close()

    def report(self, text: str) -> None:
        """Something for the console and the log."""
        self._listener(warning(text))

    def new_folder(self, *, is_stored: bool) -> tuple[str, Path]:
        """The id of a new request, and the folder for its data (not made yet)."""
        request_id = os.urandom(8).hex()
        return request_id, Path(f"{self._place(request_id, is_stored)}/in/{DATA}")

    async def answer_now(self, request_id: str, args: Args, files: Files) -> Answer:
        """Have a request run, and wait for what comes of it.

        Args:
            files: its data, where that is not in its folder.
        Raises:
            RefusedError: the queue is full.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()

        def done(result: Result) -> None:
            self.metrics.count(result)
            self._remember(result)
            if _is_in(loop):
                _settle(future, result)
            else:
                loop.call_soon_threadsafe(_settle, future, result)

        folder = self._place(request_id, is_stored=False)
        request = _request(request_id, folder, args, files)

        def released() -> None:
            gone = self._forget_oldest()
            if not files or gone:
                remove = partial(_remove, gone, None if files else Path(folder))
                report = partial(notify, "a request's folder", remove, self._listener)
                loop.run_in_executor(None, report) if _is_in(loop) else report()

        outputs = Path(f"{folder}/out")
        ticket = Ticket(request, outputs, do_nothing, done, released, loop=loop)
        with _refusing():
            self.pool.submit(ticket)
        result = await future
        return Answer(request_id, result.status, result)

    def answer_later(self, request_id: str, args: Args, files: Files) -> Answer:
        """Accept a request that the client will ask for.

        Args:
            files: its data, where that is not in its folder yet.
        Raises:
            RefusedError: the queue is full.
            OSError: it cannot be noted.
        """
        if self.pool.waiting >= self.limits.queue:
            raise _full()
        write_new(files, self._folder(request_id, is_stored=True) / "in")
        self._store.add(request_id, args)
        try:
            self._queue_stored(request_id, args)
        except BaseException:
            self._store.forget(request_id)
            raise
        return Answer(request_id, "queued")

    def find(self, request_id: str) -> Answer | None:
        """What came of a request; None for one that is not known (any more)."""
        if not ID.fullmatch(request_id):
            return None
        with self._lock:
            result = self._results.get(request_id)
        if result is not None:
            return Answer(request_id, result.status, result)
        stored = self._store.find(request_id)
        return None if stored is None else Answer(stored.id, stored.status, stored.result)

    def output(self, request_id: str, name: str) -> Path | None:
        """An output file of a request; one that is in memory is written now.

        Raises:
            OSError: it cannot be.
        """
        answer = self.find(request_id)
        if answer is None or answer.result is None or name not in answer.result.outputs:
            return None
        if name in answer.result.contents:
            return self._written(request_id, name, answer.result.contents[name])
        for is_stored in (False, True):
            path = self._folder(request_id, is_stored) / "out" / name
            if path.is_file():
                return path
        return None

    def _written(self, request_id: str, name: str, content: bytes) -> Path | None:
        path = self._folder(request_id, is_stored=False) / "out" / name
        with self._lock:
            if request_id not in self._results:
                return None  # forgotten meanwhile, and its folder with it
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, content, durable=False)
        return path

    def drop(self, request_id: str, *, is_stored: bool) -> None:
        """A request that was refused leaves nothing."""
        remove_tree(self._folder(request_id, is_stored))

    def _take_up(self) -> None:
        """Serve what services that have ended had accepted."""
        for stored in self._store.take_up():
            self._queue_stored(stored.id, stored.args)

    def _queue_stored(self, request_id: str, args: Args) -> None:
        folder = self._folder(request_id, is_stored=True)

        def done(result: Result) -> None:
            self.metrics.count(result)
            try:
                self._store.end(result)
            except OSError as error:  # clients get it all the same, for as long as we live
                self._listener(warning(f"what came of {result.id} cannot be kept: {error}"))
                self._remember(result)
                _remove(self._forget_oldest())
                return
            for gone in self._store.forget_oldest(MOST_RESULTS, self.limits.kept_bytes):
                remove_tree(self._folder(gone, is_stored=True))

        remove_tree(folder / "out")
        started = lambda: self._store.begin(request_id)  # noqa: E731
        request = _request(request_id, str(folder), args)
        released = partial(_remove_data, folder)
        ticket = Ticket(request, folder / "out", started, done, released, is_stored=True)
        with _refusing():
            self.pool.submit(ticket, always=True)

    def _remember(self, result: Result) -> None:
        """In memory."""
        with self._lock:
            self._results[result.id] = result
            self._result_bytes += result.size

    def _forget_oldest(self) -> list[Path]:
        """Make room in memory; returns the folders that are to be removed."""
        gone = []
        with self._lock:
            while len(self._results) > MOST_RESULTS or self._result_bytes > self.limits.kept_bytes:
                request_id, old = self._results.popitem(last=False)
                self._result_bytes -= old.size
                gone.append(request_id)
        folders = (self._place(request_id, is_stored=False) for request_id in gone)
        return [Path(folder) for folder in folders if os.path.lexists(folder)]

    def _folder(self, request_id: str, is_stored: bool) -> Path:
        return Path(self._place(request_id, is_stored))

    def _place(self, request_id: str, is_stored: bool) -> str:
        """Its folder as text: a join of paths costs as much as a call of the system."""
        return f"{self._stored_folder if is_stored else self._spool}/{request_id}"


def _request(request_id: str, folder: str, args: Args, files: Files = NO_FILES) -> Request:
    data = () if files else (f"{folder}/in/{DATA}",)
    return Request(request_id, None, data, args, files=files, is_followed=False)


def _is_in(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the caller runs in it."""
    return asyncio._get_running_loop() is loop


def _remove(gone: Sequence[Path], answered: Path | None = None) -> None:
    """Make room on the disk; no client waits for that.

    Args:
        gone: folders of requests that are forgotten.
        answered: the folder of one whose data is not needed any more.
    """
    if answered is not None:
        _remove_data(answered)
    for folder in gone:
        remove_tree(folder, may_hold_volumes=False)


def _remove_data(folder: Path) -> None:
    """A request has been answered, and its data is not needed any more."""
    with suppress(OSError):
        remove_tree(folder / "in", may_hold_volumes=False)


@contextmanager
def _refusing() -> Iterator[None]:
    """What a pool does not take is refused, with the status that says why."""
    try:
        yield
    except QueueFullError as error:
        raise _full() from error
    except NotReadyError as error:
        raise RefusedError(503, str(error), {"Retry-After": "5"}, limit="not-ready") from error
    except TooLargeError as error:
        raise RefusedError(413, str(error)) from error


def _settle(future: asyncio.Future[Result], result: Result) -> None:
    if not future.done():  # the client has hung up
        future.set_result(result)


def _full() -> RefusedError:
    what = "too many requests wait; try again later"
    return RefusedError(429, what, {"Retry-After": "1"}, limit="queue")


def _error(failure: Failure) -> dict[str, str]:
    return {
        "code": failure.code,
        "name": failure.name,
        "message": failure.comment,
        "traceback": failure.traceback,
    }


def _plain(summary: Mapping[str, object]) -> dict[str, object]:
    from alo.history.record import plain

    found = plain(dict(summary))
    return found if isinstance(found, dict) else {}
