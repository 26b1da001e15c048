from __future__ import annotations

import copyreg
import io
from datetime import date
from decimal import Decimal
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.store.codec import encode
from alo.store.manifest import CutShortError, ManifestError, Part, StoredStep, StoredValue

texts = st.text(st.characters(), max_size=20)
parts = st.builds(Part, texts, st.integers(0, 1 << 60), st.integers(0, 1 << 60), texts, texts)
values = st.builds(
    StoredValue,
    texts,
    texts,
    st.one_of(st.binary(max_size=40), parts),
    st.lists(parts, max_size=3).map(tuple),
    st.booleans(),
)
groups = st.lists(values, max_size=3).map(tuple)
steps = st.builds(StoredStep, texts, texts, texts, groups, groups)


@given(steps)
def test_what_is_written_is_read_back(step: StoredStep) -> None:
    assert StoredStep.from_bytes(step.to_bytes(), step.run_id) == step


@given(steps, st.data())
def test_a_changed_byte_is_found(step: StoredStep, data: st.DataObject) -> None:
    content = bytearray(step.to_bytes())
    content[data.draw(st.integers(0, len(content) - 2))] ^= 1

    with pytest.raises(ManifestError):
        StoredStep.from_bytes(bytes(content), "run")


@given(steps, st.data())
def test_a_beginning_is_told_from_what_was_changed(step: StoredStep, data: st.DataObject) -> None:
    content = step.to_bytes()

    with pytest.raises(CutShortError):
        StoredStep.from_bytes(content[: data.draw(st.integers(0, len(content) - 1))], "run")


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"\n\n"])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestError):
        StoredStep.from_bytes(content, "run")


def test_the_content_of_a_value_does_not_depend_on_where_it_lies() -> None:
    one = StoredValue("x", "array", b"stream", (Part("blob", 0, 9, "abc", "input"),))
    other = StoredValue("x", "array", b"stream", (Part("other", 4096, 9, "abc", "train"),))
    third = StoredValue("x", "array", b"stream", (Part("blob", 0, 9, "abd", "input"),))

    assert one.content == other.content != third.content


def _stored(value: object) -> StoredValue:
    stream, _ = encode(value, io.BytesIO)
    return StoredValue("key", "type", stream.getvalue())


@pytest.mark.parametrize(
    "value", [None, True, 1 << 70, 1.5, "text", b"\x00", [(1, "a")], {"a": {2.0}}, frozenset("b")]
)
def test_values_of_python_itself_are_read_without_an_import(value: object) -> None:
    assert not _stored(value).may_import


@pytest.mark.parametrize(
    "value", [Decimal(1), [{"a": date(2026, 1, 1)}], PurePath("a"), len, Decimal, range(3), 1j]
)
def test_a_value_of_a_module_may_import_it(value: object) -> None:
    assert _stored(value).may_import


def test_a_value_that_is_named_by_a_registered_code_may_import_its_module() -> None:
    copyreg.add_extension("decimal", "Decimal", 200)
    try:
        assert _stored(Decimal(1)).may_import
    finally:
        copyreg.remove_extension("decimal", "Decimal", 200)


def test_what_a_blob_holds_may_import() -> None:
    assert StoredValue("key", "type", Part("blob", 0, 1, "checksum", "step")).may_import


def test_a_step_may_import_what_one_of_its_values_does() -> None:
    plain, other = _stored(1), _stored(Decimal(1))

    assert not StoredStep("run", "train", "step", (plain,), (plain,)).may_import
    assert StoredStep("run", "train", "step", (plain,), (plain, other)).may_import
