"""The keys of ``sweep``: which args are swept over which values, and what counts as better."""

from alo.plan.keys.sections import Key, Section, entries
from alo.plan.keys.shapes import Choice, Number, Range, Schema, Shape, Text, Texts, Values
from alo.plan.model import SweepParam, SweepPlan
from alo.plan.yaml_nodes.reader import NodeReader
from alo.plan.yaml_nodes.tree import Node

AT = "sweep"  # where a plan has it
DIRECTIONS = ("max", "min", "maximize", "minimize")
SAMPLERS = ("auto", "grid", "random", "tpe", "gp", "cmaes", "qmc")
NONE = "none"
PRUNERS = (NONE, "median", "hyperband")
SCALES = ("linear", "log")
MOST_TRIALS = 1_000_000

PARAM = Section(
    SweepParam,
    Key("range", Range(), "smallest and largest number; whole numbers if both are."),
    Key("step", Number(above=0), "distance between two values of the range."),
    Key("scale", Choice(*SCALES), "log: small numbers are tried as often as large ones."),
    Key("choices", Values(), "the values, in place of a range."),
    both_forms=False,
)


class SweepParams(Shape[dict[str, SweepParam]]):
    """Args by their names, each with its values."""

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> dict[str, SweepParam]:
        """The values by arg."""
        read: dict[str, SweepParam] = {}
        for name, pair in entries(node, key, reader):
            param = PARAM.read(pair.value, f"{key}.{name}", reader)
            if param is not None:
                read[name] = param
        return read

    def schema(self) -> Schema:
        """A mapping, or a list of mappings, of sections."""
        return {"type": ["object", "array", "null"], "additionalProperties": PARAM.schema()}


SWEEP = Section(
    SweepPlan,
    Key("metric", Texts(Text()), "what is compared: score, probability.CLASS or a saved metric."),
    Key("direction", Texts(Text()), "max (default) or min, of each metric."),
    Key("sampler", Choice(*SAMPLERS), "how values are chosen."),
    Key("trials", Number(minimum=1, maximum=MOST_TRIALS, whole=True), "number of trials."),
    Key("seed", Number(minimum=0, maximum=2**32 - 1, whole=True), "the same one: the same trials."),
    Key("params", SweepParams(), "STEP.KEY of each arg that is swept, with its values."),
)


def check_sweep(sweep: SweepPlan, reader: NodeReader) -> None:
    """Report to the reader what does not fit together."""
    for name, param in sweep.params.items():
        at = f"{AT}.params.{name}"
        has_range = f"{at}.range" in reader.places  # which may be wrong, as was said then
        if bool(param.choices) == has_range:
            reader.complain(at, f"{name} takes a range or choices, one of them")
        elif param.choices and (param.step is not None or param.scale):
            reader.complain(at, f"{name} has choices: step and scale are for a range")
    for direction in sweep.direction:
        if direction not in DIRECTIONS:
            reader.complain(f"{AT}.direction", f"'{direction}' is not max or min")
    if len(sweep.direction) > max(1, len(sweep.metric)):
        reader.complain(f"{AT}.direction", "there are more directions than metrics")
