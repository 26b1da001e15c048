"""Read the PNG files of the input folder into one array."""

from pathlib import Path

import numpy as np
from PIL import Image

from alolib.asset import Asset


class UserAsset(Asset):
    """First step of both pipelines: pictures in, an array of pixels and a list of names out."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        files = sorted(Path(self.asset.get_input_path()).rglob("*.png"))
        if not files:
            self.asset.save_error("there is no PNG file in the input data")
        self.asset.save_info(f"{len(files)} pictures", show=True)

        data = {
            "pictures": np.stack([np.asarray(Image.open(file).convert("L")) for file in files]),
            "names": [file.name for file in files],
        }
        if self.config["meta"]["pipeline"] == "train_pipeline":
            # Train pictures lie in one folder for each digit: 3/0042.png shows a 3.
            data["labels"] = [file.parent.name for file in files]
        self.asset.save_data(data)
        self.asset.save_config(self.config)
