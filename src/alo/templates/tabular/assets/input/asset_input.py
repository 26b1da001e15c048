"""Read the CSV files of the input folder into one table."""

import csv
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    """First step of both pipelines: CSV files in, a list of rows out."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()  # what steps tell each other

    @Asset.decorator_run
    def run(self):
        # The data is in a folder below the input path, so we look in all of them.
        files = sorted(Path(self.asset.get_input_path()).rglob("*.csv"))
        if not files:
            self.asset.save_error("there is no CSV file in the input data")

        # With pandas: table = pd.concat([pd.read_csv(file) for file in files])
        table = []
        for file in files:
            with open(file, newline="", encoding="utf-8-sig") as lines:
                table += csv.DictReader(lines)  # each row is {column: text}

        self.asset.save_info(f"{len(table)} rows from {len(files)} file(s)", show=True)
        self.asset.save_data({"table": table})  # for the next step
        self.asset.save_config(self.config)
