"""``alo dataset make``, ``list``, ``show``, ``diff``, ``verify``, ``export`` and ``remove``."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from alo.cli.actions.dispatch import Action, of_actions
from alo.cli.actions.review_database import add_database, opened
from alo.cli.audited import audited
from alo.cli.output import console
from alo.cli.person import person
from alo.cli.values import named, path, share
from alo.datasets.catalog import Catalog, Version, verify
from alo.datasets.diff import difference
from alo.datasets.export import export_version
from alo.datasets.split import TEST_SHARE
from alo.errors import DatasetError
from alo.history.browse import History
from alo.history.ids import utc_now
from alo.layout import Workspace
from alo.loop.candidates import remove_version
from alo.loop.make_dataset import MakeRequest, labels_of_two_names, make_dataset
from alo.texts import counted


def _add_make(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=named, help="of the data set")
    parser.add_argument(
        "--review",
        metavar="NAME",
        nargs="+",
        type=named,
        required=True,
        help="the reviews it is made of",
    )
    parser.add_argument(
        "--base",
        metavar="PATH|NAME@V|none",
        type=named,
        help="the data that it adds to and corrects (default: the plan's train data)",
    )
    parser.add_argument(
        "--test-share",
        metavar="SHARE",
        type=share,
        default=TEST_SHARE,
        help=f"of the random records that test the next model (default: {TEST_SHARE})",
    )
    parser.add_argument("--label", metavar="COLUMN", type=named, help="of the train data")
    parser.add_argument("--note", metavar="TEXT", default="", help="for others")
    add_database(parser)


def _make(options: argparse.Namespace) -> int:
    asked = MakeRequest(
        name=options.name,
        reviews=options.review,
        base=options.base or "",
        test_share=options.test_share,
        label=options.label or "",
        note=options.note,
        person=person(),
        time=utc_now(),
        command=shlex.join(["alo", *sys.argv[1:]]),
    )
    with opened(options) as database:
        version, is_new = make_dataset(Workspace(options.project), database, asked)
        called = labels_of_two_names(database, version.manifest)
    for old, (now, count) in called.items():
        console.write_error(
            f"note: '{old}' is called '{now}' in a review, and '{old}' in "
            f"{counted(count, 'train row')}: a model takes them for two labels; rename it back, or "
            f"rename it in the base"
        )
    if options.json:
        console.write_json({**version.manifest.to_json(), "is_new": is_new})
        return 0
    if not is_new:
        console.write(f"{version.manifest.reference} is made of the same decisions already")
        return 0
    console.write("\n".join(_lines(version)))
    return 0


def _list(options: argparse.Namespace) -> int:
    catalog = Catalog(Workspace(options.project))
    versions = list(catalog.all())
    whole = {each.folder for each in versions}
    for reference, folder in catalog.references().items():
        if folder not in whole:
            console.write_error(f"{reference} is damaged: alo dataset verify says how")
    if options.json:
        console.write_json([_line(each) for each in versions])
        return 0
    rows = [
        (
            each.manifest.reference,
            each.manifest.id,
            f"{_total(each.manifest.counts, 'train'):,}",
            f"{_total(each.manifest.counts, 'test'):,}",
            each.manifest.when,
            each.manifest.who,
            each.manifest.note,
        )
        for each in versions
    ]
    headers = ("data set", "id", "train rows", "test rows", "made (UTC)", "by", "note")
    empty = "no data sets yet: alo dataset make NAME --review REVIEW"
    console.write(console.table(headers, rows, right=(2, 3)) if rows else empty)
    return 0


def _add_reference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "reference", metavar="NAME[@V]", type=named, help="a version; without @V the newest"
    )


def _show(options: argparse.Namespace) -> int:
    version = _find(options, options.reference)
    if options.json:
        console.write_json({**version.manifest.to_json(), "folder": str(version.folder)})
    else:
        console.write("\n".join(_lines(version)))
    return 0


def _add_two(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("one", metavar="A", type=named, help="NAME[@V]")
    parser.add_argument("other", metavar="B", type=named, help="NAME[@V]")


def _diff(options: argparse.Namespace) -> int:
    found = difference(_find(options, options.one), _find(options, options.other))
    if options.json:
        console.write_json(found.to_json())
        return 0
    parts = {"added": found.added, "removed": found.removed, "relabelled": found.relabelled}
    for what, rows in parts.items():
        console.write(f"{counted(len(rows), 'row')} {what}")
        for row in rows[:20]:
            was = f" (was {row['from']})" if "from" in row else ""
            console.write(f"  {row['record']}  {row['label']}{was}  {row['split']}")
    return 0


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "references", metavar="NAME[@V]", nargs="*", type=named, help="versions (default: all)"
    )


def _verify(options: argparse.Namespace) -> int:
    catalog = Catalog(Workspace(options.project))
    references = options.references or list(catalog.references())
    found: dict[str, list[Mapping[str, str]]] = {}
    for reference in references:
        try:
            version = catalog.find(reference)
        except DatasetError as error:
            found[reference] = [{"path": error.where, "what": error.what}]
            continue
        found[version.manifest.reference] = [
            {"path": each.path, "what": each.what} for each in verify(version)
        ]
    if options.json:
        console.write_json([{"version": name, "damage": each} for name, each in found.items()])
    else:
        for name, damage in found.items():
            for each in damage:
                console.write(f"{name}  {each['path']} {each['what']}")
        damaged = sum(map(bool, found.values()))
        console.write(f"{counted(len(found), 'version')} verified, {damaged or 'none'} damaged")
    return 1 if any(found.values()) else 0


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_reference(parser)
    parser.add_argument(
        "target", metavar="DIR|ARCHIVE", type=path, help="a new folder, or NAME.zip, NAME.tar.gz"
    )


def _export(options: argparse.Namespace) -> int:
    # What was tampered with leaves the project as little as it is learned from.
    version = Catalog(Workspace(options.project)).find_whole(options.reference)
    target: Path = options.target
    export_version(version, target)
    return _done(options, version, f"{version.manifest.reference} was written to {target}")


def _add_remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reference", metavar="NAME@V", type=named, help="the version")
    parser.add_argument(
        "--force", action="store_true", help="even if a run in history was trained on it"
    )


def _remove(options: argparse.Namespace) -> int:
    workspace = Workspace(options.project)
    version = _find(options, options.reference)
    if not options.force:
        for run_id in _trained_on(workspace, version):
            raise DatasetError(
                f"{version.manifest.reference} cannot be removed: run {run_id} was trained on it",
                fix="with --force it is removed; what the run learned from is then gone",
            )
    with audited(workspace) as note:
        before = {"id": version.manifest.id, "forced": options.force}
        # Before it is done: a removal that a kill interrupts is never one that nobody has made.
        note(person(), "remove-dataset", version.manifest.reference, before)
        remove_version(workspace, version)
    return _done(options, version, f"removed {version.manifest.reference}")


def _trained_on(workspace: Workspace, version: Version) -> Iterator[str]:
    """The runs whose train data was below the version's folder."""
    place = version.folder.relative_to(workspace.home).as_posix()
    for record in History(workspace).list(limit=None):
        sources = record.data_id_description.get("sources")
        for source in sources if isinstance(sources, list) else ():
            if f"{place}/" in f"{source}/":
                yield record.id


