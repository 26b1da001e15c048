"""A picture shows what the pictures most like it show; train and inference each have this file."""

from math import dist


def vote(model, picture, neighbours=5):
    """The share of each class among the nearest train pictures: {class: share}.

    model: pairs of a class and the pixels of a picture that shows it, all of one size.
    """
    nearest = sorted(model, key=lambda known: dist(known[1], picture))[:neighbours]
    votes = [label for label, _ in nearest]
    return {
        label: votes.count(label) / len(votes) for label in sorted({label for label, _ in model})
    }
