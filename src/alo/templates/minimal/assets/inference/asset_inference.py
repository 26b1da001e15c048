"""Tell which numbers are far from what is usual."""

import csv
import json
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    """The one step of the inference pipeline."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.tolerance = self.asset.check_args("tolerance", default=3, chng_type="float")

    @Asset.decorator_run
    def run(self):
        # In a step named "inference" this is the folder that the step "train" wrote its model to.
        model = json.loads((Path(self.asset.get_model_path()) / "model.json").read_text())
        files = Path(self.asset.get_input_path()).rglob("*.txt")
        numbers = [float(line) for file in files for line in file.read_text().split()]
        odd = [abs(x - model["mean"]) > self.tolerance * model["stdev"] for x in numbers]

        with open(Path(self.asset.get_output_path()) / "output.csv", "w", newline="") as file:
            csv.writer(file).writerows([("number", "is_odd"), *zip(numbers, odd, strict=True)])

        self.asset.save_summary(
            result=f"{sum(odd)} of {len(numbers)} odd",
            score=1 - sum(odd) / len(numbers),
            note="score: share of the numbers that are usual",
        )
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())
