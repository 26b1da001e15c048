"""Learn what is usual: mean and standard deviation of the numbers in the train data."""

import json
from pathlib import Path
from statistics import fmean, stdev

from alolib.asset import Asset


class UserAsset(Asset):
    """The one step of the train pipeline."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)

    @Asset.decorator_run
    def run(self):
        files = Path(self.asset.get_input_path()).rglob("*.txt")
        numbers = [float(line) for file in files for line in file.read_text().split()]
        model = {"mean": fmean(numbers), "stdev": stdev(numbers)}

        file = Path(self.asset.get_model_path()) / "model.json"
        file.write_text(json.dumps(model))

        self.asset.save_info(f"learned from {len(numbers)} numbers: {model}", show=True)
        self.asset.save_data({})  # for the next step, if there is one
        self.asset.save_config(self.asset.load_config())
