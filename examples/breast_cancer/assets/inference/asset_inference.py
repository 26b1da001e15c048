"""Tell for each patient how likely the mass is malignant, and sum the batch up."""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd

from alolib.asset import Asset


class UserAsset(Asset):
    """Third step of the inference pipeline: adds ``predictions`` to the data."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()
        self.threshold = self.asset.check_args("threshold", default=0.5, chng_type="float")

    @Asset.decorator_run
    def run(self):
        # In a step named "inference" this is the folder that the step "train" wrote its model to.
        model_file = Path(self.asset.get_model_path()) / "model.joblib"
        # A service loads it at the first request only.
        kept = self.asset.load_once("model", lambda: joblib.load(model_file))
        probability = kept["model"].predict_proba(self.data["x"])[:, 1]
        is_positive = probability >= self.threshold

        self.data["predictions"] = pd.DataFrame(
            {
                "prediction": np.where(is_positive, kept["positive"], kept["negative"]),
                "probability": probability.round(4),
            }
        )
        self.config["positive_class"] = kept["positive"]
        self.summarise(kept, probability, is_positive)
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)

    def summarise(self, kept, probability, is_positive):
        share = probability.mean()
        certainty = np.maximum(probability, 1 - probability).mean()
        self.asset.save_summary(
            result=f"{is_positive.sum()} of {len(probability)} {kept['positive']}",
            score=certainty,
            note=f"score: mean certainty; {kept['positive']} from {self.threshold:g} on",
            probability={kept["positive"]: share, kept["negative"]: 1 - share},
        )
