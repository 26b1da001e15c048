"""The alarms of a service: which of its requests they look at, and where the plan asks for none."""

from __future__ import annotations

from collections.abc import Mapping

from alo.alarms.alarms import Alarms, watch_only
from alo.errors import AloError
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.serve.service import Service
from alo.workers.protocol import Failure


class Watched:
    """The requests of one service, as its alarms see them.

    Args:
        secret: that signs what a URL is sent; empty: nothing does.
    """

    def __init__(self, service: Service, secret: str, listener: Listener) -> None:
        self._workspace, self._listener = service.job.workspace, listener
        plan = service.job.plan
        self._alarms = (
            Alarms(self._workspace, plan.alarm, plan.name, secret, listener) if plan.alarm else None
        )

    def saw(
        self, model: str, summary: Mapping[str, object] | None, failure: Failure | None
    ) -> None:
        """A request has been run, by a worker that has this model.

        One that asks for what cannot be is refused: that says something of its client alone.
        """
        if self._alarms is not None and (failure is None or failure.kind != "refused"):
            self._alarms.saw(model, summary, has_failed=failure is not None)

    def start(self) -> None:
        """Begin; without alarms in the plan, none stays raised."""
        if self._alarms is not None:
            self._alarms.start()
            return
        try:
            watch_only(self._workspace, (), is_sent=False)
        except (AloError, OSError) as error:
            self._listener(warning(f"alarms cannot be noted: {error}"))

    def stop(self) -> None:
        """Take in what has come, and end."""
        if self._alarms is not None:
            self._alarms.stop()
