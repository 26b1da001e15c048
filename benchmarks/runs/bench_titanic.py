"""Train and inference on a table like that of the Titanic, beside a plain script.

The data is made up (no download): 891 passengers to learn from and 418 to judge. The figure is
processor time of whole processes, which a waiting disk does not change.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from benchmarks.processes import Command, alo, by_turns, python
from benchmarks.rows import Row, show

ROUNDS = 7
COLUMNS = "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked"
PLAN = """\
name: titanic
external_path:
  - load_train_data_path: ./data/train/
  - load_inference_data_path: ./data/inference/
user_parameters:
  - train_pipeline:
    - step: input
      args:
    - step: train
      args:
        - trees: 100
  - inference_pipeline:
    - step: input
      args:
    - step: inference
      args:
    - step: output
      args:
"""

# What both do; the script and the assets differ only in where it stands.
IMPORTS = """\
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
"""
READ = """\
def read(folder):
    table = pd.concat([pd.read_csv(file) for file in sorted(Path(folder).rglob("*.csv"))])
    table["Title"] = table["Name"].str.extract(r", (\\w+)\\.", expand=False)
    table["Family"] = table["SibSp"] + table["Parch"] + 1
    return table
"""
TRAIN = """\
def train(table, trees, folder):
    model = make_pipeline(
        make_column_transformer(
            (SimpleImputer(strategy="median"), ["Pclass", "Age", "Fare", "Family"]),
            (OneHotEncoder(handle_unknown="ignore"), ["Sex", "Embarked", "Title"]),
        ),
        RandomForestClassifier(trees, random_state=0),
    )
    score = cross_val_score(model, table, table["Survived"], cv=3).mean()
    joblib.dump(model.fit(table, table["Survived"]), Path(folder) / "model.joblib")
    return score
"""
INFER = """\
def infer(table, folder):
    return joblib.load(Path(folder) / "model.joblib").predict(table)
"""
WRITE = """\
def write(table, survived, folder):
    result = pd.DataFrame({"PassengerId": table["PassengerId"], "Survived": survived})
    result.to_csv(Path(folder) / "output.csv", index=False)
"""
SCRIPT = """\
import sys

data, out = Path(sys.argv[1]), sys.argv[2]
print(train(read(data / "train"), 100, out))
table = read(data / "inference")
write(table, infer(table, out), out)
"""
ASSET = """\
from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        asset = self.asset
{body}
        asset.save_data(data)
        asset.save_config(asset.load_config())
"""
STEPS = {
    "input": (READ, ['data = {"table": read(asset.get_input_path())}']),
    "train": (
        TRAIN,
        [
            "data = asset.load_data()",
            'trees = asset.check_args("trees", is_required=True, chng_type="int")',
            'score = train(data["table"], trees, asset.get_model_path())',
            'asset.save_summary(result="trained", score=score)',
        ],
    ),
    "inference": (
        INFER,
        [
            "data = asset.load_data()",
            'data["survived"] = infer(data["table"], asset.get_model_path())',
        ],
    ),
    "output": (
        WRITE,
        [
            "data = asset.load_data()",
            'write(data["table"], data["survived"], asset.get_output_path())',
            'asset.save_summary(result="judged", score=data["survived"].mean())',
        ],
    ),
}


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        home, out, script = (Path(folder) / name for name in ("project", "out", "plain.py"))
        _write(home)
        out.mkdir()
        script.write_text("\n\n".join([IMPORTS, READ, TRAIN, INFER, WRITE, SCRIPT]))
        both, plain = by_turns(
            Command(alo("run", "--project", home)),
            Command(python(script, home / "data", out)),
            rounds=ROUNDS,
            warm_up=1,
        )
    what = "titanic-like train and inference : a plain script"
    return [
        Row(f"{what} (CPU)", both.cpu_s, plain.cpu_s, 1.08, "s"),
        Row(what, both.wall_s, plain.wall_s, None, "s"),
    ]


def _write(home: Path) -> None:
    for step, (code, body) in STEPS.items():
        asset = home / "assets" / step / f"asset_{step}.py"
        asset.parent.mkdir(parents=True)
        lines = "\n".join(f"        {line}" for line in body)
        asset.write_text("\n\n".join([IMPORTS, code, ASSET.format(body=lines)]))
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(PLAN)
    chance = random.Random(0)  # noqa: S311 - the same passengers each time
    for kind, first, last in (("train", 1, 891), ("inference", 892, 1309)):
        rows = [_passenger(number, chance) for number in range(first, last + 1)]
        table = home / "data" / kind / "passengers.csv"
        table.parent.mkdir(parents=True)
        table.write_text("\n".join([COLUMNS, *rows]) + "\n")


def _passenger(number: int, chance: random.Random) -> str:
    sex = chance.choice(("male", "female", "male"))
    title = "Mr" if sex == "male" else chance.choice(("Mrs", "Miss"))
    rank, age = chance.choice((1, 2, 3, 3)), chance.randint(1, 75)
    survived = chance.random() < (0.75 if sex == "female" else 0.2) + 0.08 * (2 - rank)
    shown = "" if chance.random() < 0.2 else age
    cabin = f"C{chance.randint(1, 120)}" if rank == 1 else ""
    fare = f"{90 / rank * (0.3 + chance.random()):.4f}"
    kin = f"{chance.choice((0, 0, 1, 2))},{chance.choice((0, 0, 1))}"
    name = f'"Doe{number}, {title}. Jo"'
    port = chance.choice("SSSCQ")
    cells = [number, int(survived), rank, name, sex, shown, kin, number * 7, fare, cabin, port]
    return ",".join(map(str, cells))


if __name__ == "__main__":
    show(measure())
