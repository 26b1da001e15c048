"""Write the predictions to output.csv, and the least certain of them to a second table."""

from pathlib import Path

import pandas as pd

from alolib.asset import Asset


class UserAsset(Asset):
    """Last step of the inference pipeline: leaves the files that others read."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()

    @Asset.decorator_run
    def run(self):
        id_column = self.asset.check_args("id_column", is_required=True)
        table = pd.concat([self.data["table"][[id_column]], self.data["predictions"]], axis=1)
        table.to_csv(Path(self.asset.get_output_path()) / "output.csv", index=False)

        # Where the model is least sure. Extra files go here; output/ is for the result alone.
        doubt = (table["probability"] - 0.5).abs()
        unsure = table.loc[doubt.sort_values().index].head(10)
        unsure.to_csv(Path(self.asset.get_extra_output_path()) / "least_certain.csv", index=False)

        counts = table["prediction"].value_counts()
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.asset.save_info(f"{len(table)} patients: {told}", show=True)
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
