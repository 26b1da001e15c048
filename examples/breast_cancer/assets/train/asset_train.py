"""Fit a model, measure it on patients it has not seen, and write a report with plots."""

from pathlib import Path

import joblib
from report import write_report
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the train pipeline: leaves the model, a summary and a report."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()
        self.share = self.asset.check_args("validation_share", default=0.25, chng_type="float")
        self.positive = self.asset.check_args("positive_class", is_required=True)

    @Asset.decorator_run
    def run(self):
        x, y = self.data["x"], self.data["y"] == self.positive
        x_fit, x_check, y_fit, y_check = train_test_split(
            x, y, test_size=self.share, stratify=y, random_state=0
        )
        model = self.make_model().fit(x_fit, y_fit)
        self.measure(model, x_check, y_check)

        # Measured on a part, the model that stays learns from every patient.
        model = model.fit(x, y)
        negative = next(name for name in self.data["y"].unique() if name != self.positive)
        joblib.dump(
            {"model": model, "positive": self.positive, "negative": negative},
            Path(self.asset.get_model_path()) / "model.joblib",
        )
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)

    def make_model(self):
        kind = self.asset.check_args("model", default="logistic_regression")
        if kind == "logistic_regression":
            return LogisticRegression(max_iter=1000)
        if kind == "random_forest":
            trees = self.asset.check_args("n_estimators", default=200, chng_type="int")
            return RandomForestClassifier(n_estimators=trees, random_state=0)
        self.asset.save_error(f"model is '{kind}'; it can be logistic_regression or random_forest")

    def measure(self, model, x, y):
        """Summary and report of a model on patients that it was not fitted to."""
        probability = model.predict_proba(x)[:, 1]
        accuracy = accuracy_score(y, probability >= 0.5)
        auc = roc_auc_score(y, probability)
        self.asset.save_info(f"accuracy {accuracy:.3f}, ROC AUC {auc:.3f}", show=True)
        self.asset.save_summary(
            result=f"accuracy {accuracy:.3f}",
            score=auc,
            note=f"score: ROC AUC on {len(y)} patients that the model had not seen",
            # What served patients are compared with: the share of each class among these.
            probability=self.data["y"].value_counts(normalize=True).to_dict(),
        )
        write_report(self.asset.get_report_path(), model, x, y, probability, self.positive)
