"""Solution metadata (``--system``): what a platform chose, laid over the plan in memory.

An entry's ``dataset_uri``, ``artifact_uri`` and ``model_uri`` replace the plan's path where they
are given, also where they are given empty: a platform that names no target wants nothing exported,
and its inference must not run on the plan's sample data. What is left out leaves the plan's path.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from alo.errors import MetadataError, Problem
from alo.json_text import (
    MOST_LEVELS,
    TooDeepError,
    bad_character,
    every_value,
    is_deeper,
    json_value,
)
from alo.layout import KINDS
from alo.plan.changes import changed_line, unplanned_line, with_args
from alo.plan.keys.shapes import odd_characters
from alo.plan.model import PipelinePlan, Plan, ReviewPlan
from alo.plan.suggest import did_you_mean, quoted
from alo.plan.values import same
from alo.plan.yaml_nodes.reader import below, read_value
from alo.plan.yaml_nodes.tree import MAX_BYTES, YamlError

DATATYPES = ("table", "image")
INLINE = "solution metadata"  # its name in messages when it did not come from a file


class SelectedArgs(NamedTuple):
    """The args that were chosen for one step."""

    step: str
    args: Mapping[str, object]
    place: str  # where the metadata has them


class PipelineMetadata(NamedTuple):
    """What the metadata says of one pipeline; None: nothing."""

    kind: str  # train or inference
    dataset_uri: tuple[str, ...] | None = None
    artifact_uri: str | None = None
    model_uri: str | None = None
    selected: tuple[SelectedArgs, ...] = ()


class SolutionMetadata(NamedTuple):
    """Solution metadata of the right form; whether it fits a plan is seen when it is applied."""

    source: str  # the file's name, or INLINE
    version: str = ""  # metadata_version
    name: str = ""
    pipelines: tuple[PipelineMetadata, ...] = ()
    redis_url: str = ""  # host:port, or a URL
    redis_db_number: int = 0
    inference_result_datatype: str = ""  # table or image; empty: not given
    train_datatype: str = ""
    labeling_column_name: str = ""  # of the train data


def read_metadata(source: str) -> SolutionMetadata:
    """Metadata from the path of a YAML (or JSON) file, or from JSON text.

    Raises:
        MetadataError: it cannot be read, or not understood.
    """
    is_text = source.lstrip().startswith(("{", "["))
    shown = INLINE if is_text else source
    return parse_metadata(_from_json(source) if is_text else _from_file(source), shown)


def parse_metadata(value: object, source: str = INLINE) -> SolutionMetadata:
    """Metadata from plain values, such as those of a request.

    Raises:
        MetadataError: naming every place that is wrong.
    """
    form = _Form(source)
    if is_deeper(value, MOST_LEVELS):
        form.complain("", f"nested deeper than {MOST_LEVELS} levels")
        raise MetadataError(form.problems)
    metadata = _metadata(form, value)
    if form.problems:
        raise MetadataError(form.problems)
    return metadata


def apply_metadata(
    plan: Plan, metadata: SolutionMetadata, kinds: Sequence[str]
) -> tuple[Plan, tuple[str, ...]]:
    """The plan with the paths and args that the metadata chose, and a line for each change.

    Args:
        kinds: the pipelines that are to run; what the metadata says of another is left alone.
    Raises:
        MetadataError: it names a step that the plan does not have.
    """
    changes: list[str] = []
    problems: list[Problem] = []
    plan = _with_label(plan, metadata.labeling_column_name, changes)
    for chosen in metadata.pipelines:
        if chosen.kind in kinds:
            plan = _with_paths(plan, chosen, changes)
            for selected in chosen.selected:
                wrong = _unknown_step(plan.pipeline(chosen.kind), chosen.kind, selected.step)
                if wrong:
                    problems.append(Problem(wrong, metadata.source, key=f"{selected.place}.step"))
                else:
                    plan = _with_selected(plan, chosen.kind, selected, changes)
    if problems:
        raise MetadataError(problems)
    return plan, tuple(changes)


def _with_label(plan: Plan, column: str, changes: list[str]) -> Plan:
    """The column that labels become, where the plan does not say which."""
    review = plan.review or ReviewPlan()
    if not column or review.label:
        return plan
    changes.append(changed_line("review.label", None, column))
    return plan._replace(review=review._replace(label=column))


def _with_paths(plan: Plan, chosen: PipelineMetadata, changes: list[str]) -> Plan:
    paths: dict[str, Any] = {
        f"load_{chosen.kind}_data_path": chosen.dataset_uri,
        f"save_{chosen.kind}_artifacts_path": chosen.artifact_uri,
        "load_model_path": chosen.model_uri,
    }
    for name, new in paths.items():
        old = getattr(plan.external, name)
        if new is not None and new != old:
            key = f"external_path.{name}"
            changes.append(changed_line(key, old or None, new or None))
            places = {place: at for place, at in plan.places.items() if place != key}
            plan = plan._replace(external=plan.external._replace(**{name: new}), places=places)
    return plan


def _unknown_step(pipeline: PipelinePlan | None, kind: str, name: str) -> str:
    if pipeline is None:
        return f"the plan has no {kind}_pipeline"
    if pipeline.step(name):
        return ""
    hint = did_you_mean(name, (step.name for step in pipeline.steps))
    return f"no step {quoted(name)} in {kind}_pipeline; {hint}"


def _with_selected(plan: Plan, kind: str, selected: SelectedArgs, changes: list[str]) -> Plan:
    pipeline = plan.pipeline(kind)
    step = pipeline.step(selected.step) if pipeline else None
    args = dict(step.args) if step else {}
    for name, value in selected.args.items():
        key = f"{kind}_pipeline.{selected.step}.{name}"
        if name not in args:
            changes.append(unplanned_line(key, value))
        elif not same(args[name], value):
            changes.append(changed_line(key, args[name], value))
        args[name] = value
    return with_args(plan, kind, {selected.step: args})


def _from_file(source: str) -> object:
    try:
        with open(source, "rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        what = f"solution metadata cannot be read: {reason}"
        fix = "give --system the path of a YAML file, or JSON text"
        raise MetadataError([Problem(what, source)], fix=fix) from None
    if text.lstrip().startswith(b"{"):
        # Nearly all JSON is YAML, but not the tabs and the escapes that some programs write.
        try:
            return json_value(text)
        except ValueError:
            pass
    try:
        return read_value(text)
    except YamlError as error:
        raise MetadataError([error.problem._replace(file=source)]) from error


def _from_json(text: str) -> object:
    try:
        return json_value(text)
    except json.JSONDecodeError as error:
        problem = Problem(f"not JSON: {error.msg}", INLINE, error.lineno, error.colno)
    except TooDeepError as error:
        problem = Problem(str(error), INLINE)
    except ValueError as error:  # a number of thousands of digits
        problem = Problem(f"not JSON: {error}", INLINE)
    fix = "put the text in single quotes on a command line, or give --system the path of a file"
    raise MetadataError([problem], fix=fix)


class _Form:
    """Looks into plain values and collects what has the wrong type."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []

    def complain(self, key: str, what: str) -> None:
        self.problems.append(Problem(what, self.source, key=key))

    def mapping(self, value: object, key: str) -> Mapping[str, object]:
        if isinstance(value, Mapping):
            return {str(name): item for name, item in value.items()}
        if value is not None:
            self.complain(key, f"expected an object, found {_found(value)}")
        return {}

    def items(self, value: object, key: str) -> list[object]:
        if isinstance(value, list):
            return value
        if value is not None:
            self.complain(key, f"expected a list, found {_found(value)}")
        return []

    def text(self, owner: Mapping[str, object], name: str, key: str) -> str:
        """A text; a number counts as one."""
        value = owner.get(name)
        if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
            self.complain(below(key, name), f"expected text, found {_found(value)}")
            return ""
        return "" if value is None else str(value).strip()

    def line(self, owner: Mapping[str, object], name: str, key: str) -> str:
        """A text of one line, without what no file could hold."""
        text = self.text(owner, name, key)
        if wrong := odd_characters(text):
            self.complain(below(key, name), f"{quoted(text)}: {wrong}")
            return ""
        return text

    def uri(self, owner: Mapping[str, object], name: str, key: str) -> str | None:
        """A place, which is looked at where it is used: a file's name may be of any bytes."""
        return self.text(owner, name, key) if name in owner else None

    def uris(self, owner: Mapping[str, object], name: str, key: str) -> tuple[str, ...] | None:
        value = owner.get(name)
        if not isinstance(value, list):
            one = self.uri(owner, name, key)
            return (one,) if one else None if one is None else ()
        numbered = {f"{name}[{n}]": item for n, item in enumerate(value)}
        texts = (self.text(numbered, item, key) for item in numbered)
        return tuple(text for text in texts if text)

    def whole_number(self, owner: Mapping[str, object], name: str, key: str) -> int:
        text = self.text(owner, name, key)
        if text and not (text.isdecimal() and len(text) < 10):
            self.complain(below(key, name), f"expected a number like 0, found {quoted(text)}")
            return 0
        return int(text or 0)

    def choice(self, owner: Mapping[str, object], name: str, key: str, words: Sequence[str]) -> str:
        text = self.text(owner, name, key)
        if text and text not in words:
            self.complain(below(key, name), f"expected {' or '.join(words)}, found {quoted(text)}")
        return text


