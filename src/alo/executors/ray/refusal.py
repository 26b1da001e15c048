"""What Ray says when it does not connect, in words of ours."""

from __future__ import annotations

import re

from alo.errors import AloError, ExecutorError, UsageError
from alo.executors.ray.address import Address

VERSIONS = re.compile(
    r"cluster was started with:\s+Ray: (\S+)\s+Python: (\S+)\s+"
    r"This process on .*? was started with:\s+Ray: (\S+)\s+Python: (\S+)",
    re.DOTALL,
)
NOT_LET_IN = "uthentication"
SHOWN = 400  # characters of what Ray says


def is_final(error: BaseException) -> bool:
    """Whether another try would be told the same."""
    text = str(error)
    return NOT_LET_IN in text or VERSIONS.search(text) is not None


def refusal_of(error: BaseException, address: Address) -> AloError:
    """The error that says why there is no connection."""
    text = str(error)
    if versions := VERSIONS.search(text):
        their_ray, their_python, our_ray, our_python = versions.groups()
        return UsageError(
            f"the Ray cluster at {address.target} has other versions: it has Ray {their_ray} and "
            f"Python {their_python}, this machine has Ray {our_ray} and Python {our_python}",
            where=address.named_by,
            fix=f"install the cluster's here: pip install 'ray[client]=={their_ray}', with "
            f"Python {minor(their_python)}"
            if minor(their_python) != minor(our_python)
            else f"install the cluster's here: pip install 'ray[client]=={their_ray}'",
        )
    reported = " ".join(text.split())[:SHOWN]
    if NOT_LET_IN in text:
        return UsageError(
            f"the Ray cluster at {address.target} does not let us in: {reported}",
            where=address.named_by,
            fix="set RAY_AUTH_TOKEN to the cluster's token",
        )
    if address.is_own:
        return ExecutorError(
            f"no Ray cluster could be started on this machine: {type(error).__name__}: {reported}",
            fix="try again when the machine has less to do, or name a cluster: RAY_ADDRESS",
        )
    return ExecutorError(
        f"the Ray cluster at {address.target} cannot be used: {type(error).__name__}: {reported}",
        where=address.named_by,
        fix="see that all nodes run (ray status), and that this machine reaches them",
    )


def minor(version: str) -> str:
    """The version of a Python without its last part."""
    return ".".join(version.split(".")[:2])
