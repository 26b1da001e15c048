"""A project whose inference writes the rows that a test wants, and its runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from alo.database.connection import Database
from alo.database.opening import open_database
from alo.layout import Workspace
from alo.loop.new_review import NewReview, ReviewRequest, new_review
from alo.review.settings import ReviewSettings

OUTPUT = """
rows = self.args["rows"]
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write("id,prediction,p\\n")
    file.writelines(",".join(map(str, row)) + "\\n" for row in rows)
self.asset.save_summary("fine", 0.5, probability={"fine": 0.6, "poor": 0.4})
"""
ROWS: Sequence[Sequence[object]] = [
    [f"k{n}", "good" if n % 3 else "bad", round(0.5 + n / 50, 2)] for n in range(20)
]

Predict = Callable[..., str]
Make = Callable[..., NewReview]
Give = Callable[[Mapping[str, str | bytes]], None]


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    """A project with an inference pipeline that writes what its arg `rows` says."""
    return make_solution(inference={"infer": OUTPUT}, args={"infer": {"rows": []}})


@pytest.fixture
def predict(home: Path, run: Callable[..., object]) -> Predict:
    """``predict(rows)``: an inference run with these predictions; returns its id."""

    def predict_it(rows: Sequence[Sequence[object]] = ROWS, status: str = "success") -> str:
        plan = home / "solution/experimental_plan.yaml"
        content = json.loads(plan.read_text())
        content["user_parameters"]["inference_pipeline"][0]["args"] = {"rows": list(rows)}
        plan.write_text(json.dumps(content))
        (outcome,) = run(home, mode="inference")  # type: ignore[misc]
        assert outcome.status == status
        return str(outcome.run_id)

    return predict_it


@pytest.fixture
def database(home: Path) -> Iterator[Database]:
    database = open_database(Workspace(home))
    yield database
    database.close()


@pytest.fixture
def make(home: Path, database: Database) -> Make:
    """``make(random=4, key="id")``: a review of the project's runs."""

    def make_it(name: str = "patients", **given: object) -> NewReview:
        names = set(ReviewSettings.__dataclass_fields__)
        settings = {key: value for key, value in given.items() if key in names}
        asked = {key: value for key, value in given.items() if key not in names}
        request = ReviewRequest(
            name=name,
            person="ada",
            time="2026-01-01T00:00:00Z",
            settings=ReviewSettings(**settings),  # type: ignore[arg-type]
            **asked,  # type: ignore[arg-type]
        )
        return new_review(Workspace(home), database, request)

    return make_it


@pytest.fixture
def give(home: Path) -> Give:
    """``give({"rows.csv": "id,x\\n"})``: the input of the project's next inference."""

    def give_it(files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = home / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        plan = home / "solution/experimental_plan.yaml"
        said = json.loads(plan.read_text())
        said["external_path"] = [{"load_inference_data_path": "./data/"}]
        plan.write_text(json.dumps(said))

    return give_it
