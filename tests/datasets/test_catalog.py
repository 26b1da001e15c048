"""Data sets are found by name and version, checked, and removed."""

from __future__ import annotations

import json
import os
import tarfile
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest

from alo.datasets.catalog import Catalog, Problem, Version, make_writable, verify
from alo.datasets.diff import difference
from alo.datasets.export import export_version
from alo.datasets.make import DatasetRequest, make_version
from alo.datasets.manifest import MANIFEST, Meaning, files_of
from alo.errors import DatasetError, UsageError

from .conftest import make_row


@pytest.fixture
def versions(catalog: Catalog) -> list[Version]:
    def made(rows: list[tuple[int, str]]) -> Version:
        return make_version(
            catalog,
            DatasetRequest(
                name="d",
                rows=[make_row(n, label) for n, label in rows],
                reviews=["r"],
                base="none",
                meaning=Meaning(columns=("id", "x")),
            ),
        )[0]

    return [made([(1, "good"), (2, "good")]), made([(2, "bad"), (3, "good")])]


def test_a_name_alone_is_its_newest_version(catalog: Catalog, versions: list[Version]) -> None:
    assert catalog.find("d").manifest.version == "v2"
    assert catalog.find("d@v1").manifest == versions[0].manifest
    assert [each.manifest.reference for each in catalog.all()] == ["d@v2", "d@v1"]


@pytest.mark.parametrize("reference", ["e", "d@v3", "d@", "../x", "d@../v1", ""])
def test_what_is_not_there_is_said(
    catalog: Catalog, versions: list[Version], reference: str
) -> None:
    with pytest.raises(UsageError):
        catalog.find(reference)


def test_without_any_there_are_none(catalog: Catalog) -> None:
    assert (catalog.names(), list(catalog.all())) == ([], [])


def test_what_was_changed_added_or_is_missing_is_found(versions: list[Version]) -> None:
    folder = versions[0].folder
    make_writable(folder)
    (folder / "rows.jsonl").chmod(0o644)
    (folder / "rows.jsonl").write_text("other")
    (folder / "test_labels.csv").unlink()
    (folder / "new").write_text("x")

    assert verify(versions[0]) == [
        Problem("new", "added"),
        Problem("rows.jsonl", "changed"),
        Problem("test_labels.csv", "missing"),
    ]


def test_a_version_is_removed_though_it_is_read_only(
    catalog: Catalog, versions: list[Version]
) -> None:
    catalog.remove(versions[1])

    assert catalog.versions("d") == ["v1"]
    assert not list(versions[1].folder.parent.glob(".gone*"))


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"files": [1]}', b"[" * 100_000])
def test_a_damaged_manifest_is_said(
    catalog: Catalog, versions: list[Version], content: bytes
) -> None:
    path = versions[1].folder / "manifest.json"
    path.chmod(0o644)
    path.write_bytes(content)

    with pytest.raises(DatasetError, match="manifest cannot be read"):
        catalog.find("d@v2")
    assert [each.manifest.version for each in catalog.all()] == ["v1"]


def test_the_difference_of_two_versions_is_reported_by_their_records(
    versions: list[Version],
) -> None:
    found = difference(*versions).to_json()

    assert (found["from"], found["to"]) == ("d@v1", "d@v2")
    assert [each["record"] for each in found["added"]] == ["run:3"]  # type: ignore[attr-defined]
    assert [each["record"] for each in found["removed"]] == ["run:1"]  # type: ignore[attr-defined]
    (changed,) = found["relabelled"]  # type: ignore[misc]
    assert (changed["record"], changed["from"], changed["label"]) == ("run:2", "good", "bad")


def unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)  # noqa: S202 - our own
    else:
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")


