"""The keys of ``review``: which columns of results mean what, and what a new model has to reach."""

from collections import Counter

from alo.label_keys import MOST_LABELS, wrong_label_key
from alo.plan.keys.sections import Key, Section, entries
from alo.plan.keys.shapes import Choice, Number, Schema, Shape, Text, Texts
from alo.plan.model import Gate, ReviewLabel, ReviewPlan, Truth
from alo.plan.yaml_nodes.reader import NodeReader, found, is_blank
from alo.plan.yaml_nodes.tree import MappingNode, Node, ScalarNode, SequenceNode

AT = "review"  # where a plan has it
UNITS = ("row", "request")
LAYOUTS = ("csv", "folders")
MOST_ROWS = 1_000_000_000


class Columns(Shape[dict[str, str]]):
    """Classes, each with the column that has its probability."""

    item = Text(what="the name of a column")

    def read_filled(self, node: Node, key: str, reader: NodeReader) -> dict[str, str]:
        """The columns by class."""
        read: dict[str, str] = {}
        for name, pair in entries(node, key, reader):
            column = self.item.read(pair.value, f"{key}.{name}", reader)
            if column:
                read[name] = column
        return read

    def schema(self) -> Schema:
        """A mapping, or a list of mappings, of texts."""
        return {
            "type": ["object", "array", "null"],
            "additionalProperties": self.item.schema(),
        }


LABEL = Section(
    ReviewLabel,
    Key("name", Text(), "what it is called.", required=True),
    Key("key", Text(), "key that gives it on the label screen, one letter."),
    Key("colour", Text(pattern=r"#[0-9a-fA-F]{6}\s*$"), "colour, as #1f5f9f."),
    both_forms=False,
)


class LabelList(Shape[tuple[ReviewLabel, ...]]):
    """Labels: names, or mappings with a name, a key and a colour."""

    def read_filled(
        self, node: Node, key: str, reader: NodeReader
    ) -> tuple[ReviewLabel, ...] | None:
        """The labels in their order."""
        if not isinstance(node, SequenceNode):
            reader.misfit(key, f"expected a list of labels, found {found(node)}")
            return None
        read: list[ReviewLabel] = []
        for number, item in enumerate(each for each in node.value if not is_blank(each)):
            place = f"{key}[{number}]"
            if isinstance(item, MappingNode):
                label = LABEL.read(item, place, reader)
            elif isinstance(item, ScalarNode):
                name = Text().read(item, place, reader)
                label = ReviewLabel(name) if name else None
            else:
                reader.misfit(place, f"expected a label, found {found(item)}", item)
                continue
            if label is not None:
                read.append(label)
        return tuple(read)

    def schema(self) -> Schema:
        """A list of texts or sections."""
        return {
            "type": ["array", "null"],
            "items": {"anyOf": [Text().schema(), LABEL.schema()]},
        }


TRUTH = Section(
    Truth,
    Key(
        "layout", Choice(*LAYOUTS), "csv: a table has each picture's label; folders: its folder is."
    ),
    Key("file", Text(), "the table, below the train data."),
    Key("path", Text(), "the table's column with the picture's path."),
)

GATE = Section(
    Gate,
    Key("min_rows", Number(minimum=0, maximum=MOST_ROWS, whole=True), "fewest test rows."),
    Key("max_loss", Number(minimum=0, maximum=1), "share by which a new model may be worse."),
    Key("min_gain", Number(minimum=0, maximum=1), "share by which it has to be better."),
    Key(
        "slice_min_rows",
        Number(minimum=0, maximum=MOST_ROWS, whole=True),
        "fewest test rows of a slice that is looked at.",
    ),
    Key("slice_max_loss", Number(minimum=0, maximum=1), "share that a slice may lose."),
)

REVIEW = Section(
    ReviewPlan,
    Key("unit", Choice(*UNITS), "what a record is: a row of output.csv, or a request as a whole."),
    Key("prediction", Text(), "column that people correct."),
    Key("probabilities", Columns(), "class → column with its probability; of two one is enough."),
    Key("certainty", Text(), "column with how certain the prediction is, 0 to 1."),
    Key("key", Text(), "column that joins output.csv to the input. Empty: by position."),
    Key("image", Text(), "column with the picture's name in the input folder."),
    Key("label", Text(), "column of the train data that the label becomes. Empty: label."),
    Key("truth", TRUTH, "how train data of pictures says their labels."),
    Key("labels", LabelList(), "labels that can be given. Empty: the classes that were seen."),
    Key("slices", Texts(Text()), "columns whose values the gate looks at one by one."),
    Key("gate", GATE, "what a new model has to reach before it is deployed."),
)


def check_review(review: ReviewPlan, reader: NodeReader) -> None:
    """Report to the reader what does not fit together."""
    if review.probabilities and review.certainty:
        reader.complain(f"{AT}.certainty", "there are probabilities, too: keep one of them")
    if review.truth is not None and not review.image:
        reader.complain(f"{AT}.truth", "it is of pictures, and 'image' names no column of them")
    if review.truth is not None and review.truth.layout == "csv":
        for name in ("file", "path"):
            if not getattr(review.truth, name):
                reader.complain(f"{AT}.truth", f"the layout csv needs '{name}'")
    if len(review.labels) > MOST_LABELS:
        what = f"a review has at most {MOST_LABELS:,} labels, not {len(review.labels):,}"
        reader.complain(f"{AT}.labels", what)
        return
    for name, times in Counter(label.name for label in review.labels).items():
        if times > 1:
            reader.complain(f"{AT}.labels", f"'{name}' is there more than once")
    keys = [label.key for label in review.labels]
    for number, key in enumerate(keys):
        if key and (why := wrong_label_key(key)):
            reader.complain(f"{AT}.labels[{number}].key", why)
        elif key and key in keys[:number]:
            what = f"the key '{key}' is given to more than one label"
            reader.complain(f"{AT}.labels[{number}].key", what)
