"""Learn the pictures of each digit, and measure by cross-validation how well that works."""

from pathlib import Path

import joblib
import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the train pipeline: leaves the model and a summary."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()

    @Asset.decorator_run
    def run(self):
        labels = self.data["labels"]
        x = self.data["pictures"].reshape(len(labels), -1) / 255  # a row of pixels each
        # A picture shows what most of the train pictures that look most like it show.
        neighbours = self.asset.check_args("neighbours", default=5, chng_type="int")
        model = KNeighborsClassifier(neighbours)
        self.measure(model, x, labels)

        joblib.dump(model.fit(x, labels), Path(self.asset.get_model_path()) / "model.joblib")
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)

    def measure(self, model, x, labels):
        """Each picture is judged by a model that was fitted without it."""
        folds = self.asset.check_args("folds", default=5, chng_type="int")
        counts = confusion_matrix(labels, cross_val_predict(model, x, labels, cv=folds))
        accuracy = counts.trace() / counts.sum()

        self.asset.save_info(f"accuracy {accuracy:.3f} in {folds} folds", show=True)
        self.asset.save_info(f"rows: truth, columns: prediction\n{counts}")
        self.asset.save_summary(
            result=f"accuracy {accuracy:.3f}",
            score=accuracy,
            note=f"{len(labels)} pictures, cross-validation in {folds} folds",
            # What served pictures are compared with: the share of each digit among these.
            probability=pd.Series(labels).value_counts(normalize=True).sort_index().to_dict(),
        )