def _metadata(form: _Form, value: object) -> SolutionMetadata:
    if not isinstance(value, Mapping):
        form.complain("", f"expected an object with 'pipeline', found {_found(value)}")
        return SolutionMetadata(form.source)
    root = form.mapping(value, "")
    if "user_parameters" in root and "pipeline" not in root:
        form.complain("user_parameters", "a plan, and no solution metadata: give it to --config")
        return SolutionMetadata(form.source)
    edge_app = form.mapping(root.get("edgeapp_interface"), "edgeapp_interface")
    conductor = form.mapping(root.get("edgeconductor_interface"), "edgeconductor_interface")
    return SolutionMetadata(
        source=form.source,
        version=form.line(root, "metadata_version", ""),
        name=form.line(root, "name", ""),
        pipelines=_pipelines(form, root.get("pipeline")),
        redis_url=form.line(edge_app, "redis_server_uri", "edgeapp_interface"),
        redis_db_number=form.whole_number(edge_app, "redis_db_number", "edgeapp_interface"),
        inference_result_datatype=form.choice(
            conductor, "inference_result_datatype", "edgeconductor_interface", DATATYPES
        ),
        train_datatype=form.choice(
            conductor, "train_datatype", "edgeconductor_interface", DATATYPES
        ),
        labeling_column_name=form.line(
            conductor, "labeling_column_name", "edgeconductor_interface"
        ),
    )


