"""What an asset author imports: ``from alolib.asset import Asset``.

A step is a class ``UserAsset(Asset)`` in ``assets/<step>/asset_<step>.py``::

    class UserAsset(Asset):
        def __init__(self, asset_structure):
            super().__init__(asset_structure)
            self.args = self.asset.load_args()
            self.config = self.asset.load_config()
            self.data = self.asset.load_data()      # not in the first step

        @Asset.decorator_run
        def run(self):
            ...
            self.asset.save_data(self.data)         # both, once in each run
            self.asset.save_config(self.config)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from alolib.args import check_arg
from alolib.callers import place_of, place_of_run
from alolib.context import StepContext
from alolib.errors import ContractError, PathError, StoppedByAsset
from alolib.paths import inference_model_folder, made, train_model_folder
from alolib.structure import AssetStructure
from alolib.summary import EXACT_SCORE, make_summary, odd_length, read_summary, write_summary

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["Asset", "AssetStructure"]

ALOLIB_VERSION = "2.0"
NO_PROBABILITY: Mapping[Any, float] = MappingProxyType({})


class AssetApi:
    """The calls of the asset API; at ``self.asset`` of every asset."""

    _logger: Logger | None = None

    def __init__(self, asset_structure: AssetStructure) -> None:
        envs = asset_structure.envs
        self._alo = alo = StepContext(asset_structure)
        self.project_home = alo.home
        self.asset_envs = envs
        self.asset_args = asset_structure.args
        self.asset_data = asset_structure.data
        self.asset_config = asset_structure.config
        self.asset_home = alo.assets
        self.input_data_home = f"{alo.home}input/"
        self.artifact_dir = f"{alo.kind}_artifacts/"
        self.log_file_path = alo.log_file
        self.save_artifacts_path = alo.save_path
        self.alo_version = str(envs.get("alo_version") or "")
        self.alolib_version = ALOLIB_VERSION
        handover = alo.handover
        handover.step = alo.step
        handover.data_keys = frozenset(asset_structure.data)
        handover.config_keys = frozenset(asset_structure.config)

    @property
    def logger(self) -> Logger:
        """A Python logger of the step's name."""
        if self._logger is None:
            import logging

            self._logger = logging.getLogger(f"alo.asset.{self._alo.step}")
        return self._logger

    @logger.setter
    def logger(self, logger: Logger) -> None:
        self._logger = logger

    # Passing data

    def load_args(self) -> dict[str, Any]:
        """A copy of this step's args in the plan; ``{}`` when there are none."""
        return deepcopy(self._alo.structure.args)

    def load_envs(self) -> dict[str, Any]:
        """A copy of ``asset_envs``: where and how the step runs."""
        return deepcopy(self.asset_envs)

    def check_args(
        self,
        arg_key: str,
        is_required: bool = False,
        default: Any = "",
        chng_type: str = "str",
    ) -> Any:
        """One arg of the plan, with a default, as the type that is asked for.

        Args:
            arg_key: the arg's name.
            is_required: whether it is an error if the plan does not have it.
            default: its value where the plan has none, or a blank one; converted too.
            chng_type: ``list``, ``str``, ``int``, ``float`` or ``bool``. A value that is a list
                stays one; ``list`` puts any other into a list.
        Raises:
            ArgsError: it is missing, or cannot be converted.
        """
        alo = self._alo
        return check_arg(
            alo.structure.args,
            arg_key,
            is_required,
            default,
            chng_type,
            step=alo.step,
            place=alo.args_place,
            caller=alo.handover.caller,
        )

    def load_config(self) -> dict[str, Any]:
        """What the steps before have saved with ``save_config``.

        Never empty: ``config["meta"]`` describes the pipeline, the step and its folders.
        """
        return dict(self._alo.structure.config)

    def load_data(self, partial_load: str = "") -> dict[str, Any]:
        """What the step before has saved with ``save_data``.

        Args:
            partial_load: only the keys that contain this text.
        Raises:
            ContractError: this is the first step, or no key contains the text.
        """
        if self._alo.handover.is_first:
            raise ContractError(
                f"step '{self._alo.step}' is the first step, so there is no data to load",
                fix="begin with an empty dict: self.data = {}",
            )
        data = self._alo.structure.data  # no copy: what the asset replaces in it, memory gets back
        if not partial_load:
            return data
        found = {key: value for key, value in data.items() if partial_load in str(key)}
        if not found:
            raise ContractError(
                f"no key of the data contains '{partial_load}'",
                fix=f"the keys are: {', '.join(map(str, data)) or 'none'}",
            )
        return found

    def save_config(self, config: dict[str, Any]) -> None:
        """Hand the config on to the next step; mandatory, once in each ``run``.

        Raises:
            ContractError: not a dict, called twice, or a key of an earlier step is missing.
        """
        self._alo.handover.save("config", config)

    def save_data(self, data: dict[str, Any]) -> None:
        """Hand data on to the next step; mandatory, once in each ``run``.

        The dict is taken as it is now: keys added afterwards do not reach the next step.

        Raises:
            ContractError: not a dict, called twice, or a key of an earlier step is missing.
        """
        self._alo.handover.save("data", data)

    # Paths: absolute, and ending with "/"

    def get_input_path(self) -> str:
        """The folder of the input data: ``input/train/`` or ``input/inference/``."""
        return f"{self._alo.home}input/{self._alo.kind}/"

    def get_model_path(self, use_inference_path: bool = False) -> str:
        """The folder of this step's model.

        In train it is there to write to. In inference it is the folder that the step of the same
        name wrote to in train; for a step named ``inference``, that of the step ``train``.

        Args:
            use_inference_path: in inference, a folder in ``inference_artifacts/`` to write to.
        Raises:
            PathError: there is no model yet, or ``use_inference_path`` does not fit.
        """
        if not isinstance(use_inference_path, bool):
            raise PathError(
                f"use_inference_path is {use_inference_path!r}; it has to be True or False"
            )
        alo, handover = self._alo, self._alo.handover
        if use_inference_path and alo.kind == "train":
            raise PathError(
                "use_inference_path=True is for the inference pipeline",
                fix="in the train pipeline call get_model_path() without it",
            )
        if use_inference_path or alo.kind == "train":
            return made(train_model_folder(f"{alo.artifacts}models/", alo.step, handover.steps))
        return inference_model_folder(
            alo.home, alo.step, handover.steps, handover.train_steps, handover.caller
        )

    def load_once(self, key: str, loader: Callable[[], Any]) -> Any:
        """What ``loader()`` returns: a model, say, that takes long to load.

        While an inference is served it is loaded at the first request and kept for those that
        follow, until the model files change. In an ordinary run ``loader`` is simply called.

        Args:
            key: one for each thing that this step loads.
        """
        loaded = self._alo.handover.loaded
        return loader() if loaded is None else loaded.get(self._alo.step, key, loader)

    def get_output_path(self) -> str:
        """The folder for the result: in inference one table, one image, or one of each."""
        return made(f"{self._alo.artifacts}output/")

    def get_extra_output_path(self) -> str:
        """The folder for other files of this step, for dashboards and databases."""
        return made(f"{self._alo.artifacts}extra_output/{self._alo.step}/")

    def get_report_path(self) -> str:
        """The folder for the train run's report.

        Raises:
            PathError: in the inference pipeline.
        """
        if self._alo.kind != "train":
            raise PathError(
                "get_report_path() is for the train pipeline",
                fix="write to get_output_path() or get_extra_output_path() in inference",
            )
        return made(f"{self._alo.artifacts}report/")

    # Summary

    def save_summary(
        self,
        result: str,
        score: float,
        note: str = "",
        probability: Mapping[Any, float] = NO_PROBABILITY,
    ) -> dict[str, Any]:
        """Write the run's summary; when several steps do, the last one counts.

        Args:
            result: what came out, at most 32 characters.
            score: from 0 to 1; stored with 2 decimals.
            note: at most 128 characters.
            probability: class name → number from 0 to 1; they sum to 1.
        Returns:
            all that was written: also ``date``, ``file_path`` and ``version``.
        Raises:
            SummaryError: a value cannot be kept; says which and why.
        """
        summary = make_summary(result, score, note, probability)
        alo = self._alo
        written = write_summary(alo.summary_file, summary, alo.save_path, alo.summary_version)
        alo.handover.summary = {**summary, EXACT_SCORE: float(score)}
        if odd := odd_length(summary):
            alo.log("WARNING", odd)
        return written

    def load_summary(self) -> dict[str, Any]:
        """The summary that this step or one before it has saved: result, score, note, probability.

        Raises:
            SummaryError: none has been saved in this run.
        """
        return read_summary(self._alo.summary_file)

    def save_metric(self, name: str, value: float, step: int | None = None) -> None:
        """Save a number in full precision; of several with one name the last one counts.

        They are in ``score/train_metrics.jsonl`` of the artifacts, and a sweep can look for the
        best of them.

        Args:
            name: such as ``f1``; not one of the summary.
            value: any finite number.
            step: how far the training was, such as the epoch.
        Raises:
            MetricError: it cannot be kept; says why.
            TrialPruned: in a sweep with a pruner: other trials were better at this step.
        """
        from alolib.metrics import append_metric, check_name, check_step, check_value

        checked = check_name(name)
        number, at = check_value(checked, value), check_step(checked, step)
        append_metric(self._alo.metrics_file, checked, number, at)
        if (pruner := self._alo.handover.pruner) is not None:
            pruner.note(checked, number, at)

    # Logging

    def save_info(self, msg: object, show: bool = False) -> None:
        """Log a message to the console and to ``log/pipeline.log``.

        Args:
            show: also repeat it in the table at the end of the run.
        """
        self._alo.log("INFO", msg, show)

    def save_warning(self, msg: object) -> None:
        """Log a warning."""
        self._alo.log("WARNING", msg)

    def save_error(self, msg: object) -> NoReturn:
        """Log an error and stop the run.

        Raises:
            StoppedByAsset: always.
        """
        self._alo.log("ERROR", msg)
        raise StoppedByAsset(str(msg))

    # Other files

    def read_custom_config(self, path: str) -> Any:
        """Read a file below the input path: ``.ini`` as a ``ConfigParser``, ``.yaml`` as a dict.

        Args:
            path: as text after the input path, or a whole path that begins with it.
        Raises:
            PathError: it is not there, of another kind, or cannot be read as what it says it is.
        """
        from alolib.custom_config import read_custom_config

        return read_custom_config(self.get_input_path(), path)


