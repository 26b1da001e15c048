"""Say for each row which class it is, and how probable that is."""

import csv
import json
from pathlib import Path
from statistics import fmean

from bayes import classify

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the inference pipeline: leaves output.csv and a summary."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()  # what the step before saved
        self.unsure_below = self.asset.check_args("unsure_below", default=0.8, chng_type="float")

    @Asset.decorator_run
    def run(self):
        # In a step named "inference" this is the folder that the step "train" wrote its model to.
        file = Path(self.asset.get_model_path()) / "model.json"
        model = json.loads(file.read_text(encoding="utf-8"))

        table = self.data["table"]
        rows = [[float(row[name]) for name in model["columns"]] for row in table]
        predicted = [classify(model["classes"], row) for row in rows]

        self.write(table, predicted)
        self.sum_up(predicted)
        self.asset.save_data(self.data)  # each step has to call save_data and save_config
        self.asset.save_config(self.config)

    def write(self, table, predicted):
        """The rows as they came, with two more columns."""
        # In output/ there may be one table and one image; more goes to get_extra_output_path().
        path = Path(self.asset.get_output_path()) / "output.csv"
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*table[0], "prediction", "probability"])
            writer.writeheader()
            for row, shares in zip(table, predicted, strict=True):
                best = max(shares, key=shares.get)
                writer.writerow({**row, "prediction": best, "probability": round(shares[best], 4)})

    def sum_up(self, predicted):
        certainty = [max(shares.values()) for shares in predicted]
        unsure = sum(value < self.unsure_below for value in certainty)
        self.asset.save_info(f"{unsure} of {len(predicted)} rows are unsure", show=True)
        self.asset.save_summary(
            result=f"{len(predicted)} rows, {unsure} unsure",
            score=fmean(certainty),
            note="score: mean certainty; probability: mean share of each class",
            probability={
                name: fmean(shares[name] for shares in predicted) for name in predicted[0]
            },
        )
