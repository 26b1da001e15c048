"""Choose the measurements, fill gaps and bring all of them to one scale.

The train pipeline learns how; the inference pipeline does the same to new patients.
"""

from pathlib import Path

import joblib
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from alolib.asset import Asset

SCALERS = {"standard": StandardScaler, "robust": RobustScaler}


class UserAsset(Asset):
    """Second step of both pipelines: adds ``x``, and in training ``y``, to the data."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()
        # The same folder in both pipelines: train_artifacts/models/preprocess/
        self.model_file = Path(self.asset.get_model_path()) / "preprocess.joblib"

    @Asset.decorator_run
    def run(self):
        if self.config["meta"]["pipeline"] == "train_pipeline":
            self.learn()
        self.apply()

        self.asset.save_data(self.data)
        self.asset.save_config(self.config)

    def learn(self):
        """Fit on the train data and keep the result, together with the names of the columns."""
        table = self.data["table"]
        y_column = self.asset.check_args("y_column", is_required=True)
        x_columns = self.asset.check_args("x_columns", default=[], chng_type="list")
        if not x_columns:
            x_columns = list(table.drop(columns=y_column).select_dtypes("number").columns)
        scaler = SCALERS[self.asset.check_args("scaler", default="standard")]()

        steps = make_pipeline(SimpleImputer(strategy="median"), scaler)
        steps.set_output(transform="pandas").fit(table[x_columns])
        joblib.dump(steps, self.model_file)
        self.data["y"] = table[y_column]

    def apply(self):
        steps = self.asset.load_once("steps", lambda: joblib.load(self.model_file))
        x_columns = list(steps.feature_names_in_)
        self.data["x"] = steps.transform(self.data["table"][x_columns])
        self.config["x_columns"] = x_columns
        self.asset.save_info(f"{len(x_columns)} measurements of each patient")
