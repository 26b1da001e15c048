"""The labels that a review may give: they are renamed, merged and recoloured, what was said stays.

A decision names a label by its id, which never changes; what is shown and exported is its name of
now, or that of the label it was merged into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from alo.errors import LabelError
from alo.label_keys import MOST_LABELS, wrong_label_key
from alo.texts import is_odd, looks

MOST_NAME = 200  # characters
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label."""

    id: str
    name: str
    key: str = ""  # that gives it, beside its number
    colour: str = ""  # #rrggbb
    into: str = ""  # the id of the label that it was merged into

    def to_json(self) -> dict[str, str]:
        """As a review's JSON has it."""
        return {"name": self.name, "key": self.key, "colour": self.colour}


def can_be_label(name: str) -> bool:
    """Whether a label can be called so: one line, of no more than `MOST_NAME` characters."""
    is_line = bool(name.strip()) and "\n" not in name and "\r" not in name
    return is_line and len(name) <= MOST_NAME and not is_odd(name)


class Labels:
    """All labels of a review, in their order."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self._all = {label.id: label for label in labels}

    @classmethod
    def named(cls, labels: Iterable[Label | str]) -> Labels:
        """Labels with these names, in this order; each once.

        Raises:
            LabelError: a name, key or colour cannot be.
        """
        made = cls(())
        for each in labels:
            given = Label(id=each, name=each) if isinstance(each, str) else each
            if given.name not in made.ids:
                made = made._added(given.name, key=given.key, colour=given.colour)
        return made

    @property
    def everything(self) -> Sequence[Label]:
        """Those that were merged included."""
        return list(self._all.values())

    @property
    def shown(self) -> Sequence[Label]:
        """Those that can be given."""
        return [label for label in self._all.values() if not label.into]

    @property
    def ids(self) -> Mapping[str, str]:
        """The ids of those that can be given, by name."""
        return {label.name: label.id for label in self.shown}

    @property
    def meant(self) -> Mapping[str, str]:
        """The ids of those that can be given, by all that they were ever called at first.

        Whoever has a page of before a rename or a merge still says what they mean, as does who
        types a name that is written in other characters, and looks like one label's alone.
        """
        shown = self.ids
        first = {each: str(self.name_of(each)) for each in self._all}
        typed = {looks(name): shown[name] for name in shown if self.like(looks(name)) == name}
        return {**typed, **{each: shown[name] for each, name in first.items()}, **shown}

    def like(self, name: str) -> str:
        """The label that is called so, or is the only one that looks so; else the name itself."""
        if name in self.ids:
            return name
        found = [each for each in self.ids if looks(each) == looks(name)]
        return found[0] if len(found) == 1 else name

    def name_of(self, label_id: str | None) -> str | None:
        """What a label of a decision is called now."""
        if label_id is None:
            return None
        found = self._all.get(label_id)
        while found is not None and found.into:
            found = self._all[found.into]
        return found.name if found else label_id

    def add(self, name: str, *, key: str = "", colour: str = "") -> Labels:
        """One label more.

        Raises:
            LabelError: there is one that is called or looks so, or a name, key or colour cannot be.
        """
        self._check_alike(name)
        return self._added(name, key=key, colour=colour)

    def _added(self, name: str, *, key: str = "", colour: str = "") -> Labels:
        """One more, which may look like another: what data has is not changed."""
        self._check(name, key, colour)
        if len(self._all) >= MOST_LABELS:
            raise LabelError(f"a review has at most {MOST_LABELS:,} labels")
        label_id, count = name, 1
        while label_id in self._all:
            count += 1
            label_id = f"{name}#{count}"
        return Labels([*self._all.values(), Label(id=label_id, name=name, key=key, colour=colour)])

    def rename(self, name: str, to: str) -> Labels:
        """Call a label otherwise.

        Raises:
            LabelError: there is no such label, or another is called or looks so.
        """
        label = self._named(name)
        self._check_alike(to, but=label)
        self._check(to, "", "")
        return self._with(replace(label, name=to))

    def recolour(self, name: str, colour: str, key: str | None = None) -> Labels:
        """Give a label another colour, or another key.

        Raises:
            LabelError: there is no such label, or the colour or the key cannot be.
        """
        label = self._named(name)
        self._check_looks(colour, label.key if key is None else key, but=label)
        return self._with(replace(label, colour=colour, key=label.key if key is None else key))

    def merge(self, name: str, into: str) -> Labels:
        """Show a label as another from now on.

        Raises:
            LabelError: one of them is not there, or both are the same.
        """
        label, target = self._named(name), self._named(into)
        if label.id == target.id:
            raise LabelError(f"'{name}' cannot be merged into itself")
        return self._with(replace(label, into=target.id))

    def without(self, name: str) -> Labels:
        """Remove a label that no decision names.

        Raises:
            LabelError: there is no such label.
        """
        label = self._named(name)
        return Labels(
            each for each in self._all.values() if each.id != label.id and each.into != label.id
        )

    def _with(self, changed: Label) -> Labels:
        return Labels(changed if each.id == changed.id else each for each in self._all.values())

    def _named(self, name: str) -> Label:
        if name not in self.ids:
            raise LabelError(f"no label is called '{name}'", fix=f"labels: {', '.join(self.ids)}")
        return self._all[self.ids[name]]

    def _check_alike(self, name: str, but: Label | None = None) -> None:
        if name in self.ids:
            return  # which is said in other words
        alike = [each for each in self.shown if each != but and looks(each.name) == looks(name)]
        if alike:
            raise LabelError(f"there is a label that looks the same: '{alike[0].name}'")

    def _check(self, name: str, key: str, colour: str) -> None:
        if not can_be_label(name):
            raise LabelError(f"a label's name is one line of 1 to {MOST_NAME} characters")
        if name in self.ids:
            raise LabelError(f"there is a label '{name}'")
        self._check_looks(colour, key)

    def _check_looks(self, colour: str, key: str, but: Label | None = None) -> None:
        if colour and not _COLOUR.match(colour):
            raise LabelError(f"'{colour}' is no colour", fix="write it as #1f5f9f")
        if not key:
            return
        if why := wrong_label_key(key):
            raise LabelError(why)
        taken = [each for each in self.shown if each.key == key and each != but]
        if taken:
            raise LabelError(f"the key '{key}' is that of '{taken[0].name}'")
