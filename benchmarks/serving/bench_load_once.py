"""The breast cancer example served, against its own work in a bare function that stays warm.

The function does what the four assets do, with the same calls of pandas, and writes the same files:
the result, the least certain rows, the summary. A request is timed from its push until both
answers are there. Both take turns, in memory, so that a busy moment of the machine or of its disk
meets both.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.processes import alo, in_memory, python, run
from benchmarks.rows import Row, show
from benchmarks.serving.bench_loop import redis_server, served

EXAMPLE = Path(__file__).parents[2] / "examples" / "breast_cancer"
TURNS, IN_A_TURN = 11, 20  # the first turn of each warms it


def measure() -> list[Row]:
    with in_memory() as folder, redis_server(Path(folder)) as port:
        home = Path(folder) / "example"
        for name in ("assets", "solution", "sample_data"):
            shutil.copytree(EXAMPLE / name, home / name)
        plan = home / "solution" / "experimental_plan.yaml"
        keep = "control:\n  - backup_artifacts: False\n"
        plan.write_text(plan.read_text().replace("control:\n", keep))
        run(alo("run", "--project", home, "--mode", "train"))
        times, bare_times = list[float](), list[float]()
        with served(home, port), _bare_process(home, Path(folder) / "bare") as ask_bare:
            ask = _client(port, home / "sample_data" / "inference")
            for turn in range(TURNS):
                asked, computed = [ask() for _ in range(IN_A_TURN)], ask_bare()
                if turn:
                    times += asked
                    bare_times += computed
    what = "breast cancer, served : bare function"
    return [Row(what, median(times) * 1e3, median(bare_times) * 1e3, 1.6, "ms")]


def _client(port: int, data: Path) -> Callable[[], float]:
    """Returns what asks once, and gives the seconds until both answers were there."""
    import redis

    client = redis.Redis(port=port)
    pipeline = {"type": "inference", "dataset_uri": [f"{data}/"], "parameters": {}}
    request = json.dumps({"solution_metadata": {"pipeline": [pipeline]}})

    def ask() -> float:
        began = time.perf_counter()
        client.rpush("request_inference", request)
        for name in ("inference_summary", "inference_artifacts"):
            _, text = client.blpop(name)
            if json.loads(text)["status"] != "success":
                raise RuntimeError(text)
        return time.perf_counter() - began

    return ask


@contextmanager
def _bare_process(home: Path, target: Path) -> Iterator[Callable[[], list[float]]]:
    """Gives what calls the function so many times in a row, and has the seconds of each."""
    command = python("-m", __spec__.name, home, target)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        asked, reported = process.stdin, process.stdout

        def ask() -> list[float]:
            asked.write("\n")
            asked.flush()
            times: list[float] = json.loads(reported.readline())
            return times

        yield ask
        asked.close()


def _bare(home: Path, target: Path) -> Callable[[], float]:
    """The bare function, with its model loaded; it gives the seconds that it has taken."""
    import joblib
    import numpy as np
    import pandas as pd

    models, data = home / "train_artifacts" / "models", home / "sample_data" / "inference"
    steps = joblib.load(models / "preprocess" / "preprocess.joblib")
    kept = joblib.load(models / "train" / "model.joblib")
    positive, negative, threshold = kept["positive"], kept["negative"], 0.5
    target.mkdir()

    def predict() -> None:
        files = sorted(data.rglob("*.csv"))
        table = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
        x = steps.transform(table[list(steps.feature_names_in_)])
        probability = kept["model"].predict_proba(x)[:, 1]
        is_positive = probability >= threshold
        found = pd.DataFrame(
            {
                "prediction": np.where(is_positive, positive, negative),
                "probability": probability.round(4),
            }
        )
        share, score = probability.mean(), np.maximum(probability, 1 - probability).mean()
        (target / "inference_summary.yaml").write_text(
            f"result: {is_positive.sum()} of {len(probability)} {positive}\nscore: {score:.2f}\n"
            f"note: 'score: mean certainty; {positive} from {threshold:g} on'\n"
            f"probability:\n  {positive}: {share:.2f}\n  {negative}: {1 - share:.2f}\n"
        )
        result = pd.concat([table[["patient"]], found], axis=1)
        result.to_csv(target / "output.csv", index=False)
        doubt = (result["probability"] - 0.5).abs()
        unsure = result.loc[doubt.sort_values().index].head(10)
        unsure.to_csv(target / "least_certain.csv", index=False)
        counts = result["prediction"].value_counts()
        ", ".join(f"{count} {name}" for name, count in counts.items())

    def timed() -> float:
        began = time.perf_counter()
        predict()
        return time.perf_counter() - began

    return timed


if __name__ == "__main__":
    if len(sys.argv) > 1:
        call = _bare(Path(sys.argv[1]), Path(sys.argv[2]))
        for _ in sys.stdin:
            sys.stdout.write(json.dumps([call() for _ in range(IN_A_TURN)]) + "\n")
            sys.stdout.flush()
    else:
        show(measure())