def _find(options: argparse.Namespace, reference: str) -> Version:
    return Catalog(Workspace(options.project)).find(reference)


def _done(options: argparse.Namespace, version: Version, what: str) -> int:
    if options.json:
        console.write_json(_line(version))
    else:
        console.write(what)
    return 0


def _line(version: Version) -> dict[str, object]:
    shown = version.manifest.to_json()
    del shown["files"]
    return shown


def _total(counts: Mapping[str, object], part: str) -> int:
    found = counts.get(part)
    return sum(found.values()) if isinstance(found, Mapping) else 0


def _lines(version: Version) -> Iterator[str]:
    manifest, counts = version.manifest, version.manifest.counts
    yield f"data set {manifest.reference}, {manifest.id}: {version.folder}"
    for part in ("train", "test"):
        labels = counts.get(part)
        shown = labels.items() if isinstance(labels, Mapping) else ()
        text = ", ".join(f"{label}: {count:,}" for label, count in shown)
        yield f"{part}: {counted(_total(counts, part), 'row')}{f' ({text})' if text else ''}"
    yield f"base: {manifest.base}; reviews: {', '.join(manifest.reviews)}"
    others = (
        "overruled", "moved_to_test", "pictures_missing", "skipped", "flagged", "conflict",
    )  # fmt: skip
    rest = [f"{counts[name]} {name.replace('_', ' ')}" for name in others if counts.get(name)]
    if rest:
        yield ", ".join(rest)
    learned = counts.get("train")
    if isinstance(learned, Mapping) and len(learned) == 1:
        yield "all train rows have the same label: a model learns nothing else from them"
    if not _total(counts, "test"):
        yield "no row tests: alo retrain holds what is trained on it; review more random records"
    left_out = counts.get("left_out")
    for why, count in left_out.items() if isinstance(left_out, Mapping) else ():
        yield f"left out: {counted(count, 'row')}: {why}"


ACTIONS = {
    "make": Action("Make a version of a data set, of what people said.", _add_make, _make),
    "list": Action("List the versions of data sets.", lambda parser: None, _list),
    "show": Action("Show what is in a version.", _add_reference, _show),
    "diff": Action("Show what differs between two versions.", _add_two, _diff),
    "verify": Action("Check the files of versions for damage.", _add_verify, _verify),
    "export": Action("Write a version to a folder or an archive.", _add_export, _export),
    "remove": Action("Delete a version.", _add_remove, _remove),
}

add_arguments, execute = of_actions("dataset", ACTIONS, example="make")
