"""Whether the running services use what is deployed: for ``alo deploy --wait`` and ``--status``."""

from __future__ import annotations

import time
from typing import NamedTuple

from alo.history.deployment import Deployment, Use, read_deployment, run_in_use
from alo.layout import Workspace
from alo.serve.folders import lives

LOOK_S = 0.1
SWITCHED, REFUSED, LATE, NO_SERVICE = "switched", "refused", "not in time", "no service"


class Outcome(NamedTuple):
    """How it ended."""

    state: str
    reason: str = ""

    @property
    def exit_status(self) -> int:
        """Of ``alo deploy``: 0 where the services switched, 1 where one refused, else 3."""
        return {SWITCHED: 0, REFUSED: 1}.get(self.state, 3)


def live_services(workspace: Workspace, deployment: Deployment) -> dict[str, Use]:
    """What the services that run now use."""
    return {name: use for name, use in deployment.services.items() if lives(workspace, name)}


def wait_for_services(workspace: Workspace, limit_s: float) -> Outcome:
    """Wait until all services that run use what is chosen, or one has refused it.

    Raises:
        HistoryError: what is deployed cannot be read.
    """
    end = time.monotonic() + limit_s
    while True:
        outcome = _outcome(workspace, read_deployment(workspace))
        if outcome is not None:
            return outcome
        if time.monotonic() > end:
            return Outcome(LATE, f"not all services have switched within {limit_s:g} s")
        time.sleep(LOOK_S)


def _outcome(workspace: Workspace, deployment: Deployment) -> Outcome | None:
    wanted = run_in_use(workspace, deployment)
    for run_id in (deployment.run, wanted):
        if deployment.has_failed(run_id):
            return Outcome(REFUSED, deployment.check_of(run_id).reason)
    services = live_services(workspace, deployment)
    if not services:
        return Outcome(NO_SERVICE, "no service or loop of this project runs here")
    return Outcome(SWITCHED) if all(use.run == wanted for use in services.values()) else None
