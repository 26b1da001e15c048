"""How the results of a solution are reviewed: which columns mean what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alo.review.labels import Label

ROW, REQUEST = "row", "request"
UNITS = (ROW, REQUEST)
FOLDERS, CSV = "folders", "csv"
USUAL_LABEL = "label"  # the column of the train data, where nothing says another


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTruth:
    """How train data of pictures says their labels."""

    layout: str = FOLDERS  # a folder for each label, or csv: a table
    file: str = ""  # the table, below the train data
    path: str = ""  # its column with the picture's path


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSettings:
    """The ``review:`` of a plan, or the options of ``alo review new``."""

    unit: str = ROW  # a record is a row of output.csv, or a whole run
    prediction: str = "prediction"  # the column that people correct
    probabilities: Mapping[str, str] = field(default_factory=dict)  # class -> column
    certainty: str = ""  # the column with how certain the prediction is, 0 to 1
    key: str = ""  # the column that joins output.csv to the input rows
    image: str = ""  # the column with the picture's name in the input folder
    label: str = ""  # the column of the train data that the label becomes
    truth: PictureTruth = PictureTruth()
    labels: Sequence[Label | str] = ()  # empty: the classes that were seen
    label_keys: Mapping[str, str] = field(default_factory=dict)  # name of a label -> its key
    label_colours: Mapping[str, str] = field(default_factory=dict)  # name -> #rrggbb
    slices: Sequence[str] = ()  # columns whose values the gate looks at one by one
    gate: Mapping[str, float] = field(default_factory=dict)  # rules in place of the plan's

    def overridden(self, given: Mapping[str, Any]) -> ReviewSettings:
        """These, with what is given in their place; what is empty is not given."""
        said = {key: value for key, value in given.items() if value}
        if "probabilities" in said:
            said.setdefault("certainty", "")
        elif "certainty" in said:
            said["probabilities"] = {}
        return replace(self, **said)

    @classmethod
    def of(cls, asked: Mapping[str, object]) -> ReviewSettings:
        """What the columns of a stored review mean, by what it was asked for."""

        def text(key: str, default: str = "") -> str:
            return str(asked.get(key) or default)

        probabilities, slices = asked.get("probabilities"), asked.get("slices")
        truth, gate = asked.get("truth"), asked.get("gate")
        return cls(
            unit=text("unit", ROW),
            prediction=text("prediction", "prediction"),
            probabilities=dict(probabilities) if isinstance(probabilities, Mapping) else {},
            certainty=text("certainty"),
            key=text("key"),
            image=text("image"),
            label=text("label"),
            truth=PictureTruth(**truth) if isinstance(truth, Mapping) else PictureTruth(),
            slices=list(slices) if isinstance(slices, Sequence) else (),
            gate=dict(gate) if isinstance(gate, Mapping) else {},
        )
