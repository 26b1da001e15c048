"""The step store: what each step of each run saved, kept until its run leaves the history.

Below its root: ``<kind>/<run id>/<step>.json``, one manifest a step, and next to it the blobs it
points to, and ``.steps.json``, the manifests of the steps that it has taken from another run
(``taken.py``); ``blobs/``, the pool by which runs share them; ``unfinished/``, what is being
written or removed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alo.copies import link_or_copy
from alo.errors import StoreError
from alo.files import write_once
from alo.json_text import ordinary_bytes
from alo.layout import KINDS
from alo.store.blobs import READ_ONLY, BlobDir, Trusted, remove_runs, sweep
from alo.store.manifest import CutShortError, ManifestError, StoredStep, StoredValue
from alo.store.taken import TAKEN, TakenSteps

if TYPE_CHECKING:  # a cached run neither reads nor writes values
    from alo.store.mapping import LiveMaps
    from alo.store.reading import ValueReader
    from alo.store.writing import ValueWriter


class StepStore:
    """The store below one folder, which processes and workspaces may use at the same time.

    Args:
        is_private: of a folder that lasts no longer than one run: there are no checksums of large
            buffers, neither taken nor compared.
    """

    def __init__(self, root: Path, *, is_private: bool = False) -> None:
        self.root = root
        self._trusted = Trusted(all_parts=is_private)
        self._is_swept = False
        self._taken = TakenSteps()
        self._prepared: set[Path] = set()  # folders of runs

    def save(
        self,
        run_id: str,
        kind: str,
        step: str,
        data: Mapping[str, object],
        config: Mapping[str, object],
        *,
        incoming: StoredStep | None = None,
        paths: Iterable[str] = (),
        spare: Collection[str] = (),
    ) -> StoredStep:
        """Keep what a step saved; what it passes on as it was given is not written again.

        Call it while no module of an asset is in ``sys.modules``: its classes then go into the
        store with their values. Those of modules that are there are imported when they are read.

        Args:
            incoming: what the step was given.
            paths: where modules of the project's are found, apart from its own folder.
            spare: blobs of ``incoming`` that no one else has or will need: what is new may be
                written over them.
        Raises:
            StoreError: a value cannot be pickled, or there is no room on the disk.
        """
        from alo.store.writing import ValueWriter

        others = [self._folder(incoming.kind, incoming.run_id)] if incoming else []
        blob_dir = self._prepare(kind, run_id, others)
        writer = ValueWriter(
            step,
            blob_dir,
            incoming.parts() if incoming else (),
            self._maps,
            self._trusted,
            {*spare} - {*incoming.stream_blobs()} if incoming else (),
        )
        stored = StoredStep(
            run_id,
            kind,
            step,
            _write(writer, "data", data, incoming.data if incoming else ()),
            _write(writer, "config", config, incoming.config if incoming else ()),
            tuple(paths),
        )
        self._put(stored, blob_dir)
        return stored

    def load(self, stored: StoredStep) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config, as fresh objects; large arrays are mapped, not read.

        Raises:
            StoreError: a value is missing or damaged; ``fix`` names the step to run again.
        """
        from alo.store.reading import ValueReader

        blob_dir = BlobDir(self.root, self._folder(stored.kind, stored.run_id))
        reader = ValueReader(stored, blob_dir, self._maps, self._trusted)
        return _read(reader, "data", stored.data), _read(reader, "config", stored.config)

    def blobs(self, run_id: str, kind: str) -> frozenset[str]:
        """The blobs that a run has, by name."""
        try:
            names = os.listdir(self._folder(kind, run_id))
        except FileNotFoundError:
            return frozenset()
        return frozenset(name for name in names if not name.endswith(".json"))

    def find(self, run_id: str, kind: str, step: str) -> StoredStep | None:
        """What a step of a run saved, or None; it saved nothing if it was killed while it did.

        Raises:
            StoreError: something was stored, but it is damaged.
        """
        folder = self._folder(kind, run_id)
        path = folder / _manifest_name(step)
        try:
            try:
                return StoredStep.from_bytes(ordinary_bytes(path), run_id)
            except (FileNotFoundError, CutShortError):
                path = folder / TAKEN
                document = self._taken.of(folder).get(step)
                return StoredStep.of_document(document, run_id) if document else None
        except (ManifestError, OSError) as error:
            raise StoreError(
                f"what step '{step}' saved cannot be used: {error}",
                where=str(path),
                fix=f"run the pipeline again from step '{step}'",
            ) from error

    def find_each(self, run_id: str, kind: str, steps: Sequence[str]) -> Iterator[StoredStep]:
        """As ``find``, one after the other, up to the first that is missing.

        Raises:
            StoreError: something was stored, but it is damaged.
        """
        try:
            yield from self._taken.each(
                self._folder(kind, run_id),
                steps,
                lambda step, document: StoredStep.of_document(document, run_id),
                lambda step: self.find(run_id, kind, step),
            )
        except (ManifestError, OSError):
            return

    def adopt(self, stored: StoredStep, run_id: str) -> StoredStep:
        """Make what a step of another run saved this run's own.

        Raises:
            StoreError: a part of it is missing.
        """
        blob_dir = self._adopt_parts([stored], run_id)
        adopted, name = stored._replace(run_id=run_id), _manifest_name(stored.step)
        try:
            link_or_copy(self._folder(stored.kind, stored.run_id) / name, blob_dir.folder / name)
        except OSError:  # the step has run in this run before, or was taken by the other one
            self._put(adopted, blob_dir)
        return adopted

    def adopt_all(self, steps: Sequence[StoredStep], source: str) -> None:
        """Make what the first steps of another run saved that of the run that ``steps`` name.

        Args:
            steps: at least one; the run has none yet.
            source: the other run.
        Raises:
            StoreError: a part of it is missing, or there is no room.
        """
        kind, run_id = steps[0].kind, steps[0].run_id
        blob_dir = self._adopt_parts([each._replace(run_id=source) for each in steps], run_id)
        by_name = {each.step: each for each in steps}
        try:
            self._taken.give(
                self._folder(kind, source), blob_dir.folder, by_name, StoredStep.document
            )
        except (ManifestError, OSError) as error:
            raise StoreError(
                f"what steps saved cannot be taken over: {error}", where=str(blob_dir.folder)
            ) from error

    def _adopt_parts(self, steps: Sequence[StoredStep], run_id: str) -> BlobDir:
        """Have the blobs of steps, all of one run, in this run's folder too."""
        others = [self._folder(steps[0].kind, steps[0].run_id)]
        blob_dir = self._prepare(steps[0].kind, run_id, others)
        for stored in steps:
            for part in stored.parts():
                if not blob_dir.take(part.blob, part.end):
                    raise StoreError(
                        f"a part of what step '{stored.step}' saved is missing",
                        where=str(others[0] / part.blob),
                        fix=f"run the pipeline again from step '{part.step}', which wrote it",
                    )
        return blob_dir

    def forget(self, run_ids: Iterable[str]) -> None:
        """Remove what these runs stored, and all that no run uses any more."""
        folders = [self._folder(kind, run_id) for run_id in run_ids for kind in KINDS]
        remove_runs(self.root, folders)
        sweep(self.root)

    @cached_property
    def _maps(self) -> LiveMaps:
        from alo.store.mapping import LiveMaps

        return LiveMaps()

    def _folder(self, kind: str, run_id: str) -> Path:
        return self.root / kind / run_id

    def _prepare(self, kind: str, run_id: str, others: Iterable[Path]) -> BlobDir:
        blob_dir = BlobDir(self.root, self._folder(kind, run_id), *others)
        if blob_dir.folder not in self._prepared or not os.path.isdir(blob_dir.folder):
            blob_dir.prepare()
            self._prepared.add(blob_dir.folder)
        if not self._is_swept:
            sweep(self.root)
            self._is_swept = True
        return blob_dir

    def _put(self, stored: StoredStep, blob_dir: BlobDir) -> None:
        path = blob_dir.folder / _manifest_name(stored.step)
        try:
            return write_once(path, stored.to_bytes(), mode=READ_ONLY)
        except OSError:  # the step has run before; or there is no room, as the next reports
            is_new = not path.exists()
        with blob_dir.draft(f"what step '{stored.step}' saved") as draft:
            draft.append(stored.to_bytes())
            draft.publish(path)
        if not is_new:
            self._drop_unused(blob_dir)

    def _drop_unused(self, blob_dir: BlobDir) -> None:
        """Take out of the folder what only the step's earlier result used."""
        folder = blob_dir.folder
        manifests = [path for path in folder.glob("*.json") if path.name != TAKEN]
        with suppress(ManifestError):  # who knows what that one uses
            steps = [StoredStep.from_bytes(ordinary_bytes(path), "") for path in manifests]
            taken = self._taken.of(folder).values()
            steps += [StoredStep.of_document(document, "") for document in taken]
            blob_dir.keep_only({part.blob for step in steps for part in step.parts()})


def _manifest_name(step: str) -> str:
    return f"{step}.json"


def _write(
    writer: ValueWriter,
    group: str,
    values: Mapping[str, object],
    given: Iterable[StoredValue],
) -> tuple[StoredValue, ...]:
    from alo.store.writing import key_text

    before = {value.key: value for value in given}
    return tuple(
        writer.write(key, value, f"{group}[{key!r}]", before.get(key_text(key)))
        for key, value in values.items()
    )


def _read(reader: ValueReader, group: str, values: Iterable[StoredValue]) -> dict[str, object]:
    return dict(reader.read(value, f"{group}[{value.key!r}]") for value in values)
