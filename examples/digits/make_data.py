"""Write the pictures of this example from scikit-learn's bundled set of hand-written digits.

Run it again and the same files come out: of each digit the first pictures of the set are for
training, the next ones for inference.

    sample_data/train/<digit>/<number>.png   300 pictures, in one folder for each digit
    sample_data/inference/<number>.png       100 other pictures; nothing says which digit they show
    sample_data/inference_truth.csv          which digit those 100 show; no pipeline reads it

Each picture is 8 x 8 grey pixels, white ink on black.
Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998, doi:10.24432/C50P49, CC BY 4.0.
"""

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

SAMPLE_DATA = Path(__file__).parent / "sample_data"
TRAIN_OF_EACH, INFERENCE_OF_EACH = 30, 10


def main() -> None:
    digits = load_digits()
    truth = []
    for digit in range(10):
        numbers = np.flatnonzero(digits.target == digit)[: TRAIN_OF_EACH + INFERENCE_OF_EACH]
        for number in numbers[:TRAIN_OF_EACH]:
            write_picture(digits.images[number], f"train/{digit}/{number:04d}.png")
        for number in numbers[TRAIN_OF_EACH:]:
            write_picture(digits.images[number], f"inference/{number:04d}.png")
            truth.append((f"{number:04d}.png", digit))

    with open(SAMPLE_DATA / "inference_truth.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("file", "digit"), *sorted(truth)])


def write_picture(pixels: np.ndarray, name: str) -> None:
    """The set counts ink from 0 to 16; a PNG file has 0 to 255."""
    path = SAMPLE_DATA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.minimum(pixels * 16, 255).astype(np.uint8)
    Image.fromarray(grey).save(path, optimize=True)


if __name__ == "__main__":
    main()
