from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.plan.model import Plan, Source, StepPlan
from alo.sources.packages.requirements import RequirementsError, Wanted, read_requirements

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


def test_every_problem_is_reported_at_once_with_its_line(read: Read) -> None:
    with pytest.raises(RequirementsError) as caught:
        read(
            "requirements.txt",
            "=nonsense",
            files={
                "requirements.txt": "ok\nnot a requirement\n-r nowhere.txt\n--frob x\n./gone\n"
                "-r requirements.txt\n"
            },
        )

    reported = [str(problem) for problem in caught.value.problems]
    assert all(text.startswith("plan.yaml:7  step train  ") for text in reported)
    assert [text.split("  ")[2].partition(": ")[0] for text in reported[:-1]] == [
        f"assets/train/requirements.txt:{line}" for line in (2, 3, 4, 5, 6)
    ]
    for text, part in zip(
        reported,
        ["is no requirement", "no such file", "unknown option", "no such file", "includes itself"],
        strict=False,
    ):
        assert part in text


def test_a_file_that_is_not_there_is_reported_of_the_step(read: Read) -> None:
    with pytest.raises(RequirementsError) as caught:
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
def test_a_file_that_is_no_text_is_reported(
    read: Read, tmp_path: Path, content: bytes, what: str
) -> None:
    (tmp_path / "assets/train").mkdir(parents=True)
    (tmp_path / "assets/train/requirements.txt").write_bytes(content)

    with pytest.raises(RequirementsError, match=what):
        read("requirements.txt")


@pytest.mark.parametrize("dot", ["", "./"])
@pytest.mark.parametrize("where", ["the plan", "its file", "a file below"])
def test_a_path_is_relative_to_its_file_with_or_without_a_dot(
    read: Read, tmp_path: Path, dot: str, where: str
) -> None:
    text = f"{dot}wheels/a-1.0-py3-none-any.whl"
    files = {"wheels/a-1.0-py3-none-any.whl": "", "requirements.txt": text}
    if where == "a file below":
        files = {f"below/{name}": content for name, content in files.items()}
        files["requirements.txt"] = "-r below/requirements.txt"

    found = read(text if where == "the plan" else "requirements.txt", files=files)

    folder = tmp_path / "assets/train" / ("below" if where == "a file below" else "")
    assert found.lines == [f"{folder}/wheels/a-1.0-py3-none-any.whl"]


