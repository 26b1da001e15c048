"""Labels change what is shown, never what was said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.errors import LabelError
from alo.review.labels import Label, Labels


@pytest.fixture
def labels() -> Labels:
    return Labels.named(["good", Label(id="bad", name="bad", key="b", colour="#ff0000")])


def test_a_renamed_label_is_shown_by_its_new_name_where_it_was_given_before(
    labels: Labels,
) -> None:
    said = labels.ids["good"]

    renamed = labels.rename("good", "fine").add("good")

    assert renamed.name_of(said) == "fine"
    assert renamed.ids["good"] != said
    assert list(renamed.ids) == ["fine", "bad", "good"]


def test_a_merged_label_is_shown_as_the_other_through_any_number_of_merges(
    labels: Labels,
) -> None:
    said = labels.ids["good"]

    merged = labels.add("third").merge("good", "bad").merge("bad", "third")

    assert merged.name_of(said) == "third"
    assert list(merged.ids) == ["third"]
    assert len(merged.everything) == 3


DECOMPOSED, COMPOSED = "\u110b\u1163\u11bc\u1109\u1165\u11bc", "\uc591\uc131"  # both are 양성


def test_a_name_that_is_typed_means_the_only_label_that_looks_so() -> None:
    of_a_mac = Labels.named([DECOMPOSED, "good", "Good"])
    both = Labels.named([DECOMPOSED, COMPOSED])

    assert of_a_mac.like(COMPOSED) == DECOMPOSED
    assert of_a_mac.meant[COMPOSED] == of_a_mac.ids[DECOMPOSED]
    assert (of_a_mac.like("Good"), of_a_mac.like("GOOD")) == ("Good", "GOOD")
    assert both.like(COMPOSED) == COMPOSED
    assert both.meant[COMPOSED] == both.ids[COMPOSED]
    assert both.meant[DECOMPOSED] == both.ids[DECOMPOSED]


def test_no_label_is_added_that_looks_like_another() -> None:
    labels = Labels.named([DECOMPOSED, "good"])

    for change in (
        lambda: labels.add(COMPOSED),
        lambda: labels.add("go\u200bod"),
        lambda: labels.rename("good", COMPOSED),
    ):
        with pytest.raises(LabelError, match="there is a label that looks the same"):
            change()
    assert list(labels.rename(DECOMPOSED, COMPOSED).ids) == [COMPOSED, "good"]
    assert "GOOD" in labels.add("GOOD").ids


def test_names_are_taken_once_and_in_their_order() -> None:
    assert list(Labels.named(["b", "a", "b"]).ids) == ["b", "a"]


def test_a_removed_label_takes_those_along_that_were_merged_into_it(labels: Labels) -> None:
    left = labels.merge("good", "bad").without("bad")

    assert left.everything == []
    assert left.name_of("good") == "good"  # what an old decision said can still be read


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda it: it.add("good"), "there is a label 'good'"),
        (lambda it: it.add(" "), "one line"),
        (lambda it: it.add("x" * 201), "one line"),
        (lambda it: it.add("new", key="a"), "'a' is a command's"),
        (lambda it: it.add("new", key="A"), "'A' is a command's"),
        (lambda it: it.add("new", key="b"), "that of 'bad'"),
        (lambda it: it.add("new", key="1"), "is a digit"),
        (lambda it: it.add("new", key="xy"), "is not one letter"),
        (lambda it: it.add("new", colour="red"), "no colour"),
        (lambda it: it.rename("none", "x"), "no label is called 'none'"),
        (lambda it: it.rename("good", "bad"), "there is a label 'bad'"),
        (lambda it: it.merge("good", "good"), "into itself"),
        (lambda it: it.merge("good", "none"), "no label is called 'none'"),
        (lambda it: it.recolour("good", "blue"), "no colour"),
        (lambda it: it.recolour("good", "#0000ff", "b"), "that of 'bad'"),
        (lambda it: it.without("none"), "no label is called 'none'"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    labels: Labels, change: Callable[[Labels], Labels], what: str
) -> None:
    with pytest.raises(LabelError, match=what):
        change(labels)


def test_a_label_keeps_its_key_while_it_gets_a_colour(labels: Labels) -> None:
    (bad,) = [each for each in labels.recolour("bad", "#00ff00").shown if each.name == "bad"]

    assert bad.to_json() == {"name": "bad", "key": "b", "colour": "#00ff00"}


def test_no_review_has_labels_without_end() -> None:
    many = Labels(Label(id=str(n), name=str(n)) for n in range(1000))

    with pytest.raises(LabelError, match="at most 1,000"):
        many.add("one more")


def test_a_decision_without_a_label_has_no_name(labels: Labels) -> None:
    assert labels.name_of(None) is None


def test_who_says_what_a_label_was_called_at_first_means_that_label() -> None:
    labels = Labels.named(["good", "bad", "odd"]).rename("good", "fine").merge("odd", "bad")

    assert labels.meant == {"good": "good", "fine": "good", "bad": "bad", "odd": "bad"}
    assert labels.add("good").meant["good"] == "good#2"
