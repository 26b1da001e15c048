"""Which service tries what somebody sends, and which one is asked for its output files later."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from alo.layout import Workspace
from alo.serve.address import ServiceAddress, services_of
from alo.ui.problems import UiError, not_found
from alo.ui.try_out.client import Sent, ServiceAwayError, ServiceClient
from alo.ui.try_out.own_service import OwnService

WORKER = "worker"  # in the place of a service's name: the studio's own
MOST_AT_ONCE = 4  # that run or wait
MOST_KEPT = 200  # whose outputs can still be fetched


class Tried(NamedTuple):
    """What came of it."""

    service: str  # its name, or worker
    content: Mapping[str, object]  # the service's answer


class _Kept(NamedTuple):
    """Who asked for it, and where it was answered; the token is in memory alone."""

    person: str
    client: ServiceClient


class TryOut:
    """Of one studio; for any thread."""

    def __init__(self, workspace: Workspace, own: OwnService) -> None:
        self._workspace, self._own = workspace, own
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._asked: set[ServiceClient] = set()
        self._lock = threading.Lock()

    def services(self) -> Sequence[ServiceAddress]:
        """Those of the project that run on this machine."""
        found = services_of(self._workspace)
        return [each for each in found if each.is_here and each.pid != self._own.pid]

    def infer(self, sent: Sent, service: str, token: str, person: str) -> Tried:
        """Have an inference run.

        Args:
            service: its name; ``worker``: the studio's own; empty: whichever there is.
            token: of the service.
            person: who asks, and may ask for the outputs.
        Raises:
            UiError: it is refused, or nobody can do it now.
        """
        if not self._places.acquire(blocking=False):
            raise UiError(429, "too many requests are tried at once", fix="send it again later")
        try:
            with self._client(service, token) as (name, client):
                try:
                    content = self._answer(client, sent)
                except ServiceAwayError:
                    if name != WORKER:
                        raise
                    client, content = self._again(client, sent)
                self._keep(str(content.get("id")), _Kept(person, client))
                return Tried(name, content)
        finally:
            self._places.release()

    def output(self, request_id: str, name: str, person: str) -> Iterator[bytes]:
        """An output file of what this person has tried, in pieces.

        Raises:
            UiError: 404: it is not known any more; 503: its service is away.
        """
        with self._lock:
            kept = self._kept.get(request_id)
        if kept is None or kept.person != person:
            raise not_found("there is no such request, or it is no longer known")
        return kept.client.output(request_id, name)

    def stop(self) -> None:
        """End what was started for it; nobody waits for an answer any more."""
        self._own.stop()
        with self._lock:
            asked = list(self._asked)
        for client in asked:
            client.hang_up()

    def _again(self, gone: ServiceClient, sent: Sent) -> tuple[ServiceClient, Mapping[str, object]]:
        """The answer of a new service of our own, after one that was killed."""
        self._own.discard(gone)
        with self._own.in_use() as client:
            return client, self._answer(client, sent)

    def _answer(self, client: ServiceClient, sent: Sent) -> Mapping[str, object]:
        with self._lock:
            self._asked.add(client)
        try:
            return client.infer(sent).content
        finally:
            with self._lock:
                self._asked.discard(client)

    def _keep(self, request_id: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[request_id] = kept
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    @contextmanager
    def _client(self, service: str, token: str) -> Iterator[tuple[str, ServiceClient]]:
        if service != WORKER:
            for address in self.services():
                client = ServiceClient(address, token)
                is_wanted = address.name == service
                is_good = not service and (token or not address.wants_token)
                if is_wanted or (is_good and client.is_there):
                    yield address.name, self._seen(client)
                    return
        if service not in ("", WORKER):
            fix = "send it to another one, or to a worker of the studio"
            raise not_found(f"there is no service '{service}' any more", fix=fix)
        with self._own.in_use() as client:
            yield WORKER, client

    def _seen(self, client: ServiceClient) -> ServiceClient:
        """The client of a service that is the one that is meant."""
        if not client.is_there:
            raise ServiceAwayError(client.address.url)
        return client