def test_a_path_may_also_be_relative_to_the_project(read: Read, tmp_path: Path) -> None:
    """As for pip, which is started there."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/a-1.0-py3-none-any.whl").touch()
    (tmp_path / "limits.txt").write_text("b<1")

    found = read("./wheels/a-1.0-py3-none-any.whl", "b --find-links wheels", "-c limits.txt")

    assert found.lines == [
        f"--find-links {tmp_path}/wheels",
        f"{tmp_path}/wheels/a-1.0-py3-none-any.whl",
        "b",
    ]
    assert [each.line for each in found.limits] == ["b<1"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("local", "local"),  # a name, though there is a folder of it
        ("./local", "{here}/local"),
        ("local/", "{here}/local"),
        ("./local[x, y]", "{here}/local[x, y]"),
        ("-e ./local#egg=local", "-e {here}/local"),
        ('./local ; python_version > "3"', '{here}/local ; python_version > "3"'),
        ("file:local", "{here}/local"),
        ("file://{here}/local", "{here}/local"),
        ("a.zip#subdirectory=x", "file://{here}/a.zip#subdirectory=x"),
        ("name @ ./a.zip", "name @ file://{here}/a.zip"),
        ("name[x]@https://host/a.zip", "name[x]@ https://host/a.zip"),
        ("a b.zip", "{here}/a b.zip"),
        ("git+ssh://git@host/x.git@v1#egg=x", "git+ssh://git@host/x.git@v1#egg=x"),
        ("-e git+https://host/x.git", "-e git+https://host/x.git"),
        ("hg+https://host/x", "hg+https://host/x"),
        ("https://host/a-1.0-py3-none-any.whl", "https://host/a-1.0-py3-none-any.whl"),
        ("a --config-settings='k=x y'", "a --config-settings='k=x y'"),
        ("a --global-option=--quiet", "a --global-option=--quiet"),
    ],
)
def test_what_a_line_requires_reaches_the_installer_whole(
    read: Read, tmp_path: Path, text: str, line: str
) -> None:
    here = str(tmp_path / "assets/train")
    files = {"local/pyproject.toml": "", "a.zip": "", "a b.zip": ""}

    found = read(text.replace("{here}", here), files=files)

    assert [each.line for each in found.requirements] == [line.replace("{here}", here)]


def test_files_behind_urls_are_left_to_the_installer_and_that_is_said(read: Read) -> None:
    found = read(
        "requirements.txt",
        files={"requirements.txt": "-c https://x/limits.txt\n-r https://u:p@x/more.txt\nsix\n"},
    )

    assert found.lines == ["-c https://x/limits.txt", "-r https://u:p@x/more.txt", "six"]
    (warning,) = found.warnings
    assert "requirements.txt:2: what https://x/more.txt requires is not known" in warning.what
    assert found.has_unread
    assert not read("-c https://x/limits.txt").has_unread


def test_constraints_are_read_here_so_that_what_is_installed_is_held_to_them(
    read: Read, tmp_path: Path
) -> None:
    content = "\ufeffnumpy<2\n-c more.txt\n-r also.txt\n".encode("utf-16-le")
    found = read("-c limits.txt", files={"limits.txt": "", "more.txt": "a<1", "also.txt": "b"})
    assert found == found._replace(requirements=(), limits=())
    (tmp_path / "assets/train/limits.txt").write_bytes(content)

    found = read("-c limits.txt")

    assert [each.line for each in found.limits] == ["numpy<2", "a<1"]
    assert found.lines == ["b"]


def test_two_indexes_are_both_looked_into(read: Read) -> None:
    found = read("a --index-url https://x/simple", "b --index-url https://y/simple")

    assert found.options == (
        "--index-url https://x/simple",
        "--extra-index-url https://y/simple",
    )


def test_hashes_are_asked_for_where_the_file_asks(read: Read) -> None:
    text = "--require-hashes\na==1 --hash=sha256:aa\nb==1\n"

    with pytest.raises(RequirementsError, match="'b==1' has no --hash"):
        read("requirements.txt", files={"requirements.txt": text})


def test_what_is_odd_is_reported_with_its_line(read: Read) -> None:
    text = "https://${NEVER_SET_HERE}@x/a.whl\n--hash=sha256:aa\nb\n"

    found = read("requirements.txt", files={"requirements.txt": text})

    assert [warning.what for warning in found.warnings] == [
        "assets/train/requirements.txt:1: the environment variable NEVER_SET_HERE is not set",
        "assets/train/requirements.txt:2: --hash is of no requirement, and ignored",
    ]


def test_options_of_pips_command_line_are_ignored_in_a_plan_and_refused_in_a_file(
    read: Read,
) -> None:
    found = read("six --upgrade --no-cache-dir -U")

    assert found.lines == ["six"]
    assert len(found.warnings) == 3
    assert "--upgrade is ignored" in found.warnings[0].what
    with pytest.raises(RequirementsError, match="--upgrade is for pip's command line"):
        read("requirements.txt", files={"requirements.txt": "six --upgrade\n"})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("gone-1.0-py3-none-any.whl", "there is no such file or folder"),
        ("./empty", "has no pyproject.toml or setup.py"),
        ("-r gone.txt", "--requirement gone.txt: there is no such file"),
        ("-c gone.txt", "--constraint gone.txt: there is no such file"),
        ("requirements-dev.txt", "write -r requirements-dev.txt"),
        ("a=1", "'a=1' is no requirement"),
        ("a --no-such-thing", "unknown option '--no-such-thing'"),
    ],
)
def test_what_cannot_be_meant_says_why(read: Read, text: str, what: str) -> None:
    with pytest.raises(RequirementsError, match=what):
        read(text, files={"empty/readme": "", "requirements-dev.txt": ""})


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "any" / "assets" / "train"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "requirements.txt").write_text(text, "utf-8", errors="replace")
    step = StepPlan("train", {}, source=Source(requirements=("requirements.txt",)))

    lines: list[str] = []
    with suppress(RequirementsError):
        lines = read_requirements([step], folder.parent, PLAN).lines

    assert all(line.strip() == line for line in lines)
