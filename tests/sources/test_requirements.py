from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.plan.model import Plan, Source, StepPlan
from alo.sources.requirements import BadRequirements, Wanted, read_requirements

Read = Callable[..., Wanted]
PLAN = Plan.__new__(Plan, *([None] * len(Plan._fields)))._replace(file="plan.yaml", places={})


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read the requirements of a step ``train`` whose folder holds these files."""

    def call(*requirements: str, files: dict[str, str] | None = None) -> Wanted:
        folder = tmp_path / "assets" / "train"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        step = StepPlan("train", {}, source=Source(requirements=requirements), line=7)
        return read_requirements([step], tmp_path / "assets", PLAN)

    return call


def test_requirements_of_the_plan_are_read_with_their_options(read: Read) -> None:
    found = read(
        "Pandas == 2.2.3", "torch>=2 --index-url https://x/simple", "six --force-reinstall"
    )

    assert [each.name for each in found.requirements] == ["pandas", "torch", "six"]
    assert found.lines == ["--index-url https://x/simple", "Pandas == 2.2.3", "torch>=2", "six"]
    assert found.requirements[0].origin == "step 'train' (plan.yaml:7)"


def test_a_file_is_read_as_pip_reads_it(read: Read, tmp_path: Path) -> None:
    found = read(
        "requirements.txt",
        files={
            "requirements.txt": "# a comment\n"
            "pandas>=2.0  # another\n\n"
            "six==1.16.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"
            'tomli; python_version < "3.11"\n'
            "-r more/other.txt\n-c limits.txt\n--extra-index-url=https://y/simple\n"
            "-e .\n./local[extra]\nname @ https://x/name.whl\ngit+https://x/y.git@v1\n",
            "more/other.txt": "numpy\n-r ../requirements2.txt",
            "requirements2.txt": "xxhash",
            "limits.txt": "numpy<3",
            "local/pyproject.toml": "",
            "pyproject.toml": "",
        },
    )

    folder = tmp_path / "assets/train"
    assert found.lines == [
        "--extra-index-url https://y/simple",
        "pandas>=2.0",
        "six==1.16.0 --hash=sha256:aa --hash=sha256:bb",
        'tomli; python_version < "3.11"',
        "numpy",
        "xxhash",
        f"-e {folder}",
        f"{folder}/local[extra]",
        "name @ https://x/name.whl",
        "git+https://x/y.git@v1",
    ]
    assert [each.line for each in found.limits] == ["numpy<3"]
    origins = {each.name: each.origin for each in found.requirements if each.name}
    assert origins["six"] == "step 'train' (assets/train/requirements.txt:4)"
    assert origins["numpy"] == "step 'train' (assets/train/more/other.txt:1)"


def test_every_problem_is_told_at_once_with_its_line(read: Read) -> None:
    with pytest.raises(BadRequirements) as caught:
        read(
            "requirements.txt",
            "=nonsense",
            files={
                "requirements.txt": "ok\nnot a requirement\n-r nowhere.txt\n--frob x\n./gone\n"
                "-r requirements.txt\n"
            },
        )

    told = [str(problem) for problem in caught.value.problems]
    assert all(text.startswith("plan.yaml:7  step train  ") for text in told)
    assert [text.split("  ")[2].partition(": ")[0] for text in told[:-1]] == [
        f"assets/train/requirements.txt:{line}" for line in (2, 3, 4, 5, 6)
    ]
    for text, part in zip(
        told,
        ["is no requirement", "no such file", "unknown option", "no such file", "includes itself"],
        strict=False,
    ):
        assert part in text


def test_a_file_that_is_not_there_is_told_of_the_step(read: Read) -> None:
    with pytest.raises(BadRequirements) as caught:
        read("requirements.txt")

    (problem,) = caught.value.problems
    assert str(problem) == (
        "plan.yaml:7  step train  there is no file assets/train/requirements.txt"
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xff\x00", "not UTF-8"),
        (b"\xff\xfe\x00", "not UTF-16-LE"),
        (b"# -*- coding: moon -*-\nsix\n", "no encoding 'moon'"),
    ],
)
def test_a_file_that_is_no_text_is_told(
    read: Read, tmp_path: Path, content: bytes, what: str
) -> None:
    (tmp_path / "assets/train").mkdir(parents=True)
    (tmp_path / "assets/train/requirements.txt").write_bytes(content)

    with pytest.raises(BadRequirements, match=what):
        read("requirements.txt")


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any" / "assets" / "train"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.txt").write_text(text, "utf-8", errors="replace")
    step = StepPlan("train", {}, source=Source(requirements=("requirements.txt",)))

    lines: list[str] = []
    with suppress(BadRequirements):
        lines = read_requirements([step], folder.parent, PLAN).lines

    assert all(line.strip() == line for line in lines)
