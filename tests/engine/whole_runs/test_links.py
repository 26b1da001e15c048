"""Links that an asset makes in its artifacts: a kept run holds all of itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alo.engine.rerun import rerun

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

TRAIN = """\
model = Path(self.asset.get_model_path())
(model / "weights").write_text(str(self.args["k"]))
(model / "current").symlink_to(model / "weights")
(model / "self").symlink_to(".")
"""
INFERENCE = """\
found = Path(self.asset.get_model_path(), "current").read_text()
self.asset.save_summary(found, 1)
output = Path(self.asset.get_output_path())
(output.parent / "extra_output/kept").mkdir(parents=True)
(output.parent / "extra_output/kept/a.csv").write_text(found)
(output / "a.csv").symlink_to(output.parent / "extra_output/kept/a.csv")
"""


def test_a_model_of_the_past_is_its_own_though_it_holds_a_link_to_where_it_was_made(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": TRAIN}, {"inference": INFERENCE}, args={"train": {"k": 1}})
    first, inferred = run(home)
    run(home, overrides=("train.k=2",))

    assert (first.history / "models/train/current").read_text() == "1"
    assert (inferred.history / "output/a.csv").read_text() == "1"
    again = rerun(home, inferred.run_id, lambda event: None)

    assert again.summary is not None
    assert again.summary["result"] == "1"
    assert (home / "train_artifacts/models/train/current").read_text() == "2"


def test_what_is_exported_is_what_links_lead_to(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    import tarfile

    home = make_solution(
        {"train": TRAIN},
        args={"train": {"k": 1}},
        external={"save_train_artifacts_path": str(tmp_path / "out")},
    )
    run(home)

    with tarfile.open(tmp_path / "out/model.tar.gz") as archive:
        names = {
            member.name: member.isreg() for member in archive.getmembers() if not member.isdir()
        }
    assert names == {"train/weights": True, "train/current": True}