def test_a_link_in_a_version_is_damage_whatever_it_leads_to(
    catalog: Catalog, versions: list[Version], tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("id,x,kind\n")
    train = versions[0].folder / "train"
    make_writable(versions[0].folder)
    (train / "more.csv").symlink_to(tmp_path / "secret.csv")
    (train / "folder").symlink_to(tmp_path)
    os.mkfifo(train / "pipe")

    found = {(each.path, each.what) for each in verify(versions[0])}

    assert found == {(f"train/{name}", "added") for name in ("more.csv", "folder", "pipe")}
    with pytest.raises(DatasetError, match="is damaged"):
        catalog.find_whole("d@v1")


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_nothing_is_exported_over_a_link_that_leads_nowhere(
    versions: list[Version], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).symlink_to(tmp_path / "nowhere")

    with pytest.raises(UsageError, match="already"):
        export_version(versions[0], tmp_path / name)

    assert [each.name for each in tmp_path.glob("*out*")] == [name]
    assert (tmp_path / name).is_symlink()


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar.gz"])
def test_a_version_is_exported_whole_and_over_nothing(
    versions: list[Version], tmp_path: Path, name: str
) -> None:
    export_version(versions[0], tmp_path / name)

    folder = tmp_path / name
    if name != "out":
        folder = tmp_path / "unpacked"
        unpack(tmp_path / name, folder)
    assert {path.relative_to(folder) for path in folder.rglob("*")} == {
        path.relative_to(versions[0].folder) for path in versions[0].folder.rglob("*")
    }
    with pytest.raises(UsageError, match="already"):
        export_version(versions[0], tmp_path / name)
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(
    ("key", "value"),
    [("meaning", []), ("meaning", {"more": 1}), ("meaning", {"columns": "x"}),
     ("counts", []), ("counts", {"train": {"a": "x"}}), ("counts", {"left_out": "x"}),
     ("counts", {"skipped": None}), ("files", [{"path": "a", "size": "x", "sha256": ""}]),
     ("name", None), ("version", 7), ("test_share", "x"),
     ("labels", 5), ("reviews", [1]), ("base_folders", "abc"), ("base_folders", ["../.."]),
     ("files", [{"path": 1, "size": "x", "sha256": None}]), ("files", 3), ("more", 1)],
)  # fmt: skip
def test_a_manifest_that_somebody_changed_is_damaged_and_not_a_fault(
    catalog: Catalog, versions: list[Version], key: str, value: object
) -> None:
    folder = versions[1].folder
    make_writable(folder)
    (folder / "manifest.json").chmod(0o644)
    content = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_text(json.dumps({**content, key: value}))

    with pytest.raises(DatasetError, match="its manifest cannot be read"):
        catalog.find("d@v2")
    assert [each.manifest.reference for each in catalog.all()] == ["d@v1"]
    assert list(catalog.references()) == ["d@v2", "d@v1"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("id", "0123456789ab"), ("name", "other"), ("version", "v7"), ("note", "better"),
     ("who", "eve"), ("meaning", {"label": "x"}), ("counts", {}), ("test_share", 0.9),
     ("checksum", "0" * 64)],
)  # fmt: skip
def test_a_manifest_that_says_something_else_is_found(
    catalog: Catalog, versions: list[Version], key: str, value: object
) -> None:
    rewrite(versions[1], {key: value})

    assert verify(catalog.find("d@v2")) == [Problem("manifest.json", "changed")]
    with pytest.raises(DatasetError, match=r"damaged: manifest\.json changed"):
        catalog.find_whole("d@v2")
    assert catalog.find_whole("d@v1").manifest.version == "v1"


def test_files_that_were_changed_together_with_what_is_said_of_them_are_found(
    catalog: Catalog, versions: list[Version]
) -> None:
    rows = versions[1].folder / "rows.jsonl"
    rewrite(versions[1], {})
    rows.chmod(0o644)
    rows.write_text(rows.read_text().replace('"bad"', '"odd"'))
    files = [asdict(each) for each in files_of(versions[1].folder)]

    rewrite(versions[1], {"files": files, "checksum": ""})

    assert verify(catalog.find("d@v2")) == [Problem("manifest.json", "changed")]


def test_a_version_without_a_checksum_is_known_by_its_id(
    catalog: Catalog, versions: list[Version]
) -> None:
    rewrite(versions[1], {"checksum": ""})

    assert verify(catalog.find("d@v2")) == []


def test_a_version_that_was_moved_is_no_version_of_its_own(
    catalog: Catalog, versions: list[Version]
) -> None:
    versions[1].folder.rename(versions[1].folder.with_name("v9"))

    assert verify(catalog.find("d@v9")) == [Problem("manifest.json", "changed")]


def rewrite(version: Version, changes: dict[str, object]) -> None:
    make_writable(version.folder)
    path = version.folder / "manifest.json"
    path.chmod(0o644)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


def test_rules_of_the_gate_are_kept_and_without_any_a_manifest_is_as_those_of_old(
    catalog: Catalog, versions: list[Version]
) -> None:
    assert "gate" not in json.loads((versions[0].folder / MANIFEST).read_text())["meaning"]
    assert verify(versions[0]) == []
    meaning = Meaning(columns=("id", "x"), gate={"min_rows": 5, "max_loss": 0.1})
    row = make_row(9, "good")

    asked = DatasetRequest(name="g", rows=[row], reviews=["r"], base="none", meaning=meaning)
    made, _ = make_version(catalog, asked)

    assert catalog.find_whole("g").manifest == made.manifest
    path = made.folder / MANIFEST
    content = json.loads(path.read_text())
    assert content["meaning"]["gate"] == {"min_rows": 5, "max_loss": 0.1}
    make_writable(made.folder)
    path.write_text(json.dumps({**content, "meaning": {**content["meaning"], "gate": {"a": "b"}}}))
    with pytest.raises(DatasetError, match="'gate' has a rule that is no number"):
        catalog.find("g")


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar.gz"])
def test_an_export_that_fails_names_its_target(
    versions: list[Version], tmp_path: Path, name: str
) -> None:
    (tmp_path / "in the way").write_text("a file")
    target = tmp_path / "in the way" / name

    with pytest.raises(OSError, match="in the way") as reported:
        export_version(versions[0], target)

    assert reported.value.filename in (str(target), str(target.parent))
    assert not list(tmp_path.glob("**/.out*"))