def _pipelines(form: _Form, value: object) -> tuple[PipelineMetadata, ...]:
    items = form.items(value, "pipeline")
    if not value:
        form.complain("pipeline", "expected a list of pipelines, each with a 'type', found nothing")
    pipelines: list[PipelineMetadata] = []
    for n, item in enumerate(items):
        pipeline = _pipeline(form, item, f"pipeline[{n}]")
        if pipeline.kind and pipeline.kind in [other.kind for other in pipelines]:
            form.complain(f"pipeline[{n}].type", f"'{pipeline.kind}' is here twice: keep one")
        pipelines.append(pipeline)
    return tuple(pipelines)


def _pipeline(form: _Form, value: object, key: str) -> PipelineMetadata:
    entry = form.mapping(value, key)
    kind = form.choice(entry, "type", key, KINDS)
    if not kind:
        form.complain(f"{key}.type", f"expected {' or '.join(KINDS)}, found nothing")
    parameters = form.mapping(entry.get("parameters"), f"{key}.parameters")
    place = f"{key}.parameters.selected_user_parameters"
    selected = form.items(parameters.get("selected_user_parameters"), place)
    return PipelineMetadata(
        kind,
        dataset_uri=form.uris(entry, "dataset_uri", key),
        artifact_uri=form.uri(entry, "artifact_uri", key),
        model_uri=form.uri(entry, "model_uri", key) if kind == "inference" else None,
        selected=tuple(_selected(form, item, f"{place}[{n}]") for n, item in enumerate(selected)),
    )


def _selected(form: _Form, value: object, key: str) -> SelectedArgs:
    entry = form.mapping(value, key)
    step = form.line(entry, "step", key)
    if not step:
        form.complain(f"{key}.step", "expected the name of a step, found nothing")
    written = entry.get("args")
    parts = written if isinstance(written, list) else [written]
    args: dict[str, object] = {}
    for part in parts:
        args.update(form.mapping(part, f"{key}.args"))
    for text in every_value(args):
        if isinstance(text, str) and (wrong := bad_character(text)):
            form.complain(f"{key}.args", f"{quoted(text)}: {wrong}")
    chosen = {name: _chosen(value) for name, value in args.items() if not _is_empty(value)}
    return SelectedArgs(step, chosen, key)


def _is_empty(value: object) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def _chosen(value: object) -> object:
    """A platform writes a list as one text with commas."""
    if isinstance(value, str) and "," in value:
        return [part.strip() for part in value.split(",")]
    return value


def _found(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list) else quoted(str(value))
