"""Keep the train pictures as a model, and measure how well they tell new ones."""

import json
from pathlib import Path

from neighbours import vote

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the train pipeline: leaves a model and a summary."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()  # what the step before saved

    @Asset.decorator_run
    def run(self):
        pictures = [picture["pixels"] for picture in self.data["pictures"]]
        model = list(zip(self.data["labels"], pictures, strict=True))

        # With scikit-learn: KNeighborsClassifier().fit(pictures, labels), kept with joblib.dump
        file = Path(self.asset.get_model_path()) / "model.json"
        file.write_text(json.dumps(model), encoding="utf-8")

        self.measure(model)
        self.asset.save_data(self.data)  # each step has to call save_data and save_config
        self.asset.save_config(self.config)

    def measure(self, model):
        """The accuracy with which each picture is classified by all the others."""
        right, labels = 0, [label for label, _ in model]
        for number, (label, picture) in enumerate(model):
            shares = vote(model[:number] + model[number + 1 :], picture)
            right += max(shares, key=shares.get) == label
        accuracy = right / len(model)

        self.asset.save_info(
            f"{right} of {len(model)} pictures classified correctly by the others", show=True
        )
        self.asset.save_summary(
            result=f"accuracy {accuracy:.2f}",
            score=accuracy,
            note="each picture classified by all the others; probability: share of each class",
            probability={name: labels.count(name) / len(labels) for name in sorted(set(labels))},
        )
