"""Write the predictions to output.csv and draw them on a contact sheet, output.png."""

from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from alolib.asset import Asset

FRAME = 4  # pixels around a picture
TEXT = 14  # height of the line below it


class UserAsset(Asset):
    """Last step of the inference pipeline: leaves the files that others read."""

    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = self.asset.load_data()
        self.columns = self.asset.check_args("columns", default=10, chng_type="int")
        self.zoom = self.asset.check_args("zoom", default=6, chng_type="int")
        self.doubt_below = self.asset.check_args("doubt_below", default=0.7, chng_type="float")

    @Asset.decorator_run
    def run(self):
        folder = Path(self.asset.get_output_path())
        self.data["predictions"].to_csv(folder / "output.csv", index=False)
        self.contact_sheet().save(folder / "output.png", optimize=True)

        self.asset.save_data(self.data)
        self.asset.save_config(self.config)

    def contact_sheet(self):
        """All pictures side by side, each above what the model says about it."""
        rows = self.data["predictions"].itertuples()
        cells = [self.cell(*pair) for pair in zip(self.data["pictures"], rows, strict=True)]
        width, height = cells[0].size
        size = (self.columns * width, ceil(len(cells) / self.columns) * height)
        sheet = Image.new("RGB", size, "white")
        for place, cell in enumerate(cells):
            row, column = divmod(place, self.columns)
            sheet.paste(cell, (column * width, row * height))
        return sheet

    def cell(self, pixels, said):
        """One picture with its prediction; framed in red where the model is in doubt."""
        in_doubt = said.certainty < self.doubt_below
        picture = Image.fromarray(pixels).convert("RGB")
        picture = ImageOps.scale(picture, self.zoom, Image.Resampling.NEAREST)
        picture = ImageOps.expand(picture, FRAME, "red" if in_doubt else "white")

        cell = Image.new("RGB", (picture.width, picture.height + TEXT), "white")
        cell.paste(picture, (0, 0))
        ImageDraw.Draw(cell).text(
            (picture.width / 2, picture.height),
            f"{said.digit}  {said.certainty:.0%}",
            fill="red" if in_doubt else "black",
            font=ImageFont.load_default(TEXT - 2),
            anchor="ma",  # middle, top
        )
        return cell
