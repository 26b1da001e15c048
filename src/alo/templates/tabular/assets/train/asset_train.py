"""Learn to tell the classes apart by what each column usually looks like in them (naive Bayes)."""

import json
from pathlib import Path

from bayes import classify, learn

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the train pipeline: leaves a model and a summary."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()  # what the step before saved
        self.y_column = self.asset.check_args("y_column", is_required=True)
        self.x_columns = self.asset.check_args("x_columns", default=[], chng_type="list")

    @Asset.decorator_run
    def run(self):
        table = self.data["table"]
        columns = self.x_columns or [name for name in table[0] if name != self.y_column]
        rows = [[float(row[name]) for name in columns] for row in table]
        classes = [row[self.y_column] for row in table]

        # With scikit-learn: model = GaussianNB().fit(rows, classes), kept with joblib.dump
        model = {"columns": columns, "classes": learn(rows, classes)}
        file = Path(self.asset.get_model_path()) / "model.json"
        file.write_text(json.dumps(model, indent=1), encoding="utf-8")

        self.measure(rows, classes)
        self.asset.save_data(self.data)  # each step has to call save_data and save_config
        self.asset.save_config(self.config)

    def measure(self, rows, classes):
        """The accuracy on rows that the model has not seen: every fifth is held out."""
        held_out = range(0, len(rows), 5)
        model = learn(
            [row for number, row in enumerate(rows) if number % 5],
            [name for number, name in enumerate(classes) if number % 5],
        )
        predicted = [
            max(shares, key=shares.get) for shares in (classify(model, rows[n]) for n in held_out)
        ]
        right = sum(
            classes[number] == name for number, name in zip(held_out, predicted, strict=True)
        )
        accuracy = right / len(held_out)

        self.asset.save_info(
            f"{right} of {len(held_out)} held-out rows classified correctly", show=True
        )
        self.asset.save_summary(
            result=f"accuracy {accuracy:.2f}",
            score=accuracy,
            note="on every fifth row, held out; probability: share of each class",
            probability={name: classes.count(name) / len(classes) for name in sorted(set(classes))},
        )
