"""Say what each picture shows, in a table and on a contact sheet."""

import csv
import json
from pathlib import Path
from statistics import fmean

from neighbours import vote
from sheet import contact_sheet

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the inference pipeline: leaves output.csv, output.png and a summary."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()  # what the step before saved
        self.neighbours = self.asset.check_args("neighbours", default=5, chng_type="int")
        self.unsure_below = self.asset.check_args("unsure_below", default=0.8, chng_type="float")

    @Asset.decorator_run
    def run(self):
        # In a step named "inference" this is the folder that the step "train" wrote its model to.
        file = Path(self.asset.get_model_path()) / "model.json"
        model = json.loads(file.read_text(encoding="utf-8"))

        pictures = self.data["pictures"]
        shares = [vote(model, picture["pixels"], self.neighbours) for picture in pictures]
        predicted = [max(share, key=share.get) for share in shares]
        certainty = [max(share.values()) for share in shares]

        # In output/ there may be one table and one image; more goes to get_extra_output_path().
        folder = Path(self.asset.get_output_path())
        with open(folder / "output.csv", "w", newline="", encoding="utf-8") as file:
            rows = zip(self.data["names"], predicted, certainty, strict=True)
            csv.writer(file).writerows([("file", "shows", "certainty"), *rows])
        is_unsure = [value < self.unsure_below for value in certainty]
        sheet = contact_sheet(pictures, is_unsure)
        (folder / "output.png").write_bytes(sheet)

        self.asset.save_summary(
            result=f"{len(predicted)} pictures, {sum(is_unsure)} unsure",
            score=fmean(certainty),
            note="score: mean certainty; probability: share of each class",
            probability={name: predicted.count(name) / len(predicted) for name in shares[0]},
        )
        self.asset.save_data(self.data)  # each step has to call save_data and save_config
        self.asset.save_config(self.config)
