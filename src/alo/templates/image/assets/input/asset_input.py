"""Read the pictures of the input folder: each becomes a list of grey values."""

from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    """First step of both pipelines: PGM files in, pictures and their names out."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()  # what steps tell each other

    @Asset.decorator_run
    def run(self):
        # The data is in a folder below the input path, so we look in all of them.
        files = sorted(Path(self.asset.get_input_path()).rglob("*.pgm"))
        if not files:
            self.asset.save_error("there is no PGM file in the input data")

        data = {
            "names": [file.name for file in files],
            "pictures": [read_pgm(file) for file in files],
        }
        if self.config["meta"]["pipeline"] == "train_pipeline":
            # Train pictures are in one folder for each class: ring/04.pgm shows a ring.
            data["labels"] = [file.parent.name for file in files]

        self.asset.save_info(f"{len(files)} pictures", show=True)
        self.asset.save_data(data)  # for the next step
        self.asset.save_config(self.config)


def read_pgm(file):
    """A picture as {width, height, pixels}; pixels are 0 (black) to 1 (white), row after row.

    PGM is the format that Python reads without a library. With Pillow, for PNG and JPEG files:
    ``numpy.asarray(Image.open(file).convert("L")) / 255``.
    """
    _, width, height, brightest, *pixels = file.read_text(encoding="ascii").split()
    return {
        "width": int(width),
        "height": int(height),
        "pixels": [int(pixel) / int(brightest) for pixel in pixels],
    }