class _Unmade:
    """Stands for what ``Asset.__init__`` sets, where a class has not called it.

    Not ``__getattr__``: that would also be asked for a property that raises an ``AttributeError``,
    and hide which.
    """

    def __get__(self, asset: object, owner: type) -> Any:
        if asset is None:
            return self
        raise ContractError(
            f"{owner.__name__}.__init__ has not called super().__init__",
            where=f"{place_of_run(owner, '__init__')}, in __init__()",
            fix="begin it with: super().__init__(asset_structure)",
        )


class Asset(AssetApi):
    """Base of every step's ``UserAsset``; the API is at ``self.asset``, and on ``self``.

    Args:
        asset_structure: what the engine hands to ``__init__``.
    """

    asset: Any = _Unmade()
    _alo: Any = _Unmade()

    def __init__(self, asset_structure: AssetStructure) -> None:
        # Not self: an object that refers to itself keeps its data until the garbage collector runs.
        api = AssetApi(asset_structure)
        vars(self).update(vars(api))
        self.asset = api

    @staticmethod
    def decorator_run(run: Callable[[Any], object]) -> Callable[[Any], tuple[Any, Any]]:
        """Decorate ``run`` with this: it then checks that the step has saved data and config."""

        def checked_run(self: Asset) -> tuple[Any, Any]:
            handover = self._alo.handover
            code = getattr(run, "__code__", None)
            if code is not None:
                handover.places["run"] = place_of(code.co_filename, code.co_firstlineno)
            handover.refuse_unrun(run(self))
            handover.check()
            return handover.data, handover.config

        checked_run.__name__, checked_run.__doc__ = "run", run.__doc__
        checked_run.__wrapped__ = run  # type: ignore[attr-defined]
        return checked_run
