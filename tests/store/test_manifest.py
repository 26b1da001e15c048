from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.store.manifest import ManifestError, Part, StoredStep, StoredValue

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


@pytest.mark.parametrize("content", [b"", b"\n", b"{}"])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestError):
        StoredStep.from_bytes(content, "run")


def test_the_content_of_a_value_does_not_depend_on_where_it_lies() -> None:
    one = StoredValue("x", "array", b"stream", (Part("blob", 0, 9, "abc", "input"),))
    other = StoredValue("x", "array", b"stream", (Part("other", 4096, 9, "abc", "train"),))
    third = StoredValue("x", "array", b"stream", (Part("blob", 0, 9, "abd", "input"),))

    assert one.content == other.content != third.content
