"""Read the CSV files of the input folder into one table."""

from pathlib import Path

import pandas as pd

from alolib.asset import Asset


class UserAsset(Asset):
    """First step of both pipelines: CSV files in, one table out."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        # The data is in a folder below the input path, so we look in all of them.
        files = sorted(Path(self.asset.get_input_path()).rglob("*.csv"))
        if not files:
            self.asset.save_error("there is no CSV file in the input data")

        table = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
        self.asset.save_info(f"{len(table)} rows, {len(table.columns)} columns", show=True)

        self.asset.save_data({"table": table})
        self.asset.save_config(self.config)
