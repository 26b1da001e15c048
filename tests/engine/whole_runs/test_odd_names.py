"""Names that are no UTF-8, or hold odd characters, go all the way: in, through history, out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.data.location import LocationError, locate

NAMES = ("a\udce9.csv", "b\n.csv", "c\\d", "-rf", " ", "한.csv", "e\u2028")

USE = """\
import os
names = sorted(name for _, _, files in os.walk(self.asset.get_input_path()) for name in files)
self.asset.save_info(f"{len(names)} files: {names[0]}", show=True)
print(names[0].encode("utf-8", "surrogateescape"))
self.data["names"] = names
"""
TRAIN = f"""{USE}
for name in names:
    Path(self.asset.get_model_path(), name).write_text(name, "utf-8", "surrogateescape")
"""
INFERENCE = f"""{USE}
assert sorted(os.listdir(self.asset.get_model_path())) == names
Path(self.asset.get_output_path(), "o\\udce9.csv").write_text("1")
self.asset.save_summary("r\\udce9", 1, names[0], {{"c\\udce9": 1}})
"""


@pytest.fixture
def home(make_solution: Callable[..., Path], tmp_path: Path, mode: str) -> Path:
    """In a folder whose own name is none."""
    data = tmp_path / "data"
    (data / "sub\udcff").mkdir(parents=True)
    for name in NAMES:
        (data / "sub\udcff" / name).write_text("1")
    return make_solution(
        {"train": TRAIN},
        {"inference": INFERENCE},
        home=tmp_path / "p\udce9",
        external={
            "load_train_data_path": str(data),
            "load_inference_data_path": str(data),
            "save_train_artifacts_path": str(tmp_path / "out"),
            "save_inference_artifacts_path": str(tmp_path / "out"),
        },
        control={"interface_mode": mode, "save_inference_format": "zip"},
    )


@pytest.mark.parametrize("mode", ["memory", "file"])
@pytest.mark.parametrize("language", ["C.UTF-8", "C"])
def test_names_of_any_bytes_go_all_the_way(
    home: Path, alo: Callable[..., Any], tmp_path: Path, language: str
) -> None:
    options = {"cwd": home, "env": {**os.environ, "LC_ALL": language}, "encoding": "utf-8"}

    ran = alo("run", "--json", **options)
    assert ran.returncode == 0, ran.stderr
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    (train,) = (home / "history/train").iterdir()
    listed = json.loads(alo("history", "--json", **options).stdout)
    shown = json.loads(alo("history", "show", train.name, "--json", **options).stdout)
    again = alo("run", **options)
    checked = alo("history", "verify", **options)
    rerun = alo("history", "rerun", train.name, **options)

    ended = [each["payload"] for each in events if each["event"] == "run_finished"]
    assert [each["status"] for each in ended] == ["success"] * 2
    assert len(listed) == 2
    record = json.loads((train / "log/experimental_history.json").read_text("utf-8"))
    assert set(record["data_id_description"]["files"]) == {f"data/sub\udcff/{n}" for n in NAMES}
    assert shown
    assert sorted(os.listdir(train / "models/train")) == sorted(NAMES)
    for done in (again, checked, rerun):
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert {"model.tar.gz", "inference_artifacts.zip"} <= set(os.listdir(tmp_path / "out"))
    data_ids = {
        json.loads((entry / "log/experimental_history.json").read_text("utf-8"))["data_id"]
        for entry in (home / "history/train").iterdir()
    }
    assert len(data_ids) == 1


@pytest.mark.parametrize("key", ["dataset_uri", "artifact_uri", "model_uri"])
@pytest.mark.parametrize("path", ["a\0b", "\ud800", "s3://bucket/\0", "http://127.0.0.1:9/\ud800"])
def test_metadata_with_what_no_path_can_hold_is_the_users_error(
    make_solution: Callable[..., Path], alo: Callable[..., Any], key: str, path: str
) -> None:
    home = make_solution(inference={"use": "pass"})
    metadata = {"metadata_version": "1", "pipeline": [{"type": "inference", key: path}]}

    done = alo("run", "--mode", "inference", "--system", json.dumps(metadata), cwd=home)

    assert done.returncode == 2
    assert "which no path can" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_of_a_name_that_is_no_utf8_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "\udce9").mkdir()

    assert locate(tmp_path, "\udce9") == tmp_path / "\udce9"
    with pytest.raises(LocationError):
        locate(tmp_path, "\ud800")
