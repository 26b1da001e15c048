"""Write the data files of this example from scikit-learn's bundled breast cancer set.

Run it again and the same files come out, byte for byte: the split is fixed by SEED.

    sample_data/train/patients.csv      455 patients with their diagnosis
    sample_data/inference/patients.csv  114 other patients, without it
    sample_data/inference_truth.csv     the diagnosis of those 114; no pipeline reads it

Each row is one breast mass; its 30 numbers describe the cell nuclei in a microscope image of it
(radius, texture and so on; of each the mean, its standard error and the worst).
Source: W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic),
UCI Machine Learning Repository, 1995, doi:10.24432/C5DW2B, CC BY 4.0.
"""

from pathlib import Path

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

SAMPLE_DATA = Path(__file__).parent / "sample_data"
SEED = 7


def main() -> None:
    patients = read_patients()
    train, inference = train_test_split(
        patients, test_size=0.2, stratify=patients["diagnosis"], random_state=SEED
    )
    train, inference = train.sort_index(), inference.sort_index()

    write(train, "train/patients.csv")
    write(inference.drop(columns="diagnosis"), "inference/patients.csv")
    write(inference[["patient", "diagnosis"]], "inference_truth.csv")


def read_patients():
    """All 569 patients: an id, the 30 measurements and the diagnosis in words."""
    bunch = load_breast_cancer(as_frame=True)
    patients = bunch.data.rename(columns=lambda name: name.replace(" ", "_"))
    patients.insert(0, "patient", [f"P{number:03d}" for number in range(1, len(patients) + 1)])
    patients["diagnosis"] = bunch.target.map(dict(enumerate(bunch.target_names)))
    return patients


def write(table, name: str) -> None:
    path = SAMPLE_DATA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
