"""A plan as it is written, each key on its own: what reading it gives, before rules across keys."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from alo.named_tuples import NamedTuple
from alo.plan.model import Alarm, Control, ExternalPaths, Resources, ReviewPlan, Source, SweepPlan

T = TypeVar("T")


class StepEntry(NamedTuple):
    """A step in ``user_parameters``, as written; ``at`` is its key path."""

    at: str
    step: str
    args: Mapping[str, object] = {}
    ui_args: tuple[str, ...] = ()
    cache: bool = True
    isolation: str = ""
    environment: str = ""
    timeout: float | None = None
    retries: int = 0
    resources: Resources = Resources()


class SourceEntry(NamedTuple):
    """A step in ``asset_source``, as written; ``at`` is its key path."""

    at: str
    step: str
    source: Source = Source()


class UiArgEntry(NamedTuple):
    """An arg in ``ui_args_detail``, as written; ``at`` is its key path."""

    at: str
    name: str
    type: str
    description: str = ""
    default: object = None
    selectable: tuple[object, ...] = ()
    range: tuple[float, float] | None = None
    selected: object = None
    scale: str = ""

    @property
    def choices(self) -> tuple[object, ...]:
        """The values to choose from, which some plans of ALO 2.x give as ``selected``."""
        chosen = self.selected if isinstance(self.selected, list) else ()
        return self.selectable or tuple(chosen)


class DetailEntry(NamedTuple):
    """A step in ``ui_args_detail``, as written; ``at`` is its key path."""

    at: str
    step: str
    args: tuple[UiArgEntry, ...] = ()


class Permission(NamedTuple):
    """With which rights external paths are read and written."""

    aws_key_profile: str = ""


Pipelines: TypeAlias = Mapping[str, tuple[T, ...]]  # train or inference, if it has steps


class PlanEntry(NamedTuple):
    """A whole plan as written, each key on its own."""

    name: str = ""
    version: str = ""
    external_path: ExternalPaths = ExternalPaths()
    external_path_permission: Permission = Permission()
    user_parameters: Pipelines[StepEntry] = MappingProxyType({})
    asset_source: Pipelines[SourceEntry] = MappingProxyType({})
    control: Control = Control()
    ui_args_detail: Pipelines[DetailEntry] = MappingProxyType({})
    alarm: Alarm | None = None
    review: ReviewPlan | None = None
    sweep: SweepPlan | None = None
