"""Say which digit each picture shows, and how certain that is."""

from pathlib import Path

import joblib
import pandas as pd

from alolib.asset import Asset


class UserAsset(Asset):
    """Second step of the inference pipeline: adds ``predictions`` to the data."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()

    @Asset.decorator_run
    def run(self):
        # In a step named "inference" this is the folder that the step "train" wrote its model to.
        model = joblib.load(Path(self.asset.get_model_path()) / "model.joblib")
        x = self.data["pictures"].reshape(len(self.data["names"]), -1) / 255

        # Which share of a picture's neighbours shows which digit: a row each, a column a digit.
        shares = model.predict_proba(x)
        predictions = pd.DataFrame(
            {
                "file": self.data["names"],
                "digit": model.classes_[shares.argmax(axis=1)],
                "certainty": shares.max(axis=1).round(4),
            }
        )
        self.data["predictions"] = predictions
        self.asset.save_summary(
            result=f"{len(predictions)} pictures read",
            score=predictions["certainty"].mean(),
            note="score: mean certainty; probability: share of each digit",
            probability=predictions["digit"].value_counts(normalize=True).sort_index().to_dict(),
        )
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
