"""The breast cancer example served, against its own work in a bare function that stays warm.

The function reads the same table, transforms, predicts and writes the same files: the result, the
least certain rows, the summary. A request is timed from its push until both answers are there.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.bench_loop import redis_server, served
from benchmarks.processes import alo, python, run
from benchmarks.rows import Row, show

EXAMPLE = Path(__file__).parents[1] / "examples" / "breast_cancer"
WARM, ROUNDS = 20, 200


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as port:
        home = Path(folder) / "example"
        for name in ("assets", "solution", "sample_data"):
            shutil.copytree(EXAMPLE / name, home / name)
        plan = home / "solution" / "experimental_plan.yaml"
        keep = "control:\n  - backup_artifacts: False\n"
        plan.write_text(plan.read_text().replace("control:\n", keep))
        run(alo("run", "--project", home, "--mode", "train"))
        with served(home, port):
            times = _ask(port, home / "sample_data" / "inference")
        _, text = run(python("-m", __spec__.name, home, Path(folder) / "bare"))
    return [Row("breast cancer, served : bare function", times * 1e3, float(text), 1.6, "ms")]


def _ask(port: int, data: Path) -> float:
    """Median seconds of a request."""
    import redis

    client = redis.Redis(port=port)
    pipeline = {"type": "inference", "dataset_uri": [f"{data}/"], "parameters": {}}
    request = json.dumps({"solution_metadata": {"pipeline": [pipeline]}})
    times = []
    for _ in range(WARM + ROUNDS):
        began = time.perf_counter()
        client.rpush("request_inference", request)
        for name in ("inference_summary", "inference_artifacts"):
            _, text = client.blpop(name)
            if json.loads(text)["status"] != "success":
                raise RuntimeError(text)
        times.append(time.perf_counter() - began)
    return median(times[WARM:])


def _bare(home: Path, target: Path) -> float:
    """Median milliseconds of the bare function."""
    import joblib
    import numpy as np
    import pandas as pd

    models = home / "train_artifacts" / "models"
    steps = joblib.load(models / "preprocess" / "preprocess.joblib")
    kept = joblib.load(models / "train" / "model.joblib")
    target.mkdir()

    def predict() -> None:
        table = pd.read_csv(home / "sample_data" / "inference" / "patients.csv")
        x = steps.transform(table[list(steps.feature_names_in_)])
        probability = kept["model"].predict_proba(x)[:, 1]
        is_positive = probability >= 0.5
        found = pd.DataFrame(
            {
                "prediction": np.where(is_positive, kept["positive"], kept["negative"]),
                "probability": probability.round(4),
            }
        )
        result = pd.concat([table[["patient"]], found], axis=1)
        result.to_csv(target / "output.csv", index=False)
        doubt = (result["probability"] - 0.5).abs()
        unsure = result.loc[doubt.sort_values().index].head(10)
        unsure.to_csv(target / "least_certain.csv", index=False)
        counts = result["prediction"].value_counts()
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        score = np.maximum(probability, 1 - probability).mean()
        (target / "inference_summary.yaml").write_text(f"result: {told}\nscore: {score}\n")

    times = []
    for _ in range(WARM + ROUNDS):
        began = time.perf_counter()
        predict()
        times.append(time.perf_counter() - began)
    return median(times[WARM:]) * 1e3


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(str(_bare(Path(sys.argv[1]), Path(sys.argv[2]))))
    else:
        show(measure())
