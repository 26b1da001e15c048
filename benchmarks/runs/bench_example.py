"""The breast-cancer example: its train run beside a plain script, and the lines it prints."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.processes import Command, alo, by_turns, python, run
from benchmarks.rows import Row, show

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer"

# The same reading, fitting and writing as the example's three train steps.
PLAIN = """\
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

home, out = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(home / "assets" / "train"))
from report import write_report

files = sorted((home / "sample_data" / "train").rglob("*.csv"))
table = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
columns = list(table.drop(columns="diagnosis").select_dtypes("number").columns)
steps = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
steps.set_output(transform="pandas").fit(table[columns])
joblib.dump(steps, out / "preprocess.joblib")
x, y = steps.transform(table[columns]), table["diagnosis"] == "malignant"
x_fit, x_check, y_fit, y_check = train_test_split(x, y, test_size=0.25, stratify=y, random_state=0)
model = LogisticRegression(max_iter=1000).fit(x_fit, y_fit)
probability = model.predict_proba(x_check)[:, 1]
print(accuracy_score(y_check, probability >= 0.5), roc_auc_score(y_check, probability))
write_report(str(out), model, x_check, y_check, probability, "malignant")
joblib.dump({"model": model.fit(x, y)}, out / "model.joblib")
"""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home, out, script = (Path(folder) / name for name in ("project", "out", "plain.py"))
        shutil.copytree(
            EXAMPLE, home, ignore=shutil.ignore_patterns("history", ".alo", "*artifacts")
        )
        out.mkdir()
        script.write_text(PLAIN)
        trained, plain = by_turns(
            Command(alo("run", "--mode", "train", "--project", home)),
            Command(python(script, home, out)),
            rounds=7,
            warm_up=1,
        )
        _, printed = run(alo("run", "--project", home))
    return [
        Row("breast cancer train : a plain script", trained.wall_s, plain.wall_s, 1.15, "s"),
        Row("lines printed, train and inference", len(printed.splitlines()), None, 39, ""),
    ]


if __name__ == "__main__":
    show(measure())
