"""The names that notebooks and programs for ALO 2.x use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import alo
from alo.errors import AloError, UsageError

MakeSolution = Callable[..., Path]
Model = Callable[[], str]


def test_main_runs_the_pipelines_more_than_once_in_a_process(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)

    for mode in ("train", "inference", "all"):
        alo.ALO(config=None, system=None, mode=mode, loop=False, computing="local").main()

    assert (home / "inference_artifacts/output/a.csv").read_text() == "6"


def test_a_failure_of_main_is_an_exception(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    (home / "assets/train/asset_train.py").unlink()

    with pytest.raises(AloError, match="asset_train"):
        alo.ALO(mode="train").main()


def test_a_pipeline_is_driven_by_the_calls_of_2x(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: Model
) -> None:
    monkeypatch.chdir(home)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_text("1")

    pipeline = alo.ALO().pipeline(pipeline_type="train_pipeline")
    pipeline.setup()
    pipeline.load(data_path=[str(tmp_path / "data")])
    pipeline.get_parameter("train")["factor"] = 3
    pipeline.run(steps="all")
    pipeline.run(steps=["train"])
    pipeline.save()

    assert model() == "18"
    assert (home / "input/train/data/x.csv").exists()
    assert pipeline.get_asset_source("train").code == "local"
    table = pipeline.history(parameter_steps=["train"])
    assert list(table["train.factor"]) == [3]
    assert len(pipeline.history(param_id=table.loc[0, "param_id"])) == 1
    assert len(pipeline.history(param_id="0" * 12)) == 0


def test_a_loop_wants_to_know_where_redis_is(
    make_solution: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALO_REDIS_URL", raising=False)

    with pytest.raises(UsageError, match="nothing says where Redis is"):
        alo.ALO(loop=True, project=make_solution({"train": ""})).main()


def test_what_is_not_supported_says_so() -> None:
    with pytest.raises(UsageError, match="is not supported"):
        alo.ALO(computing="ray")


def test_a_loop_is_not_served_by_another_thread(home: Path) -> None:
    def serve() -> None:
        alo.ALO(loop=True, project=home).main()

    with ThreadPoolExecutor(1) as pool, pytest.raises(UsageError, match="main thread only"):
        pool.submit(serve).result(60)


def test_what_a_program_was_not_given_is_as_if_left_out(home: Path) -> None:
    call = alo.ALO(config=None, system=None, mode=None, loop=None, computing=None, project=home)  # type: ignore[arg-type]

    assert [outcome.pipeline for outcome in call.main()] == ["train", "inference"]
