"""What one can do with past runs: list, find, verify, remove."""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alo.errors import HistoryError
from alo.history.filters import Filters, matches
from alo.history.index import table
from alo.history.index.table import Line
from alo.layout import Workspace
from alo.named_tuples import NamedTuple

if TYPE_CHECKING:
    from alo.history.entries.verify import Damage
    from alo.history.record import RunRecord

__all__ = ["Entry", "Filters", "History"]

EVERY_RUN = Filters()
NEWEST = 20  # runs in a list, unless more are asked for
SHOWN_IDS = 5


class Entry(NamedTuple):
    """A run in history."""

    record: "RunRecord"
    folder: Path


class History:
    """The past runs of a project, and the one in progress."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def list(
        self, filters: Filters = EVERY_RUN, limit: int | None = NEWEST
    ) -> "Sequence[RunRecord]":
        """The runs that meet the filters, the newest first.

        Args:
            limit: so many at most; None: all.
        """
        first = self._unfinished(filters)
        past = table.ask(self._workspace, lambda runs: runs.records(runs.lines(filters, limit)))
        if first is None or any(record.id == first.id for record in past):
            return past
        return [first, *past][:limit]

    def lines(self, filters: Filters = EVERY_RUN, limit: int | None = NEWEST) -> Sequence[Line]:
        """As ``list``, but only what a table of runs needs; much faster."""
        first = self._unfinished(filters)
        if any(filters):
            past = table.ask(self._workspace, lambda runs: runs.lines(filters, limit))
        else:
            past = table.newest(self._workspace, limit)
        if first is None or any(line.id == first.id for line in past):
            return past
        return [line_of(first), *past][:limit]

    def find(self, prefix: str) -> Entry:
        """The one run that an id, or the beginning of one, denotes.

        Raises:
            HistoryError: there is none, or several, or the run has not ended.
        """
        record = self.look_up(prefix)
        folder = self.folder(record)
        if folder is None:
            raise HistoryError(
                f"run {record.id} has no history entry yet: its status is {record.status}",
                fix="wait until it has ended; after a kill, the next run puts it into history",
            )
        return Entry(record, folder)

    def look_up(self, prefix: str) -> "RunRecord":
        """As ``find``, the run in progress included."""
        wanted = _as_id(prefix)
        first = self._unfinished(EVERY_RUN)
        found = table.ask(self._workspace, lambda runs: runs.records(runs.named(wanted)))
        if first is not None and first.id.startswith(wanted):
            found = [*(record for record in found if record.id != first.id), first]
        exact = [record for record in found if record.id == wanted]
        found = exact[:1] or found
        if len(found) == 1:
            return found[0]
        raise self._ambiguous(prefix, found) if found else self._unknown(prefix)

    def folder(self, record: "RunRecord") -> Path | None:
        """The entry of a run; None while it has none."""
        from alo.history.entries.names import entry_folder

        folder = entry_folder(self._workspace, record.pipeline, record.id)
        return folder if folder.is_dir() else None

    def remove(self, ids: Iterable[str]) -> Sequence[str]:
        """Remove these runs; returns their whole ids.

        Raises:
            HistoryError: one of them is not there, or in use; nothing has been removed then.
        """
        from alo.history.in_use import holders, need_it
        from alo.texts import counted

        entries = {entry.record.id: entry for entry in map(self.find, ids)}
        held = holders(self._workspace)
        if in_use := sorted(entries.keys() & held.keys()):
            run_id, *others = in_use
            says = counted(len(others), "more of these runs is", "more of these runs are")
            more = f"; {says} in use, too" if others else ""
            raise HistoryError(
                f"run {run_id} is in use: {need_it(held[run_id])}{more}",
                where=str(entries[run_id].folder),
                fix="close the reviews, train a new model or deploy another, or wait for the run",
            )
        return [run_id for run_id, entry in entries.items() if _put_away(entry.folder)]

    def prune(self, *, keep: int | None = None, size_mb: float | None = None) -> Sequence[str]:
        """Remove the oldest runs, but none that is in use; returns the ids of those that went.

        Args:
            keep: how many runs stay, whatever their kind.
            size_mb: how much history may take then, in 10^6 bytes.
        """
        from alo.history.in_use import ids_in_use
        from alo.history.retention import keep_within

        in_use = ids_in_use(self._workspace)
        removed = []
        if keep is not None:
            past = table.ask(self._workspace, lambda runs: runs.lines(EVERY_RUN, None))
            for line in past[keep:]:
                folder = self._workspace.history / line.kind / line.name
                if line.id not in in_use and _put_away(folder):
                    removed.append(line.id)
        if size_mb is not None:
            removed += keep_within(self._workspace, size_mb, in_use)
        return removed

    def verify(self, ids: Iterable[str] = ()) -> "Mapping[str, Sequence[Damage]]":
        """What is no longer as it was when the run ended, by run; all runs if none are named.

        Raises:
            HistoryError: a run that was named is not there.
        """
        from alo.history.entries.verify import damage

        named = [self.find(prefix) for prefix in ids]
        if not named:
            past = table.ask(self._workspace, lambda runs: runs.lines(EVERY_RUN, None))
            folders = {line.id: self._workspace.history / line.kind / line.name for line in past}
        else:
            folders = {entry.record.id: entry.folder for entry in named}
        return {run_id: damage(folder) for run_id, folder in folders.items() if folder.is_dir()}

    def _unfinished(self, filters: Filters) -> "RunRecord | None":
        if not self._workspace.journal.exists():
            return None
        from alo.history.in_use import unfinished_record

        record = unfinished_record(self._workspace)
        return record if record is not None and matches(record, filters) else None

    def _ambiguous(self, prefix: str, found: "Sequence[RunRecord]") -> HistoryError:
        shown = [record.id for record in found[:SHOWN_IDS]]
        rest = len(found) - len(shown)
        more = f" and {rest} more" if rest > 0 else ""
        return HistoryError(
            f"{len(found)} runs begin with '{prefix}': {', '.join(shown)}{more}",
            fix="write more of the id",
        )

    def _unknown(self, prefix: str) -> HistoryError:
        ids = table.ask(self._workspace, lambda runs: runs.ids())
        if not ids:
            return HistoryError(
                f"no run '{prefix}': there is no history yet",
                where=str(self._workspace.history),
                fix="alo run makes the first run",
            )
        return HistoryError(
            f"no run begins with '{prefix}'; the nearest: {', '.join(_nearest(prefix, ids))}",
            where=str(self._workspace.history),
            fix="alo history --limit 0 lists them all",
        )


def _as_id(text: str) -> str:
    """Also the path or name of an entry's folder, as a shell completes it."""
    name = text.rstrip("/").rpartition("/")[2]
    return name.removesuffix("-error")


def _nearest(text: str, ids: Sequence[str]) -> list[str]:
    """Ids that hold the text, or else those that begin like it for longest.

    Args:
        ids: sorted, so that the latter are where the text would be.
    """
    holding = [run_id for run_id in ids if text in run_id]
    at = bisect(ids, text)
    around = ids[max(0, at - 3) : at + 3]
    by_beginning = sorted(around, key=lambda run_id: _shared(run_id, text), reverse=True)
    return (holding[::-1] or by_beginning)[:3]


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _put_away(folder: Path) -> bool:
    from alo.history.entries.folders import put_away

    try:
        return put_away(folder)
    except OSError as error:
        raise HistoryError(
            f"the entry cannot be removed: {error.strerror}",
            where=str(folder),
            fix="see that the history folder may be written to",
        ) from error


def line_of(record: "RunRecord") -> Line:
    """A run that is in no entry yet, as a line of the list."""
    from alo.history.new_runs import columns_of

    return Line(*columns_of(record.pipeline, "", (0, 0), record))
